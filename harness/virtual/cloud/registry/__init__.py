"""Things, certificates, groups, device records and teams, and what of them is kept on disk."""

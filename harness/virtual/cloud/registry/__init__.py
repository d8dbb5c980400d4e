"""Things, certificates, groups, device records and teams, and the file that keeps them."""

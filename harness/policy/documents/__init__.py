"""Policy documents: reading them, their parts, the shipped profiles, and writing them back."""

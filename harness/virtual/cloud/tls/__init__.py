"""TLS of the local cloud: its CA, whom it trusts, and streams over asyncio."""

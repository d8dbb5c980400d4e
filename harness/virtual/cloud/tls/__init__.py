"""TLS of the local cloud: its CA, its trust, and streams over asyncio."""

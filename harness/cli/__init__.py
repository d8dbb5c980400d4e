"""``nrf91-harness``: provision a board, look after its credentials, ask for its tokens, start the stand-ins."""

from harness.cli.main import main

__all__ = ["main"]

"""``nrf91-harness``: provision boards, look after credentials, ask for tokens, examine policies, start stand-ins."""

from harness.cli.main import main

__all__ = ["main"]

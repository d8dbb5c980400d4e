"""``nrf91-harness``: provision a board, look after its credentials, ask for its tokens, examine policies, start the
stand-ins.
"""

from harness.cli.main import main

__all__ = ["main"]

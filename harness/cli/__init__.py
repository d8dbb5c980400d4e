"""``nrf91-harness``: provision boards, look after credentials, ask for tokens, examine policies, start stand-ins."""

import sys

try:
    from harness.cli.main import main
except KeyboardInterrupt:  # Ctrl-C while the command was still being loaded
    print("nrf91-harness: interrupted", file=sys.stderr)
    sys.exit(130)

__all__ = ["main"]

"""The last net: no page with a secret in it is written, whatever file it came from."""

import html
import re
from pathlib import Path

from harness.errors import Misuse
from harness.redact import SECRETS


def refuse_secrets(text: str, page: Path) -> None:
    """Raise Misuse where ``text`` holds a value that the harness knows as secret, a JWT or a private key."""
    for written in (text, html.unescape(text)):
        if SECRETS.scrub(written) != written:
            raise Misuse(f"{page}: not written: there is a secret in {_line(written)}; cut it out of the run's files")


def _line(text: str) -> str:
    for number, line in enumerate(text.splitlines(), 1):
        if SECRETS.scrub(line) != line:
            return f"line {number} of it, which begins {re.sub(r'<[^>]*>', '', SECRETS.scrub(line)).strip()[:60]!r}"
    return "it, over several lines"

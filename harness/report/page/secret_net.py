"""The last check before a page is written: it must hold no secret, from whatever file."""

import html
import re
from pathlib import Path

from harness.errors import Misuse
from harness.redact import SECRETS


def refuse_secrets(text: str, page: Path) -> None:
    """Raise Misuse if ``text`` holds a JWT, a private key or a value that the harness knows as secret."""
    for written in (text, html.unescape(text)):
        if SECRETS.scrub(written) != written:
            raise Misuse(f"{page}: not written: there is a secret in {_line(written)}; cut it out of the run's files")


def _line(text: str) -> str:
    for number, line in enumerate(text.splitlines(), 1):
        if SECRETS.scrub(line) != line:
            return f"line {number} of it, which begins {re.sub(r'<[^>]*>', '', SECRETS.scrub(line)).strip()[:60]!r}"
    return "it, over several lines"

"""Keeps secrets out of everything that is written: timelines, transcripts, reports, messages.

Two nets. What a device line is known to carry is cut by its shape (:func:`redact_line`), because the secret is born
there and nobody knows it beforehand. What the harness itself was given (API keys) is cut by value (:class:`Secrets`).
"""

import re
import threading

_CMNG_WRITE = re.compile(rb"(?i)(at%cmng\s*=\s*0\s*,\s*\d+\s*,\s*(\d+)\s*,)(.*)", re.DOTALL)
_PUBLIC_CMNG_TYPES = frozenset({b"0", b"1"})  # certificates; every other type is a key, a PSK or an identity
_QUOTED_ARGUMENT = re.compile(rb'(?i)(at%(?:keyinject|attesttoken|claimtoken)\s*=[^"]*)(".*)', re.DOTALL)
_XSUDO = re.compile(rb"(?i)(at%xsudo\s*=\s*\d+\s*,)([^;]*)", re.DOTALL)
_ANSWER_TOKEN = re.compile(rb"(%(?:ATTESTTOKEN|JWT|CLAIMTOKEN|KEYINJECT|REGJWT): )(.*)", re.DOTALL)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_JWT = re.compile(rb"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}")


def _mark(secret: bytes) -> bytes:
    return b"<redacted %d bytes>" % len(secret)


def redact_line(line: bytes) -> bytes:
    """Return ``line`` (one command or one answer line, any length) without the secrets its shape gives away."""
    if b"%" in line:
        written = _CMNG_WRITE.search(line)
        if written and written[2] not in _PUBLIC_CMNG_TYPES:
            return line[: written.start(3)] + _mark(written[3])
        for pattern in (_ANSWER_TOKEN, _QUOTED_ARGUMENT, _XSUDO):
            found = pattern.search(line)
            if found:
                return line[: found.start(2)] + _mark(found[2]) + line[found.end(2) :]
    if b"eyJ" in line:
        line = _JWT.sub(lambda m: _mark(m[0]), line)
    if b"PRIVATE KEY" in line:
        line = _PRIVATE_KEY.sub(lambda m: _mark(m[0]), line)
    return line


class Secrets:
    """Literal secrets that the harness was given; :meth:`scrub` cuts them from any text before it is written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        """Register a secret of at least 8 characters (a shorter one would cut innocent text; Misuse elsewhere)."""
        if len(value) < 8:
            return
        with self._lock:
            if value not in self._values:
                self._values = tuple(sorted((*self._values, value), key=len, reverse=True))

    def scrub(self, text: str) -> str:
        """Return ``text`` without any registered secret."""
        for value in self._values:
            if value in text:
                text = text.replace(value, "<redacted>")
        return _JWT_TEXT.sub("<redacted JWT>", text) if "eyJ" in text else text


_JWT_TEXT = re.compile(_JWT.pattern.decode())

SECRETS = Secrets()
"""The process's registry: one, because a secret must not leak through whichever writer forgot to ask for it."""

"""Keeps secrets out of everything that is written: timelines, transcripts, reports, messages.

There are two nets. Secrets that a device makes are cut by the shape of their line (:func:`redact_line`), because
nobody knows them beforehand. Secrets that the harness was given (API keys) are cut by value (:class:`Secrets`).
"""

import re
import threading
from typing import Any, Final

_I: Final = re.IGNORECASE | re.DOTALL
_PUBLIC_CMNG_TYPES = frozenset({b"0", b"1"})  # certificates; every other type is a key, a PSK or an identity
_CREDENTIAL = re.compile(
    rb"((?:%|#X)cmng\s*=\s*0\s*,\s*\d+\s*,\s*(\d+)\s*,"  # written
    rb"|(?:%|#X)cmng:\s*\d+\s*,\s*(\d+)\s*,\s*\"[0-9a-f]*\"\s*,)"  # read
    rb"(.*)",
    _I,
)
_DEVICE_SECRETS: Final = (
    re.compile(rb"(%(?:keyinject|attesttoken|claimtoken)\s*=[^\"]*)(\".*)", _I),
    re.compile(rb"(%(?:attesttoken|jwt|claimtoken|keyinject|regjwt):\s*)(.*)", _I),
    re.compile(rb"(%xsudo\s*=\s*\d+\s*,)([^;]*)", _I),
    re.compile(rb"(#xmqttcon\s*=\s*\d+\s*,\s*\"[^\"]*\"\s*,\s*)(\"[^\"]+\"?)", _I),  # the broker's password
    re.compile(rb"(\+cgauth\s*=\s*\d+\s*,\s*\d+\s*,)(.*)", _I),
    re.compile(rb"(\+(?:cpin|cpwd|clck)\s*=)([^;?]+)", _I),
)
# One search that lets pass the many lines that name none of the above.
_NAMED = re.compile(
    rb"%(?:cmng|keyinject|attesttoken|claimtoken|jwt|regjwt|xsudo)|#x(?:cmng|mqttcon)|\+c(?:gauth|pin|pwd|lck)", _I
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_JWT = re.compile(rb"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}")
_KEY_OPEN = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!.*-----END )", re.DOTALL)
_KEY_END = re.compile(rb"-----END [A-Z ]*PRIVATE KEY-----")
_KEY_LINES: Final = 200  # an RSA 8192 key has 100


def _mark(secret: bytes) -> bytes:
    return b"<redacted %d bytes>" % len(secret)


def _without_credential(found: re.Match[bytes]) -> bytes:
    return found[0] if (found[2] or found[3]) in _PUBLIC_CMNG_TYPES else found[1] + _mark(found[4])


def may_hold_secret(data: bytes) -> bool:
    """Tell quickly, and on the safe side, whether :func:`redact_line` could change any line of ``data``."""
    if b"eyJ" in data or b"PRIVATE KEY" in data:
        return True
    return (b"%" in data or b"#" in data or b"+" in data) and _NAMED.search(data) is not None


def redact_line(line: bytes) -> bytes:
    """Return ``line`` (one command or one answer line, any length) without the secrets its shape gives away."""
    if not may_hold_secret(line):
        return line
    if _NAMED.search(line):
        line = _CREDENTIAL.sub(_without_credential, line)
        for pattern in _DEVICE_SECRETS:
            line = pattern.sub(lambda found: found[1] + _mark(found[2]), line)
    if b"PRIVATE KEY" in line:
        line = _PRIVATE_KEY.sub(lambda found: _mark(found[0]), line)
    if b"eyJ" in line:
        line = _JWT.sub(lambda found: _mark(found[0]), line)
    return line


class LineRedactor:
    """:func:`redact_line` for the lines of one stream, one after the other: a private key may span lines."""

    def __init__(self) -> None:
        self._left = 0

    @property
    def inside(self) -> bool:
        """True while the lines that come belong to a key."""
        return self._left > 0

    def __call__(self, line: bytes) -> bytes:
        """Return the next line without secrets."""
        if self._left:
            self._left -= 1
            end = _KEY_END.search(line)
            if not end:
                return _mark(line)
            self._left = 0
            return _mark(line[: end.end()]) + redact_line(line[end.end() :])
        if b"PRIVATE KEY" in line and _KEY_OPEN.search(line):
            self._left = _KEY_LINES
        return redact_line(line)


class Secrets:
    """The secrets that the harness was given; :meth:`scrub` cuts them from any text before it is written."""

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
        """Return ``text`` without any registered secret, private key or JWT."""
        for value in self._values:
            if value in text:
                text = text.replace(value, "<redacted>")
        if "eyJ" in text:
            text = _JWT_TEXT.sub("<redacted JWT>", text)
        return _KEY_TEXT.sub("<redacted key>", text) if "PRIVATE KEY" in text else text

    def scrub_value(self, value: Any) -> Any:
        """Return what JSON can say of ``value``, each of its texts scrubbed by itself.

        A cut over the whole text of a JSON value could take JSON's own characters along.
        """
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {self.scrub(str(name)): self.scrub_value(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub_value(item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.scrub(str(value))  # what JSON knows no form for is written as its text

    def scrub_bytes(self, data: bytes) -> bytes:
        """Return bytes that need not be text without any registered secret, private key or JWT."""
        return self.scrub(data.decode("latin-1")).encode("latin-1")


_JWT_TEXT = re.compile(_JWT.pattern.decode())
_KEY_TEXT = re.compile(_PRIVATE_KEY.pattern.decode(), re.DOTALL)

SECRETS = Secrets()
"""The process's registry: one, because a secret must not leak through whichever writer forgot to ask for it."""

"""Decodes HTTP/1.1 requests from bytes, without I/O: the part of RFC 9112 that a device needs to publish by POST.

A body must have a Content-Length; a chunked body is refused.
"""

import re
from dataclasses import dataclass

_LONGEST_HEAD = 8192
_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.([01])")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")


class BadRequest(Exception):
    """The bytes are not a request that this decoder understands."""


@dataclass(frozen=True)
class HttpRequest:
    """One request. ``target``: path and query as sent. ``fields``: header fields by name in lower case."""

    method: str
    target: str
    fields: dict[str, str]
    body: bytes
    keep_alive: bool


class HttpDecoder:
    """Takes bytes as they come, and returns whole requests. ``longest_body``: in bytes."""

    def __init__(self, longest_body: int) -> None:
        self._longest_body = longest_body
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._buffer += data

    def next_request(self) -> HttpRequest | None:
        """Return the next request, or None if it is not complete yet. Raises :class:`BadRequest`."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise BadRequest(f"the head is longer than {_LONGEST_HEAD} bytes")
            return None
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        line = _REQUEST_LINE.fullmatch(first)
        if line is None:
            raise BadRequest("the request line is not METHOD TARGET HTTP/1.1")
        fields = _fields(lines)
        length = self._length(fields)
        whole = end + 4 + length
        if len(self._buffer) < whole:
            return None
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        options = fields.get("connection", "").lower()
        keep_alive = "close" not in options if line[3] == "1" else "keep-alive" in options
        return HttpRequest(line[1], line[2], fields, body, keep_alive)

    def _length(self, fields: dict[str, str]) -> int:
        if "transfer-encoding" in fields:
            raise BadRequest("Transfer-Encoding is not supported, send Content-Length")
        text = fields.get("content-length", "0")
        if not text.isascii() or not text.isdecimal() or int(text[:9]) > self._longest_body or len(text) > 9:
            raise BadRequest(f"Content-Length must be a number up to {self._longest_body}")
        return int(text)


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadRequest("a header field is not NAME: VALUE")
        name = field[1].lower()
        if name == "content-length" and name in fields:
            raise BadRequest("more than one Content-Length")
        fields[name] = field[2]
    return fields

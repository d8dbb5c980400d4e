"""One HTTP/1.1 response out of bytes, as far as the provisioning client needs it: a body has a Content-Length. No I/O.

Source: RFC 9112.
"""

import re

_LONGEST = 65_536
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,6})[ \t]*(?=\r\n)", re.IGNORECASE)


class NoResponse(Exception):
    """The bytes are not an HTTP response, or are more than fit."""


class HttpResponse:
    """Takes bytes until the response is there."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.status = 0
        self.body = b""

    def feed(self, data: bytes) -> bool:
        """Take bytes; True when the response is complete. Raises :class:`NoResponse`."""
        self._data += data
        head, separator, rest = bytes(self._data).partition(b"\r\n\r\n")
        if len(self._data) > _LONGEST:
            raise NoResponse("more than fits")
        if not separator:
            return False
        status = _STATUS.match(head)
        if status is None:
            raise NoResponse("no status line")
        length = _LENGTH.search(head + b"\r\n")
        wanted = int(length[1]) if length else 0
        if len(rest) < wanted:
            return False
        self.status, self.body = int(status[1]), rest[:wanted]
        return True

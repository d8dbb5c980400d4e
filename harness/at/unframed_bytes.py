"""Bytes of a peer that arrive in a TCP client's data mode: as they are, with no line that announces them.

Source: nRF Connect SDK 2.6 to 3.1, Serial LTE Modem, slm_at_tcp_proxy.c and slm_at_host.c. From the OK of
``AT#XTCPSEND`` on, everything is the peer's, up to the line by which data mode ends::

    \\r\\nOK\\r\\n  <the peer's bytes>  \\r\\n#XDATAMODE: 0\\r\\n

Where the connection ends meanwhile, the firmware itself writes ``+++`` behind the peer's last byte, and the status is
negative. UNCONFIRMED: before 2.6 it may tell of the end between the two, inside data mode; both forms are read::

    <the peer's bytes>  +++  \\r\\n#XTCPCLI: -104,"disconnected"\\r\\n  \\r\\n#XDATAMODE: -104\\r\\n

Older firmware looks at POLLHUP before it receives: the last bytes before a FIN may be missing then, and nothing tells.

A peer that sends such an end of data mode just then cannot be told from the firmware: what follows is then read as
lines, and the firmware's own line comes as one that nobody waits for. By that the carrier of the bytes sees it.
"""

import re
from typing import Final

_END: Final = re.compile(rb"\r\n(#XDATAMODE: (-?\d{1,6}))\r\n")
_LONGEST_END: Final = len(b"\r\n#XDATAMODE: -123456\r\n")
_TERMINATOR: Final = b"+++"
_TOLD: Final = re.compile(rb'\r\n#XTCPCLI: -\d{1,6},"disconnected"\r\n\Z')
# What the firmware may say in a data mode that never ends. Everything else is the peer's, and nobody's business.
_OWN: Final = re.compile(rb"^(?:[+%#][A-Z][A-Z0-9]{2,}: [ -~]*|.{0,2}eady|.?INIT ERROR)\r?$", re.MULTILINE)


class UnframedBytes:
    """From OK to the end of data mode. ``line_feed_owed``: the chunk with the OK ended inside its line end.

    ``content``: the peer's bytes; ``line``: the one by which data mode ended, without line ends; both once it has.
    """

    def __init__(self, *, line_feed_owed: bool) -> None:
        self.content = b""
        self.line = b""
        self._data = bytearray()
        self._line_feed_owed = line_feed_owed

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes; return what stands behind the end of data mode, None: it has not ended yet."""
        if self._line_feed_owed and data:
            data = data.removeprefix(b"\n")
            self._line_feed_owed = False
        seen = max(0, len(self._data) - _LONGEST_END)
        self._data += data
        found = _END.search(self._data, seen)
        if found is None:
            return None
        content = bytes(self._data[: found.start()])
        self.content = _TOLD.sub(b"", content).removesuffix(_TERMINATOR) if found[2].startswith(b"-") else content
        self.line = bytes(found[1])
        return bytes(self._data[found.end() :])

    def own_lines(self) -> list[bytes]:
        """Return the lines so far that have the form of the firmware's own: what is left of a data mode given up."""
        return own_lines(self._data)


def own_lines(data: bytes | bytearray) -> list[bytes]:
    """Return the lines in a peer's bytes that have the form of the firmware's own: the rest is nobody's business."""
    return [found[0].rstrip(b"\r") for found in _OWN.finditer(data)]

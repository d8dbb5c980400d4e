"""A modem in a page of code, without I/O: bytes of commands in, bytes of answers out.

Behaves like the AT Host library: quotes hide terminators, 0x08 and 0x7F delete, an empty line is dropped silently.
"""

from collections.abc import Callable, Mapping

Reply = bytes | Callable[[str], bytes]


ALWAYS: dict[str, Reply] = {
    "AT": b"",
    "AT+CMEE?": b"+CMEE: 1\r\n",
    "AT+CFUN?": b"+CFUN: 0\r\n",
    "AT+CEREG?": b"+CEREG: 0,4\r\n",
    "AT%XSYSTEMMODE?": b"%XSYSTEMMODE: 1,0,1,0\r\n",
}


class ScriptedModem:
    """``replies``: from a command's text (or its part before "=") to the bytes of the whole answer."""

    def __init__(
        self,
        replies: Mapping[str, Reply] | None = None,
        *,
        terminator: bytes = b"\r",
        leading: bytes = b"",
        echo: bool = False,
    ) -> None:
        self.replies: dict[str, Reply] = {**ALWAYS, **(replies or {})}
        self.leading = leading
        self.echo = echo
        self.commands: list[str] = []
        self.payloads: list[bytes] = []
        self._terminator = terminator
        self._line = bytearray()
        self._payload: bytearray | None = None

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the host, return what the modem sends."""
        out = bytearray()
        for at in range(len(data)):
            byte = data[at : at + 1]
            if self._payload is not None:
                out += self._data_mode(byte)
                continue
            if self.echo:
                out += byte
            if byte in (b"\x08", b"\x7f"):
                del self._line[-1:]
                continue
            self._line += byte
            if self._line.endswith(self._terminator) and self._line.count(b'"') % 2 == 0:
                line = bytes(self._line[: -len(self._terminator)])
                self._line.clear()
                if any(value > 32 for value in line):
                    out += self._run(line)
        return bytes(out)

    def _run(self, line: bytes) -> bytes:
        text = line.decode().strip()
        self.commands.append(text)
        reply = self.replies.get(text, self.replies.get(text.split("=")[0]))
        if reply is None:
            return self.leading + b"ERROR\r\n"
        if text.startswith("AT#XSEND"):
            self._payload = bytearray()
        info = reply(text) if callable(reply) else reply
        if info.startswith((b"ERROR", b"+CME ERROR", b"+CMS ERROR")):
            return self.leading + info
        if self.leading and info:
            return self.leading + info + self.leading + b"OK\r\n"
        return self.leading + info + b"OK\r\n"

    def _data_mode(self, byte: bytes) -> bytes:
        assert self._payload is not None
        self._payload += byte
        if not self._payload.endswith(b"+++"):
            return b""
        self.payloads.append(bytes(self._payload[:-3]))
        self._payload = None
        return b"\r\n#XDATAMODE: 0\r\n"

"""Raw bytes whose number a line announced: ``#XMQTTMSG: <topic bytes>,<payload bytes>`` and then the two.

They may hold anything, line ends and final results included. Each is followed by CR LF. Source: Serial Modem
documentation, "MQTT client AT commands", "Socket AT commands".
"""


class FramedBytes:
    """The blobs behind one line. ``lengths``: in bytes; ``line``: the line as it came, with its line end."""

    def __init__(self, lengths: tuple[int, ...], line: bytes) -> None:
        self._lengths = lengths
        self._line = line
        self._blobs: list[bytes] = []
        self._data = bytearray()
        self._skip_lf = line.endswith(b"\r")  # the chunk ended inside the line end

    @property
    def blobs(self) -> tuple[bytes, ...]:
        """Those that are complete."""
        return tuple(self._blobs)

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes; return what is left over once the last blob is complete, else None."""
        self._data += data
        if self._skip_lf and self._data:
            if self._data[:1] == b"\n":
                del self._data[:1]
            self._skip_lf = False
        while len(self._blobs) < len(self._lengths):
            start = 0
            if self._blobs:
                if len(self._data) < 2:
                    return None
                start = 2 if self._data[:2] == b"\r\n" else 0
            end = start + self._lengths[len(self._blobs)]
            if len(self._data) < end:
                return None
            self._blobs.append(bytes(self._data[start:end]))
            del self._data[:end]
        return bytes(self._data)

    def so_far(self) -> bytes:
        """Return every byte from the line on, for reading them as lines after all."""
        return b"\r\n".join([self._line.rstrip(b"\r\n"), *self._blobs, bytes(self._data)])

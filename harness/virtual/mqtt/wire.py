"""Data representations of MQTT: integers, strings, remaining length. Source: MQTT 3.1.1 §1.5, §2.2.3."""

LONGEST_BODY = 268_435_455  # four bytes of seven bits each


class Malformed(Exception):
    """Bytes that no correct peer sends. The connection has to be closed."""


def encode_u16(value: int) -> bytes:
    """Return two bytes, most significant first; ValueError outside 0..65535."""
    if not 0 <= value <= 0xFFFF:
        raise ValueError(f"{value} does not fit into two bytes")
    return value.to_bytes(2, "big")


def encode_bytes(value: bytes) -> bytes:
    """Return length-prefixed bytes; ValueError beyond 65535 bytes."""
    return encode_u16(len(value)) + value


def encode_string(text: str) -> bytes:
    """Return a length-prefixed UTF-8 string; ValueError beyond 65535 bytes."""
    return encode_bytes(text.encode())


def encode_length(length: int) -> bytes:
    """Return the remaining length field: seven bits a byte, least significant group first."""
    if not 0 <= length <= LONGEST_BODY:
        raise ValueError(f"a packet body of {length} bytes cannot be expressed; the longest is {LONGEST_BODY}")
    field = bytearray()
    while True:
        length, low = divmod(length, 128)
        field.append(low | 0x80 if length else low)
        if not length:
            return bytes(field)


class Body:
    """Reads one packet's body from front to back. Everything raises :class:`Malformed` when bytes are missing."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._at

    def u8(self) -> int:
        return self._take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self._take(2), "big")

    def packet_id(self) -> int:
        """Read a packet identifier, which is never 0 [MQTT-2.3.1-1]."""
        value = self.u16()
        if value == 0:
            raise Malformed("packet identifier 0")
        return value

    def binary(self) -> bytes:
        return self._take(self.u16())

    def string(self) -> str:
        """Read a UTF-8 string; surrogates and U+0000 are not allowed [MQTT-1.5.3-1, -2]."""
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(f"a string is not UTF-8: {error.reason}") from None
        if "\0" in text:
            raise Malformed("a string contains U+0000")
        return text

    def rest(self) -> bytes:
        return self._take(self.left)

    def end(self) -> None:
        """Raise when bytes are left over."""
        if self.left:
            raise Malformed(f"{self.left} bytes after the end of the packet's content")

    def _take(self, count: int) -> bytes:
        if count > self.left:
            raise Malformed(f"the packet ends {count - self.left} bytes early")
        start = self._at
        self._at += count
        return self._data[start : self._at]

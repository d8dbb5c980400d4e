"""RFC 2217 and Telnet below it: any bytes of a server of ports, in any pieces."""

from harness.at.com_port import ComPort, ComPortRequest


def one_input(data: bytes) -> None:
    """The first byte says what was asked, the second the size of the pieces. Documented errors: none.

    Wherever the bytes are cut, the board's bytes, what is replied and what is believed are the same.
    """
    asked, size, stream = data[:1], (data[1] if len(data) > 1 else 0) + 1, data[2:]
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert _heard(asked, [stream]) == _heard(asked, pieces)


def _heard(value: bytes, pieces: list[bytes]) -> tuple[bytes, bytes, bool | None, list[bool | None]]:
    com = ComPort()
    com.start()
    for kind in ComPortRequest:
        com.request(kind, value)
    plain = reply = b""
    for piece in pieces:
        more, answer = com.receive(piece)
        plain, reply = plain + more, reply + answer
    return plain, reply, com.agreed, [com.answer(kind) for kind in ComPortRequest]

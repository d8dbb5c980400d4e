"""What the tests' man in the middle takes from a board's line, and what it leaves."""

import os
import tty

import pytest
import serial

from tests.integration.one_line import OneLine

DEADLINE = 30.0
HANG_UP = b"\r\n#XMQTTEVT: 1,-128\r\n"


@pytest.mark.parametrize(("what", "left"), [(b"", b"\r\n"), (b"OTHER\r\n", b"\r\nOTHER\r\n")])
def test_what_the_board_says_in_the_same_moment_is_left(tmp_path, what, left):
    """A lost hang-up took the result of its command along, and the test said that a single line was lost."""
    board, port = os.openpty()
    tty.setraw(port)
    with OneLine(os.ttyname(port), tmp_path / "port") as line, serial.Serial(str(line.link), timeout=DEADLINE) as host:
        line.once(b"#XMQTTEVT: 1", lambda _line: what)
        os.write(board, b"\r\n#XDATAMODE: 0\r\n" + HANG_UP + HANG_UP + b"\r\nOK\r\n")
        assert host.read_until(b"OK\r\n") == b"\r\n#XDATAMODE: 0\r\n" + left + HANG_UP + b"\r\nOK\r\n"
        assert line.struck_at == 1
    os.close(board)
    os.close(port)

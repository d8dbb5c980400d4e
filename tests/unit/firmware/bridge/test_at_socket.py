"""What the board's lines about a socket say."""

import pytest

from harness.firmware.bridge.at_socket import Poll, poll_bits, poll_text, received_length
from harness.timeline import Event, Kind
from tests.unit.firmware.bridge.far_socket import FarSocket


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("#XAPOLL: 3,17", (3, Poll.IN | Poll.HUP)),
        ("#XAPOLL: 0,16", (0, Poll.HUP)),
        ("#XAPOLL: 0", None),
        ("#XAPOLL: (0,1),(0,1)", None),
    ],
)
def test_lines_that_tell(line, found):
    assert poll_bits(line) == found


def test_every_bit_has_its_name():
    assert poll_text(2, Poll(61)) == "socket 2: POLLIN POLLOUT POLLERR POLLHUP POLLNVAL (61, 0x003d)"


@pytest.mark.parametrize(("args", "length"), [("0,0,5", 5), ("0,1,5", 10), ("7", 7), ("1,7", 7)])
def test_the_bytes_that_a_line_announces(args, length):
    assert received_length(args) == (length,)


@pytest.mark.parametrize("args", ["", "x", "1,2,", "(0,1)"])
def test_a_line_that_announces_nothing(args):
    with pytest.raises(ValueError, match="invalid literal"):
        received_length(args)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("#XAPOLL: 3,17", (Poll.IN | Poll.HUP, "socket 3: POLLIN POLLHUP (17, 0x0011)")),
        ("#XAPOLL: 2,17", None),
        ("+CEREG: 1", None),
    ],
)
def test_a_socket_hears_its_own_lines_alone(line, found):
    socket = FarSocket()
    socket.handle = 3
    assert socket.told(Event(1, 0.0, Kind.URC, "dk1", line, {})) == found

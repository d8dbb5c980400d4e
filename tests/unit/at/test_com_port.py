"""What the client of RFC 2217 asks, answers and believes."""

import pytest

from harness.at.com_port import ComPort, ComPortControl, ComPortRequest, baudrate
from harness.at.telnet import DO, DONT, WILL, WONT, subnegotiation

BINARY, ECHO, GO_AHEAD, COM_PORT, UNKNOWN = 0, 1, 3, 0x2C, 0x18


def said(*verbs):
    return b"".join(bytes((0xFF, *verb)) for verb in verbs)


def answer(kind, value):
    return subnegotiation(bytes((COM_PORT, kind + 100)) + value)


@pytest.fixture
def com():
    started = ComPort()
    assert started.agreed is None
    started.start()
    return started


def test_it_asks_for_what_pyserials_client_asks():
    com = ComPort()
    assert com.start() == said((DO, ECHO), (WILL, GO_AHEAD), (DO, GO_AHEAD), (DO, COM_PORT), (WILL, COM_PORT))


@pytest.mark.parametrize(
    ("verb", "option", "agreed"),
    [
        (DO, COM_PORT, True),
        (DONT, COM_PORT, False),
        (WILL, COM_PORT, None),
        (WONT, COM_PORT, None),
        (DO, GO_AHEAD, None),
    ],
)
def test_a_server_speaks_it_if_it_lets_the_client_do_so(com, verb, option, agreed):
    assert com.receive(said((verb, option))) == (b"", b"")
    assert com.agreed is agreed


@pytest.mark.parametrize(
    ("heard", "reply"),
    [
        (said((DO, BINARY)), said((WILL, BINARY))),
        (said((WILL, BINARY)), said((DO, BINARY))),
        (said((DO, BINARY), (DO, BINARY)), said((WILL, BINARY))),
        (said((DO, BINARY), (DONT, BINARY)), said((WILL, BINARY), (WONT, BINARY))),
        (said((WILL, BINARY), (WONT, BINARY)), said((DO, BINARY), (DONT, BINARY))),
        (said((DONT, BINARY)), b""),
        (said((WILL, ECHO)), b""),
        (said((WONT, ECHO)), b""),
        (said((WONT, ECHO), (WONT, ECHO)), b""),
        (said((WONT, ECHO), (WILL, ECHO)), said((DO, ECHO))),
        (said((DO, UNKNOWN)), said((WONT, UNKNOWN))),
        (said((WILL, UNKNOWN)), said((DONT, UNKNOWN))),
        (said((DONT, UNKNOWN), (WONT, UNKNOWN)), b""),
    ],
)
def test_what_a_server_wants_is_answered_once(com, heard, reply):
    assert com.receive(heard) == (b"", reply)
    assert com.receive(b"") == (b"", b"")


def test_a_request_is_sent_and_its_answer_believed(com):
    sent = com.request(ComPortRequest.SET_BAUDRATE, baudrate(0xFF00))
    assert sent == b"\xff\xfa\x2c\x01\x00\x00\xff\xff\x00\xff\xf0"
    assert com.answer(ComPortRequest.SET_BAUDRATE) is None
    assert com.receive(b"A" + answer(1, baudrate(0xFF00)) + b"B") == (b"AB", b"")
    assert com.answer(ComPortRequest.SET_BAUDRATE) is True
    assert com.answer(ComPortRequest.SET_CONTROL) is None


def test_an_answer_with_another_value_is_a_refusal(com):
    com.request(ComPortRequest.SET_BAUDRATE, baudrate(460800))
    com.receive(answer(1, baudrate(115200)))
    assert com.answer(ComPortRequest.SET_BAUDRATE) is False
    com.request(ComPortRequest.SET_BAUDRATE, baudrate(460800))
    com.receive(answer(1, b""))
    assert com.answer(ComPortRequest.SET_BAUDRATE) is False
    com.request(ComPortRequest.SET_BAUDRATE, baudrate(9600))
    assert com.answer(ComPortRequest.SET_BAUDRATE) is None
    com.receive(answer(1, baudrate(9600) + bytes(4)))  # sredird answers with more bytes than it was sent
    assert com.answer(ComPortRequest.SET_BAUDRATE) is True


def test_what_nobody_asked_is_passed_over(com):
    com.request(ComPortRequest.SET_CONTROL, bytes((ComPortControl.DTR_ON,)))
    state = answer(7, b"\x10")
    other = subnegotiation(b"\x18\x05\x08")
    assert com.receive(answer(1, baudrate(9600)) + state + other + subnegotiation(b"\x2c") + subnegotiation(b"")) == (
        b"",
        b"",
    )
    assert com.answer(ComPortRequest.SET_BAUDRATE) is None
    assert com.answer(ComPortRequest.SET_CONTROL) is None
    com.receive(answer(5, b"\x08"))
    assert com.answer(ComPortRequest.SET_CONTROL) is True
    com.receive(answer(5, b"\x09"))  # another client of the same port did that
    assert com.answer(ComPortRequest.SET_CONTROL) is True


@pytest.mark.parametrize(("rate", "value"), [(1, b"\0\0\0\1"), (2**32 - 1, b"\xff" * 4)])
def test_the_slowest_and_the_fastest_speed(rate, value):
    assert baudrate(rate) == value


@pytest.mark.parametrize("rate", [0, -1, 2**32])
def test_a_speed_that_there_is_not(rate):
    with pytest.raises(ValueError, match=f"invalid baudrate: {rate}"):
        baudrate(rate)

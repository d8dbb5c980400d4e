"""What the Serial LTE Modem is told to do with a socket: it has to be selected, and no +++ may end data mode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.at import Answer, AtError
from harness.at.syntax import FinalResult
from harness.errors import NoAnswer
from harness.firmware import NoSession
from harness.firmware.bridge import SelectedSocket
from harness.firmware.bridge.selected_socket import pieces
from harness.timeline import Timeline
from tests.fake import Fake

CONNECT = 'AT#XCONNECT="h",8883'


class Port(Fake):
    """A port with scripted answers; sockets get handles in order."""

    name = "dk1"

    def __init__(self):
        self.timeline = Timeline()
        self.sent = []
        self.answers: dict[str, list[str] | bytes | None] = {}
        self.opened = 0
        self.mute: set[str] = set()

    def command(self, text, timeout=None):
        self.sent.append(text)
        if text in self.mute:
            raise NoAnswer(f"dk1: no answer to {text}")
        if text.startswith("AT#XSSOCKET=1"):
            self.opened += 1
            return Answer(text, (f"#XSSOCKET: {self.opened - 1},1,258",), 0.0)
        if text.startswith('AT#XSEND="'):
            return Answer(text, (f"#XSEND: {len(text) - 11}",), 0.0)
        answer = self.answers.get(text, [])
        if answer is None:
            raise AtError(text, FinalResult("ERROR"))
        if isinstance(answer, bytes):
            return Answer(text, (f"#XRECV: {len(answer)}",), 0.0, (answer,))
        return Answer(text, tuple(answer), 0.0)

    def send_payload(self, command, payload, timeout, *, socket_bytes):
        assert socket_bytes
        self.sent.append((command, payload))
        return 0


def connected(port):
    made = SelectedSocket(port)
    made.connect("h", 8883, 42, timeout=33.0)
    return made


@given(st.lists(st.sampled_from([b"+", b"++", b"+++", b"a", b"\0\r\n", b"+" * 1500]), max_size=12).map(b"".join))
def test_pieces_are_the_bytes_and_end_data_mode_nowhere(data):
    cut = list(pieces(data))
    assert b"".join(piece for _, piece in cut) == data
    for quoted, piece in cut:
        if quoted:
            assert set(piece) == {ord("+")}
            assert len(piece) <= 1024
        else:
            assert piece, "nothing to send"
            assert b"+++" not in piece
            assert not piece.endswith(b"+")


def test_opening_and_sending():
    port = Port()
    made = connected(port)
    assert made.send(b"a+b+++c+")
    assert port.sent == [
        "AT#XSSOCKET=1,1,0,42",
        'AT#XSSOCKETOPT=1,2,"h"',
        CONNECT,
        "AT#XAPOLL=1,1",
        ("AT#XSEND", b"a+b"),
        'AT#XSEND="+++"',
        ("AT#XSEND", b"c"),
        'AT#XSEND="+"',
    ]


def test_the_socket_that_is_meant_is_selected_first():
    port = Port()
    first, second = connected(port), connected(port)
    port.sent.clear()
    port.answers["AT#XRECV=1,64"] = b"x"
    assert second.receive() == b"x"
    assert first.receive() == b"x"
    assert first.receive() == b"x"
    assert second.send(b"y")
    assert port.sent == [
        "AT#XRECV=1,64",
        "AT#XSOCKETSELECT=0",
        "AT#XRECV=1,64",
        "AT#XRECV=1,64",
        "AT#XSOCKETSELECT=1",
        ("AT#XSEND", b"y"),
    ]


def test_a_socket_that_the_board_has_no_more():
    port = Port()
    first, _ = connected(port), connected(port)
    port.answers["AT#XSOCKETSELECT=0"] = None
    assert first.receive() is None
    assert not first.send(b"x")
    port.answers["AT#XSOCKETSELECT?"] = ["#XSOCKETSELECT: 1,1,0,1,42,2,0", "#XSOCKETSELECT: 1"]
    assert not first.exists()
    first.close()
    assert "AT#XSOCKET=0" not in port.sent


def test_after_a_close_nothing_is_taken_for_selected():
    port = Port()
    first, second = connected(port), connected(port)
    second.close()
    port.sent.clear()
    first.receive()
    assert port.sent == ["AT#XSOCKETSELECT=0", "AT#XRECV=1,64"]


def test_a_connection_that_fails_leaves_no_socket():
    port = Port()
    port.answers[CONNECT] = None
    with pytest.raises(NoSession, match="dk1: no TLS session with h:8883 using sec_tag 42"):
        connected(port)
    assert port.sent[-1] == "AT#XSOCKET=0"


@pytest.mark.parametrize("more", [set(), {"AT#XSOCKET=0"}])
def test_a_connection_that_is_not_answered_leaves_no_socket(more):
    port = Port()
    port.mute = {CONNECT, *more}
    with pytest.raises(NoAnswer, match="no answer to AT#XCONNECT"):
        connected(port)
    assert port.sent[-1] == "AT#XSOCKET=0"


def test_text_that_was_not_sent_whole():
    port = Port()
    made = connected(port)
    port.command = lambda text, timeout=None: Answer(text, ("#XSEND: 1",), 0.0)
    assert not made.send(b"+++")

"""How long each command of a socket may take, and what is left of a socket of the Serial LTE Modem that is closed."""

import pytest

from harness.at import Answer, AtError
from harness.at.syntax import FinalResult
from harness.firmware.bridge import HandleSocket, SelectedSocket, TcpClientSocket
from harness.firmware.bridge.at_socket import Poll, SocketEnd, SocketsTaken
from harness.firmware.bridge.listener import BridgeListener, Through
from harness.timeline import Timeline
from tests.fake import Fake


class Port(Fake):
    """Notes commands with their times; sockets get handles in order, and what is sent is taken."""

    name = "dk1"

    def __init__(self, **answers):
        self.timeline = Timeline()
        self.answers = answers
        self.sent = []
        self.opened = 0

    def command(self, text, timeout=None):
        self.sent.append((text, timeout))
        if text in self.answers:
            answer = self.answers[text]
            if answer is None:
                raise AtError(text, FinalResult("ERROR"))
            return answer
        name = text[2:].partition("=")[0]
        if text.endswith("?"):
            return Answer(text, (), 0.0)
        if name in ("#XSOCKET", "#XSSOCKET", "#XTCPCLI") and not text.endswith("=0"):
            self.opened += 1
            return Answer(text, (f"{name}: {self.opened - 1},1",), 0.0)
        if name in ("#XSEND", "#XTCPSEND"):
            return Answer(text, (f"{name}: {text.count('+')}",), 0.0)
        return Answer(text, (), 0.0)

    def send_payload(self, command, payload, timeout=10.0, *, socket_bytes=False, counted=False):
        self.sent.append((command, payload, timeout, socket_bytes, counted))
        return 0

    def carry(self, carrier):
        pass


def connected(kind, sec_tag=42, port=None):
    port = port or Port()
    made = kind(port)
    made.connect("h", 8883, sec_tag, timeout=33.0)
    return made, port


def test_a_selected_socket():
    made, port = connected(SelectedSocket)
    assert ('AT#XCONNECT="h",8883', 33.0) in port.sent
    port.sent.clear()
    assert made.send(b"a+++")
    made.receive()
    made.close()
    assert port.sent == [
        ("AT#XSEND", b"a", 60.0, True, False),
        ('AT#XSEND="+++"', 60.0),
        ("AT#XRECV=1,64", 15.0),
        ("AT#XSOCKET=0", 15.0),
    ]


def test_a_socket_with_a_handle():
    made, port = connected(HandleSocket)
    assert ('AT#XCONNECT=0,"h",8883', 33.0) in port.sent
    port.sent.clear()
    assert made.send(b"a+++")
    made.receive()
    made.close()
    assert port.sent == [
        ("AT#XSEND=0,2,0,4", b"a+++", 60.0, True, True),
        ("AT#XRECV=0,0,64,1", 15.0),
        ("AT#XCLOSE=0", 15.0),
    ]


def test_a_tcp_client():
    made, port = connected(TcpClientSocket)
    assert port.sent == [("AT#XTCPCLI=0", 15.0), ('AT#XTCPCLI=1,"h",8883,42', 33.0)]
    port.sent.clear()
    assert made.send(b"a+++")
    made.close()
    assert port.sent == [
        ("AT#XTCPSEND", b"a", 60.0, True, False),
        ('AT#XTCPSEND="+++"', 60.0),
        ("AT#XTCPCLI=0", 15.0),
    ]


@pytest.mark.parametrize("kind", [HandleSocket, SelectedSocket])
def test_bytes_in_several_blobs_are_one(kind):
    made, port = connected(kind)
    for text in ("AT#XRECV=0,0,64,1", "AT#XRECV=1,64"):
        port.answers[text] = Answer(text, (), 0.0, (b"a", b"b"))
    assert made.receive() == b"ab"


@pytest.mark.parametrize(("sec_tag", "name"), [(None, "#XSOCKET"), (42, "#XSSOCKET")])
def test_a_socket_is_looked_for_in_the_list_of_its_kind(sec_tag, name):
    made, port = connected(HandleSocket, sec_tag)
    text = f"AT{name}?"
    port.answers[text] = Answer(text, (f"{name}: 0,1,0",), 0.0)
    assert made.exists()
    assert port.sent[-1] == (text, None)


def test_a_selected_socket_is_looked_for_in_the_list_of_what_can_be_selected():
    made, port = connected(SelectedSocket)
    text = "AT#XSOCKETSELECT?"
    assert not made.exists()
    port.answers[text] = Answer(text, ("#XSOCKETSELECT: 0,1,0", "#XSOCKETSELECT: 0"), 0.0)
    assert made.exists()
    port.answers[text] = Answer(text, ("#XSOCKETSELECT: 0", "#XSOCKETSELECT: 10,1"), 0.0)
    assert not made.exists()


@pytest.mark.parametrize("sec_tag", [None, 42])
def test_where_no_socket_is_left_the_open_ones_are_listed(sec_tag):
    opens = "AT#XSOCKET=1,1,0" if sec_tag is None else "AT#XSSOCKET=1,1,0,42"
    listed = Answer("AT#XSOCKETSELECT?", tuple(f"#XSOCKETSELECT: {number},1,0" for number in (10, 9, 2)), 0.0)
    port = Port(**{opens: None, "AT#XSOCKETSELECT?": listed})
    with pytest.raises(SocketsTaken) as caught:
        connected(SelectedSocket, sec_tag, port)
    assert str(caught.value) == (
        "dk1: the board opened no other socket: it has 8, some for the firmware's own clients; open are the handles 2,"
        " 9, 10; end a program that is connected through the board, or start again: opening the board closes what an"
        " earlier run left open"
    )


def test_the_first_command_of_each_turn_selects_its_socket():
    """Also where no socket was selected before, and after one was closed: the board selects another then."""
    first, port = connected(SelectedSocket)
    second, _ = connected(SelectedSocket, port=port)
    port.sent.clear()
    first.receive()
    first.receive()
    assert [text for text, *_ in port.sent] == ["AT#XSOCKETSELECT=0", "AT#XRECV=1,64", "AT#XRECV=1,64"]
    first.close()
    port.sent.clear()
    second.receive()
    assert [text for text, *_ in port.sent] == ["AT#XSOCKETSELECT=1", "AT#XRECV=1,64"]


@pytest.mark.parametrize("handle", [0, 1, 2])
def test_whatever_was_closed_the_next_socket_is_selected_anew(handle):
    port = Port()
    sockets = [connected(SelectedSocket, port=port)[0] for _ in range(3)]
    sockets[2].close()
    port.sent.clear()
    sockets[handle].receive()
    assert port.sent[0] == (f"AT#XSOCKETSELECT={handle}", None)


def test_a_socket_that_was_never_opened_is_told_nothing():
    port = Port()
    made = SelectedSocket(port)
    assert made._selection.handle < 0
    assert made.handle < 0
    made.close()
    assert port.sent == []


# -- how a connection ended


def test_a_tcp_clients_end_is_its_cause_or_what_was_told():
    made = TcpClientSocket(Port())
    for bits, end in ((Poll.NVAL, SocketEnd.INVALID), (Poll.ERR, SocketEnd.NETWORK), (Poll.HUP, SocketEnd.RESET)):
        assert made.end_of(bits) is end
    for cause, end in ((-104, SocketEnd.HUNG_UP), (0, SocketEnd.PEER), (-5, SocketEnd.NETWORK), (-77, SocketEnd.RESET)):
        made._cause = cause
        assert made.end_of(Poll.NVAL) is end


def test_where_a_connection_leads_is_said():
    assert str(Through("h", 1, None)) == "h:1 without TLS"
    assert str(Through("h", 1, 42)) == "h:1 with the credentials of sec_tag 42"


def test_a_listener_takes_any_port_that_is_free():
    with BridgeListener(lambda: pytest.fail("nobody connects"), Through("h", 1, None)) as made:
        assert made.address[1] > 1024

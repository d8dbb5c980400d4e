"""What Serial Modem is told to do with a socket, and what its answers mean."""

import pytest

from harness.at import Answer, AtError, AtFormatError
from harness.at.syntax import FinalResult
from harness.errors import NoAnswer
from harness.firmware import NoSession
from harness.firmware.bridge import HandleSocket, SocketsTaken
from harness.timeline import Timeline
from tests.fake import Fake

OPEN = "AT#XSSOCKET=1,1,0,42"
CONNECT = 'AT#XCONNECT=3,"mqtt.nrfcloud.com",8883'
RECEIVE = "AT#XRECV=3,0,64,1"


class Port(Fake):
    """A port with scripted answers: lines, blobs, or an error."""

    name = "dk1"

    def __init__(self, **answers):
        self.timeline = Timeline()
        self.mute: set[str] = set()
        self.sent = []
        self.payloads = []
        self.answers: dict[str, list[str] | bytes | None] = {
            OPEN: ["#XSSOCKET: 3,1,258"],
            "AT#XSOCKET=1,1,0": ["#XSOCKET: 3,1,6"],
        }
        self.status = 0

    def command(self, text, timeout=None):
        self.sent.append((text, timeout))
        if text in self.mute:
            raise NoAnswer(f"dk1: no answer to {text}")
        answer = self.answers.get(text, [])
        if answer is None:
            raise AtError(text, FinalResult("ERROR"))
        if isinstance(answer, bytes):
            return Answer(text, (f"#XRECV: 3,0,{len(answer)}",), 0.0, (answer,))
        return Answer(text, tuple(answer), 0.0)

    def send_payload(self, command, payload, timeout, *, socket_bytes, counted):
        assert (socket_bytes, counted) == (True, True)
        if self.status is None:
            raise AtError(command, FinalResult("ERROR"))
        self.payloads.append((command, payload, timeout))
        return self.status


def connected(port):
    made = HandleSocket(port)
    made.connect("mqtt.nrfcloud.com", 8883, 42, timeout=33.0)
    return made


def test_a_tls_socket_names_the_host_and_is_polled_for_input():
    port = Port()
    assert connected(port).handle == 3
    assert port.sent == [
        (OPEN, None),
        ('AT#XSSOCKETOPT=3,1,2,"mqtt.nrfcloud.com"', None),
        (CONNECT, 33.0),
        ("AT#XAPOLL=3,1,1", None),
    ]


def test_a_socket_without_tls():
    port = Port()
    HandleSocket(port).connect("h", 80, None, timeout=1.0)
    assert [text for text, _ in port.sent] == ["AT#XSOCKET=1,1,0", 'AT#XCONNECT=3,"h",80', "AT#XAPOLL=3,1,1"]


def test_a_connection_that_fails_leaves_no_socket():
    port = Port()
    port.answers[CONNECT] = None
    with pytest.raises(NoSession) as caught:
        connected(port)
    assert str(caught.value) == (
        "dk1: no TLS session with mqtt.nrfcloud.com:8883 using sec_tag 42 "
        "(the board says ERROR; name, network, trust and key all look alike to it)"
    )
    assert port.sent[-1][0] == "AT#XCLOSE=3"


@pytest.mark.parametrize("more", [set(), {"AT#XCLOSE=3"}])
def test_a_connection_that_is_not_answered_leaves_no_socket(more):
    port = Port()
    port.mute = {CONNECT, *more}
    with pytest.raises(NoAnswer, match="no answer to AT#XCONNECT"):
        connected(port)
    assert port.sent[-1][0] == "AT#XCLOSE=3"


@pytest.mark.parametrize("line", ["#XSSOCKET: ", "#XSSOCKET: x3,1,258", "#XSSOCKET: -1,1,258", "#XSS"])
def test_an_answer_without_a_handle_is_the_labs_error(line):
    port = Port()
    port.answers[OPEN] = [line]
    with pytest.raises(AtFormatError, match="bytes were lost"):
        connected(port)


def test_a_socket_that_is_not_opened_though_none_is_open():
    port = Port()
    port.answers["AT#XSOCKET=1,1,0"] = None
    with pytest.raises(NoSession, match="dk1: no TCP connection with h:80 \\(the board says ERROR"):
        HandleSocket(port).connect("h", 80, None, timeout=1.0)
    assert [text for text, _ in port.sent] == ["AT#XSOCKET=1,1,0", "AT#XSOCKET?", "AT#XSSOCKET?"]


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (8, "dk1: all 8 sockets of the modem are taken; open are the handles 0, 1, 2, 3, 4, 5, 6, 7; end a program"),
        (
            2,
            "dk1: the board opened no other socket: it has 8, some for the firmware's own clients; open are the",
        ),
    ],
)
def test_a_board_without_a_free_socket(taken, said):
    port = Port()
    port.answers["AT#XSOCKET=1,1,0"] = None
    port.answers["AT#XSOCKET?"] = ["#XSOCKET: 1,1,0,1,0"]
    port.answers["AT#XSSOCKET?"] = [f"#XSSOCKET: {handle},1,0,1,42,0" for handle in range(taken) if handle != 1]
    with pytest.raises(SocketsTaken) as caught:
        HandleSocket(port).connect("h", 80, None, timeout=1.0)
    assert str(caught.value).startswith(said)
    assert not any(text.startswith("AT#XCLOSE") for text, _ in port.sent)


@pytest.mark.parametrize(("status", "sent"), [(0, True), (-1, False), (None, False)])
def test_bytes_are_counted(status, sent):
    port = Port()
    made = connected(port)
    port.status = status
    assert made.send(b"a+++\0") is sent
    if status is not None:
        assert port.payloads == [("AT#XSEND=3,2,0,5", b"a+++\0", 60.0)]


@pytest.mark.parametrize(("answer", "data"), [(b"\r\nOK\r\n", b"\r\nOK\r\n"), ([], b""), (None, None)])
def test_what_is_received(answer, data):
    port = Port()
    made = connected(port)
    port.answers[RECEIVE] = answer
    assert made.receive() == data


def test_whether_the_board_still_has_it():
    port = Port()
    made = connected(port)
    assert not made.exists()
    port.answers["AT#XSSOCKET?"] = ["#XSSOCKET: 0,1,0,1,42,0", "#XSSOCKET: 3,1,0,1,42,0"]
    assert made.exists()
    port.answers["AT#XSSOCKET?"] = ["#XSSOCKET: 33,1,0,1,42,0"]
    assert not made.exists()


def test_closing_a_socket_that_is_gone_already():
    port = Port()
    made = connected(port)
    port.answers["AT#XCLOSE=3"] = None
    made.close()
    HandleSocket(port).close()  # never opened
    assert [text for text, _ in port.sent].count("AT#XCLOSE=3") == 1

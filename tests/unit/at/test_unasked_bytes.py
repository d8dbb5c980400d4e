"""A TCP client's frames among commands: their bytes have nothing to do with a command that gets no answer."""

import pytest

from harness.at.dialogue import Dialogue, Role
from harness.at.receiver import Receiver
from harness.at.syntax import parse_command
from harness.firmware.bridge import FRAMED
from harness.timeline import Timeline
from tests.unit.at.queued_stream import QueuedStream


def half_a_frame():
    """A dialogue that has four of a peer's ten bytes, while another command waits for its answer."""
    dialogue = Dialogue(framed=FRAMED)
    dialogue.begin(parse_command("AT+CEREG?"))
    assert dialogue.receive(b"#XTCPDATA: 10\r\nabcd") == []
    assert dialogue.give_up() == []
    return dialogue


def test_a_command_that_is_given_up_takes_no_bytes_of_a_peer_along():
    lines = half_a_frame().receive(b"ef\r\nij#XTCPDATA: 2\r\nzz")
    assert [(item.role, item.line, item.blobs) for item in lines] == [
        (Role.URC, b"#XTCPDATA: 10", (b"abcdef\r\nij",)),
        (Role.URC, b"#XTCPDATA: 2", (b"zz",)),
    ]


def test_a_peers_bytes_that_do_not_come_are_lost_with_the_second_command_and_are_no_lines():
    dialogue = half_a_frame()
    dialogue.begin(parse_command("AT"))
    assert dialogue.receive(b"\r\nmy") == []
    lines = dialogue.give_up()
    assert [(item.role, item.line, item.name) for item in lines] == [(Role.GARBLED, b"#XTCPDATA: 10", b"#XTCPDATA")]
    dialogue.begin(parse_command("AT"))
    assert [(item.role, item.line) for item in dialogue.receive(b"\r\nOK\r\n")] == [(Role.FINAL, b"OK")]


def test_the_boards_own_lines_among_lost_bytes_are_heard():
    dialogue = Dialogue(framed=FRAMED)
    dialogue.receive(b"#XTCPDATA: 99\r\nabcd\r\n+CSCON: 1\r\npass word\r\nReady\r\n")
    assert dialogue.give_up() == []
    assert [(item.role, item.line) for item in dialogue.give_up()] == [
        (Role.GARBLED, b"#XTCPDATA: 99"),
        (Role.URC, b"+CSCON: 1"),
        (Role.LOG, b"Ready"),
    ]


class Carrier:
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def take(self, data):
        self.told.append(("take", data))

    def lose(self, line):
        self.told.append(("lose", line))

    def release(self):
        self.told.append("release")


@pytest.fixture
def receiver():
    made = Receiver(QueuedStream(), Dialogue(framed=FRAMED), name="board-1", timeline=Timeline())
    yield made
    made.close()


def said(receiver, data):
    receiver._stream.incoming.put(data)
    receiver._stream.incoming.join()


def test_a_carrier_is_told_of_each_frame_and_of_one_that_cannot_be_read(receiver):
    receiver.carrier = carrier = Carrier()
    said(receiver, b"#XTCPDATA: 2\r\nab#XTCPDATA: 1\r\nc+CSCON: 1\r\n")
    said(receiver, b"#XTCPDATA: \xff2\r\n")
    assert carrier.told == [("take", b"ab"), ("take", b"c"), "release", ("lose", "#XTCPDATA: \ufffd2"), "release"]


def test_what_counted_bytes_held_while_a_secret_was_sent_is_hidden_when_it_is_given_up(receiver):
    receiver.frame({"#XDATA": lambda args: (int(args),)})
    receiver.begin(parse_command('AT%CMNG=0,1,2,"topsecretkey"'), None, needs_line=False)
    said(receiver, b"#XDATA: 99\r\npsecretk\r\n")
    receiver.give_up()
    texts = [event.text for event in receiver.timeline.since()]
    assert "<8 bytes that arrived while a secret was being sent>" in texts
    assert "secretk" not in "".join(texts)

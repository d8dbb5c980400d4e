"""A TCP client's frames among commands: their bytes have nothing to do with a command that gets no answer."""

from harness.at.dialogue import Dialogue, Role
from harness.at.syntax import parse_command
from harness.firmware.bridge import FRAMED


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

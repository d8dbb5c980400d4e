"""Lines that announce bytes, in a dialogue: the bytes are theirs, whatever they look like, and nobody else's."""

import pytest

from harness.at.dialogue import ANSWER_LIMIT, Dialogue, Role
from harness.at.syntax import parse_command
from tests.unit.at.test_dialogue import ask, heard, outcome

MESSAGE = {"#XMQTTMSG": lambda args: tuple(int(part) for part in args.split(","))}


def test_payload_with_line_ends_and_a_fake_final():
    dialogue = Dialogue(framed=MESSAGE)
    dialogue.begin(parse_command("AT+CFUN?"))
    topic, payload = b"prod/x/c2d", b'{"a":\r\n1}\r\nOK\r\n'
    wire = b"\r\n#XMQTTMSG: %d,%d\r\n%b\r\n%b\r\n" % (len(topic), len(payload), topic, payload)
    found = dialogue.receive(wire + b"\r\n#XMQTTEVT: 2,0\r\n+CFUN: 1\r\nOK\r\n")
    assert [(item.role, item.line, item.blobs) for item in found[:2]] == [
        (Role.URC, b"#XMQTTMSG: 10,15", (topic, payload)),
        (Role.URC, b"#XMQTTEVT: 2,0", ()),
    ]
    assert found[-1].outcome.lines == [b"+CFUN: 1"]


@pytest.mark.parametrize("args", [b"x,y", b"-1,4", b"70000,1", b"", b"12345678901234567890,1"])
def test_a_length_that_makes_no_sense_takes_nothing(args):
    dialogue = Dialogue(framed=MESSAGE)
    assert heard(dialogue, b"#XMQTTMSG: " + args + b"\r\n+CEREG: 1\r\n") == [
        (Role.GARBLED, (b"#XMQTTMSG: " + args).rstrip()),
        (Role.URC, b"+CEREG: 1"),
    ]


def test_empty_payload():
    found = Dialogue(framed=MESSAGE).receive(b"#XMQTTMSG: 1,0\r\nt\r\n\r\n#XMQTTEVT: 2,0\r\n")
    assert [item.blobs for item in found] == [(b"t", b""), ()]


@pytest.mark.parametrize("size", [5, 128, 300])
@pytest.mark.parametrize("between", [b"+CSCON: 1", b'+CEREG: 1,"0001","00010101",7', b"#XMQTTEVT: 3,0"])
@pytest.mark.parametrize("place", ["topic", "payload", "end of topic", "end of payload", "piece"])
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_a_line_that_fell_into_a_message_is_set_aside(size, between, place, chunk):
    """Serial Modem before its pull request 324 writes header, topic and pieces of 128 bytes one by one."""
    topic, payload = b"prod/x/c2d", bytes(97 + number % 26 for number in range(size))
    line = b"\r\n" + between + b"\r\n"
    first = {name: line if name == place else b"" for name in ("topic", "payload", "end of topic", "end of payload")}
    split = payload[:128] + (line if place == "piece" and size > 128 else b"") + payload[128:]
    wire = b"\r\n#XMQTTMSG: %d,%d\r\n" % (len(topic), size) + first["topic"] + topic + first["end of topic"] + b"\r\n"
    wire += first["payload"] + split + first["end of payload"] + b"\r\n\r\n#XMQTTEVT: 2,0\r\n"
    dialogue = Dialogue(framed=MESSAGE)
    found = [item for at in range(0, len(wire), chunk) for item in dialogue.receive(wire[at : at + chunk])]
    fell = [b"#XMQTTEVT: 2,0"] if place == "piece" and size <= 128 else [between, b"#XMQTTEVT: 2,0"]
    assert {item.role for item in found} == {Role.URC}
    assert [item.line for item in found if not item.blobs] == fell
    assert [item.blobs for item in found if item.blobs] == [(topic, payload)]


def test_a_payload_that_looks_like_a_line_between_is_a_payload():
    dialogue = Dialogue(framed=MESSAGE)
    payload = b"\r\n+CSCON: 1\r\nx"
    (found,) = dialogue.receive(b"#XMQTTMSG: 1,%d\r\nt\r\n%b\r\n" % (len(payload), payload))
    assert found.blobs == (b"t", payload)


@pytest.mark.parametrize("lost", range(4, 48))
def test_a_message_that_lost_a_byte_is_garbled_and_takes_nothing_with_it(lost):
    """Whichever byte is missing: what comes behind it is heard, and no message is made up."""
    whole = b"\r\n#XMQTTMSG: 10,15\r\nprod/x/c2d\r\n{ a: 12345678 }\r\n"
    dialogue = Dialogue(framed=MESSAGE)
    found = dialogue.receive(
        whole[:lost] + whole[lost + 1 :] + b"\r\n#XMQTTEVT: 2,0\r\n" + b"\r\n#XMQTTEVT: 1,-128\r\n"
    )
    lines = [item.line for item in found]
    assert b"#XMQTTEVT: 1,-128" in lines
    assert b"#XMQTTEVT: 2,0" in lines
    blobs = [item.blobs for item in found if item.blobs]
    # A blank or half a line end of the header is not missed.
    assert blobs == ([(b"prod/x/c2d", b"{ a: 12345678 }")] if lost in (12, 18, 19) else [])


def test_a_header_that_comes_last_is_garbled_at_once():
    dialogue = Dialogue(framed=MESSAGE)
    found = dialogue.receive(b"t\r\nhello\r\n\r\n#XMQTTMSG: 1,5\r\n\r\n#XMQTTEVT: 2,0\r\n")
    assert [(item.role, item.line) for item in found] == [
        (Role.LOG, b"t"),
        (Role.LOG, b"hello"),
        (Role.GARBLED, b"#XMQTTMSG: 1,5"),
        (Role.URC, b"#XMQTTEVT: 2,0"),
    ]


def test_a_framed_name_without_bytes_is_an_ordinary_answer():
    done = ask("AT#XRECVCFG?", b"#XRECVCFG: 1\r\nOK\r\n", framed={"#XRECVCFG": lambda args: ()})
    assert done.lines == [b"#XRECVCFG: 1"]


def test_answer_with_counted_bytes():
    dialogue = Dialogue(framed={"#XRECV": lambda args: (int(args.split(",")[-1]),)})
    dialogue.begin(parse_command("AT#XRECV=0,0,0,5"))
    done = outcome(dialogue, b"\r\n#XRECV: 0,0,6\r\nOK\r\nab\r\n\r\nOK\r\n")
    assert (done.lines, done.blobs) == ([b"#XRECV: 0,0,6"], [b"OK\r\nab"])


def test_counted_bytes_may_fill_the_limit():
    for size, role in ((30, Role.URC), (31, Role.GARBLED)):
        dialogue = Dialogue(framed=MESSAGE, limit=30)
        message = b"#XMQTTMSG: 10,%d\r\n%s\r\n%s\r\n" % (size - 10, b"t" * 10, b"p" * (size - 10))
        assert heard(dialogue, message)[0][0] is role


@pytest.mark.parametrize(("more", "overflow"), [(0, False), (1, True)])
def test_an_answer_has_room_for_lines_and_counted_bytes(more, overflow):
    dialogue = Dialogue(framed={"#XRECV": lambda args: (int(args),)})
    dialogue.begin(parse_command("AT#XRECV=0"))
    line = b"#XRECV: 60000"
    left = ANSWER_LIMIT - 4 * (len(line) + 60_000) + more
    for _ in range(4):
        dialogue.receive(line + b"\r\n" + b"x" * 60_000 + b"\r\n")
    last = b"#XRECV: %d" % (left - len(line))
    dialogue.receive(last + b"\r\n" + b"x" * (left - len(last)) + b"\r\n")
    assert outcome(dialogue, b"OK\r\n").overflow is overflow


def test_a_late_answer_takes_its_counted_bytes_along():
    dialogue = Dialogue(framed={"#XRECV": lambda args: (int(args.split(",")[-1]),)})
    dialogue.begin(parse_command("AT#XRECV=0,0,0,5"))
    dialogue.give_up()
    (late, final) = dialogue.receive(b"\r\n#XRECV: 0,0,6\r\nOK\r\nab\r\n\r\nERROR\r\n")
    assert (late.role, late.blobs, late.name, late.args) == (Role.LATE, (b"OK\r\nab",), b"#XRECV", b"0,0,6")
    assert (final.role, final.line) == (Role.STRAY, b"ERROR")


def test_giving_up_releases_promised_bytes():
    dialogue = Dialogue(framed=MESSAGE)
    dialogue.begin(parse_command("AT"))
    assert dialogue.receive(b"#XMQTTMSG: 500,500\r\n+CEREG: 1\r\nOK\r\n") == []
    assert [(item.role, item.line) for item in dialogue.give_up()] == [
        (Role.GARBLED, b"#XMQTTMSG: 500,500"),
        (Role.URC, b"+CEREG: 1"),
        (Role.STRAY, b"OK"),
    ]

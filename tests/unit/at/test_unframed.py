"""A peer's bytes that arrive in a TCP client's data mode: all of them, and nothing of the firmware's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.at.dialogue import Dialogue, Role
from harness.at.syntax import parse_command
from harness.at.unframed_bytes import UnframedBytes
from harness.firmware.bridge import FRAMED

END = b"\r\n#XDATAMODE: 0\r\n"
HOSTILE = [b"\r\nOK\r\n", b"+++", b"\r\n#XTCPDATA: 5\r\n", b"\n", b"\r", b"#XDATAMODE: 0", b"\r\n#XDATAMODE: ", b"\0"]
PEERS = st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=20), max_size=6).map(b"".join)


def fed(framed, data, size):
    """Feed in pieces of ``size``; return what stands behind the end, None: it did not come."""
    for at in range(0, len(data), size):
        rest = framed.feed(data[at : at + size])
        if rest is not None:
            return rest + data[at + size :]
    return None


@given(PEERS.filter(lambda data: END not in data + END[:-1]), st.integers(1, 60), st.booleans())
def test_every_byte_is_the_peers_up_to_the_end(data, size, owed):
    framed = UnframedBytes(line_feed_owed=owed)
    rest = fed(framed, (b"\n" if owed else b"") + data + END + b"next", size)
    assert (framed.content, framed.line, rest) == (data, b"#XDATAMODE: 0", b"next")


@pytest.mark.parametrize(("status", "content"), [(-104, b"bye"), (0, b"bye+++")])
def test_a_terminator_of_the_firmwares_own_stands_before_an_errors_number(status, content):
    framed = UnframedBytes(line_feed_owed=False)
    assert framed.feed(b"bye+++\r\n#XDATAMODE: %d\r\n" % status) == b""
    assert framed.content == content


@pytest.mark.parametrize(("status", "told_is_the_peers"), [(-104, False), (0, True)])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_end_that_is_told_inside_data_mode_is_not_the_peers(status, told_is_the_peers, size):
    """Firmware before 2.6 may tell of it before it has left data mode."""
    told = b'+++\r\n#XTCPCLI: -104,"disconnected"\r\n'
    framed = UnframedBytes(line_feed_owed=False)
    assert fed(framed, b"PEER" + told + b"\r\n#XDATAMODE: %d\r\n" % status, size) == b""
    assert framed.content == b"PEER" + (told if told_is_the_peers else b"")


def test_of_a_data_mode_that_never_ends_the_firmwares_own_lines_are_left():
    framed = UnframedBytes(line_feed_owed=False)
    framed.feed(b"password: 1\r\n#XMODEM: FAULT,0x1,0x2\r\nReady\r\nREADY\r\n+++\r\n")
    assert framed.own_lines() == [b"#XMODEM: FAULT,0x1,0x2", b"Ready"]


def opened(size=1000):
    """A dialogue in the data mode of AT#XTCPSEND."""
    dialogue = Dialogue(framed=FRAMED)
    dialogue.begin(parse_command("AT#XTCPSEND", terminator="\r\n"))
    return dialogue


def heard_in(dialogue, data, size):
    return [heard for at in range(0, len(data), size) for heard in dialogue.receive(data[at : at + size])]


@given(
    before=st.binary(max_size=5),
    data=PEERS.filter(lambda data: END not in data + END[:-1]),
    size=st.integers(1, 60),
    late=st.booleans(),
)
def test_a_dialogue_tells_them_from_its_lines_however_they_are_cut(before, data, size, late):
    dialogue = opened()
    framed = b"\r\n#XTCPDATA: %d\r\n%s" % (len(before), before) if before else b""
    stream = framed + b"\r\nOK\r\n" + data
    if late:  # the payload is sent while the first bytes have come already
        heard = heard_in(dialogue, stream, size)
        dialogue.begin_payload(parse_command("AT#XTCPSEND"), b"x")
        heard += heard_in(dialogue, END + b"\r\n#XTCPDATA: 2\r\nab\r\n+CEREG: 1\r\n", size)
    else:
        heard = heard_in(dialogue, framed + b"\r\nOK\r\n", size)
        dialogue.begin_payload(parse_command("AT#XTCPSEND"), b"x")
        heard += heard_in(dialogue, data + END + b"\r\n#XTCPDATA: 2\r\nab\r\n+CEREG: 1\r\n", size)
    assert b"".join(blob for one in heard for blob in one.blobs) == before + data + b"ab"
    assert [one.line for one in heard if one.role is Role.FINAL] == [b"OK", b"#XDATAMODE: 0"]
    assert [one.line for one in heard if one.role is Role.URC][-2:] == [b"#XTCPDATA: 2", b"+CEREG: 1"]


@pytest.mark.parametrize(("sent", "blobs"), [(b"", ()), (b"hi", (b"hi",))])
def test_the_end_of_data_mode_has_the_bytes_that_came_in_it(sent, blobs):
    dialogue = opened()
    dialogue.receive(b"\r\nOK\r\n")
    dialogue.begin_payload(parse_command("AT#XTCPSEND"), b"x")
    (ended,) = dialogue.receive(sent + END)
    assert (ended.role, ended.name, ended.blobs) == (Role.FINAL, b"#XDATAMODE", blobs)


def test_a_refused_data_mode_is_none():
    dialogue = opened()
    heard = dialogue.receive(b"\r\nERROR\r\n\r\n+CSCON: 0\r\n")
    assert [one.role for one in heard] == [Role.FINAL, Role.URC]


def test_after_giving_up_lines_are_read_again():
    dialogue = opened()
    dialogue.receive(b"\r\nOK\r\nsecret\r\nReady\r\n")
    dialogue.begin_payload(parse_command("AT#XTCPSEND"), b"x")
    assert [one.line for one in dialogue.give_up()] == [b"Ready"]
    assert [one.line for one in dialogue.receive(b"\r\n#XDATAMODE: 0\r\n")] == [b"#XDATAMODE: 0"]


def test_the_clients_end_is_no_answer():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT#XTCPCLI?"))
    heard = dialogue.receive(b'\r\n#XTCPCLI: -104,"disconnected"\r\n\r\n#XTCPCLI: -1,1\r\n\r\nOK\r\n')
    assert [one.role for one in heard] == [Role.URC, Role.ANSWER, Role.FINAL]


def test_nothing_is_told_before_the_end():
    framed = UnframedBytes(line_feed_owed=False)
    assert (framed.content, framed.line) == (b"", b"")
    assert framed.feed(b"abc\r\n#XDATA") is None
    assert (framed.content, framed.line) == (b"", b"")
    assert framed.feed(b"MODE: 0\r\nmore") == b"more"
    assert (framed.content, framed.line) == (b"abc", b"#XDATAMODE: 0")


def content(*pieces, owed):
    framed = UnframedBytes(line_feed_owed=owed)
    for piece in pieces:
        framed.feed(piece)
    framed.feed(END)
    return framed.content


def test_only_one_line_feed_is_owed_and_only_at_the_begin():
    assert content(b"\nabc\n", owed=True) == b"abc\n"
    assert content(b"\n\nabc", owed=True) == b"\nabc"
    assert content(b"", b"\nabc", owed=True) == b"abc"
    assert content(b"\n", b"\nabc", owed=True) == b"\nabc"
    assert content(b"abc", b"\nabc", owed=True) == b"abc\nabc"
    assert content(b"\nabc", owed=False) == b"\nabc"


def test_an_end_that_was_looked_past_is_not_looked_for_again():
    """What is behind data mode in the piece before has been looked at; a long peer costs no more for it."""
    framed = UnframedBytes(line_feed_owed=False)
    assert framed.feed(b"x" * 1000 + b"\r\n#XDATAMODE: 0\r") is None
    assert framed.feed(b"\nrest") == b"rest"
    assert framed.content == b"x" * 1000


def test_only_a_lines_end_is_taken_from_the_firmwares_own_lines():
    framed = UnframedBytes(line_feed_owed=False)
    framed.feed(b"#XABC: b \r\n+XYZ: X\r\nend\r\n%ABC: \t\r\n")
    assert framed.own_lines() == [b"#XABC: b ", b"+XYZ: X"]

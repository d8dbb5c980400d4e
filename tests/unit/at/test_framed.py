"""Counted bytes behind a line, however they are cut into chunks."""

import pytest

from harness.at.framed_bytes import FramedBytes

WHOLE = b"a/b\r\nOK\r\n\x00\r\n"  # topic, payload "OK CR LF NUL", and the line end behind it


@pytest.mark.parametrize("line", [b"#XMQTTMSG: 3,5\r\n", b"#XMQTTMSG: 3,5\r", b"#XMQTTMSG: 3,5\n"])
@pytest.mark.parametrize("size", range(1, len(WHOLE) + 1))
def test_blobs_are_the_same_however_they_are_cut(line, size):
    framed = FramedBytes((3, 5), line)
    data = (b"\n" if line.endswith(b"\r") else b"") + WHOLE + b"next"
    rest = None
    fed = 0
    while rest is None and fed < len(data):
        rest = framed.feed(data[fed : fed + size])
        fed += size
    assert (framed.blobs, framed.aside, framed.broken) == ((b"a/b", b"OK\r\n\x00"), (), False)
    assert rest is not None
    assert rest + data[fed:] == b"next"


def test_a_line_end_that_was_complete_is_not_looked_for_again():
    """The payload may begin with a line feed of its own."""
    framed = FramedBytes((2,), b"#XRECV: 2\r\n")
    assert framed.feed(b"\nx\r\n") == b""
    assert framed.blobs == (b"\nx",)


def test_only_one_line_feed_belongs_to_the_line():
    framed = FramedBytes((2,), b"#XRECV: 2\r")
    assert framed.feed(b"\n") is None
    assert framed.feed(b"\nx\r\n") == b""
    assert framed.blobs == (b"\nx",)


def test_a_line_that_ends_with_cr_alone_has_no_line_feed():
    framed = FramedBytes((2, 1), b"#XMQTTMSG: 2,1\r")
    assert framed.feed(b"ab\r\nc\r\n") == b""
    assert framed.blobs == (b"ab", b"c")


@pytest.mark.parametrize("data", [b"abc", b"a\r\n", b"a\r\nb\r\n", b"ab\r\nc\r\n", b"a\nbc\r\n"])
def test_bytes_without_the_line_ends_that_belong_there_are_broken(data):
    framed = FramedBytes((1, 2), b"#XMQTTMSG: 1,2\r\n")
    assert framed.feed(data + b"\r\n#XMQTTEVT: 2,0\r\n") == b""
    assert (framed.blobs, framed.aside, framed.broken) == ((), (), True)
    assert framed.so_far() == b"#XMQTTMSG: 1,2\r\n" + data + b"\r\n#XMQTTEVT: 2,0\r\n"


def test_nothing_is_taken_for_broken_before_it_can_be_told():
    for at in range(len(WHOLE)):
        framed = FramedBytes((3, 5), b"#XMQTTMSG: 3,5\r\n")
        assert framed.feed(WHOLE[:at]) is None
        assert not framed.broken


def test_what_never_became_complete_can_be_read_as_lines():
    framed = FramedBytes((1, 20), b"#XMQTTMSG: 1,20 \r\n")
    assert framed.feed(b"a\r\n+CEREG: 1\r\n") is None
    assert framed.so_far() == b"#XMQTTMSG: 1,20 \r\na\r\n+CEREG: 1\r\n"


def test_what_looks_like_an_event_in_a_sockets_bytes_is_theirs():
    data = b"\r\n#XMQTTEVT: 2,0\r\n"
    framed = FramedBytes((200,), b"#XRECV: 0,0,200\r\n")
    assert framed.feed(data) is None
    assert not framed.broken
    assert framed.feed(b"x" * (200 - len(data)) + b"\r\nOK\r\n") == b"OK\r\n"
    assert framed.blobs == (data + b"x" * (200 - len(data)),)


def test_a_line_may_stand_before_a_sockets_bytes_and_nowhere_in_them():
    payload = b"x" * 128 + b"\r\n+CSCON: 0\r\n" + b"y" * 60
    framed = FramedBytes((len(payload),), b"#XRECV: %d\r\n" % len(payload))
    assert framed.feed(b"\r\n+CSCON: 1\r\n" + payload + b"\r\n") == b""
    assert (framed.blobs, framed.aside) == ((payload,), (b"+CSCON: 1",))

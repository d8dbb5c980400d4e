import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.at.lines import LineBuffer, Piece, plain


def test_each_line_end():
    assert LineBuffer().feed(b"a\rb\nc\r\nd") == [Piece(b"a\r", False), Piece(b"b\n", False), Piece(b"c\r\n", False)]


def test_a_line_waits_for_its_end():
    buffer = LineBuffer()
    assert buffer.feed(b"+CFU") == []
    assert buffer.feed(b"N: 1") == []
    assert buffer.feed(b"\r\nOK") == [Piece(b"+CFUN: 1\r\n", False)]
    assert buffer.take_rest() == b"OK"
    assert buffer.take_rest() == b""


def test_a_line_without_end_is_cut_and_its_tail_is_marked():
    buffer = LineBuffer(limit=4)
    assert buffer.feed(b"abcd") == []
    assert buffer.feed(b"efgh") == [Piece(b"abcd", True)]
    assert buffer.feed(b"OK\r\n") == [Piece(b"efgh", True), Piece(b"OK\r\n", True)]
    assert buffer.feed(b"OK\r\n") == [Piece(b"OK\r\n", False)]


def test_other_separators_of_unicode_are_no_line_ends():
    assert LineBuffer().feed(b"a\x0bb\x0cc\x1cd\x85e\n") == [Piece(b"a\x0bb\x0cc\x1cd\x85e\n", False)]


STREAM = st.lists(st.sampled_from([b"a", b"OK", b"\r", b"\n", b"\r\n", b"xyz" * 3])).map(b"".join)


@given(STREAM, st.lists(st.integers(1, 7)), st.integers(1, 9))
def test_chunks_do_not_matter(stream, sizes, limit):
    whole = LineBuffer(limit)
    expected = [piece for piece in whole.feed(stream) if piece.raw.strip()]
    chunked = LineBuffer(limit)
    pieces, at = [], 0
    for size in [*sizes, len(stream)]:
        pieces += chunked.feed(stream[at : at + size])
        at += size
    # A line end that was cut in two leaves an empty line.
    content = [(piece.raw.rstrip(b"\r\n"), piece.cut) for piece in pieces if piece.raw.strip()]
    assert content == [(piece.raw.rstrip(b"\r\n"), piece.cut) for piece in expected]
    rest = whole.take_rest()
    assert chunked.take_rest() == rest
    assert b"".join(piece.raw for piece in pieces) + rest == stream


@given(st.binary(max_size=4000), st.integers(1, 50))
def test_memory_is_bounded(data, limit):
    buffer = LineBuffer(limit)
    for at in range(0, len(data), 7):
        buffer.feed(data[at : at + 7])
        assert len(buffer._partial) <= limit


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"OK\r\n", b"OK"),
        (b"  indented\n", b"  indented"),
        (b"\x1b[1;32muart:~$ \x1b[mOK\r\n", b"OK"),
        (b"mosh:~$ at AT+CFUN?\r\n", b"at AT+CFUN?"),
        (b"my-board_2:~$ OK\r\n", b"OK"),
        (b"no prompt:~$ OK\r\n", b"no prompt:~$ OK"),
        (b"mosh:~$ mosh:~$ OK\r\n", b"OK"),
        (b"mosh:~$ \r\n", b""),
        (b"AT event handler: +CEREG: 1\r\n", b"+CEREG: 1"),
        (b"uart:~$ AT event handler:\r\n", b""),
        (b"\0\0OK\0\r\n", b"OK"),
        (b"\0X\0\r\n", b"X"),
        (b"\x1b[8D\x1b[J+CEREG: 1\r\n", b"+CEREG: 1"),
        (b"  OK \x1b[0m\r\n", b"  OK"),
        (b"\r\n", b""),
    ],
)
def test_plain(raw, line):
    assert plain(raw) == line


def test_a_line_of_exactly_the_limit_is_whole_and_the_first_cut_is_as_long():
    buffer = LineBuffer(limit=4)
    assert buffer.feed(b"abcd\n") == [Piece(b"abcd\n", False)]
    assert buffer.feed(b"abcdefgh\n") == [Piece(b"abcd", True), Piece(b"efgh\n", True)]
    assert buffer.feed(b"  abc \t\n") == [Piece(b"  ab", True), Piece(b"c \t\n", True)]
    assert buffer.feed(b"x\n") == [Piece(b"x\n", False)]


def test_an_unfinished_line_of_exactly_the_limit_is_whole():
    buffer = LineBuffer(limit=4)
    assert buffer.feed(b"x\nabcd") == [Piece(b"x\n", False)]
    assert buffer.feed(b"\n") == [Piece(b"abcd\n", False)]


def test_blanks_at_the_ends_of_a_line_that_is_cut_are_kept():
    buffer = LineBuffer(limit=6)
    assert buffer.feed(b"abcdef  \r\n") == [Piece(b"abcdef", True), Piece(b"  \r\n", True)]


NOTHING_SPECIAL: frozenset[bytes] = frozenset()


@pytest.mark.parametrize("byte", [b"\0", b"\x1b", b"$", b"AT event handler:"])
def test_the_quick_way_leaves_to_the_other_what_needs_more_than_blanks_removed(byte):
    buffer = LineBuffer()
    assert buffer.feed_plain(b"log %b\n" % byte, NOTHING_SPECIAL) is None
    assert buffer.take_rest() == b""
    assert buffer.feed_plain(b"log \nmore\r\n\n", NOTHING_SPECIAL) == [b"log", b"more"]


def test_the_quick_way_keeps_the_unfinished_line_within_the_limit():
    buffer = LineBuffer(limit=6)
    assert buffer.feed_plain(b"a\nbcd", NOTHING_SPECIAL) == [b"a"]
    assert buffer.feed_plain(b"e\nx", NOTHING_SPECIAL) == [b"bcde"]  # 3 and 3 bytes are 6
    assert buffer.feed_plain(b"yz\n123", NOTHING_SPECIAL) is None  # 1 and 6 are 7
    assert buffer.take_rest() == b"x"


def test_the_quick_way_is_none_for_lines_that_begin_with_something_special_or_while_a_line_is_cut():
    buffer = LineBuffer(limit=4)
    assert buffer.feed_plain(b"a\n+b\n", frozenset({b"+"})) is None
    assert buffer.feed(b"abcde") == [Piece(b"abcd", True)]
    assert buffer.feed_plain(b"\n", NOTHING_SPECIAL) is None

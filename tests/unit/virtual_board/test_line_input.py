from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.board.serial_modem.line_input import BUFFER_SIZE, LineInput, Overflow
from tests.unit.virtual_board.bench import lines_of


def lines(*chunks):
    return lines_of(LineInput(), *chunks)


def test_one_line_per_carriage_return():
    assert lines(b"AT\rAT+CFUN?\r") == [b"AT", b"AT+CFUN?"]


def test_bytes_before_at_are_dropped_and_empty_lines_ignored():
    assert lines(b"\r\n\r\n\x00\xffAT\r\nat+cfun?\r\n") == [b"AT", b"at+cfun?"]
    assert lines(b"BAT\r") == [b"AT"]
    assert lines(b"AAT\rAT\r") == [b"AT"]  # the second A is not a T: both are dropped, and the T too


def test_a_terminator_between_quotes_is_data():
    assert lines(b'AT%CMNG=0,1,0,"a\r\nb\r"\r') == [b'AT%CMNG=0,1,0,"a\r\nb\r"']


def test_a_quote_that_is_never_closed_swallows_commands_until_it_is():
    assert lines(b'AT+X="a\rAT\rAT+CFUN?\r"\rAT\r') == [b'AT+X="a\rAT\rAT+CFUN?\r"', b"AT"]


def test_backspace_and_delete():
    assert lines(b"AT+CFUM\x08N?\r", b"AT\x7f\x7fAT\r") == [b"AT+CFUN?", b"AT"]
    assert lines(b'AT+X="\x08\r') == [b"AT+X="]  # the quote is gone with its effect


def test_the_buffer_holds_4096_bytes():
    full = b"AT" + b"x" * (BUFFER_SIZE - 2)
    assert lines(full + b"\r") == [full]
    assert lines(full + b"x\rAT\r") == [Overflow(), b"AT"]
    assert lines(full + b"x\x08\r") == [full]


def test_quotes_beyond_the_buffer_still_protect_the_terminator():
    assert lines(b'AT+X="' + b"x" * 5000 + b'\r"\rAT\r') == [Overflow(), b"AT"]


TYPED = st.lists(st.sampled_from([b"AT", b"at", b"A", b"+X=", b'"', b"\r", b"\n", b"\x08", b"\x7f", b"x" * 4094]))


@given(st.binary() | TYPED.map(b"".join), st.lists(st.integers(1, 7)) | st.just([1] * 60))
def test_how_the_bytes_are_cut_makes_no_difference(data, sizes):
    chunks, rest = [], data
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    assert lines(*chunks, rest) == lines(data)


def test_partial():
    reader = LineInput()
    assert not reader.partial
    reader.feed(b"AT+C")
    assert reader.partial
    reader.feed(b"FUN?\r")
    assert not reader.partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.board.serial_modem.data_mode import BUFFER_SIZE, DataMode, shortest_idle_ms


def run(*chunks):
    sent = []
    mode, taken, status = DataMode(sent.append), 0, None
    for chunk in chunks:
        taken, status = mode.feed(chunk)
        if status is not None:
            break
    return sent, taken, status


@pytest.mark.parametrize(
    ("chunks", "sent", "taken"),
    [
        ([b'{"a":1}+++'], [b'{"a":1}'], 10),
        ([b"abc+", b"+", b"+AT\r"], [b"abc"], 1),
        ([b"+++"], [], 3),
        ([b"a+b++c+++"], [b"a+b++c"], 9),
        ([b"a++++"], [b"a"], 4),
        ([b"a++", b"b++", b"+"], [b"a++b"], 1),
    ],
)
def test_the_terminator_ends_it(chunks, sent, taken):
    assert run(*chunks) == (sent, taken, 0)


def test_one_buffer_full_is_sent_and_one_byte_more_breaks_it():
    full = b"x" * BUFFER_SIZE
    assert run(full + b"+++") == ([full], BUFFER_SIZE + 3, 0)
    assert run(full + b"x+++") == ([], BUFFER_SIZE + 4, -139)  # EOVERFLOW
    assert run(full, b"x", b"dropped", b"+++") == ([], 3, -139)


def test_a_pause_sends_what_was_collected():
    sent = []
    mode = DataMode(sent.append)
    mode.idle()
    mode.feed(b"+")
    mode.idle()
    assert sent == []  # nothing but a possible terminator
    mode.feed(b"+a++")
    mode.idle()
    assert sent == [b"++a++"]
    assert mode.feed(b"+++") == (3, 0)
    assert sent == [b"++a++"]


@given(st.binary(max_size=200).filter(lambda b: b"+" not in b), st.lists(st.integers(1, 50)))
def test_how_the_bytes_are_cut_makes_no_difference(payload, sizes):
    chunks, rest = [], payload + b"+++"
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    sent, _, status = run(*chunks, rest)
    assert b"".join(sent) == payload
    assert status == 0


def test_shortest_idle_time():
    assert shortest_idle_ms(115200) == 32
    assert shortest_idle_ms(1000000) == 12

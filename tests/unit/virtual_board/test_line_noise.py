"""Single bytes that arrive wrong."""

from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.board.line_noise import Disturbance, LineNoise


def test_each_kind():
    noise = LineNoise()
    for place, how in enumerate(Disturbance):
        noise.expect(2 * place, how)
    assert noise.apply(b"abcdefg") == bytes([ord("a") ^ 0xFF]) + b"bccdfg"
    assert noise.apply(b"abc") == b"abc"  # once each


def test_places_are_counted_from_now_on_and_over_writes():
    noise = LineNoise()
    noise.apply(b"before")
    noise.expect(3, Disturbance.DROP)
    assert noise.apply(b"ab") + noise.apply(b"") + noise.apply(b"cde") == b"abce"


@given(st.binary(max_size=50), st.integers(0, 60))
def test_nothing_else_changes(data, place):
    noise = LineNoise()
    noise.expect(place, Disturbance.DOUBLE)
    arrived = noise.apply(data)
    assert arrived == data[: place + 1] + data[place : place + 1] + data[place + 1 :]

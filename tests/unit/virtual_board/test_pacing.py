import heapq
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.board.pacing import PacedPipe

TURN = 2e-5  # seconds that one turn of the loop takes


class Loop:
    """As much of an event loop as a pipe needs, with a clock that tests turn."""

    def __init__(self):
        self.now = 100.0
        self._calls = []
        self._order = itertools.count()

    def time(self):
        return self.now

    def call_at(self, when, callback):
        entry = [when, next(self._order), callback]
        heapq.heappush(self._calls, entry)
        return type("Handle", (), {"cancel": lambda _: entry.__setitem__(2, None)})()

    def call_soon(self, callback):
        return self.call_at(self.now + TURN, callback)

    def run(self, late=0.0):
        """Do what is due, in time; return how many calls that were."""
        turns = 0
        while self._calls:
            turns += 1
            when, _, callback = heapq.heappop(self._calls)
            self.now = max(self.now, when) + late
            if callback is not None:
                callback()
        return turns


def pipe(baud):
    loop: Any = Loop()
    heard = []
    return loop, heard, PacedPipe(loop, baud, lambda data: heard.append((loop.now - 100, data)))


def test_without_a_rate_bytes_pass_at_once():
    _, heard, paced = pipe(0)
    paced.feed(b"abc")
    assert heard == [(0, b"abc")]


def test_a_short_line_arrives_with_its_last_bit():
    loop, heard, paced = pipe(115200)
    paced.feed(b"AT\r")
    loop.run()
    assert [data for _, data in heard] == [b"AT\r"]
    assert heard[0][0] == pytest.approx(30 / 115200)


def test_a_slow_uart_leaves_the_processor_to_others():
    loop, _, paced = pipe(115200)
    paced.feed(bytes(100))
    assert loop.run() <= 4  # turns


def test_a_dialogue_of_short_lines_is_not_held_up_by_late_timers():
    loop, heard, paced = pipe(1000000)
    for turn in range(100):
        began = loop.now
        paced.feed(b"AT#XSEND=0,2,0,4096\r")
        loop.run()
        assert len(heard) == turn + 1
        assert loop.now - began <= 20 * 10 / 1000000 + 2 * TURN


@pytest.mark.parametrize("late", [0.0, 0.001])
def test_late_timers_do_not_add_up(late):
    loop, heard, paced = pipe(115200)
    paced.feed(bytes(11520))
    loop.run(late)
    assert heard[-1][0] == pytest.approx(1.0, abs=0.002)
    assert sum(len(data) for _, data in heard) == 11520
    for when, data in heard:
        assert len(data) <= 11520 * 0.018
        assert when > 0


def test_no_credit_for_idle_time():
    loop, heard, paced = pipe(115200)
    paced.feed(b"x")
    loop.run()
    loop.now += 50
    paced.feed(bytes(1152))
    start = loop.now - 100
    loop.run()
    assert heard[-1][0] - start == pytest.approx(0.1, abs=0.001)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=10), st.sampled_from([9600, 115200, 1000000]))
def test_nothing_is_lost_or_swapped(chunks, baud):
    loop, heard, paced = pipe(baud)
    for chunk in chunks:
        paced.feed(chunk)
    loop.run()
    assert b"".join(data for _, data in heard) == b"".join(chunks)
    assert len(paced) == 0


def test_close_drops_what_is_under_way():
    loop, heard, paced = pipe(9600)
    paced.feed(b"gone")
    paced.close()
    loop.run()
    assert heard == []

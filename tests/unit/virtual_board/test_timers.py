"""Timers of a board, on an event loop whose clock the tests turn."""

import asyncio
import selectors

import pytest

from harness.virtual.board.timers import Timers


class Selector(selectors.DefaultSelector):
    """Waits in no time, and counts how often something is waited for."""

    def __init__(self):
        super().__init__()
        self.passed = 0.0
        self.waits = 0

    def select(self, timeout=None):
        if timeout is not None and timeout > 0:
            self.passed += timeout
            self.waits += 1
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own."""

    def __init__(self):
        self.selector = Selector()
        super().__init__(self.selector)

    def time(self):
        return self.selector.passed


class Play:
    """Calls a function with timers, then runs the loop for so many seconds; returns when which one fired."""

    def __init__(self):
        self.loop = Loop()

    def __call__(self, begin, seconds=100.0):
        fired = []

        async def main():
            timers = Timers(lambda token: fired.append((round(self.loop.time(), 6), token)))
            begin(timers, fired)
            await asyncio.sleep(seconds)

        self.loop.run_until_complete(main())
        return fired


@pytest.fixture
def play():
    played = Play()
    yield played
    played.loop.close()


def test_each_fires_once_in_the_order_of_time(play):
    def begin(timers, _fired):
        for token, seconds in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 1.0)):
            timers.set(token, seconds)

    assert play(begin) == [(1.0, 2), (1.0, 4), (2.0, 3), (3.0, 1)]


def test_a_cancelled_one_does_not_fire(play):
    def begin(timers, _fired):
        for token in range(1, 5):
            timers.set(token, float(token))
        for token in (1, 3, 99):
            timers.cancel(token)
        assert len(timers) == 2

    assert play(begin) == [(2.0, 2), (4.0, 4)]


def test_the_next_one_is_not_early_because_the_one_before_was_cancelled(play):
    def begin(timers, _fired):
        timers.set(1, 1.0)
        timers.set(2, 50.0)
        timers.cancel(1)
        for token in range(3, 400):  # clears the heap, while the event loop still waits for the first
            timers.set(token, 60.0)
            timers.cancel(token)

    assert play(begin) == [(50.0, 2)]


def test_all_stop_at_once(play):
    def begin(timers, _fired):
        timers.set(1, 1.0)
        timers.set(2, 2.0)
        timers.clear()
        timers.set(3, 3.0)

    assert play(begin) == [(3.0, 3)]


def test_one_that_fires_may_start_and_cancel_others(play):
    loop = play.loop

    def begin(_timers, fired):
        def fire(token):
            fired.append((round(loop.time(), 6), token))
            if token == 1:
                own.cancel(2)
                own.set(3, 0.5)
                own.set(4, 0.25)

        own = Timers(fire)
        own.set(1, 1.0)
        own.set(2, 1.0)
        own.set(5, 1.375)

    assert play(begin) == [(1.0, 1), (1.25, 4), (1.375, 5), (1.5, 3)]


def test_an_error_of_one_does_not_stop_the_others(play):
    loop = play.loop
    loop.set_exception_handler(lambda *_: None)

    def begin(_timers, fired):
        def fire(token):
            if token == 1:
                raise RuntimeError
            fired.append((round(loop.time(), 6), token))

        own = Timers(fire)
        for token, seconds in ((1, 1.0), (2, 1.0), (3, 2.0)):
            own.set(token, seconds)

    assert play(begin) == [(1.0, 2), (2.0, 3)]


def test_one_that_is_started_anew_again_and_again_costs_no_turns_of_the_event_loop(play):
    def begin(timers, _fired):
        for token in range(1, 1000):
            timers.set(token, 10.0)
            timers.cancel(token)
        timers.set(1000, 10.0)

    assert play(begin) == [(10.0, 1000)]
    assert play.loop.selector.waits <= 3

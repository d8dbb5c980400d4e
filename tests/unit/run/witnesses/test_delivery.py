"""Nobody saw a message means something only where the observer could have seen it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.cloud.refusals import ObserverLost
from harness.run.witnesses import ObserverAlive


class Passing:
    """An observer, a clock and the pauses that were made. ``fence``: what the observer does to hear itself."""

    def __init__(self, settle, fence):
        self.now, self.passed = 100.0, []
        self.observer = SimpleNamespace(fence=fence, connections=1)
        self.alive = ObserverAlive(
            lambda: cast(Any, self.observer), settle=settle, patience=3.0, clock=lambda: self.now, pause=self.pause
        )

    def pause(self, seconds):
        self.passed.append(seconds)
        self.now += seconds


def test_a_hang_up_is_not_waited_for():
    there = Passing(15.0, lambda timeout: 0.01)
    assert there.alive() == {"own_message": 0.01}
    assert there.passed == []


def test_the_settle_time_begins_with_the_last_hang_up_and_is_waited_for_once():
    there = Passing(15.0, lambda timeout: 0.01)
    there.alive()
    there.now += 30
    there.alive()
    there.now += 5
    assert there.alive.settled() == {"own_message": 0.01, "settled": 15.0, "watched": True}
    assert there.passed == [10.0]
    there.now += 20
    there.alive.begin()
    there.alive()
    there.now += 20
    there.alive.settled()
    assert there.passed == [10.0]


def test_an_observer_that_connected_anew_in_between_may_have_missed_it():
    there = Passing(15.0, lambda timeout: 0.01)
    there.alive()
    there.observer.connections = 2
    assert there.alive.settled()["watched"] is False
    there.alive.begin()
    there.alive()
    assert there.alive.settled()["watched"] is True


def test_a_deaf_observer_saw_nothing_that_counts():
    def fence(timeout):
        raise ObserverLost(f"nothing within {timeout:g} s")

    there = Passing(0.0, fence)
    for ask in (there.alive, there.alive.settled):
        with pytest.raises(ObserverLost, match="nothing within 3 s"):
            ask()

"""Nobody saw a message means something only where the observer could have seen it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.cloud.refusals import ObserverLost
from harness.run.witnesses import ObserverAlive


def witness(settle, fence):
    now = [0.0]
    observer = cast(Any, SimpleNamespace(fence=fence))
    passed: list[float] = []

    def pause(seconds):
        passed.append(seconds)
        now[0] += seconds

    def clock():
        now[0] += 0.5  # each look at the clock takes a while, and so does the fence between
        return now[0]

    return ObserverAlive(lambda: observer, settle=settle, patience=3.0, clock=clock, pause=pause), passed


def test_a_cloud_that_keeps_the_order_is_not_waited_for():
    alive, passed = witness(0.0, lambda timeout: 0.01)
    assert alive() == {"own_message": 0.01, "settled": 0.0}
    assert passed == []


def test_the_settle_time_begins_with_the_question():
    alive, passed = witness(2.0, lambda timeout: 0.25)
    alive()
    assert passed == [1.5]


def test_a_deaf_observer_saw_nothing_that_counts():
    def fence(timeout):
        raise ObserverLost(f"nothing within {timeout:g} s")

    alive, _ = witness(0.0, fence)
    with pytest.raises(ObserverLost, match="nothing within 3 s"):
        alive()

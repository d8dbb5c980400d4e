"""Attempts are bounded by their number and by time, and counted."""

import time

import pytest

from harness.run.repetition import NotProvisioned, Rounds


def test_attempts_are_counted():
    numbers = []

    def attempt(number):
        numbers.append(number)
        return None if number == 3 else "hung up"

    assert Rounds(most=5, gap=0.0, deadline=60.0).until(attempt, "dev-1 was not accepted") == 3
    assert numbers == [1, 2, 3]


def test_the_last_attempt_says_what_it_met():
    with pytest.raises(NotProvisioned) as ended:
        Rounds(most=2, gap=0.0, deadline=60.0).until(lambda number: f"hang-up {number}", "dev-1 was not accepted")
    assert str(ended.value).startswith(
        "dev-1 was not accepted: not within 2 attempts (of 2) and 60 s, the last one met: hang-up 2;"
    )


def test_the_deadline_ends_it_before_the_next_gap():
    started = time.monotonic()
    with pytest.raises(NotProvisioned, match=r"not within 1 attempts \(of 9\) and 5 s"):
        Rounds(most=9, gap=30.0, deadline=5.0).until(lambda _number: "hung up", "dev-1")
    assert time.monotonic() - started < 5.0


def test_other_errors_pass():
    def attempt(_number):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Rounds(most=2, gap=0.0, deadline=1.0).until(attempt, "dev-1")

"""Random numbers of an experiment: drawn, written down, and given again."""

import pytest

from harness.trial.wire.draws import NothingDrawn, RecordedDraws, RecordingDraws


def test_what_is_drawn_is_written_down_once():
    draws = RecordingDraws()
    numbers = [draws.randrange(12), draws.random()]
    assert 0 <= numbers[0] < 12
    assert 0.0 <= numbers[1] < 1.0
    assert draws.taken() == numbers
    assert draws.taken() == []


def test_a_number_is_drawn_from_the_range_that_was_asked_for():
    draws = RecordingDraws()
    assert draws.randrange(5, 6) == 5
    assert draws.randrange(7, 10**9, 10**9) == 7
    assert draws.taken() == [5, 7]


def test_what_was_drawn_comes_again_in_order():
    draws = RecordedDraws([3, 0.25, 7])
    assert [draws.randrange(12), draws.random(), draws.randrange(2, 12, 2)] == [3, 0.25, 7]
    with pytest.raises(NothingDrawn):
        draws.randrange(12)
    with pytest.raises(NothingDrawn):
        draws.random()

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.wilson import wilson

COUNTS = st.integers(0, 500).flatmap(lambda number: st.tuples(st.integers(0, number), st.just(number)))


@given(COUNTS)
def test_the_interval_is_within_0_and_1_and_around_the_rate(counts):
    failed, number = counts
    rate = wilson(failed, number)
    assert 0 <= rate.low <= rate.high <= 1
    if number:
        assert rate.low <= failed / number <= rate.high
        assert rate.low < rate.high


@given(COUNTS)
def test_passing_and_failing_mirror_each_other(counts):
    failed, number = counts
    one, other = wilson(failed, number), wilson(number - failed, number)
    assert one.low == pytest.approx(1 - other.high)
    assert one.high == pytest.approx(1 - other.low)


@given(st.integers(1, 30), st.integers(1, 20))
def test_more_runs_with_the_same_rate_say_more(number, times):
    small, large = wilson(number // 2, number), wilson(times * (number // 2), times * number)
    assert large.high - large.low <= small.high - small.low + 1e-12


def test_no_failure_in_13_runs():
    assert str(wilson(0, 13)) == "in 0 of 13 runs, 0 % (95 %: 0 to 23 %)"


def test_a_known_interval():
    # The example of Brown, Cai and DasGupta's discussion: 5 of 50.
    rate = wilson(5, 50)
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.0435, 0.2136)


def test_nothing_is_known_of_no_run():
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)


@pytest.mark.parametrize(("failed", "number"), [(-1, 3), (4, 3)])
def test_more_failures_than_runs_make_no_sense(failed, number):
    with pytest.raises(ValueError, match=f"{failed} of {number}"):
        wilson(failed, number)

"""More than so many in any second is too many; what is older than a second does not count."""

from harness.virtual.cloud.broker.rate import RateLimit


def test_two_a_second():
    rate = RateLimit(2)
    assert [rate.exceeded(now) for now in (0.0, 0.5, 0.9, 1.95, 2.6, 2.7)] == [False, False, True, False, False, True]


def test_no_limit():
    rate = RateLimit(0)
    assert not any(rate.exceeded(0.0) for _ in range(1000))

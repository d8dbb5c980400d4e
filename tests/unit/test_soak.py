"""What ``make soak`` calls growth. Two minutes of it belong to ``make check``."""

import pytest

from tests.soak import SLACK, SLACK_KIB, Watched


@pytest.mark.parametrize(
    ("growth", "said"),
    [
        ((SLACK_KIB + 20_000, 0, 0), ["x: memory grew from 97.7 to 129.2 MiB"]),
        ((0, SLACK + 1, 0), ["x: descriptors grew from 10 to 14"]),
        ((0, 0, SLACK + 1), ["x: threads grew from 3 to 7"]),
        ((1000, SLACK, SLACK), []),
    ],
)
def test_growth_is_noticed(growth, said):
    one = Watched("x", 1)
    one.looks = [(float(t), 100_000 + (t > 50) * growth[0], 10 + (t > 50) * growth[1], 3 + (t > 50) * growth[2])
                 for t in range(100)]  # fmt: skip
    assert one.verdict(warm=25.0) == said


def test_what_is_open_for_a_moment_is_no_growth():
    one = Watched("x", 1)
    one.looks = [(float(t), 100_000, 10 + (t % 7 == 0) * 20, 3) for t in range(100)]
    assert one.verdict(warm=25.0) == []

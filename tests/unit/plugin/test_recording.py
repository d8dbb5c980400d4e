import pytest

from harness.plugin.recording import expected_of
from harness.report.keys import key_of
from harness.timeline import Kind, Timeline


@pytest.mark.parametrize(
    ("test", "board", "key"),
    [
        ("t.py::test_x[dk-1]", "dk-1", "t.py::test_x"),
        ("t.py::test_x[dk-1-QoS 0]", "dk-1", "t.py::test_x[QoS 0]"),
        ("t.py::test_x[dk-1-own-connect]", "dk-1", "t.py::test_x[own-connect]"),
        ("t.py::test_x[a[0]-dk-1]", "dk-1", "t.py::test_x[a[0]]"),
        ("t.py::test_x[dk-10]", "dk-1", "t.py::test_x[dk-10]"),
        ("t.py::test_dk-1", "dk-1", "t.py::test_dk-1"),
    ],
)
def test_a_key_is_the_same_on_every_board(test, board, key):
    assert key_of(test, board) == key


def test_what_was_expected_is_read_from_the_timeline():
    timeline = Timeline()
    timeline.add(Kind.EXPECT, "trial", "x", wanted=["tolerated", "ignored"], got="tolerated")
    timeline.add(Kind.STEP, "trial", "x")
    timeline.add(Kind.EXPECT, "trial", "x", wanted=["denied"], got="denied")
    assert expected_of(timeline.since()) == [["tolerated", "ignored"], ["denied"]]

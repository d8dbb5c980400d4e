"""A whole run, put together from what each worker has collected."""

from hypothesis import given
from hypothesis import strategies as st

from harness.plugin.collected_tests import Collected, Found

BOARDS = ["one", "two", "three"]


def board_of(test):
    return test.partition("[")[2].removesuffix("]")


def found(*tests):
    return Found(tests, [board_of(test) for test in tests])


def put_together(**parts):
    collected = Collected(BOARDS[: len(parts)])
    for part, tests in reversed(parts.items()):
        assert not collected.complete
        collected.add(part, found(*tests))
    assert collected.complete
    return collected.whole()


def test_what_one_worker_collects_is_the_run():
    tests = ["x", "a[one]", "a[two]", "y", "a[one]", "x"]
    collected = Collected([None])
    collected.add(None, found(*tests))
    whole = collected.whole()
    assert whole.tests == tests
    assert whole.boards == ["", "one", "two", "", "one", ""]
    assert whole.own == {None: {number: number for number in range(6)}}
    assert not whole.odd


def test_boards_stand_in_their_order_between_the_tests_that_use_none():
    whole = put_together(one=["x", "a[one]", "b[one]", "y"], two=["x", "a[two]", "b[two]", "y"])
    assert whole.tests == ["x", "a[one]", "b[one]", "a[two]", "b[two]", "y"]
    assert whole.own == {"one": {0: 0, 1: 1, 2: 2, 5: 3}, "two": {0: 0, 3: 1, 4: 2, 5: 3}}


def test_tests_without_a_board_are_compared_and_a_part_that_has_others_keeps_its_board():
    whole = put_together(one=["x", "a[one]", "y"], two=["new", "a[two]", "y"])
    assert whole.odd == ["two"]
    assert whole.tests == ["a[two]", "x", "a[one]", "y"]
    assert whole.own["two"] == {0: 1}


def test_their_order_does_not_matter():
    whole = put_together(one=["x", "y", "a[one]"], two=["y", "a[two]", "x"])
    assert not whole.odd
    assert whole.tests == ["x", "y", "a[one]", "a[two]"]
    assert whole.own["two"] == {0: 2, 1: 0, 3: 1}


def test_a_test_that_is_collected_twice_stands_there_twice():
    whole = put_together(one=["x", "a[one]", "x", "a[one]"], two=["x", "a[two]", "x", "a[two]"])
    assert whole.tests == ["x", "a[one]", "a[two]", "x", "a[one]", "a[two]"]
    assert not whole.odd
    assert put_together(one=["x", "x"], two=["x"]).odd == ["two"]


def test_nothing_is_known_until_somebody_has_collected():
    collected = Collected(BOARDS)
    collected.lost |= set(BOARDS)
    assert not collected.complete
    collected.add("two", found("a[two]"))
    assert collected.complete
    assert collected.unknown == ["one", "three"]
    assert collected.whole().tests == ["a[two]"]


@given(st.lists(st.one_of(st.integers(1, 3), st.none())), st.integers(1, 3))
def test_each_worker_has_its_part_of_what_one_would_have_collected(stretches, number):
    """``stretches``: so many tests of each board, or one test that uses none."""
    boards, tests = BOARDS[:number], []
    for place, stretch in enumerate(stretches):
        if stretch is None:
            tests.append(f"t{place}")
        elif not tests or not board_of(tests[-1]):
            tests += [f"t{place}.{one}[{board}]" for board in boards for one in range(stretch)]
    parts = {board: [test for test in tests if board_of(test) in ("", board)] for board in boards}
    whole = put_together(**parts)
    assert whole.tests == tests
    assert whole.boards == [board_of(test) for test in tests]
    for board, part in parts.items():
        assert {tests[number]: part[place] for number, place in whole.own[board].items()} == {one: one for one in part}

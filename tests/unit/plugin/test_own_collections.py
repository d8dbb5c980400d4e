"""Workers that collect the tests of their own board: what each is given, and when; whatever dies, nothing is lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugin.scheduler import DEATHS, died
from tests.unit.plugin.fake_run import SHARED, Node, Run, ended, of, own, two


def test_nothing_is_given_out_until_every_board_is_known():
    run = two()
    first = run.started("two")
    assert (first.given, first.down, run.began, run.counted) == ([], False, None, 0)
    assert not run.xdist.tests_finished
    second = run.started("one")
    assert (second.given, first.given) == (of("one"), of("two"))
    assert first.down
    assert second.down
    assert run.began == of("one") + of("two")
    assert run.counted == 6
    assert sorted(run.finish(first, second)) == sorted(run.began)
    assert run.xdist.tests_finished


def test_tests_without_a_board_are_run_by_whoever_is_free():
    run = two(SHARED)
    second = run.started("two")
    first = run.started("one")
    assert second.given == SHARED[:2]  # one file's
    assert first.given == [*SHARED[2:], *of("one")]
    assert not second.down
    assert sorted(run.finish(first, second)) == sorted(run.began)
    assert run.xdist.tests_finished
    assert second.down


def test_a_worker_without_tests_ends():
    run = Run({"one": of("one"), "two": []})
    empty, other = run.started("two"), run.started("one")
    assert empty.down
    assert empty.given == []
    assert run.finish(other) == of("one")


def test_the_next_worker_of_a_board_goes_on_and_is_counted_as_part_of_the_run():
    run = two()
    dying, other = run.started("one"), run.started("two")
    assert run.step(dying) == "t0[one]"
    assert run.ends(dying) == "t1[one]"
    fresh = run.started("one")
    assert run.counted == 6
    assert fresh.given == ["t2[one]"]
    assert len(run.finish(fresh, other)) == 4


def test_a_worker_that_has_other_tests_than_the_one_before_it_is_given_none():
    run = two()
    dying, other = run.started("one"), run.started("two")
    assert run.ends(dying) == "t0[one]"
    fresh = run.started("one", of("one", 4))
    assert run.differing == [fresh]
    assert fresh.down
    assert fresh.given == []
    assert run.unrun == ["t1[one]", "t2[one]"]
    assert run.ends(ended(fresh)) is None
    assert run.finish(other) == of("two")
    assert run.xdist.tests_finished  # else pytest-xdist ends in INTERNALERROR


def test_a_worker_with_other_tests_without_a_board_runs_its_board():
    run = Run({"one": of("one", shared=SHARED), "two": of("two", shared=SHARED[1:])})
    first, odd = run.started("one"), run.started("two")
    assert run.odd == ["two"]
    assert odd.given == of("two")
    assert odd.down
    assert set(run.finish(first)) == {*of("one"), *SHARED}


def test_a_worker_that_dies_before_it_has_collected_is_replaced():
    run = two()
    other = run.started("two")
    run.ends(run.start("one"))
    with pytest.raises(KeyError):  # as pytest-xdist expects
        run.xdist.remove_node(Node("one", []))
    assert run.began is None
    fresh = run.started("one")
    assert sorted(run.finish(fresh, other)) == sorted(of("one") + of("two"))


def test_a_worker_that_dies_while_it_waits_is_replaced():
    run = two()
    run.ends(run.started("two"))
    other = run.started("one")
    assert run.began == of("one") + of("two")
    assert sorted(run.finish(other)) == of("one")
    assert not run.xdist.tests_finished
    assert run.finish(run.started("two")) == of("two")


def test_a_board_whose_workers_never_collect_is_lost_and_the_others_begin():
    run = two()
    other = run.started("two")
    for _ in range(DEATHS - 1):
        run.ends(run.start("one"))
    assert run.began is None
    run.ends(run.start("one"))
    assert (run.began, run.lost, run.counted) == (of("two"), ["one"], 3)
    assert other.given == of("two")
    late = run.started("one")
    assert late.down
    assert late.given == []
    assert run.finish(other) == of("two")
    assert run.xdist.tests_finished


def test_a_worker_that_ends_by_itself_before_it_has_collected_is_not_waited_for():
    run = two()
    other = run.started("two")
    run.ends(ended(run.start("one"), 4))
    assert run.lost == ["one"]
    assert run.finish(other) == of("two")


def test_a_worker_that_was_interrupted_is_waited_for_because_xdist_replaces_it():
    run = two()
    run.started("two")
    run.ends(ended(run.start("one"), 2))
    assert run.began is None


def test_workers_that_are_being_ended_lose_no_board():
    run = two()
    run.started("two")
    run.ending = True
    for _ in range(DEATHS):
        run.ends(run.start("one"))
    assert run.began is None


def test_a_run_all_of_whose_boards_are_lost_is_over():
    run = two()
    for part in [*["one"] * DEATHS, *["two"] * DEATHS]:
        assert run.began is None
        run.ends(run.start(part))
    assert run.xdist.tests_finished


def test_workers_that_collect_everything_are_replaced_as_long_as_pytest_xdist_likes():
    run = Run({None: of("one")})
    run.alive.append(Node(None, []))
    for _ in range(DEATHS + 1):
        dying = run.start(None)
        run.ends(dying)
        assert run.xdist.needs_another(dying)
        assert not run.xdist.tests_finished
    run.alive.clear()
    assert run.xdist.tests_finished


def test_tests_of_no_board_are_pytest_xdists():
    run = Run({"one": SHARED, "two": SHARED})
    first = run.started("one")
    assert run.plain.collections == []
    second = run.started("two")
    assert run.plain.collections == [(first, SHARED), (second, SHARED)]
    assert run.counted == len(SHARED)


def test_a_test_that_is_to_run_again_is_run_by_a_worker_that_has_it():
    run = two()
    dying, other = run.started("one"), run.started("two")
    assert run.ends(dying) == "t0[one]"
    run.xdist.mark_test_pending("t0[one]")
    fresh = run.started("one")
    assert fresh.given == of("one")
    assert other.given == of("two")


@given(st.data())
def test_whatever_dies_whenever_every_test_is_run_once_or_reported_once(data):
    boards = "abcd"[: data.draw(st.integers(1, 4))]
    shared = SHARED[: data.draw(st.integers(0, 3))]
    run = Run({board: of(board, data.draw(st.integers(0, 4)), shared) for board in boards})
    nodes, collected = {board: run.start(board) for board in boards}, []
    seen, early = [], Counter()
    events = st.sampled_from(["goes on", "goes on", "dies", "ends", "differs"])

    def remove(node, board):
        if run.began is None:
            early[board] += 1 if died(node) else DEATHS
        seen.append(run.ends(node))
        if died(node) and run.xdist.needs_another(node):
            nodes[board] = run.start(board)
        else:
            del nodes[board]

    for board, event in data.draw(st.lists(st.tuples(st.sampled_from(boards), events), max_size=30)):
        node = nodes.get(board)
        if node is None:
            continue
        if event in ("dies", "ends"):
            remove(node if event == "dies" else ended(node), board)
        elif node not in collected:
            collected.append(node)
            if event == "differs" and run.scheduling is not None:
                node.tests = [*node.tests, "new"]
            run.collect(node)
        else:
            seen.append(run.step(node))
    for node in nodes.values():
        if node not in collected:
            run.collect(node)
    seen += run.finish(*nodes.values())
    if run.began is None:
        assert not nodes
        assert run.xdist.tests_finished
        return
    assert all(early[board] >= DEATHS for board in run.lost)
    assert run.began == [*shared, *(test for board in boards if board not in run.lost for test in own(run, board))]
    if run.scheduling is not None:
        out = [test for left in run.scheduling.given_up.values() for test in left]
        assert sorted([test for test in seen if test] + out + run.unrun) == sorted(run.began)
        assert run.xdist.tests_finished
        assert all(node.down for node in nodes.values())

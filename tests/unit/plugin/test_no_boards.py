"""Tests that use no board, on workers that were started for boards: pytest-xdist's own scheduler deals them out."""

from types import SimpleNamespace

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScheduling

from harness.plugin.scheduler import DEATHS
from tests.unit.plugin.fake_run import SHARED, Run, ended


def run_of(parts, workers=2):
    config = SimpleNamespace(getvalue=lambda _name: [f"{workers}*popen"], getoption=lambda _name: None)
    return Run(dict.fromkeys(parts, SHARED), LoadScheduling(config, Producer("", enabled=False)))


def test_both_run_them():
    run = run_of(["one", "two"])
    first = run.started("one")
    assert first.given == []
    second = run.started("two")
    assert sorted(run.finish(first, second)) == SHARED


@pytest.mark.parametrize("how", ["dying", "ended"])
@pytest.mark.parametrize("late", [False, True])
def test_the_others_begin_where_the_workers_of_one_board_do_not_collect(how, late):
    """pytest-xdist waited for ever for as many collections as it had started workers."""
    run = run_of(["one", "two"])
    other = run.start("two") if late else run.started("two")
    for _ in range(DEATHS if how == "dying" else 1):
        gone = run.start("one")
        run.ends(gone if how == "dying" else ended(gone, 1))
    assert not run.xdist.tests_finished
    if late:
        run.collect(other)
    assert run.lost == ["one"]
    assert run.finish(other) == SHARED
    assert run.xdist.tests_finished
    assert run.counted == len(SHARED)


@pytest.mark.parametrize("late", [False, True])
def test_the_others_begin_where_one_of_many_that_collect_everything_ends_by_itself(late):
    run = run_of([None], workers=3)
    gone, first, second = [run.start(None) for _ in range(3)]
    if late:
        run.collect(first)
        run.collect(second)
    run.ends(ended(gone, 1))
    if not late:
        run.collect(first)
        assert first.given == []
        run.collect(second)
    assert sorted(run.finish(first, second)) == SHARED
    assert run.xdist.tests_finished


def test_a_worker_that_ends_after_its_tests_changes_nothing():
    run = run_of(["one", "two"])
    first, second = run.started("one"), run.started("two")
    assert sorted(run.finish(first, second)) == SHARED
    run.ends(ended(first))
    run.ends(ended(second))
    assert run.xdist.tests_finished
    assert run.plain.numnodes == 2

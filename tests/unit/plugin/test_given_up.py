"""What becomes of a board's tests if nobody is left to run them, and when nobody is started for them any more."""

from types import SimpleNamespace

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScheduling

from harness.plugin.scheduler import DEATHS
from tests.unit.plugin.fake_run import SHARED, Node, Run, ended, of, two


@pytest.mark.parametrize("exit_code", [1, 4])
def test_what_is_left_of_a_board_whose_next_worker_ends_by_itself_is_given_up(exit_code):
    run = two()
    dying, other = run.started("one"), run.started("two")
    assert run.ends(dying) == "t0[one]"
    assert run.ends(ended(run.start("one"), exit_code)) is None
    assert run.unrun == ["t1[one]", "t2[one]"]
    assert run.finish(other) == of("two")
    assert run.xdist.tests_finished


def test_what_is_left_of_a_board_whose_next_workers_never_collect_is_given_up():
    """pytest-xdist replaced them until its limit, and then ended the run with the other boards' tests in it."""
    run = two()
    dying, other = run.started("one"), run.started("two")
    run.ends(dying)
    run.ends(run.start("one"))
    with pytest.raises(KeyError):  # as pytest-xdist expects
        run.xdist.remove_node(Node("one", []))
    assert run.unrun == []
    assert run.xdist.needs_another(dying)
    run.ends(run.start("one"))
    assert run.unrun == ["t1[one]", "t2[one]"]
    assert not run.xdist.needs_another(dying)
    assert run.finish(other) == of("two")
    assert run.xdist.tests_finished


def test_a_test_that_ends_its_worker_is_not_taken_for_what_killed_it():
    """``pytest.exit`` in it: pytest-xdist ended the whole run with an INTERNALERROR."""
    run = two()
    exits, other = run.started("one"), run.started("two")
    assert run.ends(ended(exits)) is None
    assert run.unrun == of("one")
    assert run.finish(other) == of("two")
    assert run.xdist.tests_finished


def test_what_another_worker_can_run_is_not_given_up():
    run = two(SHARED)
    busy, dying = run.started("two"), run.started("one")
    assert (busy.given, dying.given) == (SHARED[:2], [*SHARED[2:], *of("one")])
    assert run.ends(dying) == SHARED[2]
    run.ends(ended(run.start("one")))
    assert run.unrun == of("one")
    assert run.ends(busy) == SHARED[0]
    assert run.finish(run.started("two")) == [SHARED[1], *of("two")]
    assert run.xdist.tests_finished


def test_nothing_is_given_up_because_the_run_is_being_ended():
    run = two()
    dying = run.started("one")
    run.started("two")
    run.ends(dying)
    run.ending = True
    run.ends(ended(run.start("one")))
    assert run.unrun == []


def test_no_worker_of_a_lost_board_is_replaced():
    """pytest-xdist did so until its limit, and then ended the run with the other boards' tests in it."""
    run = two()
    needed = []
    for _ in range(DEATHS):
        dying = run.start("one")
        run.ends(dying)
        needed.append(run.xdist.needs_another(dying))
    assert needed == [True, True, False]
    other = run.started("two")
    assert not run.xdist.needs_another(dying)
    assert run.ends(other) == "t0[two]"
    assert run.xdist.needs_another(other)


def test_no_worker_of_a_board_that_was_given_up_is_replaced_unless_it_could_run_other_tests():
    for shared in ((), SHARED):
        run = two(shared)
        second, first = run.started("two"), run.started("one")
        if shared:
            while run.step(first) != SHARED[-1]:
                pass
        for death in range(DEATHS):
            if death:
                first = run.started("one")
            assert run.ends(first) == f"t{death}[one]"
        assert run.scheduling.given_up == {"t2[one]": []}
        assert not run.xdist.needs_another(first)
        assert run.ends(second) == (shared or of("two"))[0]
        assert run.xdist.needs_another(second)


def test_what_is_left_of_a_board_for_which_nobody_can_be_started_is_given_up():
    """The run of all boards ended with an internal error."""
    run = two()
    dying, other = run.started("one"), run.started("two")
    assert run.ends(dying) == "t0[one]"
    run.xdist.not_replaced(dying, "died, and none could be started in its place")
    assert run.unrun == ["t1[one]", "t2[one]"]
    assert run.finish(other) == of("two")
    assert run.xdist.tests_finished


def test_a_board_that_nobody_can_be_started_to_collect_is_lost():
    run = two()
    other, dying = run.started("two"), run.start("one")
    run.ends(dying)
    assert run.began is None
    run.xdist.not_replaced(dying, "died")
    assert run.lost == ["one"]
    assert run.finish(other) == of("two")
    assert run.xdist.tests_finished


@pytest.mark.parametrize("collected", [False, True])
def test_workers_without_tests_of_boards_go_on_where_nobody_can_be_started(collected):
    config = SimpleNamespace(getvalue=lambda _name: ["2*popen"], getoption=lambda _name: None)
    plain = LoadScheduling(config, Producer("", enabled=False))
    run = Run(dict.fromkeys(["one", "two"], SHARED), plain)
    other, dying = run.started("two"), run.start("one")
    if collected:
        run.collect(dying)
        taken = run.ends(dying)
        assert taken in SHARED
    else:
        run.ends(dying)
        taken = None
    run.xdist.not_replaced(dying, "died")
    assert sorted(run.finish(other)) == [test for test in SHARED if test != taken]
    assert run.xdist.tests_finished

"""Workers that collect the tests of their own board: what each is given, and when; whatever dies, nothing is lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugin.collected import EVERYTHING, Found
from harness.plugin.scheduler import DEATHS, BoardScheduling, Scheduling

SHARED = ["x.py::x", "x.py::y", "y.py::z"]


class Node:
    """A worker of pytest-xdist: it has the tests of its board, and is told of them by their places there."""

    def __init__(self, part, tests):
        self.part = part
        self.tests = list(tests)
        self.given: list[str] = []
        self.down = False

    def send_runtest_some(self, indices):
        assert not self.down, "a worker that was shut down runs nothing more"
        self.given += [self.tests[index] for index in indices]

    def shutdown(self):
        self.down = True

    @property
    def shutting_down(self):
        return self.down

    def next(self):
        """The test that it runs now, None if it waits: it holds its last test back until it is given another one."""
        return self.given[0] if len(self.given) > 1 or (self.given and self.down) else None


class Plain:
    """In place of pytest-xdist's own scheduler."""

    collection_is_completed = tests_finished = False

    def __init__(self):
        self.nodes: list[Node] = []
        self.collections: list[tuple[Node, list[str]]] = []

    def add_node(self, node):
        self.nodes.append(node)

    def remove_node(self, node):
        if node not in self.nodes:
            raise KeyError(node)
        self.nodes.remove(node)

    def add_node_collection(self, node, collection):
        self.collections.append((node, collection))


class Run:
    """A run of ``parts``, by board its tests; it is the scheduler's leader, and does what pytest-xdist does."""

    def __init__(self, parts):
        self.parts = parts
        self.began = self.scheduling = self.counted = None
        self.lost, self.odd, self.differing = [], [], []
        self.ending = False
        self.alive: list[Node] = []
        self.plain = Plain()
        self.xdist = Scheduling(self.plain, list(parts), self)

    def start(self, part, tests=None):
        node = Node(part, self.parts[part] if tests is None else tests)
        self.xdist.add_node(node)
        self.alive.append(node)
        return node

    def ends(self, node):
        """A worker ends; return the test that it was running."""
        self.alive.remove(node)
        return self.xdist.remove_node(node)

    def collect(self, node):
        self.counted = len(node.tests)  # pytest-xdist has noted this
        self.xdist.add_node_collection(node, node.tests)
        if self.xdist.collection_is_completed:
            self.xdist.schedule()

    def started(self, part, tests=None):
        node = self.start(part, tests)
        self.collect(node)
        return node

    def step(self, node):
        test = node.next()
        if test is not None:
            node.given.pop(0)
            self.xdist.mark_test_complete(node, node.tests.index(test))
        return test

    def finish(self, *nodes):
        """Let workers run what they are given, in turn; return what they ran."""
        ran = []
        while step := [test for node in nodes if (test := self.step(node)) is not None]:
            ran += step
        return ran

    def part_of(self, node):
        return node.part

    def found(self, node, tests):
        return Found(tests, [board_of(test) for test in tests])

    def begin(self, whole, lost):
        assert self.began is None, "it begins once"
        self.began, self.lost, self.odd = whole.tests, list(lost), list(whole.odd)
        if any(whole.boards):
            self.scheduling = BoardScheduling(whole, self.part_of, self.differing.append)
        return self.scheduling

    def count(self, number):
        self.counted = number

    def stopping(self):
        return self.ending

    def workers(self):
        return self.alive


def board_of(test):
    return test.partition("[")[2].removesuffix("]")


def of(board, number=3, shared=()):
    return [*shared, *(f"t{one}[{board}]" for one in range(number))]


def two(shared=()):
    return Run({"one": of("one", shared=shared), "two": of("two", shared=shared)})


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
    assert run.finish(other) == of("two")


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
    other, ended = run.started("two"), run.start("one")
    ended.workeroutput = {"exitstatus": 4}
    run.ends(ended)
    assert run.lost == ["one"]
    assert run.finish(other) == of("two")


def test_a_worker_that_was_interrupted_is_waited_for_because_xdist_replaces_it():
    run = two()
    run.started("two")
    ended = run.start("one")
    ended.workeroutput = {"exitstatus": 2}
    run.ends(ended)
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


def test_workers_that_collect_everything_are_replaced_as_long_as_pytest_xdist_likes():
    run = Run({EVERYTHING: of("one")})
    run.alive.append(Node(EVERYTHING, []))
    for _ in range(DEATHS + 1):
        dying = run.start(EVERYTHING)
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
    for board, dies in data.draw(st.lists(st.tuples(st.sampled_from(boards), st.booleans()), max_size=25)):
        node = nodes[board]
        if dies:
            early[board] += run.began is None and board not in {one.part for one in collected}
            seen.append(run.ends(node))
            nodes[board] = run.start(board)
        elif node not in collected:
            collected.append(node)
            run.collect(node)
        else:
            seen.append(run.step(node))
    for node in nodes.values():
        if node not in collected:
            run.collect(node)
    seen += run.finish(*nodes.values())
    assert all(early[board] >= DEATHS for board in run.lost)
    assert run.began == [*shared, *(test for board in boards if board not in run.lost for test in own(run, board))]
    if run.scheduling is not None:
        out = [test for left in run.scheduling.given_up.values() for test in left]
        assert sorted([test for test in seen if test] + out) == sorted(run.began)
        assert run.xdist.tests_finished
        assert all(node.down for node in nodes.values())


def own(run, board):
    return [test for test in run.parts[board] if board_of(test)]

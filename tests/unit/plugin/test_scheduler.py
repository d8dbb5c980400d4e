"""Which worker runs which tests: workers here are lists of what they were told."""

from hypothesis import given
from hypothesis import strategies as st

from harness.plugin.collected_tests import Collected, Found
from harness.plugin.scheduler import BoardScheduling

TESTS = ["t[a]", "t[b]", "u[a]", "u[b]", "v[a]", "v[b]"]


class Node:
    """A worker as pytest-xdist 3.8 has it: holds its last test back until it is given another one or shut down."""

    def __init__(self, name="gw"):
        self.name = name
        self.given: list[int] = []
        self.down = False

    def send_runtest_some(self, indices):
        assert not self.down, "a worker that was shut down runs nothing more"
        self.given += indices

    def shutdown(self):
        self.down = True

    @property
    def shutting_down(self):
        return self.down

    def next(self):
        """The test that it runs now, None if it waits."""
        return self.given[0] if len(self.given) > 1 or (self.given and self.down) else None


class Leader:
    """Of workers each of which collects everything. ``told``: what it was told of them."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.told = []

    def part_of(self, _node):
        return None

    def workers(self):
        return self.nodes

    def stopping(self):
        return False

    def differs(self, node):
        self.told.append(node)

    def cannot_run(self, tests, _node, _why):
        self.told.append(tests)


def found(tests):
    return Found(tests, [test[-2] for test in tests])


def started(nodes, tests=TESTS, leader=None):
    collected = Collected([None])
    collected.add(None, found(tests))
    made = BoardScheduling(collected.whole(), leader or Leader(nodes))
    assert made.collection_is_completed
    for node in nodes:
        made.add_node(node)
    for node in nodes:
        made.add_node_collection(node, tests)
        made.schedule()
    return made


def step(scheduling, node):
    index = node.next()
    if index is None:
        return None
    node.given.pop(0)
    scheduling.mark_test_complete(node, index)
    return index


def test_each_board_goes_to_one_worker_in_order():
    one, two = Node(), Node()
    scheduling = started([one, two])
    assert one.given == [0, 2, 4]
    assert two.given == [1, 3, 5]
    assert two.down  # nothing is left to give, so it ends with its last test
    assert not scheduling.tests_finished


def test_a_worker_is_given_the_next_board_before_it_holds_its_last_test_back():
    node = Node()
    scheduling = started([node])
    ran = []
    while (index := step(scheduling, node)) is not None:
        ran.append(index)
    assert ran == [0, 2, 4, 1, 3, 5]
    assert scheduling.tests_finished
    assert node.down


def test_a_worker_that_dies_costs_the_test_that_it_ran_and_the_next_one_goes_on():
    one, two = Node(), Node()
    scheduling = started([one, two])
    assert step(scheduling, one) == 0
    assert scheduling.remove_node(one) == "u[a]"
    assert scheduling.has_pending
    third = Node()
    scheduling.add_node(third)
    scheduling.add_node_collection(third, TESTS)
    scheduling.schedule()
    assert third.given == [4]
    assert third.down


def test_a_worker_that_dies_before_it_has_tests_costs_none():
    late = Node()
    scheduling = started([Node(), Node()])
    scheduling.add_node(late)
    assert scheduling.remove_node(late) is None


def test_a_worker_that_pytest_xdist_has_shut_down_is_given_nothing_more():
    """With -x it got tests behind its end, and the run ended in INTERNALERROR."""
    node = Node()
    scheduling = started([node])
    node.shutdown()
    while step(scheduling, node) is not None:
        pass
    assert scheduling.has_pending
    assert scheduling.remove_node(node) is None


def test_a_worker_with_other_tests_is_given_none():
    one, two = Node(), Node()
    leader = Leader([one, two])
    scheduling = started([one], leader=leader)
    scheduling.add_node(two)
    scheduling.add_node_collection(two, TESTS[1:])
    scheduling.schedule()
    assert leader.told == [two]
    assert two.given == []
    assert two.down
    leader.nodes.remove(one)
    assert scheduling.remove_node(one) == "t[a]"
    assert leader.told == [two]  # another worker takes its place
    third = Node()
    leader.nodes.append(third)
    scheduling.add_node(third)
    scheduling.add_node_collection(third, TESTS[1:])
    assert leader.told == [two, third, ["u[a]", "v[a]"], ["t[b]", "u[b]", "v[b]"]]
    assert scheduling.tests_finished


def test_a_test_that_is_to_run_again_is_given_out_first():
    node = Node()
    scheduling = started([node])
    assert scheduling.remove_node(node) == "t[a]"
    scheduling.mark_test_pending("t[a]")  # pytest-rerunfailures, of the test that a worker died in
    again = Node()
    scheduling.add_node(again)
    scheduling.add_node_collection(again, TESTS)
    scheduling.schedule()
    assert again.given == [0, 2, 4]


@given(st.data())
def test_whatever_dies_every_test_is_run_once_or_reported_once(data):
    tests = [f"{number}[{letter}]" for letter in "abcd"[: data.draw(st.integers(1, 4))] for number in range(3)]
    nodes = [Node(f"gw{number}") for number in range(data.draw(st.integers(1, 4)))]
    scheduling = started(nodes, tests)
    seen: list[int] = []
    for chosen, dies in data.draw(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=20)):
        place = chosen % len(nodes)
        if dies:
            crashed = scheduling.remove_node(nodes[place])
            if crashed is not None:
                seen.append(tests.index(crashed))
            nodes[place] = fresh = Node("new")
            scheduling.add_node(fresh)
            scheduling.add_node_collection(fresh, tests)
            scheduling.schedule()
        elif (index := step(scheduling, nodes[place])) is not None:
            seen.append(index)
    while progress := [index for node in nodes if (index := step(scheduling, node)) is not None]:
        seen += progress
    assert sorted(seen) == list(range(len(tests)))
    assert scheduling.tests_finished


def test_a_board_that_ends_three_workers_is_given_up_and_the_others_are_not():
    tests = [f"{name}[{board}]" for name in "tuvwx" for board in "ab"]
    other, deaths = Node("gw1"), []
    scheduling = started([Node("gw0"), other], tests)
    assert other.given == [1, 3, 5, 7, 9]
    for number in range(3):
        dying = next(node for node in scheduling.nodes if node is not other)
        deaths.append(scheduling.remove_node(dying))
        fresh = Node(f"gw{number + 2}")
        scheduling.add_node(fresh)
        scheduling.add_node_collection(fresh, tests)
        scheduling.schedule()
    assert deaths == ["t[a]", "u[a]", "v[a]"]
    assert scheduling.given_up == {"v[a]": ["w[a]", "x[a]"]}
    assert fresh.given == []
    assert fresh.down
    while step(scheduling, other) is not None:
        pass
    assert scheduling.tests_finished

"""A run of boards whose workers collect the tests of their own board: lists of what they were told."""

from types import SimpleNamespace

from harness.plugin.collected_tests import Found
from harness.plugin.scheduler import BoardScheduling, Scheduling

SHARED = ["x.py::x", "x.py::y", "y.py::z"]


class Node:
    """A worker of pytest-xdist: it has the tests of its board, and is told of them by their places there."""

    def __init__(self, part, tests):
        self.part = part
        self.gateway = SimpleNamespace(id=f"worker of {part}")
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
    numnodes = 0

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

    @property
    def node2collection(self):
        return dict(self.collections)


class Run:
    """A run of ``parts``, by board its tests; it is the scheduler's leader, and does what pytest-xdist does."""

    def __init__(self, parts, plain=None):
        self.parts = parts
        self.began = self.scheduling = self.counted = None
        self.lost, self.odd, self.differing = [], [], []
        self.unrun: list[str] = []  # because nobody was left to run it
        self.ending = False
        self.alive: list[Node] = []
        self.plain = plain or Plain()
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
            self.scheduling = BoardScheduling(whole, self)
        return self.scheduling

    def count(self, number):
        self.counted = number

    def stopping(self):
        return self.ending

    def workers(self):
        return self.alive

    def differs(self, node):
        self.differing.append(node)

    def cannot_run(self, tests, node, why):
        assert why
        assert node not in self.alive or node.down
        self.unrun += tests


def board_of(test):
    return test.partition("[")[2].removesuffix("]")


def of(board, number=3, shared=()):
    return [*shared, *(f"t{one}[{board}]" for one in range(number))]


def ended(node, exit_code=0):
    """Return a worker as it is when it has ended by itself: pytest-xdist does not replace it."""
    node.workeroutput = {"exitstatus": exit_code}
    node.down = True
    return node


def two(shared=()):
    return Run({"one": of("one", shared=shared), "two": of("two", shared=shared)})


def own(run, board):
    return [test for test in run.parts[board] if board_of(test)]

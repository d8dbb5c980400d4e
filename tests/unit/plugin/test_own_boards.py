"""Where each worker may collect the tests of its own board alone."""

from types import SimpleNamespace

import pytest
import xdist.newhooks

import harness.plugin.collection
from harness.errors import Misuse
from harness.plugin.own_collection import own_boards
from harness.plugin.state import RUN, SIDE_BY_SIDE

BOARDS = ["one", "two"]


class Run:
    """In place of a run's boards file."""

    selected = (SimpleNamespace(cloud="local"), SimpleNamespace(cloud="account"))
    mistaken = ""

    def documents(self, cloud):
        if cloud == self.mistaken:
            raise Misuse("policies/x.json: no JSON")
        return ()


@pytest.fixture
def config():
    manager = pytest.PytestPluginManager()
    manager.add_hookspecs(xdist.newhooks)
    manager.register(harness.plugin.collection)
    manager.import_plugin("cacheprovider")
    made = SimpleNamespace(
        stash=pytest.Stash(), option=SimpleNamespace(lf=False), args=["tests"], hook=manager.hook, manager=manager
    )
    made.stash[SIDE_BY_SIDE] = BOARDS
    made.stash[RUN] = Run()
    return made


def test_as_many_workers_as_boards(config):
    assert own_boards(config, 2) == BOARDS
    assert own_boards(config, 1) == []  # --maxprocesses


def test_workers_that_were_asked_for_by_number(config):
    del config.stash[SIDE_BY_SIDE]
    assert own_boards(config, 2) == []


@pytest.mark.parametrize("option", ["lf", "failedfirst", "newfirst", "stepwise"])
def test_a_choice_that_depends_on_other_tests(config, option):
    setattr(config.option, option, True)
    assert own_boards(config, 2) == []


@pytest.mark.parametrize(
    ("argument", "own"),
    [
        ("tests/test_a.py::test_a[one]", False),
        ("tests/test_a.py::TestA::test_a[x-one]", False),
        ("tests/test_a.py::test_a", True),
        ("tests[1]/test_a.py", True),
    ],
)
def test_a_test_that_is_named_with_its_board(config, argument, own):
    config.args.append(argument)
    assert own_boards(config, 2) == (BOARDS if own else [])


@pytest.mark.parametrize(
    ("hook", "own"),
    [
        ("pytest_collection_modifyitems", False),
        ("pytest_xdist_node_collection_finished", False),
        ("pytest_xdist_make_scheduler", False),
        ("pytest_runtest_setup", True),
    ],
)
def test_a_plug_in_that_may_count_on_all_tests(config, hook, own):
    def hooked():
        pass

    config.manager.register(SimpleNamespace(**{hook: hooked}))
    assert own_boards(config, 2) == (BOARDS if own else [])


def test_a_mistake_that_a_worker_of_one_board_would_find_alone(config):
    config.stash[RUN].mistaken = "account"
    assert own_boards(config, 2) == []

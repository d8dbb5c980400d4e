"""The leader of the workers, where it cannot begin."""

import errno
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from xdist.dsession import DSession

from harness.plugin.collected_tests import Whole
from harness.plugin.parallel_boards import ParallelBoards
from harness.plugin.state import REPORTS
from harness.plugin.worker_input import WorkerInput
from tests.unit.plugin.fake_run import Node


@pytest.fixture
def config():
    """A session's configuration; ``refused``: what its reports were told, ``reported``: what pytest was told."""
    found = SimpleNamespace(stash=pytest.Stash(), refused=[], reported=[])
    found.stash[REPORTS] = SimpleNamespace(refuse=found.refused.append, record=None)

    def told(**given):
        found.reported += given.values()

    found.hook = SimpleNamespace(
        pytest_collectreport=told, pytest_runtest_logreport=told, pytest_runtest_logstart=lambda **_given: None
    )
    return found


@pytest.fixture
def session(config):
    """pytest-xdist's session, with what it needs to count failures: ``--maxfail 2``."""
    made = object.__new__(DSession)
    made.config, made._failed_collection_errors = config, {}
    made.maxfail, made.countfailures, made.shouldstop = 2, 0, False
    config.pluginmanager = SimpleNamespace(get_plugin={"dsession": made}.get)
    return made


@pytest.fixture
def leader(config, session):
    made = ParallelBoards(config)
    yield made
    made._scratch.remove()


def test_no_folder_for_temporary_files_is_said_in_one_line(config, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(pytest.UsageError, match=r"gone: No such file or directory: .* or set TMPDIR"):
        ParallelBoards(config)
    assert len(config.refused) == 1


def test_no_room_for_temporary_files_is_said_in_one_line(config, tmp_path, monkeypatch):
    """The workers could not write to theirs, and ended in INTERNALERROR."""

    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(pytest.UsageError, match=r"No space left on device: .* make room"):
        ParallelBoards(config)
    assert len(config.refused) == 1


def test_the_room_that_was_tried_is_given_back(config, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    leader = ParallelBoards(config)
    (folder,) = tmp_path.iterdir()
    assert list(folder.iterdir()) == []
    leader._scratch.remove()


@pytest.fixture
def node(leader):
    made = Node("one", [])
    leader._inputs[made] = WorkerInput("run", "plan", board="one")
    return made


def test_a_worker_that_finds_other_tests_and_what_it_leaves_count_for_maxfail(config, session, leader, node):
    leader._parts = ["one", "two"]
    leader.differs(node)
    assert not session.shouldstop
    leader.cannot_run(["t.py::a", "t.py::b"], node, "found other tests")
    assert session.shouldstop == "stopping after 2 failures"
    assert [(report.nodeid, report.when, report.outcome) for report in config.reported] == [
        ("worker of one", "collect", "failed"),
        ("t.py::a", "setup", "failed"),
        ("t.py::a", "teardown", "passed"),
        ("t.py::b", "setup", "skipped"),
        ("t.py::b", "teardown", "passed"),
    ]


def test_lost_boards_count_for_maxfail(session, leader):
    whole = Whole([], [], {}, {})
    assert leader.begin(whole, ["one", "two"]) is None
    assert session.shouldstop == "stopping after 2 failures"

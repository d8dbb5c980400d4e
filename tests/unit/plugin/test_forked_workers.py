"""Workers are forked where that is possible. Where it is not, they are left to execnet, which starts them as always."""

import atexit
import errno
import io
import logging
import os
import sys
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from harness.lab.forked_process import ForkedProcess
from harness.plugin import forked_workers
from harness.plugin.forked_workers import _FORKED, fork_workers, use_forked_workers
from harness.plugin.worker_starter import Starter


class Copy:
    """In place of a forked process: this one has threads."""

    def __init__(self, run):
        self.run = run  # called by nobody


@pytest.fixture
def config(monkeypatch):
    """A session's configuration, for real boards, in a process that can be copied."""
    monkeypatch.setattr(forked_workers, "can_fork", lambda: True)
    monkeypatch.setattr(forked_workers, "_import_ahead", lambda _: None)
    monkeypatch.setattr(forked_workers, "run_of", lambda _: SimpleNamespace(selected=[]))
    monkeypatch.setattr(forked_workers, "ForkedProcess", Copy)
    monkeypatch.delitem(sys.modules, "harness.plugin.worker_starter", raising=False)
    return SimpleNamespace(stash=pytest.Stash())


def test_each_worker_is_forked(config):
    fork_workers(config, 3)
    assert len(config.stash[_FORKED]) == 3


@pytest.mark.parametrize(
    "name", ["execnet.gateway_io.popen_bootstrapline", "execnet.gateway_base.MainThreadOnlyExecModel"]
)
def test_an_execnet_that_starts_processes_in_another_way_is_left_to_it(config, monkeypatch, name):
    monkeypatch.delattr(name)
    fork_workers(config, 3)
    assert _FORKED not in config.stash


def test_where_pytest_is_not_installed_in_the_usual_place_none_is_forked(config, monkeypatch):
    monkeypatch.setattr(pytest, "__file__", "/checkout/src/pytest/__init__.py")
    monkeypatch.setattr(pytest, "__path__", ["/checkout/src/pytest"])
    fork_workers(config, 3)
    assert _FORKED not in config.stash


def test_workers_for_which_the_system_has_no_process_are_started_as_always(config, monkeypatch):
    made: list[Copy] = []

    def fork(run):
        if len(made) == 2:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        made.append(Copy(run))
        return made[-1]

    monkeypatch.setattr(forked_workers, "ForkedProcess", fork)
    fork_workers(config, 3)
    assert list(config.stash[_FORKED]) == made


class Ended:
    """In place of a forked process that may have ended. ``code``: its exit code, None: it runs."""

    def __init__(self, code):
        self.code = code
        self.stdin, self.stdout = io.BytesIO(), io.BytesIO()

    def poll(self):
        return self.code


def test_a_worker_that_has_ended_before_it_was_needed_is_not_taken():
    """It was killed, for example because the memory was full. The run ended with pytest's INTERNALERROR."""
    ended, there = Ended(-9), Ended(None)
    copies: deque[Any] = deque([ended, there, Ended(-9)])
    starter = Starter(copies)
    begin = [sys.executable, "-c", "print('started')"]
    assert starter.Popen(begin) is there
    assert ended.stdin.closed
    assert ended.stdout.closed
    with starter.Popen(begin, stdin=starter.PIPE, stdout=starter.PIPE) as started:
        assert started.stdout.read() == b"started\n"


@pytest.mark.parametrize("proxies", [0, 1])
def test_beside_execnets_proxies_workers_are_started_as_always(config, proxies):
    class Group(list[str]):
        def set_execmodel(self, *_models):
            taken.append(config.stash[_FORKED])

    taken: list[object] = []
    session = SimpleNamespace(nodemanager=SimpleNamespace(group=Group(["proxy"] * proxies)))
    config.pluginmanager = SimpleNamespace(get_plugin=lambda _: session)
    fork_workers(config, 2)
    use_forked_workers(config, [SimpleNamespace(popen=True, python=None)] * 2)
    assert len(taken) == 1 - proxies


def test_handlers_of_the_controllers_loggers_are_forgotten(monkeypatch):
    """A conftest.py adds them anew in each worker, and every record was written twice."""
    loggers = [logging.Logger("a team's"), logging.Logger("a library's")]
    loggers[0].addHandler(logging.StreamHandler())
    loggers[1].addHandler(logging.NullHandler())
    known = {**{one.name: one for one in loggers}, "a": logging.PlaceHolder(loggers[0])}
    root = logging.Logger("root")
    root.addHandler(logging.StreamHandler())
    vars(root)["manager"] = SimpleNamespace(loggerDict=known)
    monkeypatch.setattr(logging, "root", root)
    monkeypatch.setattr(atexit, "register", lambda _: None)
    monkeypatch.setattr(logging, "_handlerList", [])
    forked_workers._forget_log_handlers()
    assert [len(one.handlers) for one in (root, *loggers)] == [0, 0, 1]


def test_what_a_worker_logs_is_flushed_at_its_end_and_nothing_of_the_controllers():
    class Late(logging.Handler):
        """Says only when it is flushed what it has heard."""

        def __init__(self):
            super().__init__()
            self.heard: list[str] = []

        def emit(self, record):
            self.heard.append(record.getMessage())

        def flush(self):
            print(*self.heard)

    def work():
        forked_workers._forget_log_handlers()
        logger.addHandler(Late())
        logger.warning("the worker's")

    logger = logging.getLogger("of this test")
    of_controller = Late()
    of_controller.heard.append("the controller's")
    worker = ForkedProcess(work)
    assert worker.stdout.read() == b"the worker's\n"
    assert worker.wait(60.0) == 0
    worker.stdin.close()
    worker.stdout.close()

"""Workers that are forked from the controller, and so have imported what it has: most of what a worker's start costs.

execnet starts each worker as ``python -c LINE``. Here that line runs in a copy of the controller, made as soon as the
number of workers is known: before plug-ins have threads, and before there is a session that the copy would have to
forget. A worker in place of one that died is started as always.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook
from execnet.gateway_base import MainThreadOnlyExecModel
from execnet.gateway_io import popen_bootstrapline

from harness.lab import spare
from harness.lab.forked_process import ForkedProcess, can_fork
from harness.plugin.state import derived_of, full, run_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORKED: pytest.StashKey[deque[ForkedProcess]] = pytest.StashKey()


class _Starter(MainThreadOnlyExecModel):
    """What execnet starts processes with. ``forked``: those that are there already."""

    PIPE = subprocess.PIPE

    def __init__(self, forked: deque[ForkedProcess]) -> None:
        self._forked = forked

    @property
    def subprocess(self) -> _Starter:
        """In place of the module ``subprocess``."""
        return self

    def Popen(self, args: Sequence[str], **pipes: Any) -> Any:
        """Return one that is there, else start one."""
        return self._forked.popleft() if self._forked else subprocess.Popen(args, **pipes)


def fork_workers(config: pytest.Config, number: int) -> None:
    """Fork so many workers from this process, unless it cannot be copied. They wait until pytest-xdist needs them.

    Where the system has no process left for one, it and those behind it are started when they are needed.
    """
    if not can_fork():
        return
    _import_ahead(config)
    virtual = any(board.virtual is not None for board in run_of(config).selected)
    if virtual:
        spare.import_ahead()
    forked = config.stash[_FORKED] = deque()
    with suppress(OSError):
        for _ in range(number):
            forked.append(ForkedProcess(lambda: _work(config, virtual)))


def use_forked_workers(config: pytest.Config, specs: Sequence[Any]) -> None:
    """Have pytest-xdist take the workers that were forked. ``specs``: xdist's, one for each worker."""
    if _FORKED in config.stash and all(spec.popen and not spec.python for spec in specs):
        session: Any = config.pluginmanager.get_plugin("dsession")
        session.nodemanager.group.set_execmodel(_Starter(config.stash[_FORKED]), "main_thread_only")


def _import_ahead(config: pytest.Config) -> None:
    """Import what each worker will, and find out the derived trials: half of what their collection takes."""
    import harness.plugin.recording
    import harness.plugin.worker  # noqa: F401

    with suppress(Exception):  # whoever needs it says what is wrong
        derived_of(config).cases(full=full(config))


def _work(config: pytest.Config, virtual: bool) -> None:
    """Undo what the controller's pytest has done to the whole process, and begin as execnet does.

    ``virtual``: it will need a virtual board.
    """
    logging.root.handlers.clear()
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, AssertionRewritingHook)]
    for plugin in config.pluginmanager._conftest_plugins:
        sys.modules.pop(plugin.__name__, None)
    sys.argv[:] = ["-c"]
    if virtual:
        with suppress(OSError):  # else its first board is started as all others
            spare.keep_spare()
    waiting: Any = sys.stdin.buffer  # a buffered one
    if waiting.peek(1):  # else the controller has ended without a session
        exec(popen_bootstrapline, {"__name__": "__main__"})  # noqa: S102 - execnet's

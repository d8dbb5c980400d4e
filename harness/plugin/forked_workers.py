"""Workers that are forked from the controller, and so have imported what it has: most of what a worker's start costs.

execnet starts each worker as ``python -c LINE``. Here that line runs in a copy of the controller, made as soon as the
number of workers is known: before plug-ins have threads, and before there is a session that the copy would have to
forget. A worker in place of one that died is started as always.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from harness.lab import spare
from harness.lab.forked_process import ForkedProcess, can_fork
from harness.plugin.state import derived_of, full, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

_INSTALLED: Final = ("/site-packages/", "/dist-packages/", f"{Path(os.__file__).parent}/")  # the last: Python's own
_of_controller: list[ModuleType] = []  # what a worker keeps, because its end would close and delete what is in use

_FORKED: pytest.StashKey[deque[ForkedProcess]] = pytest.StashKey()


def fork_workers(config: pytest.Config, number: int) -> None:
    """Fork so many workers from this process, unless it cannot be copied. They wait until pytest-xdist needs them.

    Where the system has no process left for one, it and those behind it are started when they are needed.

    None is forked where pytest itself is not where packages are installed (a checkout, ``pip install --target``):
    then nothing tells what is installed from a team's own modules, which workers must not share.
    """
    try:
        from harness.plugin.worker_starter import begin
    except ImportError:
        return  # see there
    if not (can_fork() and _is_installed(pytest)):
        return
    _import_ahead(config)
    virtual = any(board.virtual is not None for board in run_of(config).selected)
    if virtual:
        spare.import_ahead()
    forked = config.stash[_FORKED] = deque()
    with suppress(OSError):
        for _ in range(number):
            forked.append(ForkedProcess(lambda: _work(config, virtual, begin)))


def use_forked_workers(config: pytest.Config, specs: Sequence[Any]) -> None:
    """Have pytest-xdist take the workers that were forked. ``specs``: xdist's, one for each worker."""
    if _FORKED in config.stash and all(spec.popen and not spec.python for spec in specs):
        from harness.plugin.worker_starter import Starter

        session: Any = config.pluginmanager.get_plugin("dsession")
        group = session.nodemanager.group
        if not len(group):  # else there are proxies (--px), and execnet starts all in one way
            group.set_execmodel(Starter(config.stash[_FORKED]), "main_thread_only")


def _import_ahead(config: pytest.Config) -> None:
    """Import what each worker will, and find out the derived trials: half of what their collection takes."""
    import harness.plugin.recording
    import harness.plugin.worker  # noqa: F401

    with suppress(Exception):  # whoever needs it says what is wrong
        derived_of(config).cases(full=full(config))


def _work(config: pytest.Config, virtual: bool, begin: Callable[[], None]) -> None:
    """Undo what the controller's pytest has done to the whole process, and begin as execnet does.

    ``virtual``: it will need a virtual board. ``begin``: what execnet's Python would do.
    """
    _forget_log_handlers()
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, AssertionRewritingHook)]
    _forget_modules(config)
    sys.argv[:] = ["-c"]
    if virtual:
        with suppress(OSError):  # else its first board is started as all others
            spare.keep_spare()
    waiting: Any = sys.stdin.buffer  # a buffered one
    if waiting.peek(1):  # else the controller has ended without a session
        begin()


def _forget_modules(config: pytest.Config) -> None:
    """Have each conftest.py, and each module that is neither installed nor the harness's, imported anew when needed.

    Their files, sockets and locks are the controller's, and their random numbers would be the same in every worker.
    """
    own = {plugin.__name__ for plugin in config.pluginmanager._conftest_plugins}
    own |= {name for name, module in list(sys.modules.items()) if not _is_installed(module)}
    own = {name for name in own if name != "__main__" and name.partition(".")[0] != "harness"}
    below = tuple(f"{name}." for name in own)  # where a package is imported anew, nothing in it may be older
    for name in list(sys.modules):
        if name in own or name.startswith(below):
            _of_controller.append(sys.modules.pop(name))


def _forget_log_handlers() -> None:
    """Take away what a conftest.py has added, for it adds it anew. Each record would be written twice.

    What an installed package has added as it was imported is lost with it: nothing tells them apart.
    What is added from now on is flushed at the end, as logging does it in a process of its own.
    """
    vars(logging)["_handlerList"].clear()
    atexit.register(logging.shutdown)
    for logger in (logging.root, *logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):  # else a place that stands for loggers below it
            logger.handlers[:] = [one for one in logger.handlers if isinstance(one, logging.NullHandler)]


def _is_installed(module: ModuleType) -> bool:
    """Tell whether a module is Python's own or an installed package's. One without a file is."""
    said: dict[str, Any] = getattr(module, "__dict__", {})
    places = [str(place) for place in (said.get("__file__"), *(said.get("__path__") or ())) if place]
    return all(any(folder in place for folder in _INSTALLED) for place in places)

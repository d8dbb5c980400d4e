"""A process in waiting that becomes a stand-in: it has imported what that needs, which is all but its whole start.

It is forked by each worker of a run before that has threads, so before anything knows which board it will be. What a
copy is to have imported, the process that it is made from must import: so the stand-ins' code is in a run's processes
too, by its name alone. Only the copy runs it.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.at.holders import VIRTUAL_BOARD
from harness.lab.forked_process import ForkedProcess

_PROGRAM: Final = "harness.virtual"
_LONGEST: Final = 65_536  # bytes of what it is told
_waiting: dict[str, list[ForkedProcess]] = {}
os.register_at_fork(after_in_child=_waiting.clear)  # they are this process's, and no copy's of it


def import_ahead() -> None:
    """Import what a virtual board needs, for the processes that are forked from this one."""
    importlib.import_module(f"{_PROGRAM}.launch")


def keep_spare(kind: str = "board") -> None:
    """Fork one for the first stand-in of a kind of this process. It ends with this process. See ForkedProcess.

    ``kind``: "board" or "cloud".
    """
    _waiting.setdefault(kind, []).append(ForkedProcess(_wait, bufsize=0))


def take_spare(kind: str, arguments: Sequence[str], log: Path) -> ForkedProcess | None:
    """Have the one in waiting run ``python -m harness.virtual`` with ``arguments``; None: there is none any more.

    ``kind``: as in :func:`keep_spare`. ``log``: the file for its standard error.
    """
    while waiting := _waiting.get(kind):
        spare = waiting.pop()
        told = {"arguments": list(arguments), "log": str(log), "folder": str(Path.cwd())}
        try:
            spare.stdin.write(json.dumps(told).encode())
        except BrokenPipeError:
            spare.wait()  # somebody ended it
            continue
        spare.args = [sys.executable, "-m", _PROGRAM, *arguments]
        return spare
    return None


def _wait() -> None:
    os.setpgid(0, 0)  # Ctrl-C must end the run only, which still needs the stand-in to clean up
    heard = os.read(0, _LONGEST)
    if not heard:
        return
    told = json.loads(heard)
    Path("/proc/self/comm").write_text(VIRTUAL_BOARD)  # for holders(), and whoever looks at the computer's processes
    os.chdir(told["folder"])
    log = os.open(told["log"], os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 2)
    os.close(log)
    sys.argv[:] = [_PROGRAM, *told["arguments"]]
    runpy.run_module(_PROGRAM, run_name="__main__", alter_sys=True)

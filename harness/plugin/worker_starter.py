"""What execnet starts workers with, in a form that takes processes which are there already.

It uses names that execnet does not document. They are imported here alone: whoever imports this module and meets an
ImportError has an execnet that does it in another way, and leaves it to that.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from execnet.gateway_base import MainThreadOnlyExecModel
from execnet.gateway_io import popen_bootstrapline

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence

    from harness.lab.forked_process import ForkedProcess


class Starter(MainThreadOnlyExecModel):
    """What execnet starts processes with. ``forked``: those that are there already."""

    PIPE = subprocess.PIPE

    def __init__(self, forked: deque[ForkedProcess]) -> None:
        self._forked = forked

    @property
    def subprocess(self) -> Starter:
        """In place of the module ``subprocess``."""
        return self

    def Popen(self, args: Sequence[str], **pipes: Any) -> Any:
        """Return one that is there and has not ended meanwhile (killed, or out of memory), else start one."""
        while self._forked:
            forked = self._forked.popleft()
            if forked.poll() is None:
                return forked
            forked.stdin.close()
            forked.stdout.close()
        return subprocess.Popen(args, **pipes)


def begin() -> None:
    """Do what a Python does that execnet has started."""
    exec(popen_bootstrapline, {"__name__": "__main__"})  # noqa: S102 - execnet's

"""Runs a tool that writes firmware: its lines as they come, its end in time, and all that it started with it."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.errors import LabError
from harness.redact import SECRETS

_KEPT: Final = 20  # lines, of which the last ones are shown
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Ended:
    """How a tool ended. ``code``: None: it was killed at its time-out. ``last``: its last words."""

    code: int | None
    last: str


def run_tool(words: Sequence[str], timeout: float, line: Callable[[str], object], *, cure: str) -> Ended:
    """Run a program in a group of its own, and give each line of its output to ``line``.

    ``timeout``: seconds, after which it and what it started are killed. ``cure``: what to do if it is not there. Raises
    LabError: it cannot be started. ``words``: program and arguments.
    """
    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise LabError(f"cannot run {words[0]}: {error.strerror}; {cure}") from error
    last: deque[str] = deque(maxlen=_KEPT)
    late = threading.Event()

    def kill() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(timeout, kill)
    timer.start()
    try:
        for text in process.stdout or ():
            last.append(text.strip())
            line(text)
        code = process.wait()
    except BaseException:
        _kill(process)
        raise
    finally:
        timer.cancel()
        timer.join()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    words_said = SECRETS.scrub(" ".join(" ".join(last).split()))[-_SHOWN:]
    return Ended(None if late.is_set() else code, words_said)


def _kill(process: "subprocess.Popen[str]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return

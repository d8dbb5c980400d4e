"""Runs a tool that writes firmware: passes its lines on, and ends it in time, with the processes it started."""

import codecs
import os
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from harness.errors import LabError
from harness.lab.process_group import kill_group
from harness.redact import SECRETS

_KEPT: Final = 20  # how many lines are kept to show the last of them
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a tool ended. ``code``: its exit code; None: it took too long. ``last``: its last words.

    ``fate``: what became of a tool that took too long, as the end of a sentence: "was killed".
    """

    code: int | None
    last: str
    fate: str = ""


def run_tool(words: Sequence[str], timeout: float, line: Callable[[str], object], *, cure: str) -> ToolResult:
    """Run a program in a group of its own, and give each line of its output to ``line``.

    ``words``: program and arguments. ``timeout``: seconds after which it is killed, with the processes it started.
    ``cure``: what to do if it is missing. Raises LabError if it cannot be started.
    """
    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise LabError(f"cannot run {words[0]}: {error.strerror}; {cure}") from error
    last: deque[str] = deque(maxlen=_KEPT)
    end = time.monotonic() + timeout
    code: int | None = None
    fate = ""
    try:
        for text in _lines(process.stdout, end):
            last.append(text.strip())
            line(text)
        code = process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        fate = kill_group(process)
    except BaseException:
        kill_group(process)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    return ToolResult(code, SECRETS.scrub(" ".join(" ".join(last).split()))[-_SHOWN:], fate)


def _lines(output: IO[bytes] | None, end: float) -> Iterator[str]:
    """Yield lines until the last writer closes, or until ``end``: a child in its own session may never close."""
    if output is None:
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0 and selector.select(left):
            if not (data := os.read(output.fileno(), 1 << 16)):
                break
            *whole, rest = (rest + decoder.decode(data)).split("\n")
            yield from whole
    if rest:
        yield rest

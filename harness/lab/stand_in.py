"""A stand-in's process: started, asked for its one line of JSON, watched, and ended with certainty."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from harness.errors import LabError
from harness.redact import SECRETS

START_TIMEOUT: Final = 30.0  # seconds; a start takes one, on a busy computer ten
STOP_TIMEOUT: Final = 5.0
_TAIL: Final = 400  # characters of standard error in a message


class StandIn:
    """One process of ``python -m harness.virtual``. It ends with this process too: on the end of its standard input.

    ``what``: what it is to the user, e.g. "local cloud". ``error``: the class raised if it does not start.
    ``ready``: the line that it printed once everything listened.
    """

    def __init__(
        self,
        what: str,
        arguments: Sequence[str],
        *,
        log: Path,
        error: type[LabError],
        timeout: float = START_TIMEOUT,
        program: Sequence[str] = (sys.executable, "-m", "harness.virtual"),
    ) -> None:
        self.what = what
        self._log = log
        self._ending = False
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stderr:
            self._process = subprocess.Popen(
                [*program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                process_group=0,  # Ctrl-C is for the test run, which still needs the stand-in to clean up
            )
        try:
            self.ready = self._first_line(error, timeout)
        except BaseException:
            self.stop(timeout=0.0)
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def died(self, *, grace: float = 0.0) -> str | None:
        """Return how the process ended by itself, or None while it runs.

        ``grace``: seconds to wait for its end. Its connections break a moment before the system calls it ended.
        """
        if self._ending or not self._ended(grace):
            return None
        code = self._process.returncode
        how = f"died with signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{self.what} (pid {self.pid}) {how}{self._last_words()}"

    def stop(self, *, timeout: float = STOP_TIMEOUT) -> str | None:
        """End the process and return what was wrong with that, if anything: it died before, or had to be killed."""
        fault = self.died()
        self._ending = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout)
            if code and fault is None:
                fault = f"{self.what} (pid {self.pid}) ended with code {code} when it was told to{self._last_words()}"
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            fault = f"{self.what} (pid {self.pid}) did not end within {timeout:g} s of SIGTERM and was killed"
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return fault

    def _first_line(self, error: type[LabError], timeout: float) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        line = _read_line(self._process.stdout.fileno(), timeout)
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        said = f"printed {line[:80]!r} in place of its addresses" if line else f"did not report within {timeout:g} s"
        dead = self.died(grace=1.0)
        if dead is None:
            dead = f"{self.what} (pid {self.pid}) {said}{self._last_words()}"
        raise error(f"{dead}; run {' '.join(map(str, self._process.args))} by hand to see why")  # type: ignore[arg-type]

    def _ended(self, grace: float) -> bool:
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _last_words(self) -> str:
        text = self._log.read_bytes()[-4096:].decode(errors="replace")
        words = " ".join(SECRETS.scrub(text).split())
        return f"; its last words: {words[-_TAIL:]}" if words else ""


def _read_line(fd: int, timeout: float) -> bytes:
    """Return the first line from a pipe, or what came of it before the end of file or the deadline."""
    deadline = time.monotonic() + timeout
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while not line.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(fd, 65536)
            if not chunk:
                break
            line += chunk
    return line

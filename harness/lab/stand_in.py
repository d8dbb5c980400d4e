"""The process of a stand-in: it is started, read until its one line of JSON, watched, and always ended."""

import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from harness.errors import HarnessError, LabError, Misuse
from harness.lab.forked_process import ForkedProcess
from harness.redact import SECRETS
from harness.settings import ProcessSettings

START_TIMEOUT: Final = 120.0  # seconds; a start takes one, and 64 at once on two cores take half a minute each
STOP_TIMEOUT: Final = 5.0
COMMAND_TIMEOUT: Final = 10.0  # an answer takes milliseconds, on a busy computer a second
_GRACE: Final = 1.0  # for the end of a process whose pipe has ended
_WRONG_SETTINGS: Final = 2  # the exit code of harness.virtual for them
_TAIL: Final = 400  # characters of standard error in a message


class StandIn:
    """A process of ``python -m harness.virtual``. It ends with this process, because its standard input ends then.

    ``what``: names it for the user, e.g. "local cloud". ``settings``: its settings, with ``die_with_stdin``; they are
    written beside ``log``. ``error``: the class to raise if it does not start or does not answer a command.
    ``refused``: the class to raise if it refuses its settings; None: ``error``.
    ``timeout``: seconds for its start. ``program``: in place of ``python -m harness.virtual``. ``spare``: returns a
    process that runs it with these arguments and this log, or None: there is none, and one is started.
    ``ready``: the line that it printed when everything listened.
    """

    def __init__(
        self,
        what: str,
        settings: ProcessSettings,
        *,
        log: Path,
        error: type[LabError],
        refused: type[HarnessError] | None = None,
        timeout: float = START_TIMEOUT,
        program: Sequence[str] = (sys.executable, "-m", "harness.virtual"),
        spare: Callable[[Sequence[str], Path], ForkedProcess | None] | None = None,
    ) -> None:
        self.what = what
        self._log = log
        self._error = error
        self._refused = refused
        self._ending = False
        self._heard = bytearray()  # the output after the last whole line
        self._commands = itertools.count(1)
        self._one_at_a_time = threading.Lock()
        document = log.with_name(f"{log.stem}.json")
        arguments = ["--settings", str(document)]
        try:
            _write_private(document, settings.model_dump_json(exclude_defaults=True))
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stderr:
                waiting = None if spare is None else spare(arguments, log)
                self._process: subprocess.Popen[bytes] | ForkedProcess = waiting or subprocess.Popen(
                    [*program, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    bufsize=0,  # unbuffered: a command leaves at once, and a broken pipe leaves nothing in a buffer
                    process_group=0,  # Ctrl-C must end the test run only, which still needs the stand-in to clean up
                )
        except OSError as why:  # no process, descriptor, memory or room on the disk is left
            raise error(f"{what} cannot be started: {why}") from why
        try:
            self.ready = self._first_line(timeout)
        except BaseException:
            self.stop(timeout=0.0)
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def died(self, *, grace: float = 0.0) -> str | None:
        """Return how the process ended by itself, or None if it runs.

        ``grace``: seconds to wait for its end. Its connections break a moment before the system calls it ended.
        """
        if self._ending or not self._ended(grace):
            return None
        code = self._process.returncode
        how = f"died with signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{self.what} (pid {self.pid}) {how}{self._last_words()}"

    def stop(self, *, timeout: float = STOP_TIMEOUT) -> str | None:
        """End the process; return what went wrong, or None: it died before, or had to be killed."""
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

    def command(self, name: str, /, *, timeout: float = COMMAND_TIMEOUT, **fields: Any) -> dict[str, Any]:
        """Send the process a command and return its answer (docs/virtual.md, "Commands").

        ``name``: e.g. ``set-fault``. ``fields``: of the command, e.g. ``board="virtual-1", fault="no-sim"``.
        ``timeout``: seconds until the answer. Raises Misuse if the process refuses the command; the class given as
        ``error`` if the process is gone or does not answer in time.
        """
        with self._one_at_a_time:
            number = next(self._commands)
            self._tell({"id": number, "command": name, **fields})
            answer = self._answer(number, name, time.monotonic() + timeout)
        if not answer["ok"]:
            raise Misuse(f"{self.what}: command {name!r} refused: {answer['error']}")
        return {key: value for key, value in answer.items() if key not in ("id", "ok")}

    def _tell(self, request: dict[str, Any]) -> None:
        stdin = self._process.stdin
        try:
            if stdin is None or stdin.closed:
                raise BrokenPipeError
            stdin.write(json.dumps(request).encode() + b"\n")
        except OSError:
            raise self._gone(request["command"]) from None

    def _answer(self, number: int, name: str, deadline: float) -> dict[str, Any]:
        """Return the answer to command ``number``. Answers to earlier commands that were given up are skipped."""
        while True:
            line = self._read_line(deadline)
            if not line.endswith(b"\n"):
                self._heard[:0] = line  # the rest of it may still come
                raise self._gone(name)
            answer = _object(line)
            if answer is not None and answer.get("id") == number and isinstance(answer.get("ok"), bool):
                return answer

    def _gone(self, name: str) -> LabError:
        dead = self.died(grace=_GRACE)
        if dead is not None:
            return self._error(f"{dead}; run again")
        if self._ending:
            return self._error(f"{self.what} (pid {self.pid}) was ended and takes no command {name}; start it again")
        return self._error(f"{self.what} (pid {self.pid}) did not answer command {name} in time{self._last_words()}")

    def _first_line(self, timeout: float) -> dict[str, Any]:
        line = self._read_line(time.monotonic() + timeout)
        value = _object(line)
        if value is not None:
            return value
        said = f"printed {line[:80]!r} and not its addresses" if line else f"did not report within {timeout:g} s"
        dead = self.died(grace=_GRACE)
        if dead is not None and self._refused is not None and self._process.returncode == _WRONG_SETTINGS:
            raise self._refused(self._refusal())
        if dead is None:
            dead = f"{self.what} (pid {self.pid}) {said}{self._last_words()}"
        raise self._error(f"{dead}; run again")  # its settings and its log go with the folder that they are in

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

    def _refusal(self) -> str:
        """Return what the process said of its settings, which is the last that it said."""
        return SECRETS.scrub(self._log.read_text(errors="replace").rpartition("python -m harness.virtual: ")[2].strip())

    def _read_line(self, deadline: float) -> bytes:
        """Return the next line of standard output, or the part that came before the end of file or the deadline."""
        stdout = self._process.stdout
        if stdout is None or stdout.closed:
            return b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._heard and selector.select(max(0.0, deadline - time.monotonic())):
                chunk = os.read(stdout.fileno(), 65536)
                if not chunk:
                    break
                self._heard += chunk
        end = self._heard.find(b"\n") + 1 or len(self._heard)
        line = bytes(self._heard[:end])
        del self._heard[:end]
        return line


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)

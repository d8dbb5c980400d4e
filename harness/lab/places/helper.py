"""The process that holds labgrid's places. It starts when the first place is needed, and takes commands as JSON lines.

It runs in labgrid's own environment, see labgrid_side. Several commands may be under way at once.
"""

import getpass
import itertools
import json
import os
import re
import socket
import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from harness.errors import LabError
from harness.lab.places.origin import origin
from harness.redact import SECRETS

_SCRIPT: Final = Path(__file__).with_name("labgrid_helper.py")
_END: Final = 10.0  # seconds; releasing ten places takes 0.03
_TAIL: Final = 400

Answer = dict[str, Any]


class LabgridHelper:
    """The process. ``python``: labgrid's interpreter. ``coordinator``: HOST:PORT. ``log``: its standard error.

    Raises LabError if it does not start.
    """

    def __init__(self, python: Path, coordinator: str, log: Path) -> None:
        if not python.exists():
            raise LabError(
                f"labgrid is not installed at {python.parent.parent}; make labgrid-env makes its environment, or name "
                "another with labgrid: {environment: DIR} in the boards file"
            )
        self._log = log
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Answer]] = {}
        self._gone = False
        who = {"LG_HOSTNAME": _word(socket.gethostname()), "LG_USERNAME": f"nrf91-{_word(_user())}-{origin()}"}
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stderr:
            self._process = subprocess.Popen(
                [str(python), str(_SCRIPT), "--coordinator", coordinator],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,
                env={**os.environ, **who},
                start_new_session=True,  # Ctrl-C must end the run only, which still needs its places
            )
        self._reader = threading.Thread(target=self._read, name="labgrid", daemon=True)
        self._reader.start()

    def send(self, command: str, **fields: Any) -> "Future[Answer]":
        """Send a command; return the future of its answer, which is as labgrid_side gives it."""
        future: Future[Answer] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            gone = self._gone
            try:
                if gone or self._process.stdin is None:
                    raise BrokenPipeError
                self._process.stdin.write(json.dumps({"id": number, "command": command, **fields}).encode() + b"\n")
            except OSError:
                self._waiting.pop(number, None)
                future.set_result(self._ended())
        return future

    def close(self) -> str | None:
        """End the process, which releases all places; return what went wrong, or None."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        fault = None
        try:
            code = self._process.wait(_END)
            if code:
                fault = f"labgrid's process ended with code {code}{self._last_words()}"
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            fault = f"labgrid's process did not end in {_END:g} s and was killed; labgrid-client who shows what is held"
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return fault

    def _read(self) -> None:
        for line in self._process.stdout or ():
            try:
                answer = json.loads(line)
                number = answer.pop("id")
            except (ValueError, KeyError, AttributeError):
                continue
            with self._lock:
                future = self._waiting.pop(number, None)
            if future is not None:
                future.set_result(answer)
        with self._lock:
            self._gone, left = True, list(self._waiting.values())
            self._waiting.clear()
        for future in left:
            future.set_result(self._ended())

    def _ended(self) -> Answer:
        return {"ok": False, "kind": "ended", "error": f"labgrid's process ended{self._last_words()}; run again"}

    def _last_words(self) -> str:
        words = " ".join(SECRETS.scrub(self._log.read_bytes()[-4096:].decode(errors="replace")).split())
        return f"; its last words: {words[-_TAIL:]}" if words else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _word(text: str) -> str:
    """Return a name without slashes, because labgrid takes a slash for the end of the host's name."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", text)

"""Shows each step of a command; on a terminal also how long the step has taken so far."""

import sys
import threading
import time
from typing import TextIO

from harness.redact import SECRETS

_TICK = 0.2  # seconds between two updates on a terminal


class Progress:
    """Call it with each step as it begins; :meth:`close` ends the last one.

    ``live``: the line of the current step is updated with the seconds so far; None: only if ``stream`` is a terminal.
    """

    def __init__(self, stream: TextIO | None = None, *, live: bool | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty() if live is None else live
        self._began = time.monotonic()
        self._step: str | None = None
        self._step_began = self._began
        self._lock = threading.Lock()
        self._ended = threading.Event()
        if self._live:
            threading.Thread(target=self._tick, name="progress", daemon=True).start()

    def __call__(self, text: str) -> None:
        """Begin a step."""
        with self._lock:
            self._finish_step()
            now = time.monotonic()
            self._step, self._step_began = SECRETS.scrub(text), now
            if not self._live:
                self._write(f"{now - self._began:6.1f} s  {self._step}\n")

    def close(self) -> None:
        """End the last step. A second call does nothing."""
        self._ended.set()
        with self._lock:
            self._finish_step()

    def _finish_step(self) -> None:
        if self._step is not None and self._live:
            self._write(f"\r{time.monotonic() - self._step_began:6.1f} s  {self._step}\x1b[K\n")
        self._step = None

    def _tick(self) -> None:
        while not self._ended.wait(_TICK):
            with self._lock:
                if self._step is not None:
                    self._write(f"\r{time.monotonic() - self._step_began:6.1f} s  {self._step} …\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

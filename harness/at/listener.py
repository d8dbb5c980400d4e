"""Unsolicited result codes (URCs) and those who wait for them."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from harness.errors import HarnessError, NoAnswer

QUEUE_LIMIT: Final = 10_000
"""URCs that a listener holds. Beyond, the oldest are dropped and counted."""


@dataclass(frozen=True, slots=True)
class Urc:
    """One URC: ``+CEREG: 5,"0901"`` has the name "+CEREG" and the args ``5,"0901"``.

    ``text``: the whole line. ``blobs``: raw bytes that followed a counted line (``#XMQTTMSG``: topic, payload).
    ``t``: ``time.monotonic()`` of its arrival. Of a line that is no URC (``Ready``), name and text are the line.
    """

    name: str
    args: str
    text: str
    t: float
    blobs: tuple[bytes, ...] = ()


def _any(urc: Urc) -> bool:
    return True


class Listener:
    """The URCs with certain names that arrive while it is open: a context manager, made by ``AtPort.listen``.

    Each listener has its own queue. What :meth:`next` and :meth:`poll` return or pass over is gone from it.
    """

    def __init__(
        self, names: Iterable[str], *, port: str, heard: Callable[[], str], closed: "Callable[[Listener], None]"
    ) -> None:
        self.names: Final = tuple(names)
        self._port = port
        self._heard = heard
        self._closed = closed
        self._ready = threading.Condition(threading.Lock())
        self._queue: deque[Urc] = deque()
        self._dropped = 0
        self._failure: Callable[[], HarnessError] | None = None

    @property
    def dropped(self) -> int:
        """URCs that no longer fitted into the queue."""
        return self._dropped

    def poll(self) -> Urc | None:
        """Return the oldest URC, or None when there is none now."""
        with self._ready:
            return self._queue.popleft() if self._queue else None

    def next(self, timeout: float, *, match: Callable[[Urc], bool] = _any, what: str = "") -> Urc:
        """Return the first URC that ``match`` accepts, within ``timeout`` seconds; those before it are passed over.

        Raises NoAnswer, naming ``what`` was waited for and what was last heard; BoardLost as soon as the board is gone.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._ready:
                while not self._queue:
                    if self._failure:
                        raise self._failure()
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise self._silence(timeout, what)
                    self._ready.wait(left)
                urc = self._queue.popleft()
            if match(urc):
                return urc

    def close(self) -> None:
        """Stop collecting."""
        self._closed(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, urc: Urc) -> None:
        """Queue a URC (the port's reader)."""
        with self._ready:
            if len(self._queue) >= QUEUE_LIMIT:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(urc)
            self._ready.notify()

    def fail(self, failure: Callable[[], HarnessError]) -> None:
        """Make every wait raise what ``failure`` returns, once the queue is empty (the port's reader)."""
        with self._ready:
            self._failure = failure
            self._ready.notify_all()

    def _silence(self, timeout: float, what: str) -> NoAnswer:
        wanted = what or " or ".join(self.names)
        lost = f"; {self._dropped} URCs were dropped because nobody took them" if self._dropped else ""
        return NoAnswer(f"{self._port}: no {wanted} within {timeout:g} s; {self._heard()}{lost}")

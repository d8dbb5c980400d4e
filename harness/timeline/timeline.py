"""A board's time axis: every line, URC, command, result, MQTT event, cloud observation and step, in one order.

Events are immutable and in order. Whoever needs history reads it here: transcripts, verdicts, files and JUnit
properties are views of it. A position is always a mark, the sequence number of the next event. Memory is bounded:
beyond ``keep`` events, or ``keep_text`` characters of texts and payloads, the oldest leave (:attr:`Timeline.dropped`
counts them); a sink (the file, the transcript) still saw them all.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from harness.timeline.events import Draft, Event, Kind, now

Sink = Callable[[Sequence[Event]], None]

_event = partial(tuple.__new__, Event)  # NamedTuple's own constructor costs four times as much


class Timeline:
    """Thread-safe sequence of events with waiting. ``keep``, ``keep_text``: events and characters held in memory."""

    def __init__(self, *, keep: int = 200_000, keep_text: int = 50_000_000) -> None:
        self._lock = threading.Lock()
        self._condition = threading.Condition(self._lock)
        self._waiting = 0  # threads that wait for events: a condition costs, even where nobody does
        self._wakers: tuple[Callable[[], None], ...] = ()  # of those who wait for something else as well
        self._keep = keep
        self._keep_text = keep_text
        self._text = 0
        self._events: deque[Event] = deque()
        self._next = 0
        self._sinks: tuple[Sink, ...] = ()
        self._sinking = threading.Lock()  # keeps the sinks' order; taken before the condition, never behind it
        self._unwritten: deque[tuple[tuple[Sink, ...], list[Event]]] = deque()  # for whom, and what

    @property
    def dropped(self) -> int:
        """Events that no longer fit into memory."""
        return self._next - len(self._events)

    def mark(self) -> int:
        """Return the sequence number that the next event gets: a position to read or wait from."""
        return self._next

    def add(self, kind: Kind, source: str, text: str, **data: Any) -> Event:
        """Append an event of this ``kind`` from ``source``, with ``text`` and ``data``, stamped now."""
        return self.extend([(now(), kind, source, text, data)])[0]

    def extend(self, drafts: Sequence[Draft]) -> list[Event]:
        """Append events that one reader found together; waiters are woken once."""
        batch = self.append(drafts)
        self.flush()
        return batch

    def append(self, drafts: Sequence[Draft]) -> list[Event]:
        """Do what :meth:`extend` does, and leave the sinks to a :meth:`flush` that follows at once.

        For the reader of a port: whoever waits for a line need not wait for the disk.
        """
        if not drafts:
            return []
        with self._lock:
            seq, held = self._next, self._text
            batch: list[Event] = []
            for t, kind, source, text, data in drafts:
                batch.append(_event((seq, t, kind, source, text, data)))
                seq += 1
                held += len(text) + _payload_size(data) if data else len(text)
            self._events.extend(batch)
            self._next, self._text = seq, held
            while len(self._events) > self._keep or self._text > self._keep_text:
                oldest = self._events.popleft()
                self._text -= len(oldest.text) + _payload_size(oldest.data)
            if self._sinks:
                self._unwritten.append((self._sinks, batch))
            if self._waiting:
                self._condition.notify_all()
            for wake in self._wakers:
                wake()
        return batch

    def flush(self) -> None:
        """Hand to the sinks what they have not seen yet. A sink's failure is raised here, after the other sinks.

        What another thread is just writing is written, too, when this returns.
        """
        if self._sinks or self._unwritten:
            with self._sinking:
                self._drain()

    def _drain(self) -> None:
        while self._unwritten:
            sinks, batch = self._unwritten.popleft()
            while self._unwritten and self._unwritten[0][0] is sinks:
                batch = [*batch, *self._unwritten.popleft()[1]]  # anew: the caller of append has this very list
            failures: list[Exception] = []
            begun = 0
            try:
                for sink in sinks:
                    begun += 1
                    try:
                        sink(batch)
                    except Exception as failure:
                        failures.append(failure)
            except BaseException:  # Ctrl-C, SIGTERM, a test's time limit: the other sinks get it with what comes next
                self._unwritten.appendleft((sinks[begun:], batch))
                raise
            if failures:
                raise failures[0]

    def since(self, mark: int = 0) -> list[Event]:
        """Return the events from ``mark`` on that are still in memory, oldest first."""
        with self._condition:
            return self._since(mark)

    def wait(self, match: Callable[[Event], bool], *, since: int, timeout: float) -> Event | None:
        """Return the first event from ``since`` on that ``match`` accepts, or None after ``timeout`` seconds.

        Each event is looked at once. ``match`` runs in the caller's thread, outside the lock.
        """
        deadline = time.monotonic() + timeout
        mark = since
        while True:
            with self._condition:
                fresh = self._since(mark)
                if not fresh:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return None
                    self._waiting += 1
                    try:
                        self._condition.wait(left)
                    finally:
                        self._waiting -= 1
                    continue
            for event in fresh:
                if match(event):
                    return event
            mark = fresh[-1].seq + 1

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call ``wake`` with each batch of events of the block: for who waits for something else as well.

        ``wake``: it is called by the writer, under the timeline's lock, so it may do very little.
        """
        with self._lock:
            self._wakers = (*self._wakers, wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers = tuple(kept for kept in self._wakers if kept is not wake)

    @contextmanager
    def sink(self, sink: Sink) -> Iterator[None]:
        """Hand every event of the block to ``sink`` as it is appended, in order, also those that memory drops."""
        with self._condition:
            self._sinks = (*self._sinks, sink)
        try:
            yield
        finally:
            with self._condition:
                self._sinks = tuple(kept for kept in self._sinks if kept is not sink)
            with self._sinking:  # what was appended before is for it too; and whoever writes just now ends first
                self._drain()

    def _since(self, mark: int) -> list[Event]:
        missing = self._next - mark
        if missing <= 0:
            return []
        if missing >= len(self._events):
            return list(self._events)
        # From the right, because the part that a waiter has not seen yet is the short one.
        return list(itertools.islice(reversed(self._events), missing))[::-1]


def _payload_size(data: dict[str, Any]) -> int:
    size = len(data["payload"]) if "payload" in data else 0
    if "blobs" in data:
        size += sum(len(blob.get("payload", "")) for blob in data["blobs"])
    return size

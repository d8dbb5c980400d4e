"""The one thread that reads a port, from open to close, and hands out what it hears.

Every line goes to the timeline first, then URCs to their listeners, then a command's outcome to whoever waits for it:
whoever is woken finds everything that led to it in the timeline.
"""

import threading
import time
from collections import deque
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

from harness.at.dialogue import CommandOutcome, Dialogue, Heard, Role
from harness.at.listener import Listener, Urc
from harness.at.recorder import LineRecorder, shown_bytes
from harness.at.stream import ByteStream
from harness.at.syntax import Command, one_line
from harness.errors import BoardLost, HarnessError, LabError
from harness.timeline import Draft, Kind, Timeline

_JOIN_TIMEOUT: Final = 5.0
_REMEMBERED: Final = 4  # lines that an error message quotes


class Receiver:
    """Reads ``stream`` until :meth:`close`. ``outcomes``: how commands ended; None when the port failed."""

    def __init__(self, stream: ByteStream, dialogue: Dialogue, *, name: str, timeline: Timeline) -> None:
        self.timeline = timeline
        self.outcomes: SimpleQueue[CommandOutcome | None] = SimpleQueue()
        self.sent_at = 0.0
        self._name = name
        self._stream = stream
        self._dialogue = dialogue
        self._recorder = LineRecorder(name)
        self._lock = threading.Lock()  # the dialogue, the listeners, and the order of timeline entries
        self._listeners: dict[bytes, tuple[Listener, ...]] = {}
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self._unsaid: list[Draft] = []  # sent, and not yet in the timeline: it is entered while the board works
        self._failure: tuple[type[HarnessError], str] | None = None
        self._thread = threading.Thread(target=self._read_until_stopped, name=f"at-reader-{name}", daemon=True)
        self._thread.start()

    @property
    def failed(self) -> bool:
        """The board went away, or the reader died, or the port was closed."""
        return self._failure is not None

    def failure(self) -> HarnessError:
        """Return a new error that says why the port failed."""
        kind, message = self._failure or (LabError, f"{self._name}: the port failed")
        return kind(message)

    def last_heard(self) -> str:
        """Return what an error message says of the last lines, on one line."""
        lines = list(self._recent)
        return f"last heard: {' | '.join(one_line(line) for line in lines)}" if lines else "nothing was heard at all"

    def begin(self, command: Command, payload: bytes | None, *, needs_line: bool) -> bytes:
        """Make ``command`` (or its ``payload``) pending and return the bytes to send."""
        with self._lock:
            if self._failure:
                raise self.failure()
            if payload is None:
                wire, text = self._dialogue.begin(command, needs_line=needs_line), command.redacted
            else:
                wire, text = self._dialogue.begin_payload(command, payload), shown_bytes(payload)
            self.sent_at = time.monotonic()
            self._unsaid.append((self.sent_at, Kind.TX, self._name, text, {}))
        return wire

    def sent(self) -> None:
        """Enter into the timeline what :meth:`begin` began, unless a line from the board has done it already."""
        with self._lock:
            self._say([])

    def give_up(self) -> None:
        """Abandon the pending command; an outcome that comes in this very moment is dropped with it."""
        now = time.monotonic()
        with self._lock:
            command = self._dialogue.pending
            self._enter(self._dialogue.give_up(), now, secret=self._dialogue.secret)
            if command:
                data = {"command": command.shown, "seconds": round(now - self.sent_at, 6), "ok": False}
                self._say([(now, Kind.RESULT, self._name, "no answer", data)])
            while not self.outcomes.empty():
                self.outcomes.get()

    def owed(self) -> frozenset[str]:
        """Return the names of the commands whose answer may still come."""
        with self._lock:
            return self._dialogue.abandoned

    def in_step(self) -> None:
        """Nothing that was sent before can be answered any more."""
        with self._lock:
            self._dialogue.in_step()

    def listen(self, names: tuple[str, ...]) -> Listener:
        """Open a listener for URCs, or whole lines, with these names."""
        listener = Listener(names, port=self._name, heard=self.last_heard, closed=self._unlisten)
        with self._lock:
            for key in {name.encode() for name in names}:
                self._listeners[key] = (*self._listeners.get(key, ()), listener)
            if self._failure:
                listener.fail(self.failure)
        return listener

    def close(self) -> None:
        """Stop the thread, then close the stream. Whoever waits gets a LabError."""
        self._stream.stop()
        self._thread.join(_JOIN_TIMEOUT)
        if self._thread.is_alive():
            raise LabError(
                f"{self._name}: the reader did not stop within {_JOIN_TIMEOUT:g} s; a timeline sink may hang"
            )
        self._stream.close()
        self._fail(LabError, f"{self._name}: the port was closed")

    def _unlisten(self, listener: Listener) -> None:
        with self._lock:
            for key in {name.encode() for name in listener.names}:
                left = tuple(other for other in self._listeners.get(key, ()) if other is not listener)
                if left:
                    self._listeners[key] = left
                else:
                    self._listeners.pop(key, None)

    def _read_until_stopped(self) -> None:
        try:
            while data := self._stream.read():
                now = time.monotonic()
                with self._lock:
                    secret = self._dialogue.secret
                    self._enter(self._dialogue.receive(data), now, secret=secret)
        except BoardLost as error:
            self._fail(BoardLost, str(error), fault=True)
        except Exception as error:  # whatever it is, whoever waits must hear of it
            self._fail(LabError, f"{self._name}: the reader died of {type(error).__name__}: {error}", fault=True)

    def _enter(self, lines: list[Heard], now: float, *, secret: bool) -> None:
        if not lines:
            return
        drafts = self._recorder.drafts(lines, now, seconds=now - self.sent_at, secret=secret)
        self._say(drafts)
        self._recent.extend(draft[3] for draft in drafts[-_REMEMBERED:])
        if self._listeners:
            for heard in lines:
                if heard.name in self._listeners and heard.role in (Role.URC, Role.LOG):
                    urc = _urc(heard, now)
                    for listener in self._listeners[heard.name]:
                        listener.put(urc)
        for heard in lines:
            if heard.outcome:
                self.outcomes.put(heard.outcome)

    def _say(self, drafts: list[Draft]) -> None:
        if self._unsaid:
            drafts = [*self._unsaid, *drafts]
            self._unsaid.clear()
        if drafts:
            self.timeline.extend(drafts)

    def _fail(self, kind: type[HarnessError], message: str, *, fault: bool = False) -> None:
        with self._lock:
            if self._failure:
                return
            self._failure = kind, message
            if fault:
                # A sink that killed the reader fails here again; who waits must hear the first reason.
                with suppress(Exception):
                    self.timeline.add(Kind.FAULT, self._name, message)
            for listeners in self._listeners.values():
                for listener in listeners:
                    listener.fail(self.failure)
            self.outcomes.put(None)


def _urc(heard: Heard, now: float) -> Urc:
    text = heard.line.decode("utf-8", "replace")
    name = heard.name.decode("utf-8", "replace")
    return Urc(name, heard.args.decode("utf-8", "replace"), text, now, heard.blobs)

"""Reads a port, from open to close, and hands out what it hears.

Every line goes to the timeline first, then a command's outcome to whoever waits for it: whoever is woken finds
everything that led to it in the timeline. A port has a thread that reads it. Who waits for an answer, a line or an MQTT
event reads in that one's place, and writes the files too: two threads that wake each other, or both want the
interpreter, would cost an AT round trip a third of its time.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from typing import Final, Protocol

from harness.at.dialogue import UNASKED, CommandOutcome, Dialogue, Heard, Role
from harness.at.listener import Listener
from harness.at.recorder import LineRecorder, shown_bytes
from harness.at.stream import ByteStream
from harness.at.syntax import Command, FramedUrc, one_line
from harness.errors import BoardLost, HarnessError, LabError, NoAnswer
from harness.timeline import Draft, Event, Kind, Timeline, now, packed

_JOIN_TIMEOUT: Final = 5.0
_REMEMBERED: Final = 4  # lines that an error message quotes
_NO_ANSWER: Final = "no answer"
_TX, _STRAY = Kind.TX, Role.STRAY  # an enumeration is slow to ask (Python 3.11)
LINES: Final = (Kind.RX, Kind.URC, Kind.RESULT)
"""The kinds of event that hold a line of the board."""


def is_line(event: Event, port: str) -> bool:
    """Tell whether an event is a line that the board at ``port`` has sent, and not the end of waiting for one."""
    return event.source == port and event.kind in LINES and not (event.kind is Kind.RESULT and event.text == _NO_ANSWER)


Watch = Callable[[list[Draft]], list[Draft]]
"""Sees what goes to the timeline in one go, and returns it with what follows from it."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What data mode gets. ``hidden``: the timeline gets its size alone. ``counted``: see Dialogue.begin_payload."""

    content: bytes = field(repr=False)
    hidden: bool = False
    counted: bool = False


class Carrier(Protocol):
    """Gets what a peer sends unasked, in order, in whichever thread reads the port. The timeline has no byte of it.

    It is told twice: the bytes are taken first, and released once the timeline tells of them. So whatever they cause
    stands behind them on the timeline.
    """

    def take(self, data: bytes) -> None:
        """Keep bytes of which the timeline does not tell yet."""

    def lose(self, line: str) -> None:
        """Take note that bytes are missing from here on: not all came that ``line`` announced."""

    def release(self) -> None:
        """Pass on what was taken, if anything was: the timeline tells of it now."""


class Receiver:
    """Reads ``stream`` into ``timeline``, with ``dialogue``, as the port ``name``, until :meth:`close`."""

    def __init__(self, stream: ByteStream, dialogue: Dialogue, *, name: str, timeline: Timeline) -> None:
        self.timeline: Final = timeline
        self.watch: Watch | None = None
        self.carrier: Carrier | None = None
        self.outcomes: SimpleQueue[CommandOutcome | None] = SimpleQueue()
        """How commands ended; None when the port failed."""
        self.sent_at = 0.0
        self._question: tuple[Command, float] | None = None  # asked behind a command, and when
        self.strayed = False
        """A final result came that nobody waited for: somebody else speaks, or an answer came twice."""
        self._name = name
        self._stream = stream
        self._dialogue = dialogue
        self._recorder = LineRecorder(name)
        self._lock = threading.Lock()  # the dialogue, and the order of timeline entries
        self._opened = timeline.mark()
        self._unsaid: list[Draft] = []  # sent, and not yet in the timeline: it is entered while the board works
        self._failure: tuple[type[HarnessError], str] | None = None
        self._overhearing: tuple[SimpleQueue[bytes | None], ...] = ()
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
        lines = [one_line(text) for text in islice(self._heard_backwards(), _REMEMBERED)]
        return f"last heard: {' | '.join(reversed(lines))}" if lines else "nothing was heard at all"

    def spoke_since(self, mark: int) -> bool:
        """Tell whether the board has sent a line since the timeline's ``mark``."""
        return any(is_line(event, self._name) for event in self.timeline.since(mark))

    def _heard_backwards(self) -> Iterator[str]:
        """Yield the lines that the board has sent on this port, the last one first."""
        for event in reversed(self.timeline.since(self._opened)):
            if is_line(event, self._name):
                yield event.text

    def begin(self, command: Command, payload: Payload | None, *, needs_line: bool) -> bytes:
        """Make ``command`` (or its ``payload``) pending and return the bytes to send.

        ``needs_line``: see :meth:`Dialogue.begin`.
        """
        with self._lock:
            if self._failure:
                raise self.failure()
            self._question = None
            if payload is None:
                wire, text = self._dialogue.begin(command, needs_line=needs_line), command.redacted
                data = {}
            else:
                wire = self._dialogue.begin_payload(command, payload.content, counted=payload.counted)
                text = f"{len(payload.content)} bytes" if payload.hidden else shown_bytes(payload.content)
                data = {} if payload.hidden else packed(payload.content)
            self.sent_at = now()
            self._unsaid.append((self.sent_at, _TX, self._name, text, data))
        return wire

    def ask_behind(self, question: Command) -> bytes:
        """Make ``question`` pending behind the pending command, and return the bytes to send. Raises LabError."""
        with self._lock:
            if self._failure:
                raise self.failure()
            self._question = question, now()
            self._say([(self._question[1], _TX, self._name, question.redacted, {})])
            return self._dialogue.ask_behind(question)

    def note_sent(self, line: bytes) -> None:
        """Enter a line into the timeline that is sent beside the dialogue, without its secrets."""
        with self._lock:
            self._say([(now(), Kind.TX, self._name, shown_bytes(line), {})])
        self.timeline.flush()

    def sent(self) -> None:
        """Enter into the timeline what :meth:`begin` began, unless a line from the board has done it already."""
        with self._lock:
            self._say([])

    def outcome(self, timeout: float) -> CommandOutcome | None:
        """Wait for the pending command to end and return how it did, None: the port failed.

        Raises Empty after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        held = self._stream.hold()
        try:
            self.sent()
            self.timeline.flush()  # while the board works; and if it hangs, what it was asked is worth reading
            if held:
                self._hear_outcome(deadline)
        finally:
            if held:
                self._stream.let_go()
        return self.outcomes.get(timeout=max(deadline - time.monotonic(), 0.0))

    def _hear_outcome(self, deadline: float) -> None:
        while self.outcomes.empty() and self._hear_holding(deadline):
            pass

    def wait(self, match: Callable[[Event], bool], *, since: int, timeout: float) -> Event | None:
        """Do Timeline.wait (``match``, ``since``, ``timeout``), and read the port meanwhile, if no thread uses it."""
        deadline = time.monotonic() + timeout
        if not self._failure and self._dialogue.pending is None and self._stream.hold():
            try:
                with self.timeline.waking(self._nudging()):
                    found, since = self._hear_until(match, since, deadline)
            finally:
                self._stream.let_go()
            if found is not None:
                return found
            timeout = deadline - time.monotonic()
        return self.timeline.wait(match, since=since, timeout=timeout)

    def _hear_until(self, match: Callable[[Event], bool], since: int, deadline: float) -> tuple[Event | None, int]:
        """Return the event that ``match`` accepts, or None, and the mark behind what it has seen."""
        while True:
            for event in self.timeline.since(since):
                since = event.seq + 1
                if match(event):
                    return event, since
            if self._failure or self._dialogue.pending is not None or not self._hear_holding(deadline):
                return None, since

    def _nudging(self) -> Callable[[], None]:
        """Return what wakes this thread while it holds the port, if another one calls it."""
        holder = threading.get_ident()

        def nudge() -> None:
            if threading.get_ident() != holder:
                self._stream.nudge()

        return nudge

    def _hear_holding(self, deadline: float) -> bool:
        """Hear what comes next, as the port's holder. False: nothing until ``deadline``, or the port is closed."""
        hearing = False
        try:
            mark = self._stream.wait_holding(max(deadline - time.monotonic(), 0.0))
            if mark is None:
                return False
            hearing = True
            self._hear(mark)
        except Exception as error:
            self._fail_of(error)
        except BaseException:  # Ctrl-C, a test's time limit: what was taken from the port may be in no line
            self.strayed = self.strayed or hearing
            raise
        return True

    def give_up(self, lost: Command | None = None) -> None:
        """Abandon the pending command; an outcome that comes in this very moment is dropped with it.

        ``lost``: the command that is not pending any more, because the question behind it was answered.
        """
        t = now()
        with self._lock:
            command = lost or self._dialogue.pending
            question, asked_at = self._question or (None, 0.0)
            sent_at = asked_at if command is question else self.sent_at
            self._question = None
            self._enter(self._dialogue.give_up(), t, secret=self._dialogue.secret)
            if command:
                data = {"command": command.shown, "seconds": round(t - sent_at, 6), "ok": False}
                self._say([(t, Kind.RESULT, self._name, _NO_ANSWER, data)])
            while not self.outcomes.empty():
                self.outcomes.get()
        self.timeline.flush()

    def owed(self) -> frozenset[str]:
        """Return the names of the commands whose answer may still come."""
        with self._lock:
            return self._dialogue.abandoned

    def in_step(self) -> None:
        """Note that nothing sent before can be answered any more."""
        with self._lock:
            self._dialogue.in_step()
            self.strayed = False

    def listen(self, names: tuple[str, ...]) -> Listener:
        """Return a listener for the URCs, or whole lines, with these names, that arrive from now on."""
        return Listener(
            self.timeline,
            names,
            port=self._name,
            heard=self.last_heard,
            failure=lambda: self.failure() if self.failed else None,
            wait=self.wait,
        )

    def wait_line(self, pattern: str | re.Pattern[str], timeout: float, *, since: int | None = None) -> Event:
        """See :meth:`AtPort.wait_line`."""
        mark = self.timeline.mark() if since is None else since
        regex = re.compile(pattern)
        search, name = regex.search, self._name

        def wanted(event: Event) -> bool:
            if event.source != name:
                return False
            return search(event.text) is not None if event.kind in LINES else self.failed

        event = self.wait(wanted, since=mark, timeout=0.0 if self.failed else timeout)
        if event and event.kind in LINES:
            return event
        if self.failed:
            raise self.failure()
        raise NoAnswer(f"{name}: no line with {one_line(regex.pattern)!r} within {timeout:g} s; {self.last_heard()}")

    @contextmanager
    def overhear(self) -> Iterator["SimpleQueue[bytes | None]"]:
        """Hand out every byte that arrives during the block as well, unfinished lines too; None: the port failed."""
        heard: SimpleQueue[bytes | None] = SimpleQueue()
        with self._lock:
            if self._failure:
                heard.put(None)
            self._overhearing = (*self._overhearing, heard)
        try:
            yield heard
        finally:
            with self._lock:
                self._overhearing = tuple(each for each in self._overhearing if each is not heard)

    def frame(self, framed: Mapping[str, FramedUrc]) -> None:
        """Read URCs with these counted payloads from now on."""
        with self._lock:
            self._dialogue.frame(framed)

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

    def _read_until_stopped(self) -> None:
        try:
            while (mark := self._stream.wait()) is not None:
                self._hear(mark)
                self._stream.nudge()  # whoever has begun to hold the port meanwhile waits for what is here already
        except Exception as error:
            self._fail_of(error)

    def _hear(self, mark: int) -> None:
        """Take what has arrived, and hand it out. ``mark``: see :meth:`ByteStream.take`."""
        with self._lock:  # around the reading too: two threads may be at it, and bytes must stay in order
            data = self._stream.take(mark)
            if not data:
                return
            t = now()
            secret = self._dialogue.secret
            awaited = self._enter(self._dialogue.receive(data), t, secret=secret)
            for heard in self._overhearing:  # after the timeline: whoever hears finds the lines there
                heard.put(data)
        if not awaited:
            self.timeline.flush()

    def _enter(self, lines: list[Heard], t: float, *, secret: bool) -> bool:
        """Enter ``lines`` into the timeline. Return whether one of them was waited for: who did also flushes."""
        if not lines:
            return False
        carrier = self.carrier
        if carrier is not None:
            for heard in lines:
                if heard.name not in UNASKED:
                    continue
                if heard.role is Role.GARBLED:
                    carrier.lose(heard.line.decode("ascii", "replace"))
                elif heard.blobs:
                    carrier.take(heard.blobs[0])  # a peer's line has one
        afterwards = self._dialogue.secret
        drafts = self._recorder.drafts(lines, t, seconds=t - self.sent_at, secret=secret, afterwards=afterwards)
        if self._question is not None:
            question, asked_at = self._question
            for heard, draft in zip(lines, drafts, strict=True):
                if heard.outcome is not None and heard.outcome.command is question:
                    draft[4]["seconds"] = round(t - asked_at, 6)
                    self._question = None
        self._say(drafts)
        if carrier is not None:
            carrier.release()
        answered = False
        for heard in lines:
            if heard.role is _STRAY and self._dialogue.pending is None:
                self.strayed = True
            if heard.outcome is not None:
                self.outcomes.put(heard.outcome)
                answered = True
        return answered

    def _say(self, drafts: list[Draft]) -> None:
        if self._unsaid:
            drafts, self._unsaid = self._unsaid + drafts, []
        if drafts:
            self.timeline.append(drafts if self.watch is None else self.watch(drafts))

    def _fail_of(self, error: Exception) -> None:
        """Whatever stopped the reading, whoever waits must hear of it."""
        lost = isinstance(error, BoardLost)
        why = str(error) if lost else f"{self._name}: the reader died of {type(error).__name__}: {error}"
        self._fail(BoardLost if lost else LabError, why, fault=True)

    def _fail(self, kind: type[HarnessError], message: str, *, fault: bool = False) -> None:
        with self._lock:
            if self._failure:
                return
            self._failure = kind, message
            # The event wakes whoever waits on the timeline. A sink that killed the reader fails here again; who waits
            # must hear the first reason.
            with suppress(Exception):
                self.timeline.add(Kind.FAULT if fault else Kind.STEP, self._name, message)
            self.outcomes.put(None)
            for heard in self._overhearing:
                heard.put(None)

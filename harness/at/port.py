"""An AT port: commands and their answers, URCs, data mode.

**Getting back in step.** A command that timed out may be answered later, and that answer must not be taken for the next
command's. A board answers in the order in which it was asked: once it has recognisably answered a *later* command, no
earlier answer can come. The probe is therefore a read command with an information line. Its name differs from the names
of all commands that are still owed an answer. So every final result before that line belongs to one of those commands,
and is dropped. The board may also sit in an open quote (bytes of a command were lost): then it answers nothing until a
``"`` and a terminator come, which it answers with ERROR. In a board that was merely slow the same ``"`` opens a quote,
and the next try's closes it: four tries. No command is sent until the board is back in step.

**A lost answer.** The same probe, sent behind a command that is not answered soon, tells that its answer was lost, long
before the command's time is over: where the board keeps what is sent while it works (:attr:`PortSettings.queues`).
"""

import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Final, Self

from harness.at.answer import Answer, AtError, AtFormatError, StrayAnswer, answer_of
from harness.at.dialogue import CommandOutcome, Dialogue, check_payload
from harness.at.foreign_writer import foreign_writer
from harness.at.listener import Listener
from harness.at.questions import ANSWER_TIME, AnswerLost, Questions, opening_time, question
from harness.at.receiver import Carrier, Payload, Receiver, Watch
from harness.at.serial_link import open_link
from harness.at.settings import PortSettings
from harness.at.stream import ByteStream
from harness.at.syntax import Command, one_line, parse_command
from harness.errors import HarnessError, Misuse, NoAnswer
from harness.timeline import Event, Kind, Timeline

_TRY_TIMEOUT: Final = ANSWER_TIME
_TRIES: Final = 4
_LONGEST_COUNT: Final = 4096  # bytes that this harness hands to a counted data mode at once
_OFTEN: Final = 32  # characters: short commands are sent again and again, and a certificate must not stay in memory
_parse_often: Final = lru_cache(maxsize=256)(parse_command)


class AtPort:
    """One board's AT port. Made by :meth:`open`; a context manager. Any thread may call; commands take turns.

    ``stream``: open already. ``name``: the board's. ``timeline``: gets every line. ``settings``: how the board is
    spoken to. ``url``: what was opened.
    """

    def __init__(self, stream: ByteStream, *, name: str, timeline: Timeline, settings: PortSettings, url: str) -> None:
        self.name: Final = name
        self._url = url
        self._settings = settings
        self._stream = stream
        self._receiver = Receiver(stream, Dialogue(framed=settings.framed), name=name, timeline=timeline)
        self._questions = Questions(self._receiver, name=name, write=self._write, parse=self._parse)
        self._turn = threading.Lock()
        self._out_of_step = False
        # Whoever used the board before may have left it in data mode, where AT commands are a message to somebody.
        self._data_mode = not settings.at_shell
        self._closed = False
        self._missed = ""  # how the last answer was missed

    @classmethod
    def open(cls, url: str, *, name: str, timeline: Timeline, settings: PortSettings | None = None) -> Self:
        """Open a device path, ``socket://host:port`` or ``rfc2217://host:port``.

        Of other pyserial URLs those will do whose port has a descriptor. What the board prints is read from here on.
        Raises PortMissing, PortBusy, LabError (no permission), Misuse (no such kind of URL).

        ``url``: of the port. ``name``: the board's, for messages and the timeline. ``timeline``: gets the lines.
        ``settings``: None for the defaults.
        """
        settings = settings or PortSettings()
        stream = open_link(url, name, baudrate=settings.baudrate, rtscts=settings.rtscts)
        return cls(stream, name=name, timeline=timeline, settings=settings, url=url)

    @property
    def timeline(self) -> Timeline:
        """Where lines go."""
        return self._receiver.timeline

    @property
    def alive(self) -> bool:
        """The port is open and the board has not gone away."""
        return not self._closed and not self._receiver.failed

    @property
    def failure(self) -> HarnessError | None:
        """Why the port failed, as a new error; None while it works."""
        return self._receiver.failure() if self._receiver.failed else None

    def close(self) -> None:
        """Stop reading and give the port back. Whoever still waits gets a LabError."""
        if not self._closed:
            self._closed = True
            self._receiver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def in_step(self) -> bool:
        """No command is owed an answer: the next answer that comes is the next command's."""
        return not self._out_of_step

    def sync(self, *, patience: float = 0.0) -> None:
        """Make sure that the board answers, and that nothing it still owes can be taken for a later answer.

        ``patience``: seconds more for a board that is busy with an earlier user's command; connecting takes long.
        Raises NoAnswer, with what was last heard, after four tries of a second; BoardLost.
        """
        with self._turn:
            self._get_in_step(patience=patience)

    def end_commands_with(self, terminator: str) -> None:
        """End commands with ``terminator`` (:class:`Terminator`) from now on, in place of what the settings say."""
        with self._turn:
            self._settings = replace(self._settings, terminator=terminator)

    def shout(self, *texts: str) -> None:
        """Send commands to a board that may answer none of them, out of data mode and an open quote first.

        Their answers are not waited for: the port is out of step from now on. Raises BoardLost, Misuse.
        """
        with self._turn:
            self._check_open()
            self._out_of_step = True
            terminator = self._settings.terminator.encode()
            self._write(b"+++" + terminator + b'"' + terminator)
            for command in map(self._parse, texts):
                self._receiver.note_sent(command.redacted.encode())
                self._write(command.wire)

    def type_line(self, text: str) -> None:
        """Type a line that is a shell's own and no AT command; what it prints is heard as lines.

        Raises Misuse when the port leads to no shell; NoAnswer, BoardLost.
        """
        if not self._settings.at_shell:
            raise Misuse(f"{self.name}: cannot type {one_line(text)!r}: this board's firmware has no shell")
        with self._turn:
            if self._out_of_step or self._receiver.strayed:
                self._get_in_step()
            self._check_open()
            line = text.encode("ascii")
            self._receiver.note_sent(line)
            self._write(line + self._settings.terminator.encode())

    def type_bytes(self, data: bytes) -> None:
        """Type bytes as they are: what a person does at a console. Raises BoardLost; NoAnswer: nobody takes them.

        Commands and consoles take turns. What is typed may be anything, so the next command gets in step first.
        """
        with self._turn:
            self._check_open()
            self._out_of_step = True
            self._receiver.note_sent(data)
            self._write(data)

    def overhear(self) -> "AbstractContextManager[SimpleQueue[bytes | None]]":
        """Return a block's queue of every byte that arrives, as it comes; None when the port failed.

        Nothing is taken from the timeline, which has the same bytes as lines.
        """
        return self._receiver.overhear()

    def carry(self, carrier: Carrier | None) -> None:
        """Give ``carrier``, not the timeline, what a TCP client's peer sends from now on, in order. None: nobody."""
        self._receiver.carrier = carrier

    def adapt(self, settings: PortSettings) -> None:
        """Talk to the board as ``settings`` say from now on; speed included, flow control not. Raises BoardLost."""
        with self._turn:
            if settings.baudrate != self._settings.baudrate:
                self._stream.change_baud(settings.baudrate)
            self._settings = settings
            self._data_mode = self._data_mode and not settings.at_shell
            self._receiver.frame(settings.framed)

    @property
    def settings(self) -> PortSettings:
        """How the board is talked to."""
        return self._settings

    def last_heard(self) -> str:
        """Return what an error message says of the last lines, on one line."""
        return self._receiver.last_heard()

    def command(self, text: str, timeout: float | None = None) -> Answer:
        """Send one command and return its answer. ``timeout``: seconds; None: what this command may take.

        Raises AtError (ERROR, +CME ERROR, +CMS ERROR), NoAnswer (after getting back in step), BoardLost,
        Misuse (nothing was sent: see parse_command).
        """
        command = self._parse(text)
        with self._turn:
            return self._answer(command, timeout)

    def send_payload(
        self, command: str, payload: bytes, timeout: float = 10.0, *, socket_bytes: bool = False, counted: bool = False
    ) -> int:
        """Send ``command``, which opens data mode, ``payload`` and ``+++``; return n of ``#XDATAMODE: n`` (0: sent).

        ``timeout``: seconds for the command and again for the payload. ``counted``: the command names the number of
        bytes; then they may be any, and no ``+++`` follows. ``socket_bytes``: the timeline gets their number alone,
        because they may be anybody's. Raises as :meth:`command`, and Misuse for a payload that holds ``+++`` or ends
        with ``+``, unless it is counted.
        """
        parsed = self._parse(command)
        if not counted:
            check_payload(parsed, payload)
        with self._turn:
            if self._out_of_step or self._receiver.strayed:
                self._get_in_step()
            mark = self.timeline.mark()
            self._data_mode = True  # from here on: the board may be in it although its OK never comes
            try:
                self._answer(parsed, opening_time(parsed, timeout))
            except AtError as refused:
                self._see_refused(refused, mark)
                raise
            outcome, _ = self._exchange(parsed, timeout, payload=Payload(payload, hidden=socket_bytes, counted=counted))
            self._data_mode = False
            return outcome.final.code or 0

    def listen(self, *names: str) -> Listener:
        """Return the URCs with these names ("+CEREG") from now on; a name may also be a whole line ("Ready")."""
        return self._receiver.listen(names)

    def watch(self, watch: Watch) -> None:
        """Enter into the timeline from now on what ``watch`` returns of what goes there in one go."""
        self._receiver.watch = watch

    def wait(self, match: Callable[[Event], bool], *, since: int, timeout: float) -> Event | None:
        """Do Timeline.wait (``match``, ``since``, ``timeout``), and read the port meanwhile: its lines come sooner."""
        return self._receiver.wait(match, since=since, timeout=timeout)

    def wait_line(self, pattern: str | re.Pattern[str], timeout: float, *, since: int | None = None) -> Event:
        """Return the first line of this port in which ``pattern`` occurs, from mark ``since`` on (None: now).

        Raises NoAnswer after ``timeout`` seconds, with what was last heard; BoardLost as soon as the board is gone.
        """
        return self._receiver.wait_line(pattern, timeout, since=since)

    def _parse(self, text: str) -> Command:
        parse = _parse_often if len(text) <= _OFTEN else parse_command
        return parse(text, terminator=self._settings.terminator, at_shell=self._settings.at_shell)

    def _answer(self, command: Command, timeout: float | None) -> Answer:
        if self._out_of_step or self._receiver.strayed:
            self._get_in_step()
        outcome, seconds = self._exchange(command, timeout)
        if outcome.final.kind == "ERROR" and (again := self._asked_again(command, timeout)):
            outcome, seconds = again
        if outcome.overflow:
            raise AtFormatError(
                f"{command.shown}: the answer is longer than the harness takes; its lines are in the recorder"
            )
        return answer_of(command, outcome.final, outcome.lines, outcome.blobs, seconds)

    def _asked_again(self, command: Command, timeout: float | None) -> tuple[CommandOutcome, float] | None:
        """Return how ``command`` ends the second time, after a plain ERROR; None if it may not be sent twice.

        Another program's ERROR on the line looks like the board's. The board's own answer follows it, and must not be
        taken for the next command's: so the port gets in step first.
        """
        self._get_in_step()
        if not command.harmless:
            return None
        again, took = self._exchange(command, timeout)
        if again.final.ok:
            why = foreign_writer(self._url, self.timeline)
            self.timeline.add(Kind.FAULT, self.name, f"{command.shown}: an ERROR that the board does not repeat; {why}")
        return again, took

    def _see_refused(self, refused: AtError, mark: int) -> None:
        """Make sure that a command refused since ``mark`` did not open data mode all the same. Raises StrayAnswer.

        Somebody else's ERROR on the line looks like the board's. In data mode the board takes every later command for
        payload and answers nothing, for good.
        """
        left = (event for event in self.timeline.since(mark) if event.source == self.name)
        if any(event.kind is Kind.URC and event.text.startswith("#XDATAMODE") for event in left):
            raise StrayAnswer(
                f"{self.name}: {refused.command}: expected {refused.final} to be the board's answer, got it from"
                f" somebody else: the board had opened data mode; {foreign_writer(self._url, self.timeline)}"
            ) from refused

    def _exchange(
        self, command: Command, timeout: float | None, *, payload: Payload | None = None
    ) -> tuple[CommandOutcome, float]:
        """Send ``command`` (or ``payload``); return how it ended and its seconds. Raises NoAnswer, BoardLost."""
        allowed = command.timeout if timeout is None else timeout
        if ended := self._send(command, allowed, payload=payload):
            return ended
        message = f"{self.name}: no answer to {command.shown} {self._missed}; {self._receiver.last_heard()}"
        try:
            tries = self._get_in_step()
        except NoAnswer:
            raise NoAnswer(
                f"{message}; it does not answer AT commands any more: reset the board or cut its power"
            ) from None
        raise NoAnswer(f"{message}; it answers AT commands again after {tries} tries")

    def _send(
        self, command: Command, timeout: float, *, payload: Payload | None = None, needs_line: bool = False
    ) -> tuple[CommandOutcome, float] | None:
        """Send ``command`` (or ``payload``); return how it ended and its seconds, None after ``timeout`` s.

        Raises BoardLost.
        """
        self._check_open()
        wire = self._receiver.begin(command, payload, needs_line=needs_line)
        data_mode, terminator = self._data_mode or needs_line, self._settings.terminator.encode()
        soon = self._questions.soon(command, payload, timeout, self._settings, data_mode=data_mode)
        ended, lost = False, None
        try:
            self._write(wire)
            if soon is None:
                outcome, seconds = self._receiver.outcome(timeout), time.monotonic() - self._receiver.sent_at
            else:
                outcome, seconds = self._questions.outcome(
                    command, soon=soon, timeout=timeout, terminator=terminator, leave=payload is not None
                )
                self._out_of_step = bool(self._receiver.owed())
            ended = True
        except AnswerLost as missed:
            lost, self._missed = missed.command, str(missed)
            return None
        except Empty:
            self._missed = f"within {timeout:g} s"
            return None
        finally:
            if not ended:  # a time-out, a lost answer, a write that failed, or the user's Ctrl-C
                self._out_of_step = True
                self._receiver.give_up(lost)
        if outcome is None:
            raise self._receiver.failure()
        self.timeline.flush()  # the answer is in the files before anybody acts on it
        return outcome, seconds

    def _write(self, data: bytes) -> None:
        if (chunk := self._settings.chunk) is None:
            self._stream.write(data)
            return
        for at in range(0, len(data), chunk):
            self._stream.write(data[at : at + chunk])
            self._stream.flush()

    def _get_in_step(self, *, patience: float = 0.0) -> int:
        """Return the number of tries it took. Raises NoAnswer, BoardLost. See the module's docstring."""
        self._check_open()
        self._out_of_step = True
        mark = self.timeline.mark()
        terminator = self._settings.terminator.encode()
        # A shell keeps URCs to itself until it is told otherwise; it forgets that in a reset.
        first = terminator + (b"at events_enable" + terminator if self._settings.at_shell else b"")
        for attempt in range(1, _TRIES + 1):
            # Nobody knows what an earlier user of the board left: after two tries in vain it may be data mode.
            leave = self._data_mode or (attempt > 2 and not self._settings.at_shell)
            # A socket's data mode may wait for counted bytes, and knows no +++. To a board that is in no data mode they
            # are empty lines.
            fill = terminator * _LONGEST_COUNT if attempt == _TRIES and not self._settings.at_shell else b""
            self._write(fill + (b"+++" if leave else b"") + (b'"' if attempt > 1 else b"") + first)
            if self._send(self._question(), _TRY_TIMEOUT, needs_line=True):
                return self._found_in_step(attempt)
        # A busy board is silent: commands are queued there, and the last of them is answered last. What notifies knows
        # AT commands: its answers come behind messages that were on their way.
        spoke = {event.kind for event in self.timeline.since(mark) if event.source == self.name}
        if patience and (Kind.URC in spoke or Kind.RX not in spoke):
            why = "its answers may come behind its messages" if Kind.URC in spoke else "the board may be busy"
            text = f"no answer in {_TRIES} tries: {why}; waiting for it for up to {patience:g} s"
            self.timeline.add(Kind.STEP, self.name, text, patience=patience)
            if self._send(self._question(), patience, needs_line=True):
                return self._found_in_step(_TRIES + 1)
        raise NoAnswer(
            f"{self.name}: no answer to AT commands in {_TRIES} tries; {self._receiver.last_heard()}; "
            "is it powered and booted, and does the boards file name the right port, speed and firmware?"
        )

    def _found_in_step(self, attempt: int) -> int:
        self._receiver.in_step()
        self._out_of_step = self._data_mode = False
        self.timeline.add(Kind.STEP, self.name, f"the board answers, try {attempt}", tries=attempt)
        return attempt

    def _question(self) -> Command:
        return question(self._parse, self._receiver.owed())

    def _check_open(self) -> None:
        if self._closed:
            raise Misuse(f"{self.name}: the port is closed; open it again")

"""Questions that any board answers at once, with an information line: they tell which earlier answers cannot come."""

import time
from collections.abc import Callable, Collection
from queue import Empty
from typing import Final

from harness.at.dialogue import CommandOutcome
from harness.at.receiver import Payload, Receiver
from harness.at.settings import PortSettings
from harness.at.syntax import DATA_MODE, Command
from harness.timeline import Kind

ANSWER_TIME: Final = 1.0
"""Seconds for the answer to a question: a board answers it within milliseconds; a remote port adds some."""

_QUESTIONS: Final = ("AT+CMEE?", "AT+CFUN?", "AT+CEREG?", "AT%XSYSTEMMODE?", "AT+CNEC?", "AT+CSCON?")
_MQTT: Final = "#XMQTT"
_SOONEST: Final = 1.0  # most commands are answered within milliseconds
_PART: Final = 0.1  # of the time that a command may take


class AnswerLost(Exception):
    """The answer to a command was lost, or may be another's. ``command``: None, if it ended in the timeline."""

    def __init__(self, why: str, command: Command | None = None) -> None:
        super().__init__(why)
        self.command = command


def question(parse: Callable[[str], Command], owed: Collection[str]) -> Command:
    """Return a question whose answer can be no other command's. ``owed``: the names of those that may be answered."""
    questions = [parse(text) for text in _QUESTIONS]
    return next((one for one in questions if one.name not in owed), questions[0])


def opening_time(command: Command, timeout: float) -> float:
    """Return the seconds that ``command`` may take to open data mode; nothing is sent yet for an MQTT message.

    ``timeout``: seconds for one that does something before.
    """
    return min(timeout, command.timeout) if command.name.startswith(_MQTT) else timeout


class Questions:
    """Asks behind the commands of one port, until it shows that the board does not keep what is sent while it works.

    ``receiver``: reads the answers. ``name``: the port's. ``write``: sends bytes. ``parse``: makes a command of its
    text.
    """

    def __init__(
        self, receiver: Receiver, *, name: str, write: Callable[[bytes], None], parse: Callable[[str], Command]
    ) -> None:
        self._receiver = receiver
        self._name = name
        self._write = write
        self._parse = parse
        self._kept: bool | None = None  # what is sent while the board works; None: nobody knows yet

    def soon(
        self, command: Command, payload: Payload | None, timeout: float, settings: PortSettings, *, data_mode: bool
    ) -> float | None:
        """Return the seconds after which to ask behind ``command``; None: not at all, its time is waited for.

        A board that keeps no input while it works (``settings``) would lose the question, and in ``data_mode`` it would
        be payload. It may follow the end of an MQTT message's ``payload``. ``timeout``: seconds that the command may
        take.
        """
        if not settings.queues or self._kept is False:
            return None
        soon = max(_SOONEST, timeout * _PART)
        ends = not data_mode if payload is None else command.name.startswith(_MQTT) and not payload.counted
        return soon if ends and not command.opens_unframed and soon < timeout else None

    def outcome(
        self, command: Command, *, soon: float, timeout: float, terminator: bytes, leave: bool
    ) -> tuple[CommandOutcome | None, float]:
        """Return how ``command``, which was sent, ended, and its seconds; None: the port failed.

        A question goes behind it after ``soon`` s, out of data mode first if ``leave``, by "+++" and ``terminator``, a
        command's end. Raises AnswerLost where the question is answered and the command was not; Empty where neither is
        in ``timeout`` s.

        The question's own answer may be lost, or late behind many lines: that says nothing against the command. Only if
        the command's result *and* the line of the question's answer are lost can the result that came be the
        question's; of what has lines of its own, or ends data mode, it cannot. So a second question must be answered.
        """
        receiver = self._receiver
        begun = receiver.sent_at
        try:
            return receiver.outcome(soon), time.monotonic() - begun
        except Empty:
            asked = question(self._parse, {*receiver.owed(), command.name})
            left = b"+++" + terminator if leave else b""  # it may have been lost
            self._write(left + receiver.ask_behind(asked))
        outcome = receiver.outcome(timeout - soon)
        seconds = time.monotonic() - begun
        if outcome is None:
            return None, seconds
        if outcome.command is asked:
            raise AnswerLost(f"within {soon:g} s, although {asked.shown} behind it was answered", command)
        try:
            if self._outcome_while_it_speaks(begun + timeout) is None:
                return None, seconds
            self._kept = True
        except Empty:
            receiver.give_up()
            self._unanswered(asked, command)
            if outcome.final.kind != DATA_MODE and not outcome.lines:
                self._ask_again(asked, command, terminator, until=begun + timeout)
        return outcome, seconds

    def _ask_again(self, asked: Command, command: Command, terminator: bytes, *, until: float) -> None:
        """Ask something else: nothing older can be answered behind the answer. Raises AnswerLost without one."""
        other = question(self._parse, {*self._receiver.owed(), command.name})
        # The end of the first question may be what was lost.
        self._write(terminator + self._receiver.begin(other, None, needs_line=True))
        try:
            if self._outcome_while_it_speaks(until) is not None:
                self._receiver.in_step()
        except Empty:
            raise AnswerLost(f"that is surely its own: that may be to {asked.shown} behind it") from None

    def _outcome_while_it_speaks(self, until: float) -> CommandOutcome | None:
        """Return the next outcome, None: the port failed. Raises Empty after ANSWER_TIME without a line.

        A question is answered behind all that the board has to say. ``until``: when not to begin to wait once more.
        """
        while True:
            mark = self._receiver.timeline.mark()
            try:
                return self._receiver.outcome(ANSWER_TIME)
            except Empty:
                if time.monotonic() >= until or not self._receiver.spoke_since(mark):
                    raise

    def _unanswered(self, asked: Command, command: Command) -> None:
        """Ask behind no command any more, unless the board has shown that it keeps what is sent while it works."""
        if self._kept is None:
            self._kept = False
            text = f"{asked.shown} behind {command.shown} was not answered: none is asked behind a command any more"
            self._receiver.timeline.add(Kind.STEP, self._name, text)

"""Questions that any board answers at once, with an information line: they tell which earlier answers cannot come."""

from collections.abc import Callable, Collection
from queue import Empty
from typing import Final

from harness.at.dialogue import CommandOutcome
from harness.at.receiver import Payload, Receiver
from harness.at.settings import PortSettings
from harness.at.syntax import DATA_MODE, Command

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


def asked_after(
    command: Command, payload: Payload | None, timeout: float, settings: PortSettings, *, data_mode: bool
) -> float | None:
    """Return the seconds after which a question is sent behind ``command``; None: none is, its time is waited for.

    A board that keeps no input while it works would lose the question, and in data mode it would be payload. It may
    follow the end of an MQTT message's ``payload``. ``timeout``: seconds that the command may take.
    """
    if not settings.queues:
        return None
    soon = max(_SOONEST, timeout * _PART)
    ends = not data_mode if payload is None else command.name.startswith(_MQTT) and not payload.counted
    return soon if ends and not command.opens_unframed and soon < timeout else None


def opening_time(command: Command, timeout: float) -> float:
    """Return the seconds that ``command`` may take to open data mode; nothing is sent yet for an MQTT message.

    ``timeout``: seconds for one that does something before.
    """
    return min(timeout, command.timeout) if command.name.startswith(_MQTT) else timeout


def outcome_or_question(
    receiver: Receiver, command: Command, ask_behind: Callable[[], Command], *, soon: float, timeout: float
) -> CommandOutcome | None:
    """Return how ``command`` ended; None: the port failed. ``ask_behind`` sends a question behind it after ``soon`` s.

    Raises AnswerLost where the question is answered and the command was not; Empty where neither is in ``timeout`` s.
    The end of data mode is no other command's. Behind it the question may be lost, and is then given up.
    """
    try:
        return receiver.outcome(soon)
    except Empty:
        asked = ask_behind()
    outcome = receiver.outcome(timeout - soon)
    if outcome is None:
        return None
    if outcome.command is asked:
        raise AnswerLost(f"within {soon:g} s, although {asked.shown} behind it was answered", command)
    try:
        return outcome if receiver.outcome(ANSWER_TIME) else None
    except Empty:  # the line of the question's answer may be lost
        if outcome.final.kind == DATA_MODE:
            receiver.give_up()
            return outcome
        raise AnswerLost(f"that is surely its own: that may be to {asked.shown} behind it") from None

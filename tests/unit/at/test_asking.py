"""What is asked once more, and what the timeline says of it."""

import pytest

from harness.at import AtError, AtFormatError, AtPort
from harness.at.answer import Answer
from harness.at.asking import ask
from harness.at.syntax import FinalResult
from harness.timeline import Kind, Timeline


class Port(AtPort):
    """Answers with these lines, or raises them; notes what was done."""

    def __init__(self, *answers):
        vars(self)["name"] = "board-1"
        self.answers = list(answers)
        self.done = []
        self.log = Timeline()

    @property
    def timeline(self):
        return self.log

    def command(self, text, timeout=None):
        self.done.append((text, timeout))
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return Answer(text, (found,), 0.1)

    def sync(self, *, patience=0.0):
        self.done.append("sync")


def mode(answer):
    return answer.value("+CFUN")


def test_an_answer_that_can_be_read_is_asked_for_once():
    port = Port("+CFUN: 1")
    assert ask(port, "AT+CFUN?", mode) == "1"
    assert port.done == [("AT+CFUN?", None)]
    assert port.timeline.since() == []


def test_a_garbled_answer_is_asked_for_once_more_after_the_port_is_in_step():
    port = Port("+CFxN: 1", "+CFUN: 4")
    assert ask(port, "AT+CFUN?", mode, timeout=2.5) == "4"
    assert port.done == [("AT+CFUN?", 2.5), "sync", ("AT+CFUN?", 2.5)]
    (event,) = port.timeline.since()
    assert (event.kind, event.source, event.data) == (Kind.FAULT, "board-1", {"garbled": True})
    assert event.text.startswith("asked once more: AT+CFUN?: expected one line +CFUN: …, got 0 of them;")


def test_a_second_garbled_answer_is_an_error():
    port = Port("+CFxN: 1", "+CyUN: 4", "+CFUN: 1")
    with pytest.raises(AtFormatError, match="CyUN"):
        ask(port, "AT+CFUN?", mode)
    assert len(port.done) == 3


def test_an_error_of_the_board_is_no_garbled_answer():
    port = Port(AtError("AT+CFUN?", FinalResult("ERROR")))
    with pytest.raises(AtError):
        ask(port, "AT+CFUN?", mode)
    assert port.done == [("AT+CFUN?", None)]

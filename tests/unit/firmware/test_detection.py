"""What answers on a port: the questions against boards that are played as bytes, and what silence shows."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.at import Terminator
from harness.firmware.detection import BAUDS, DEADLINE, Answering, NotAnswering, PortState, answered, find, state_of
from harness.settings import TerminatorName
from harness.virtual.board.at_host.host_input import HostInput


def search(board, bauds=BAUDS):
    """Ask ``board`` (a function of speed and bytes) until something is found; return that and what was sent."""
    sent = []
    questions = find(bauds)
    try:
        question = next(questions)
        while True:
            sent.append((question.baud, question.data))
            question = questions.send(board(question.baud, question.data))
    except StopIteration as end:
        return end.value, sent


def at_host(terminator, before=b""):
    host = HostInput(terminator)
    host.feed(before)

    def board(baud, data):
        said = b""
        if baud != 115200:
            return b"\x80\x87" * 3
        while data:
            taken, line = host.feed(data)
            data = data[taken:]
            if line is not None:
                said += b"OK\r\n" if line.strip(b"\r\n\0 ") == b"AT" else b"ERROR\r\n"
        return said

    return board


@pytest.mark.parametrize(
    ("built_with", "found"),
    [
        (TerminatorName.CR, Terminator.CR),
        (TerminatorName.CRLF, Terminator.CRLF),
        (TerminatorName.LF, Terminator.CRLF),  # the CR before it is no part of a command there
        (TerminatorName.NUL, Terminator.NULL),
    ],
)
def test_what_ends_a_command_is_found(built_with, found):
    assert search(at_host(built_with))[0] == Answering(115200, found)


def late(board, by, messages=b""):
    """A board whose answers come in the time of a later question: behind messages, or from a busy modem."""
    owed = [b""] * by

    def answers(baud, data):
        owed.append(board(baud, data) if data else b"")
        return messages + owed.pop(0)

    return answers


MESSAGES = b"\r\n#XMQTTMSG: 5,60\r\nprod/\r\n%s\r\n" % (b"x" * 60) * 4


def serial_modem(baud, data):
    """A LF behind the CR of a command is dropped; +CMEE? has an answer of its own."""
    said = b""
    for line in data.replace(b"\n", b"").split(b"\r")[:-1]:
        command = line[max(line.find(b"AT"), 0) :]
        said += {b"AT": b"\r\nOK\r\n", b"AT+CMEE?": b"\r\n+CMEE: 1\r\n\r\nOK\r\n"}.get(command, b"")
    return said


@pytest.mark.parametrize(("by", "messages"), [(0, b""), (1, b""), (0, MESSAGES), (1, MESSAGES), (3, MESSAGES)])
def test_an_answer_that_comes_late_is_not_taken_for_another_questions(by, messages):
    """The LF of CR LF would be the first of the bytes that data mode counts, and the last one would be missing."""
    assert search(late(serial_modem, by, messages))[0] == Answering(115200, Terminator.CR)


@pytest.mark.parametrize("before", [b"AT+CF", b"AT%CMNG=0,1,0,", b'AT%CMNG=0,1,0,"---', b"garbage \xff\xfe"])
@pytest.mark.parametrize(
    ("built_with", "found"), [(TerminatorName.CR, Terminator.CR), (TerminatorName.NUL, Terminator.NULL)]
)
def test_half_a_command_of_somebody_else_is_ended_first(before, built_with, found):
    assert search(at_host(built_with, before))[0] == Answering(115200, found)


class Shell:
    def __init__(self, typed=b""):
        self.line, self.ran = typed, []

    def __call__(self, baud, data):
        said = b""
        for byte in data:
            if byte == 0x03:
                self.line = b""
                said += b"\r\nuart:~$ "
            elif byte == 0x0D:
                self.ran.append(self.line)
                said += b"\r\n" + (self.line + b": command not found\r\n" if self.line else b"") + b"uart:~$ "
                self.line = b""
            else:
                self.line += bytes((byte,))
                said += bytes((byte,))
        return said


@pytest.mark.parametrize("typed", [b"", b"kernel reboot col"])
def test_a_half_typed_line_of_a_shell_is_abandoned_and_never_run(typed):
    shell = Shell(typed)
    found, _ = search(shell)
    assert found == Answering(115200, Terminator.CR, "uart")
    assert not any(b"kernel" in line for line in shell.ran)


def test_a_board_in_data_mode_leaves_it():
    left = []

    def board(baud, data):
        if data.startswith(b"+++"):
            left.append(True)
            return b"\r\n#XDATAMODE: 0\r\n"
        return b"\r\nOK\r\n" if left and data == b"AT\r" else b""

    assert search(board)[0] == Answering(115200, Terminator.CR)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"\x1b[1;32muart:~$ \x1b[m", Answering(115200, Terminator.CR, "uart")),
        (b"\r\n\x1b[0mOK\r\n", Answering(115200, Terminator.CR)),
    ],
)
def test_colours_are_no_part_of_an_answer(answer, found):
    assert search(lambda baud, data: answer if data == b"AT\r" else b"")[0] == found


def test_another_speed_is_found():
    def board(baud, data):
        return b"\r\nOK\r\n" if baud == 460800 and data.endswith(b"AT\r") else b""

    found, sent = search(board)
    assert found == Answering(460800, Terminator.CR)
    assert sent[0][0] == 115200


WAKE = [(b"+++\x03\r", 0.1), (b"AT\r", 0.25), (b'"\r', 0.1)]
CR_LF = [(b'"\r\n', 0.1), (b"AT\r\n", 0.25)]
NUL = [(b'"\0', 0.1), (b"AT\0", 0.25), (b'"\0', 0.1)]


def chatty(baud, data):
    """Says so much that answers may come late; takes CR LF alone."""
    return b"[00:00:01.000,000] <inf> app: hello\r\n" * 40 + (b"OK\r\n" if data == b"AT\r\n" else b"")


@pytest.mark.parametrize(
    ("board", "questions"),
    [
        (lambda baud, data: b"", [*WAKE, *CR_LF, (b'"\r\n', 0.1), *NUL, (b'"\r', 0.05)]),
        (at_host(TerminatorName.CR), WAKE[:2]),
        (at_host(TerminatorName.CRLF), [*WAKE, *CR_LF, (b"AT+CMEE?\r", 0.25), (b"\r\n", 0.1)]),
        (chatty, [*WAKE, *CR_LF, (b"AT+CMEE?\r", 0.25), *[(b"", 0.25)] * 3, (b"\r\n", 0.1)]),
    ],
    ids=["silent", "CR", "CR LF", "chatty"],
)
def test_what_is_asked_in_which_order(board, questions):
    asked, search = [], find(BAUDS[:1])
    with suppress(StopIteration):
        question = next(search)
        while True:
            asked.append((question.baud, question.data, question.seconds))
            question = search.send(board(question.baud, question.data))
    assert asked == [(BAUDS[0], *question) for question in questions]


def test_an_error_at_another_speed_is_asked_again():
    """It may be the answer to what an earlier user left."""

    def board(baud, data):
        if baud != 460800:
            return b""
        return b"\r\nOK\r\n" if data == b"AT\r" else b"\r\nERROR\r\n"

    found, sent = search(board)
    assert found == Answering(460800, Terminator.CR)
    assert sent[-1] == (460800, b"AT\r")


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        (b"", False),
        (b"<inf> app: it is OK\r\n", False),
        (b"OK\r\n", True),
        (b"\r\n+CME ERROR: 3\r\n", True),
        (b"\x1b[1;32muart:~$ \x1b[m", True),
        (b"\r\n\x1b[0mERROR\r\n", True),
    ],
)
def test_an_answer_is_a_final_result_or_a_prompt(heard, wanted):
    assert answered(heard) is wanted


def test_what_was_found_is_said_in_words():
    assert str(Answering(9600, Terminator.CRLF)) == "AT commands that end with CRLF at 9600 baud"
    assert str(Answering(9600, Terminator.CR, "uart")) == "a shell (uart:~$) at 9600 baud"
    assert str(state_of(b"")).startswith("answers nothing; is it powered")


def test_what_does_not_answer_is_shown_shortly():
    assert state_of(b"*** Booting nRF Connect SDK v3.2.1 ***\r\n" * 2).detail == "2 boots while it was listened to"
    assert state_of(b"*** Booting nRF Connect SDK v3.2.1 ***\r\n").state is PortState.TEXT
    assert state_of(b"one\r\ntwo\r\nI: Starting bootloader \xff\r\nfour\r\n").detail == repr(
        "I: Starting bootloader \ufffd"
    )
    assert state_of(bytes(range(0x80, 0x90))).detail == "begins with 80 81 82 83 84 85 86 87"
    log = b"".join(b"<inf> m%d: x\r\n" % number for number in range(7))
    assert state_of(log).detail == "of m0, m1, m2, m3, m4, m5"
    assert state_of(b"one\r\n" + b"x" * 80).detail == repr("x" * 80)
    assert state_of(b"one\r\n" + b"x" * 81).detail == repr("x" * 80 + "…")


def test_text_is_four_bytes_at_least_and_mostly_printable():
    assert state_of(b"abc").state is PortState.BINARY
    assert state_of(b"abcd").state is PortState.TEXT
    assert state_of(b"abcd\xff").state is PortState.BINARY
    assert state_of(b"abcde\xff").state is PortState.TEXT


def test_a_speed_at_which_text_comes_is_the_right_one():
    found, sent = search(lambda baud, data: b"[00:00:01.000,000] <inf> app: hello\r\n")
    assert found == NotAnswering(PortState.LOG, "of app")
    assert {baud for baud, _ in sent} == {115200}


def test_a_board_that_has_just_started_is_asked_again():
    answers = iter([b"*** Booting nRF Connect SDK v3.2.1 ***\r\n", *[b""] * 4])

    def board(baud, data):
        return next(answers, b"\r\nOK\r\n" if data == b"AT\r" else b"")

    assert search(board)[0] == Answering(115200, Terminator.CR)


@pytest.mark.parametrize(
    ("heard", "state", "part"),
    [
        (b"", PortState.SILENT, "is it powered"),
        (b"\0\0\0", PortState.SILENT, "is it powered"),
        (b"*** Booting nRF Connect SDK v3.2.1 ***\r\n" * 3, PortState.BOOT_LOOP, "3 boots"),
        (b"*** Booting MCUboot v2.1.0 ***\r\nI: Starting bootloader\r\n", PortState.BOOTLOADER, "MCUboot v2.1.0"),
        (bytes(range(0x80, 0x100)), PortState.BINARY, "begins with 80 81 82"),
        (b"[00:00:01.000,000] <inf> nrf_cloud: x\r\n", PortState.LOG, "of nrf_cloud"),
        (b"login: \r\nPassword: \r\n", PortState.TEXT, "Password:"),
        (b"x" * 1_000_000, PortState.TEXT, "xxx"),
    ],
)
def test_what_does_not_answer_is_told_apart(heard, state, part):
    found = state_of(heard)
    assert found.state is state
    assert part in str(found)
    assert len(str(found)) < 300
    assert "\n" not in str(found)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(noise):
    found, sent = search(lambda baud, data: noise)
    assert isinstance(found, Answering | NotAnswering)
    assert len(sent) < 30


def test_what_is_not_known_is_asked_nothing_but_at():
    _, sent = search(lambda baud, data: b"")
    assert {data.replace(b"+++\x03\r", b"").strip(b'\r\n\0"') for _, data in sent} == {b"", b"AT"}
    assert sum(data.count(b'"') for _, data in sent) % 2 == 0  # no quote is left open


def test_all_questions_to_a_silent_board_fit_into_the_deadline():
    seconds, questions = 0.0, find(BAUDS)
    question = next(questions, None)
    with suppress(StopIteration):
        while question is not None:
            seconds += question.seconds
            question = questions.send(b"")
    assert seconds < DEADLINE

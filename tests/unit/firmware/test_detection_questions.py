"""Each question that is asked of a port, in order, with its time; and which answers are made use of."""

import pytest

from harness.at import Terminator
from harness.firmware.detection import (
    Answering,
    NotAnswering,
    PortState,
    _ask_everything,
    _ask_quickly,
    _ends_with_cr,
    _line_at,
    _shown,
    find,
    state_of,
)

OK = b"\r\nOK\r\n"
FOUND = Answering(9600, Terminator.CRLF)


def run(search, says):
    """Answer each question with ``says(question, number)``. Return the questions and what the search returned."""
    questions = []
    try:
        question = next(search)
        while True:
            questions.append(question)
            question = search.send(says(question, len(questions)))
    except StopIteration as end:
        return questions, end.value


def asked(search, *heard):
    """Answer the questions in order, then nothing."""
    questions, found = run(search, lambda _question, number: heard[number - 1] if number <= len(heard) else b"")
    assert {question.baud for question in questions} == {9600}
    return [(question.data, question.seconds) for question in questions], found


def test_a_silent_board_is_asked_in_every_way():
    questions, (found, heard) = asked(_ask_everything(9600))
    assert (found, heard) == (None, b"")
    assert questions == [
        (b"+++\x03\r", 0.1),
        (b"AT\r", 0.25),
        (b'"\r', 0.1),
        (b'"\r\n', 0.1),
        (b"AT\r\n", 0.25),
        (b'"\r\n', 0.1),
        (b'"\0', 0.1),
        (b"AT\0", 0.25),
        (b'"\0', 0.1),
        (b'"\r', 0.05),
    ]


def test_a_quote_that_was_open_is_not_taken_back():
    """ERROR says that the quote has ended what was open; so AT comes once more, and no quote before the next end."""
    questions, (_, heard) = asked(_ask_everything(9600), b"", b"", b"ERROR\r\n", b"x", b"", b"", b"ERROR\r\n")
    assert [data for data, _ in questions] == [
        *(b"+++\x03\r", b"AT\r", b'"\r', b"AT\r"),
        *(b"\r\n", b"AT\r\n", b'"\r\n', b"AT\r\n"),
        *(b"\0", b"AT\0", b'"\0', b'"\r'),
    ]
    assert heard == b"ERROR\r\nxERROR\r\n"


def test_all_that_was_heard_is_returned_with_what_was_found():
    _, (found, heard) = asked(_ask_everything(9600), b"a", b"b" + OK)
    assert (found, heard) == (Answering(9600, Terminator.CR), b"ab" + OK)


@pytest.mark.parametrize(("before", "patient"), [(512 - 6, False), (513 - 6, True)])
def test_whether_it_says_much_decides_how_patiently_it_is_asked(before, patient):
    heard = [b"x" * before, b"", b"", b"", OK]
    questions, _ = asked(_ask_everything(9600), *heard)
    named = questions[5:]
    assert named[0] == (b"AT+CMEE?\r", 0.25)
    assert named[1:-1] == [(b"", 0.25)] * (3 if patient else 0)
    assert named[-1] == (b"\r\n", 0.1)


def ends_with_cr(*heard, patiently):
    return asked(_ends_with_cr(FOUND, patiently=patiently), *heard)


def test_an_answer_of_its_own_shows_that_cr_ends_a_command():
    for answer in (b"+CMEE: 1\r\n", b"\r\n+CMEE: 1\r\n", b"+CME ERROR: 3\r\n"):
        questions, found = ends_with_cr(answer, patiently=False)
        assert (questions, found) == ([(b"AT+CMEE?\r", 0.25)], Answering(9600, Terminator.CR))
    questions, found = ends_with_cr(b"x+CMEE: 1", patiently=False)
    assert found == FOUND


def test_an_answer_in_pieces_is_one_and_a_pause_ends_it_unless_it_says_much():
    _, found = ends_with_cr(b"+CM", b"EE: 1\r\n", patiently=False)
    assert found.terminator == Terminator.CR
    questions, found = ends_with_cr(b"x", b"", b"+CMEE: 1", patiently=False)
    assert (len(questions), found) == (3, FOUND)
    questions, found = ends_with_cr(b"x", b"", b"", b"\r\n+CMEE: 1", patiently=True)
    assert (len(questions), found.terminator) == (4, Terminator.CR)
    questions, found = ends_with_cr(b"x", b"y", b"z", b"!", b"\r\n+CMEE: 1", patiently=True)
    assert (questions[-1], found) == ((b"\r\n", 0.1), FOUND)


def test_another_speed_is_asked_once():
    questions, (found, heard) = asked(_ask_quickly(9600), b"noise")
    assert (questions, found, heard) == ([(b"+++\x03\rAT\r", 0.2)], None, b"noise")
    questions, (found, _) = asked(_ask_quickly(9600), OK)
    assert (len(questions), found) == (1, Answering(9600, Terminator.CR))


def test_whoever_ended_something_else_there_is_asked_again():
    questions, (found, heard) = asked(_ask_quickly(9600), b"ERROR\r\n", OK)
    assert questions[1] == (b"AT\r", 0.2)
    assert (found, heard) == (Answering(9600, Terminator.CR), b"ERROR\r\n" + OK)


def test_what_was_heard_at_every_speed_is_looked_at_in_the_end():
    boots = {115200: b"*** Booting A ***\r\n", 57600: b"*** Booting B ***\r\n"}
    questions, found = run(find((9600, 115200, 57600)), lambda question, _number: boots.get(question.baud, b""))
    assert found == NotAnswering(PortState.BOOT_LOOP, "2 boots while it was listened to")
    bauds = [question.baud for question in questions]
    assert bauds[-1] == 9600, "it has started: the likely speed is asked once more"
    assert bauds.count(115200) == bauds.count(57600) == 1


def test_what_was_heard_the_second_time_is_looked_at_too():
    _, found = run(find((9600,)), lambda _question, number: b"*** Booting A ***\r\n" if number in (1, 12) else b"")
    assert found.state is PortState.BOOT_LOOP


@pytest.mark.parametrize("heard", [b"", b"\0", b"\r\n\0\r\n"])
def test_line_ends_and_zeros_are_silence(heard):
    assert state_of(heard) == NotAnswering(PortState.SILENT)


def test_letters_at_the_ends_are_none():
    assert state_of(b"XXXX") == NotAnswering(PortState.TEXT, "'XXXX'")


@pytest.mark.parametrize(
    ("heard", "at", "line"),
    [
        (b"one\ntwo\nthree", 5, b"two"),
        (b"one\ntwo\nthree", 0, b"one"),
        (b"\none\ntwo", 2, b"one"),
        (b"\n", 1, b""),
        (b"one\ntwo\nthree\nfour", 8, b"three"),
        (b"one", 1, b"one"),
    ],
)
def test_the_line_at_a_place(heard, at, line):
    assert _line_at(heard, at) == line


def test_a_line_is_shown_up_to_eighty_characters():
    assert _shown(b" a\xff ") == "'a\ufffd'"
    assert _shown(b"x" * 80) == repr("x" * 80)
    assert _shown(b"x" * 81) == repr("x" * 80 + "…")

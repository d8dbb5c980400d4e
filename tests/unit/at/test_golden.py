"""Lines that real modems sent (tests/data/vectors-modem.json) through the dialogue."""

import json
from pathlib import Path

import pytest

from harness.at.dialogue import Dialogue, Role
from harness.at.syntax import parse_command

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "vectors-modem.json").read_text())
CAPTURES = {capture["source"].split(",")[-1].strip(): capture for capture in VECTORS["uart_captures"]}


def ask(text, wire):
    dialogue = Dialogue()
    dialogue.begin(parse_command(text))
    return next(item.outcome for item in dialogue.receive(wire.encode()) if item.outcome)


@pytest.mark.parametrize(
    ("text", "lines", "final"),
    [
        ("AT+CGMR", [b"mfw_nrf91x1_2.0.0-77.beta"], "OK"),
        ("AT%HWVERSION", [b"%HWVERSION: nRF9161 LACA ADA"], "OK"),
        ("(unsupported)", [], "ERROR"),
    ],
)
def test_stray_line_feed_at_the_beginning(text, lines, final):
    wire = dict(CAPTURES["host sends CRLF"]["pairs"])[text]
    done = ask("AT%NOSUCH" if text.startswith("(") else text, wire)
    assert (done.lines, str(done.final)) == (lines, final)


def test_modem_shell():
    [(_, wire)] = CAPTURES["Modem Shell (mosh)"]["pairs"]
    assert ask("AT+CEREG?", wire).lines == [b"+CEREG: 5,4"]


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_attach_trace(size):
    """Every answer of a recorded attach goes to its command, every other line is a URC."""
    dialogue = Dialogue()
    urcs, answers = [], {}
    expected_urcs, expected_answers = [], {}
    pending = None
    for _, kind, text in VECTORS["modem_boundary_trace"]["events"]:
        if kind == "cmd":
            pending = text
            dialogue.begin(parse_command(text))
            continue
        wire = text.encode()
        for at in range(0, len(wire), size):
            for item in dialogue.receive(wire[at : at + size]):
                if item.role is Role.URC:
                    urcs.append(item.line.decode())
                elif item.outcome:
                    answers[item.outcome.command.text] = [line.decode() for line in item.outcome.lines]
        body = text.splitlines()
        if body[-1] != "OK":
            expected_urcs += body
        elif pending is None:
            expected_urcs += body[:-1]  # the answer to a command that the trace has not
        else:
            expected_answers[pending] = body[:-1]
            pending = None
    assert urcs == expected_urcs
    assert answers == expected_answers
    assert '+CEREG: 5,"0901","02024720",7,,,"11100000","11100000"' in urcs
    assert answers["AT+CEREG?"] == ['+CEREG: 5,2,"0901","02024720",7']
    assert answers["AT+CGSN"] == ["352656100000000"]


@pytest.mark.parametrize("vector", VECTORS["keygen_attest"], ids=lambda vector: str(vector["id"]))
def test_long_answers(vector):
    line = f'{vector["prefix"]}: "{vector["value"]}"'
    done = ask(vector["command"].split(" (")[0], line + "\r\nOK\r\n")
    assert done.lines == [line.encode()]


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS["cmng"] if vector.get("raw", "").endswith("OK\r\n")],
    ids=lambda vector: vector["id"],
)
def test_credential_lists(vector):
    *lines, final = vector["raw"].splitlines()
    done = ask(vector["command"], vector["raw"])
    assert ([line.decode() for line in done.lines], str(done.final)) == (lines, final)

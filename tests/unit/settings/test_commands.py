"""Commands to a running process: lines in, commands or one clear sentence out."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.settings import BoardFault
from harness.settings.board_faults import SetFault
from harness.settings.cloud_faults import CloseConnection
from harness.settings.commands import (
    COMMANDS,
    LONGEST_LINE,
    BadControlLine,
    answer,
    parse_request,
    refusal,
)


def test_a_command():
    request = parse_request(b'{"id": 7, "command": "set-fault", "board": "a", "fault": "no-sim"}\n')
    assert (request.id, request.command) == (7, SetFault(board="a", fault=BoardFault.NO_SIM))
    request = parse_request(b'{"command": "close-connection", "client_id": "x", "style": "rst"}')
    assert (request.id, request.command) == (None, CloseConnection(client_id="x", style="rst"))


@pytest.mark.parametrize(
    ("line", "request_id", "said"),
    [
        (b"", None, "the line is not JSON: ''; send one JSON object a line"),
        (b"set-fault a no-sim\n", None, "the line is not JSON: 'set-fault a no-sim'; send one JSON object a line"),
        (b"\xff\x00", None, "the line is not JSON: "),
        (b"[" * 60_000, None, "the line is not JSON: "),
        (b"x" * (LONGEST_LINE + 1), None, "the line is longer than 65536 bytes; send one command a line"),
        (b"[1]", None, "the line is not a JSON object: '[1]'; send one JSON object a line"),
        (b'{"id": {}}', None, "'id' must be text or a number; correct it"),
        (b'{"id": true}', None, "'id' must be text or a number; correct it"),
        (b'{"id": NaN, "command": "x"}', None, "'id' must be text or a finite number; correct it"),
        (b'{"id": 1e400, "command": "x"}', None, "'id' must be text or a finite number; correct it"),
        (
            b'{"id": 1, "command": "set-fault", "command": "reset-board", "board": "a"}',
            1,
            "key 'command' is there twice; keep one of the two",
        ),
        (
            b'{"id": 1, "command": "change-broker", "settings": {"close_delay": 1, "close_delay": 2}}',
            1,
            "key 'close_delay' is there twice; keep one of the two",
        ),
        (
            b'{"id": 1, "command": "disturb-rest", "how": "timeout", "method": "x"}',
            1,
            "disturb-rest: 'method' cannot be 'x'; known values: GET, POST, PUT, PATCH, DELETE; use one of them",
        ),
        (b'{"id": "a"}', "a", "key 'command' is missing; use one of those in docs/virtual.md"),
        (b'{"id": 1, "command": "set_fault"}', 1, "unknown command 'set_fault'; nearest known command is 'set-fault'"),
        (b'{"id": 1, "command": ["x"]}', 1, "unknown command ['x']; use one of those in docs/virtual.md"),
        (b'{"id": 1, "command": "set-fault", "fault": "denied"}', 1, "set-fault: key 'board' is missing; add it"),
        (
            b'{"id": 1, "command": "set-fault", "board": "a", "fault": "tired"}',
            1,
            "set-fault: 'fault' cannot be 'tired'; known values: no-sim, denied, ",
        ),
        (
            b'{"id": 1, "command": "reset-board", "bord": "a", "board": "a"}',
            1,
            "reset-board: unknown key 'bord'; nearest known key is 'board'; correct it",
        ),
        (
            b'{"id": 1, "command": "remove-route", "name": "mqtt"}',
            1,
            "remove-route: 'name' cannot be 'mqtt': it must be HOST:PORT, e.g. mqtt.nrfcloud.com:8883; correct it",
        ),
    ],
)
def test_what_is_no_command_is_one_sentence(line, request_id, said):
    with pytest.raises(BadControlLine) as caught:
        parse_request(line)
    assert caught.value.id == request_id
    assert str(caught.value).startswith(said)
    assert len(str(caught.value)) < 300


OBJECTS = st.dictionaries(st.sampled_from(["id", "command", "board", "fault", "x"]), st.text() | st.integers())


@given(st.binary() | OBJECTS.map(lambda value: json.dumps(value).encode()))
def test_no_line_breaks_the_parser(line):
    with pytest.raises(BadControlLine) as caught:
        parse_request(line)
    assert json.loads(refusal(caught.value.id, str(caught.value)))["ok"] is False


@given(st.text() | st.integers() | st.none(), st.text())
def test_answers_are_one_line_with_the_id(request_id, text):
    for line in (answer(request_id, {"faults": [text]}), refusal(request_id, text)):
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert json.loads(line)["id"] == request_id


def test_docs_describe_each_command():
    text = (Path(__file__).parents[3] / "docs" / "virtual.md").read_text()
    section = text.partition("\n## Commands\n")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == COMMANDS

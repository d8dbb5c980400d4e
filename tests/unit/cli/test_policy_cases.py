"""Documents that people had, in tests/data/policies, and the right answer to each."""

import json
import os
from pathlib import Path

import pytest

from harness.cli.main import main

CASES = Path(__file__).parents[2] / "data" / "policies"


@pytest.fixture
def check(capsys):
    """Run ``policy check``; return exit code and lines, each without the file's path."""

    def check(*paths):
        code = main(["policy", "check", *map(str, paths)])
        lines = capsys.readouterr().out.splitlines()
        for path in map(str, paths):
            lines = [line.removeprefix(f"{path.removeprefix('file://')}: ") for line in lines]
        return code, lines

    return check


@pytest.fixture
def explain(capsys):
    """Run ``policy explain`` for a device that is in no team; return its lines and its JSON."""

    def explain(case, *arguments):
        command = ["policy", "explain", "b1", *arguments, "--membership", "provisioned"]
        boards = ["--boards", str(CASES / case / "boards.yaml")]
        assert main([*command, *boards]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert main([*command, *boards, "--json"]) == 0
        return lines, json.loads(capsys.readouterr().out)

    return explain


def test_a_variable_in_another_case_is_an_error_with_the_right_spelling(check):
    wrong = "AWS IoT refuses the variable ${iot:clientId}: write ${iot:ClientId}"
    assert check(CASES / "variable-case" / "provisioned.json") == (
        1,
        [
            f"error: $.Statement[0].Resource: {wrong}",
            f"error: $.Statement[1].Resource: {wrong}",
            "documents: 1, errors: 2, warnings: 0",
        ],
    )


def test_every_error_of_a_document_is_reported_and_counted(check):
    assert check(CASES / "three-errors" / "provisioned.json") == (
        1,
        [
            r'error: $.Statement[0].Resource: "\\" is not a resource; one begins with arn: or *',
            r'error: $.Statement[1].Resource: "\\*" is not a resource; one begins with arn: or *',
            "documents: 1, errors: 2, warnings: 0",
        ],
    )
    assert check(CASES / "three-errors" / "two.json") == (
        1,
        [
            'error: $.Statement[0].Resource: "topic/a" is not a resource; one begins with arn: or *',
            'error: $.Statement[1].Effect: must be "Allow" or "Deny"',
            'error: $.Statement[2].Action: "Publish" is not an action; one is written iot:Publish',
            "documents: 1, errors: 3, warnings: 0",
        ],
    )


@pytest.mark.parametrize(("name", "place"), [("lab-string.json", "$"), ("iam-style.json", "$.policyVersion.Document")])
def test_what_aws_cli_prints_is_read(check, name, place):
    code, lines = check(CASES / "get-policy" / name)
    assert (code, lines) == (0, [f"note: the document is read from {place}", "documents: 1, errors: 0, warnings: 0"])


def test_a_file_may_be_named_as_for_aws_cli(check, monkeypatch):
    path = CASES / "get-policy" / "lab-string.json"
    assert check(f"file://{path}")[0] == 0
    monkeypatch.chdir(path.parent)
    assert check(f"file://{os.path.basename(path)}")[0] == 0


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        ("$aws/rules/myrule/a/b/c/d/e/f/g/h", None),
        ("a/b/c/d/e/f/g/h", None),
        ("a/b/c/d/e/f/g/h/i", "it has 8 slashes, 7 at most"),
        ("$aws/rules/myrule/a/b/c/d/e/f/g/h/i", "it has 8 slashes behind $aws/rules/myrule/, 7 at most"),
    ],
)
def test_a_topic_with_too_many_slashes_is_not_simply_allowed(explain, topic, why):
    lines, data = explain("eight-slashes", "publish", topic)
    says = f"not possible: AWS IoT takes no publish with this name, whatever the policies say: {why}"
    assert lines[0] == data["answer"] == (says if why else "allowed")
    assert (data["allowed"], data["impossible"]) == (why is None, why)
    assert data["decision"] == "ALLOWED"  # of the documents
    assert ("policies" in lines[1]) == (why is not None)


def test_a_condition_is_quoted_as_the_document_has_it(explain):
    wanted = "'arn:aws:iot:eu-west-1:123456789012:topic/lobby/s/${iot:ClientId}'"
    reason = f"provisioned statement 1 would allow it, but ArnEquals iot:LastWillTopic {wanted} is not fulfilled"
    because = f"iot:Connect on client/{{device}}: implicit deny; nearest: {reason}: the key is absent"
    for arguments in (["connect", "{device}"], ["publish", "lobby/s/{device}"]):
        lines, data = explain("will-topic", *arguments)
        assert (lines[0], data["allowed"], data["because"]) == ("not allowed", False, because)


def test_json_holds_all_that_the_text_says(explain):
    lines, data = explain("eight-slashes", "subscribe", "a")
    assert (data["answer"], data["placeholders"], data["messages"]) == ("not allowed", True, None)
    assert lines[0] == data["answer"]
    assert any(line.startswith("  names ") for line in lines)

"""The mutation run's own judgement: what counts as caught, and the lab that it writes for a mutant."""

import json
import re
import tempfile
from functools import cache

import pytest

from harness.lab import expected_documents, load_boards_file
from harness.policy import Effect, Membership, Names, PolicyDocument, load_document, load_profile, plan
from harness.policy import mutants as make_mutants
from tests import mutation_run
from tests.mutation_run import Found, read_report, says_why, table, write_lab

NAMES = Names("dev", "dev-2", "T", "T2")
IDENTIFIER = "gateway-publish-prod/{tenant}/m/test"
SAID = "expected tolerated, got policy disconnect. Policy: iot:Publish on prod/4f-1/m/test: allowed by associated"


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path, monkeypatch):
    """A run that went wrong keeps its folder for a look; here nobody looks."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@cache
def mutants():
    return plan(load_profile("page", account=NAMES.account).values(), NAMES, [Membership.PROVISIONED]).mutants


@pytest.mark.parametrize(
    ("identifier", "message", "caught"),
    [
        (IDENTIFIER, SAID, True),
        (IDENTIFIER, SAID.replace("m/test", "m/other"), False),
        (IDENTIFIER, SAID.replace("Policy:", ""), False),
        ("gateway-subscribe-prod/{tenant}/m/#", "Policy: iot:Subscribe on prod/T/m/#: implicit deny; nearest", True),
        (
            "associated-publish-retained-{device}/x",
            "Policy: a. Policy: iot:RetainPublish on d-1/x: explicit deny",
            True,
        ),
        ("associated-connect-{other_device}", "Policy: iot:Connect on client/d-2: implicit deny; no policy", True),
        (
            "gateway-publish-$aws/things/{device}/jobs/get",
            "Policy: iot:Publish on $aws/things/a/jobs/get: allowed",
            True,
        ),
    ],
)
def test_a_message_has_to_name_topic_and_policy(identifier, message, caught):
    assert says_why(identifier, message) is caught


def report(body):
    case = f'<testcase name="test_derived[mutant-{IDENTIFIER}]">{body}</testcase>'
    return f"<testsuites><testsuite>{case}</testsuite></testsuites>"


def test_a_failure_with_its_reason_catches():
    assert read_report(report(f'<failure message="cut off">{SAID}</failure>'), {IDENTIFIER})[0] == [IDENTIFIER]


def test_a_failure_of_a_trial_that_the_mutant_does_not_change_catches_nothing():
    """Whatever else fails, like an answer that is lost, would otherwise pass for a caught mutant."""
    caught, otherwise = read_report(report(f"<failure>{SAID}</failure>"), {"gateway-publish-prod/{tenant}/m/other"})
    assert caught == []
    assert otherwise == (
        f"0 scenarios passed, 1 otherwise: {IDENTIFIER} failed, although the mutant does not change it: {SAID}"
    )


@pytest.mark.parametrize(
    ("body", "otherwise"),
    [
        ("", "1 scenarios passed, 0 otherwise"),
        ("<skipped/>", "0 scenarios passed, 0 otherwise"),
        (f"<error>{SAID}</error>", f"0 scenarios passed, 1 otherwise: {IDENTIFIER} is an error: {SAID}"),
        (
            "<failure>it broke</failure>",
            f"0 scenarios passed, 1 otherwise: {IDENTIFIER} failed, but does not say what the policies say: it broke",
        ),
    ],
)
def test_nothing_else_catches(body, otherwise):
    assert read_report(report(body), {IDENTIFIER}) == ([], otherwise)


def test_the_cloud_enforces_the_mutant_while_the_profile_is_expected(tmp_path):
    mutant = mutants()[1]
    write_lab(tmp_path, mutant, {"profile": "current"})
    file = load_boards_file(tmp_path / "boards.yaml")
    assert expected_documents(file, "local") == load_profile("current", account="123456789012")
    enforced = {path.stem: load_document(path, account="123456789012") for path in (tmp_path / "policies").iterdir()}
    assert enforced == dict(mutant.documents)
    assert [(board.name, board.cloud, board.virtual is not None) for board in file.boards] == [
        ("mutant", "local", True)
    ]


def test_a_document_without_statements_allows_nothing(tmp_path):
    text = '{"Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:::topic/a"}}'
    only = PolicyDocument.parse(text, name="gateway")
    dropped = next(one for one in make_mutants([only]) if one.change == "dropped")
    write_lab(tmp_path, dropped, {"profile": "page"})
    (enforced,) = load_document(tmp_path / "policies" / "gateway.json", account="123456789012").statements
    assert (enforced.effect, enforced.takes("iot:Publish")) == (Effect.ALLOW, False)


def test_the_table(tmp_path):
    one, other = mutants()[:2]
    lines = table(
        [
            Found(one, ["a", "b", "c", "d", "e"], "", 8.04, tmp_path),
            Found(other, [], "48 scenarios passed", 9.96, tmp_path),
        ]
    )
    assert lines == [
        f"caught       8.0 s  {one}",
        *(f"{'':20}by {name}" for name in ("a", "b", "c", "and 2 more")),
        f"NOT CAUGHT  10.0 s  {other}",
        f"{'':20}48 scenarios passed",
        f"{'':20}see {tmp_path}",
        "2 mutants, 1 caught, 1 not",
    ]


@pytest.mark.parametrize(("caught_by", "code"), [(["a"], 0), ([], 1)])
def test_the_sample_follows_from_the_seed(monkeypatch, capsys, tmp_path, caught_by, code):
    asked = []

    def run(mutant, expected, documents):
        asked.append((str(mutant), expected["profile"]))
        return Found(mutant, caught_by, "", 1.0, tmp_path)

    monkeypatch.setattr(mutation_run, "run", run)
    monkeypatch.setattr(mutation_run, "baseline", lambda expected: "")
    assert mutation_run.main(["--mutants", "3", "--seed", "7"]) == code
    first = sorted(asked)
    asked.clear()
    assert mutation_run.main(["--mutants", "3", "--seed", "7"]) == code
    assert sorted(asked) == first
    assert {profile for _, profile in first} == {"page"}
    assert "SEED=7" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["-1", "x"])
def test_wrong_arguments_are_told_before_anything_runs(monkeypatch, capsys, number):
    monkeypatch.setattr(mutation_run, "baseline", None)
    assert exit_code(["--mutants", number]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"{number}" in last
    assert "--mutants" in last


def exit_code(arguments) -> int:
    try:
        return mutation_run.main(arguments)
    except SystemExit as end:  # what argparse does
        return int(str(end.code))


def test_a_mutant_that_aws_would_not_take_is_left_out(monkeypatch, capsys, tmp_path):
    """The mutant's cloud would not start, and the mutant would pass for one that is not caught."""
    statement = {"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:*:*:topic/lab/x"}
    text = json.dumps({"Version": "2012-10-17", "Statement": statement | {"Sid": ""}}, separators=(",", ":"))
    (tmp_path / "own.json").write_text(text.replace('"Sid":""', f'"Sid":"{"s" * (2047 - len(text))}"'))
    boards = "clouds: {local: {kind: local, profile: page, policies: [own.json]}}\nboards: [{name: a, virtual: {}}]\n"
    (tmp_path / "boards.yaml").write_text(boards)
    monkeypatch.setattr(mutation_run, "baseline", lambda expected: "")
    asked = []

    def run(mutant, expected, documents):
        asked.append(mutant)
        return Found(mutant, ["a"], "", 1.0, tmp_path)

    monkeypatch.setattr(mutation_run, "run", run)
    assert mutation_run.main(["--mutants", "0", "--boards", str(tmp_path / "boards.yaml")]) == 0
    changes = {mutant.change for mutant in asked if mutant.document == "own"}
    assert "dropped" in changes
    assert "action iot:* added" not in changes
    assert re.search("left out: [0-9]+ mutants that are longer than AWS IoT takes", capsys.readouterr().out)


def test_documents_that_look_at_names_are_refused(monkeypatch, capsys):
    monkeypatch.setattr(mutation_run, "baseline", lambda expected: pytest.fail("nothing is to be run"))
    assert mutation_run.main(["--boards", str(mutation_run.ROOT / "tests/boards/own-names.yaml")]) == 2
    assert "documents of cloud 'local' look at names of devices" in capsys.readouterr().err


def test_what_fails_without_any_change_would_catch_everything(monkeypatch, capsys):
    monkeypatch.setattr(mutation_run, "baseline", lambda expected: "1 failed; see there")
    monkeypatch.setattr(mutation_run, "run", None)
    assert mutation_run.main(["--mutants", "3"]) == 1
    assert capsys.readouterr().err == (
        "mutation run: on the documents themselves the suite does not pass: 1 failed; see there\n"
    )


@pytest.mark.parametrize(("code", "wrong"), [(0, False), (1, True), (None, True)])
def test_the_baseline_is_a_lab_without_a_mutant(monkeypatch, code, wrong):
    seen = []

    def suite(folder):
        seen.append((folder / "boards.yaml").read_text())
        return code, "some output"

    monkeypatch.setattr(mutation_run, "_suite", suite)
    assert bool(mutation_run.baseline({"profile": "current"})) is wrong
    assert "profile: current" in seen[0]
    assert "enforces" not in seen[0]

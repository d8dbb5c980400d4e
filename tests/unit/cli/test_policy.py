"""policy check, explain and trials: no port, no cloud. policy probe: tests/integration/test_policy_probe.py."""

import io
import json
import os
import re
import sys
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.policy import profile_folder

DOCS = (Path(__file__).parents[3] / "docs" / "policies.md").read_text()
EXAMPLES = [line.removeprefix("$ nrf91-harness ") for line in DOCS.splitlines() if line.startswith("$ nrf91-harness")]

FILE = """\
clouds:
  today: {kind: nrfcloud, profile: current}
boards:
  - {name: v, virtual: {}}
  - {name: dk, port: /dev/ttyNOWHERE, cloud: today, device_id: dk-1}
"""


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Run a command and return its exit code and JSON; there is no API key, port or process to be had."""
    (tmp_path / "boards.yaml").write_text(FILE)
    monkeypatch.delenv("NRFCLOUD_API_KEY", raising=False)
    monkeypatch.setattr("subprocess.Popen", None)

    def run(*arguments):
        options = [] if arguments[1] == "check" else ["--boards", str(tmp_path / "boards.yaml")]
        code = main([*arguments, *options, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_document_that_is_good(run):
    code, data = run("policy", "check", str(profile_folder("page") / "gateway.json"))
    assert (code, data) == (0, {"ok": True, "documents": 1, "errors": 0, "findings": []})


def test_what_is_suspicious_is_a_warning_and_no_error(run):
    path = str(profile_folder("page") / "associated.json")
    code, data = run("policy", "check", path)
    assert (code, data["errors"]) == (0, 0)
    first = data["findings"][0]
    assert (first["file"], first["level"]) == (path, "warning")
    assert first["text"].startswith("$.Statement[0].Resource[3]: redundant: ")
    assert "/jobs/ble/* lies inside " in first["text"]


def test_a_document_that_aws_would_not_take_is_an_error(run, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"Version": "2012-10-17", "Statement": [{"Effect": "Alow", "Action": "*", "Resource": "*"}]}')
    code, data = run("policy", "check", str(path), str(profile_folder("page") / "gateway.json"))
    assert (code, data["ok"], data["errors"], data["documents"]) == (1, False, 1, 2)
    text = '$.Statement[0].Effect: must be "Allow" or "Deny"'
    assert data["findings"] == [{"file": str(path), "level": "error", "text": text}]


def test_lines_of_check(tmp_path, capsys):
    path = tmp_path / "mine.json"
    path.write_text("{")
    assert main(["policy", "check", str(path)]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}: error: not JSON, at line 1 column 2: ")
    assert last == "documents: 1, errors: 1, warnings: 0"


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.json", "No such file or directory"), ("x" * 300, "File name too long"), (".", "a directory")],
)
def test_no_files(tmp_path, capsys, name, said):
    assert main(["policy", "check", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err == f"nrf91-harness: {tmp_path / name}: {said}; name files with policy documents\n"


def test_a_pipe_is_as_good_as_a_file(capsys):
    """What ``<(cat gateway.json)`` of a shell is."""
    reading, writing = os.pipe()
    os.write(writing, (profile_folder("page") / "gateway.json").read_bytes())
    os.close(writing)
    assert main(["policy", "check", f"/dev/fd/{reading}"]) == 0
    os.close(reading)
    assert capsys.readouterr().out == "documents: 1, errors: 0, warnings: 0\n"


def test_output_that_has_no_such_letters(monkeypatch, capsys):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "latin-1"))
    assert main(["policy", "explain", "virtual-1", "publish", "x"]) == 0
    sys.stdout.flush()
    assert b" \\u2014 differs at" in written.getvalue()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("name", "said"), [("", "a name cannot be empty"), ("\udcff", "'\\udcff' is not UTF-8 text")])
def test_names_that_are_none(capsys, name, said):
    with pytest.raises(SystemExit) as caught:
        main(["policy", "explain", "v", "publish", name])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(f"nrf91-harness: argument TOPIC: {said}")


@pytest.mark.parametrize("name", ["{foo}", "{devcie}", "{}", "{", "}", "{ device}", "{tenant", "{{device}", "{a{b}}"])
def test_braces_around_what_is_no_name(capsys, name):
    with pytest.raises(SystemExit) as caught:
        main(["policy", "explain", "v", "publish", f"{name}/x"])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"nrf91-harness: argument TOPIC: '[^']+' is not a name in braces; known are {device}, {tenant}, {other_device},"
        r" {other_tenant}; {{ is a plain {; see nrf91-harness policy explain --help",
        line,
    )


def test_braces_that_are_meant(run):
    _, data = run("policy", "explain", "v", "publish", "{{device}}/{{x}}/{device}", "--device-id", "{tenant}")
    assert data["name"] == "{device}/{x}/{tenant}"


@pytest.mark.parametrize(
    ("arguments", "allowed", "because"),
    [
        (["v", "publish", "prod/{tenant}/m/d/{device}/d2c"], True, "allowed by associated statement 2"),
        (["v", "publish", "prod/{tenant}/m/x", "--retain"], False, "iot:RetainPublish on prod/{tenant}/m/x: implicit"),
        (["v", "publish", "prod/{tenant}/m/x", "--membership", "provisioned"], False, "implicit deny; nearest: "),
        (["v", "publish", "prod/{other_tenant}/m/x"], False, "implicit deny; nearest: associated statement 2"),
        (["v", "publish", "{device}/shadow/update"], False, "implicit deny"),
        (["dk", "publish", "{device}/shadow/update"], True, "on dk-1/shadow/update: allowed by provisioned"),
        (["dk", "publish", "dk-1/shadow/update", "--cloud", "local"], False, "implicit deny"),
        (["v", "publish", "x-9/shadow/update", "--cloud", "today", "--device-id", "x-9"], True, "x-9/shadow/update:"),
        (["v", "subscribe", "prod/T/m/#", "--tenant", "T"], True, "associated statement 1 (topicfilter/prod/T/m/*)"),
        (["v", "subscribe", "prod/{tenant}/gateways/{device}/c2g"], False, "implicit deny"),
        (
            ["v", "subscribe", "prod/{tenant}/gateways/{device}/c2g", "--membership", "gateway"],
            True,
            "gateway statement 1",
        ),
        (["v", "connect", "{device}"], True, "iot:Connect on client/{device}: allowed by provisioned statement 1"),
        (["v", "connect", "{other_device}"], False, "no policy is in force"),
    ],
)
def test_explain(run, arguments, allowed, because):
    code, data = run("policy", "explain", *arguments)
    assert (code, data["allowed"]) == (0, allowed)
    assert because in data["because"]


def test_explain_for_readers(tmp_path, capsys):
    (tmp_path / "boards.yaml").write_text(FILE)
    boards = ["--boards", str(tmp_path / "boards.yaml")]
    assert main(["policy", "explain", "dk", "subscribe", "{device}/shadow/update/#", *boards]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "allowed",
        "  because    iot:Subscribe on dk-1/shadow/update/#: allowed by provisioned statement 2"
        " (topicfilter/dk-1/shadow/update/*)",
        "  device     associated, dk-1 of team {tenant}",
        "  names      placeholders; real ones: --device-id and --tenant, or --live",
        "  documents  profile current of cloud today",
    ]
    assert main(["policy", "explain", "dk", "subscribe", "{device}/shadow/get/tf", *boards]) == 0
    messages = "  messages   iot:Receive on dk-1/shadow/get/tf: allowed by provisioned statement 4 (*)"
    assert capsys.readouterr().out.splitlines()[2] == messages
    assert main(["policy", "explain", "dk", "publish", "prod/T/m/#", "--tenant", "T", *boards]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "not possible: AWS IoT takes no publish with this name, whatever the policies say:"
        " + and # are wildcards of topic filters, which no topic holds"
    )
    assert lines[1].startswith("  policies   iot:Publish on prod/T/m/#: allowed by associated statement 2 ")
    assert lines[2:] == ["  device     associated, dk-1 of team T", "  documents  profile current of cloud today"]


FROM_HERE = """{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Resource": "arn:aws:iot:*:*:topic/prod/*",
"Action": ["iot:Publish", "iot:Receive"], "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}}"""
DENIED = "explicit deny by here statement 1 (topic/prod/*)"


@pytest.fixture
def asking(tmp_path, capsys):
    """Explain by documents that ask where a device connects from."""
    (tmp_path / "here.json").write_text(FROM_HERE)
    (tmp_path / "asking.yaml").write_text(
        "clouds: {local: {kind: local, policies: [here.json]}}\nboards: [{name: v, virtual: {}}]\n"
    )

    def explain(*arguments):
        assert main(["policy", "explain", "v", *arguments, "--boards", str(tmp_path / "asking.yaml")]) == 0
        return capsys.readouterr().out

    return explain


def test_an_answer_that_depends_on_what_is_not_known(asking):
    topic = "prod/{tenant}/m/x"
    assert asking("publish", topic).splitlines()[:3] == [
        "depends on aws:SourceIp, of which the harness knows nothing",
        f"  at best    iot:Publish on {topic}: allowed by associated statement 2 (topic/prod/{{tenant}}/m/*)",
        f"  at worst   iot:Publish on {topic}: {DENIED}",
    ]
    data = json.loads(asking("publish", topic, "--json"))
    assert (data["allowed"], data["decision"], data["because"], data["statement"]) == (None, None, None, None)
    assert data["depends_on"] == ["aws:SourceIp"]
    assert (data["at_best"]["allowed"], data["at_best"]["document"]) == (True, "associated")
    assert (data["at_worst"]["decision"], data["at_worst"]["because"]) == (
        "EXPLICIT_DENY",
        f"iot:Publish on {topic}: {DENIED}",
    )


def test_an_answer_that_does_not_depend_on_it(asking):
    data = json.loads(asking("publish", "{device}/shadow/update", "--json"))
    assert (data["allowed"], data["depends_on"]) == (False, [])
    assert not data.keys() & {"at_best", "at_worst"}
    lines = asking("subscribe", "prod/{tenant}/m/x").splitlines()
    assert lines[0] == "allowed"
    assert lines[2].startswith("  messages   iot:Receive on prod/{tenant}/m/x depends on aws:SourceIp, of which ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none", "connect", "x"], "no board has the name 'none'; names in "),
        (["v", "connect", "x", "--cloud", "none"], "no cloud 'none' in "),
        (["v", "connect", "x", "--live", "--tenant", "T"], "--live reads the ids from board and cloud"),
        (["v", "connect", "x", "--retain"], "--retain is for a message, and a connect has none; leave it out"),
        (["v", "subscribe", "x", "--retain"], "--retain is for a message, and a subscribe has none; leave it out"),
    ],
)
def test_misuse(run, arguments, said):
    code, data = run("policy", "explain", *arguments)
    assert (code, data["error"]) == (2, "misuse")
    assert data["message"].startswith(said)


def test_trials(run):
    code, data = run("policy", "trials", "v", "--mutants")
    assert code == 0
    count = len(data["trials"])
    mutants, equivalent = len(data["mutants"]), len(data["equivalent"])
    assert data["summary"] == f"{count} trials, {mutants} mutants, all killed, {equivalent} equivalent"
    assert f"\n{data['summary']}\n{data['proof']}\n" in DOCS
    assert {trial["membership"] for trial in data["trials"]} <= {"provisioned", "associated", "gateway"}
    by_id = {trial["id"]: trial for trial in data["trials"]}
    assert all(set(mutant["noticed_by"]) <= set(by_id) and mutant["noticed_by"] for mutant in data["mutants"])
    assert {trial["allowed"] for trial in by_id.values()} == {True, False}
    assert all(trial["minimal"] and trial["probes"] and trial["because"] for trial in by_id.values())
    assert any("jobs/ble/* dropped" in mutant["change"] for mutant in data["equivalent"])


def test_full_trials_of_one_state_hold_the_smallest_set(run):
    _, smallest = run("policy", "trials", "v", "--membership", "provisioned")
    _, full = run("policy", "trials", "v", "--membership", "provisioned", "--full")
    minimal = [trial for trial in full["trials"] if trial["minimal"]]
    assert minimal == smallest["trials"]
    assert len(full["trials"]) > len(minimal)
    assert full["summary"].split(", ")[1:] == smallest["summary"].split(", ")[1:]


def test_lines_of_trials(tmp_path, capsys):
    (tmp_path / "boards.yaml").write_text(FILE)
    assert (
        main(["policy", "trials", "v", "--membership", "provisioned", "--boards", str(tmp_path / "boards.yaml")]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    names = "names: placeholders; real ones: --device-id and --tenant, or --live"
    assert lines[:4] == ["profile page of cloud local; devices: provisioned", names, "", "connection 1"]
    place = lines.index("  allowed      provisioned-publish-$aws/things/{device}/shadow/get")
    statement = "provisioned statement 3 (topic/$aws/things/${iot:ClientId}/shadow/get)"
    assert lines[place + 1] == f"               {statement}: exactly this"
    assert lines[-1].startswith("minimal: ")


@pytest.mark.parametrize("example", [line for line in EXAMPLES if line.startswith("policy explain")])
def test_examples_of_the_documentation(example, capsys, monkeypatch):
    shown = DOCS.partition(f"$ nrf91-harness {example}\n")[2].split("\n$ ")[0].split("\n```")[0]
    arguments = [word.strip("'") for word in example.split()]
    monkeypatch.chdir(Path(__file__).parents[3])
    assert main(arguments) == 0
    said = capsys.readouterr().out.splitlines()
    assert shown.splitlines() == said[: len(shown.splitlines())]


def test_there_are_ten_examples():
    assert sum(line.startswith("policy explain") for line in EXAMPLES) >= 10

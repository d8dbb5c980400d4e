"""The remedies that ``nrf91-harness doctor`` prints: they can be pasted as they are."""

import json
from pathlib import Path

import pytest

from harness.cli import doctor
from harness.cli.main import main
from harness.lab.doctor import Check, CheckResult, OwnCommands, Status, in_one_line


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys):
    """Return a function that lets the doctor have one remedy and returns how it is printed."""

    def printed(remedy, *arguments):
        found = [CheckResult("board.answers", "dk-1", Status.FAIL, "wrong", remedy)]
        monkeypatch.setattr(doctor, "checks_of", lambda _patient, **_: [Check("board", "dk-1", lambda: found)])
        main(["doctor", "--json", *arguments])
        return json.loads(capsys.readouterr().out)["checks"][0]["remedy"]

    (tmp_path / "my lab.yaml").write_text("boards: [{name: dk-1, virtual: {}}]")
    (tmp_path / "boards.yaml").write_text("boards: [{name: dk-1, virtual: {}}]")
    monkeypatch.chdir(tmp_path)
    return printed


POWER = "nrf91-harness power dk-1 cycle"
LIST = "nrf91-harness boards list --probe"


@pytest.mark.parametrize(
    ("remedy", "complete"),
    [
        (POWER, f"{POWER} --boards 'my lab.yaml' --lab-ca ca"),
        (
            "nrf91-harness boards list --probe  # and x",
            "nrf91-harness boards list --probe --boards 'my lab.yaml'  # and x",
        ),
        ("nrf91-harness boards check my.yaml", "nrf91-harness boards check my.yaml"),
        ("sudo rm /dev/ttyACM0", "sudo rm /dev/ttyACM0"),
    ],
)
def test_a_remedy_names_the_file_and_the_folder_that_were_given(printed, remedy, complete):
    assert printed(remedy, "--boards", "my lab.yaml", "--lab-ca", "ca") == complete


def test_a_fault_without_a_remedy_ends_with_its_text(printed):
    found = [CheckResult("host.disk", "host", Status.FAIL, "the check broke")] * 2
    commands = OwnCommands(Path("my lab.yaml"), None)
    assert in_one_line(found[:1], commands) == "host: the check broke"
    more = "(and 1 more: nrf91-harness doctor --quick --boards 'my lab.yaml')"
    assert in_one_line(found, commands) == f"host: the check broke {more}"


@pytest.mark.parametrize("given", [[], ["--boards", "boards.yaml"]])
def test_a_remedy_needs_no_option_for_the_usual_file(printed, given):
    assert printed(POWER, *given) == POWER

"""Packages that import their names when they are used have all of them, and no short command pays for the others."""

import subprocess
import sys

import pytest

import harness.faults
import harness.lab
import harness.policy
from harness.cli.arguments import HOMES, MODULES, make_parser, parse
from harness.lab import config
from harness.trial.experiment import rule

PACKAGES = [harness.lab, harness.faults, harness.policy]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_name_of_the_package_is_there(package):
    assert sorted(" ".join(package._HOMES.values()).split()) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Labb'"):
        package.Labb  # noqa: B018


def imported(code):
    """Return the modules that are imported after some code has run."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split())


def test_a_list_of_boards_imports_no_cloud_no_modem_and_no_policies():
    code = "from harness.cli.arguments import parse; from harness.cli.main import load\n"
    code += "parse(['boards', 'list']); load('boards list')"
    heavy = {"harness.lab.lab", "harness.lab.account", "harness.credentials", "harness.modem", "harness.firmware"}
    heavy |= {"harness.cloud", "harness.policy", "harness.virtual", "cryptography", "requests", "asyncio", "rich"}
    assert not heavy & imported(code)


def test_the_numbers_of_the_rule_that_a_boards_file_is_read_by_are_those_of_the_rule():
    assert (config.STRICTEST, config.LOOSEST) == (rule.STRICTEST, rule.LOOSEST)
    assert (rule.ExperimentRule().confidence, rule.ExperimentRule().group) == (config.CONFIDENCE, config.GROUP)


def test_each_command_is_parsed_by_the_module_that_it_is_said_to_be_in():
    whole = make_parser()._subparsers._group_actions[0].choices
    assert list(HOMES) and HOMES.keys() == whole.keys()  # noqa: PT018
    assert set(HOMES.values()) == set(MODULES)
    for module in MODULES:
        part = make_parser([module])._subparsers._group_actions[0].choices
        assert {word for word, home in HOMES.items() if home == module} == part.keys()


def test_help_and_mistyped_commands_know_all_of_them(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"])
    shown = capsys.readouterr().out
    assert all(word in shown for word in HOMES)
    with pytest.raises(SystemExit):
        parse(["doctr"])
    assert "nearest known command is 'doctor'" in capsys.readouterr().err

"""A setting is said once: each field of the models is an option, a key of boards.yaml, and a row of the docs.

Who adds a field to a model has it everywhere, and this test tells what is still missing: a help text, a row.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from harness.cli.arguments import make_parser as cli_parser
from harness.lab import BoardConfig, LocalCloudConfig
from harness.settings import BoardSettings, CloudSettings, Limits, NamedBoard, ProcessCloud, ProcessSettings
from harness.settings.fields import core, flag, options
from harness.virtual.__main__ import make_parser

DOCS = Path(__file__).parents[3] / "docs"
MODELS = (BoardSettings, ProcessCloud, ProcessSettings)
NOT_OPTIONS = {"boards", "cloud"}  # --boards, --names, --board; --no-cloud
OF_A_PROCESS = {"network", "directory", "firmware_ca", "die_with_stdin"}  # the lab sets them
FIELDS = [(model, name) for model in MODELS for name in model.model_fields if name not in NOT_OPTIONS]


def help_of(parser):
    return {option: action.help for action in parser._actions for option in action.option_strings}


def help_of_up():
    parser = cli_parser()
    for name in ("virtual", "up"):
        group: Any
        (group,) = (action for action in parser._actions if action.choices and name in action.choices)
        parser = group.choices[name]
    return help_of(parser)


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_each_field_is_an_option_of_the_process_and_of_virtual_up(model, name):
    assert len(options(model)[name].help) > 3
    assert help_of(make_parser())[flag(model, name)].startswith(options(model)[name].help)
    if name != "die_with_stdin":  # virtual up is its user's, not a supervisor's
        assert help_of_up()[flag(model, name)].startswith(options(model)[name].help)


def test_the_options_of_both_programs_are_the_same():
    assert help_of(make_parser()).keys() - {"--die-with-stdin"} == help_of_up().keys() - {"--json"}


def test_each_field_is_a_key_of_boards_yaml():
    assert core(BoardConfig.model_fields["virtual"].annotation) is BoardSettings
    assert NamedBoard.model_fields.keys() == {*BoardSettings.model_fields, "name"}
    for name, field in CloudSettings.model_fields.items():
        assert LocalCloudConfig.model_fields[name].annotation == field.annotation
    # What is enforced follows from what is expected: profile, policies and enforces are the folder of the process.
    assert ProcessCloud.model_fields.keys() - CloudSettings.model_fields.keys() == {"policies"}
    assert {"profile", "policies", "enforces"} <= LocalCloudConfig.model_fields.keys()
    assert ProcessSettings.model_fields.keys() == NOT_OPTIONS | OF_A_PROCESS


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_docs_name_each_option(model, name):
    assert re.search(rf"`(\[?){flag(model, name)}\b", (DOCS / "virtual.md").read_text())


def test_docs_name_each_limit():
    for page in ("virtual.md", "boards-yaml.md"):
        text = (DOCS / page).read_text()
        assert [name for name in Limits.model_fields if f"`{name}`" not in text] == []

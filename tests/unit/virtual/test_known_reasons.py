"""Reasons that the broker gives are those that the settings know, in the same words."""

import re
from pathlib import Path

from harness.lab.boards_file import BoardsFileError, load_boards_file
from harness.settings.cloud import REASONS
from harness.virtual.cloud import broker


def test_every_reason_of_the_broker_can_have_another_word_and_no_other_can():
    (folder,) = broker.__path__
    code = "".join(path.read_text() for path in Path(folder).glob("*.py"))
    given = re.findall(r"(?:[cC]lose|_fail|_evict)\(\s*\"([A-Z_]+)\"|reason: str = \"([A-Z_]+)\"", code)
    assert {one or other for one, other in given} == set(REASONS)


def test_an_unknown_reason_in_a_boards_file_is_a_mistake_at_its_place(tmp_path):
    path = tmp_path / "boards.yaml"
    path.write_text("clouds:\n  c: {kind: local, reasons: {FOO: x}}\nboards: [{name: a, virtual: {}, cloud: c}]\n")
    try:
        load_boards_file(path, comports=list)
        told = []
    except BoardsFileError as error:
        told = error.lines
    assert told == [f"{path}:2:30: 'reason' cannot be 'FOO': it must be one of {', '.join(REASONS)}; correct it"]

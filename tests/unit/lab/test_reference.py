"""docs/boards-yaml.md and the schema say the same."""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from harness.credentials import KeyOrigin
from harness.firmware import FIRMWARES
from harness.lab import BoardConfig, LocalCloudConfig, NrfCloudAccount, load_boards_file
from harness.lab.power_config import POWER_KINDS
from harness.settings import BoardSettings, FirmwareName, Model
from harness.virtual.board.personality import PERSONALITIES

REFERENCE = (Path(__file__).parents[3] / "docs" / "boards-yaml.md").read_text()


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("## Keys of a board", BoardConfig),
        ("### virtual", BoardSettings),
        ("### kind: local", LocalCloudConfig),
        ("### kind: nrfcloud", NrfCloudAccount),
    ],
)
def test_every_key_is_described(heading, model):
    section = REFERENCE.partition(f"\n{heading}\n")[2].partition("\n#")[0]
    described = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(described) == sorted(set(model.model_fields) - {"kind"})


def test_the_example_is_good(tmp_path):
    example = REFERENCE.partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "boards.yaml"
    path.write_text(example)
    names = [board["name"] for board in yaml.safe_load(example)["boards"]]
    assert (
        [board.name for board in load_boards_file(path).boards] == names == ["dk-1", "thingy-1", "rack-3", "virtual-1"]
    )


def test_choices_are_those_of_their_owners():
    assert set(Model) == set(PERSONALITIES)
    assert get_args(BoardConfig.model_fields["provision"].annotation) == tuple(KeyOrigin)
    assert set(FirmwareName) == set(FIRMWARES)


def test_the_examples_of_power_are_good(tmp_path):
    section = REFERENCE.partition("\n### power\n")[2].partition("\n#")[0]
    examples = section.partition("```\n")[2].partition("```")[0].splitlines()
    kinds = set()
    for example in examples:
        path = tmp_path / "boards.yaml"
        path.write_text(f"boards:\n  - name: a\n    place: a\n    cloud: nrfcloud\n    {example}\n")
        (board,) = load_boards_file(path).boards
        assert board.power is not None
        kinds.add(board.power.kind)
    assert kinds == set(POWER_KINDS)
    for kind, model in POWER_KINDS.items():
        (row,) = (line for line in section.splitlines() if line.startswith(f"| `{kind}` |"))
        own = set(model.model_fields) - {"kind", "delay", "timeout", "boot"}
        assert own <= set(re.findall(r"`(\w+)`", row))

"""The JSON schema of boards.yaml says what reading the file says."""

from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from harness.lab.config import BoardConfig
from harness.lab.schema import boards_schema

ROOT = Path(__file__).parents[3]
FILES = [ROOT / "boards.yaml", *sorted((ROOT / "tests" / "boards").glob("*.yaml"))]


@pytest.fixture(scope="module")
def validator():
    schema = boards_schema()
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.validator_for(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_good_files_are_good(validator, path):
    validator.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "board",
    [
        {"name": "a"},
        {"name": "a", "virtual": {}, "port": "/dev/ttyACM0"},
        {"name": "a b", "virtual": {}},
        {"name": "a", "virtual": {}, "bauds": 1},
        {"name": "a", "serial": 1051216197},
        {"name": "a", "virtual": None},
        {"name": "a", "virtual": {"model": "nrf9152"}},
        {"name": "a", "virtual": {}, "sec_tags": []},
    ],
)
def test_mistakes_are_mistakes(validator, board):
    assert not validator.is_valid({"boards": [board]})


def test_the_file_needs_boards(validator):
    assert not validator.is_valid({})
    assert not validator.is_valid({"boards": []})


def test_every_key_of_a_board_is_described():
    properties = boards_schema()["$defs"]["BoardConfig"]["properties"]
    assert set(properties) == set(BoardConfig.model_fields)
    assert [key for key, value in properties.items() if not value.get("description")] == []

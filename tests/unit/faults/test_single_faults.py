"""The faults that the suite is run under, one at a time: each can be asked for, and their names tell them apart."""

import pytest

from harness.lab import load_boards_file
from tests.single_faults import FAULTS, SingleFault


def test_each_has_a_name_of_its_own():
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_its_boards_file_can_be_read(fault: SingleFault, tmp_path):
    path = tmp_path / "boards.yaml"
    path.write_text(fault.boards_file())
    (board,) = load_boards_file(path).boards
    assert board.name == "virtual-1"

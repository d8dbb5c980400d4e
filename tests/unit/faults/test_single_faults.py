"""The faults that the suite is run under, one at a time: each can be asked for, and their names tell them apart."""

from collections import Counter

import pytest

from harness.lab import load_boards_file
from tests.single_faults import FAULTS, Found, SingleFault, main


def test_each_has_a_name_of_its_own():
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_its_boards_file_can_be_read(fault: SingleFault, tmp_path):
    path = tmp_path / "boards.yaml"
    path.write_text(fault.boards_file())
    (board,) = load_boards_file(path).boards
    assert board.name == "virtual-1"


@pytest.fixture
def ran(monkeypatch):
    """No suite is run: the folder of each fault whose turn came."""
    folders = []

    def run(fault, select, folder):
        folders.append(folder)
        (folder / "output.txt").write_text("1 passed")
        return Found(Counter(passed=1), Counter(), [], 0.1)

    monkeypatch.setattr("tests.single_faults.run", run)
    return folders


def test_what_was_right_is_kept_only_where_that_is_asked_for(ran, tmp_path):
    assert main(["--only", "nothing"]) == 0
    assert not ran[0].exists()
    assert main(["--only", "bytes get", "--keep", str(tmp_path / "kept")]) == 0
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["bytes-get-garbled", "bytes-get-lost"]
    assert (ran[1] / "output.txt").read_text() == "1 passed"


def test_what_a_former_run_left_is_not_mixed_with_this_ones(ran, tmp_path, capsys):
    (tmp_path / "bytes-get-garbled").mkdir()
    with pytest.raises(SystemExit):
        main(["--only", "bytes get", "--keep", str(tmp_path)])
    assert "bytes-get-garbled is of a former run; move it away" in capsys.readouterr().err
    assert ran == []

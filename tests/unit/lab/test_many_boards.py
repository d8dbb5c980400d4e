"""The boards file for the figures is what its generator writes."""

from pathlib import Path

from harness.lab import load_boards_file
from tests.many_boards import boards_file

SIXTEEN = Path(__file__).parents[2] / "boards" / "sixteen.yaml"


def test_sixteen_boards_at_real_speed():
    assert SIXTEEN.read_text().partition("\n")[2] == boards_file(16)
    boards = load_boards_file(SIXTEEN).boards
    assert len({board.name for board in boards}) == 16
    assert {(board.virtual.baud, board.virtual.time_scale) for board in boards if board.virtual} == {(115200, 1)}


def test_sixty_four_boards_are_a_boards_file_too(tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text(boards_file(64))
    assert len(load_boards_file(path).boards) == 64

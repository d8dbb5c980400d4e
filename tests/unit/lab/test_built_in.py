"""The lab of a folder without a boards file."""

from pathlib import Path

from harness.lab import BUILT_IN_LAB, choose_boards_file, load_boards_file

SHIPPED = Path(__file__).parents[3] / "boards.yaml"


def test_it_is_the_lab_that_the_project_ships():
    built_in, shipped = load_boards_file(BUILT_IN_LAB), load_boards_file(SHIPPED)
    places = {"path": SHIPPED, "firmware_lines": shipped.firmware_lines}  # which name the file, too
    assert built_in.model_copy(update=places) == shipped


def test_a_boards_file_goes_before_it(tmp_path):
    assert choose_boards_file(None, tmp_path) == BUILT_IN_LAB
    assert choose_boards_file("mine.yaml", tmp_path) == Path("mine.yaml")
    (tmp_path / "boards.yaml").symlink_to("nowhere")  # somebody meant to have one, and must hear that it is lost
    assert choose_boards_file(None, tmp_path) == tmp_path / "boards.yaml"

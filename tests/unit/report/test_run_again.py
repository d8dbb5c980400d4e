"""What runs once more what did not pass."""

import os

from harness.report.run_again import again_arguments

TEST = "tests/t.py::test_x[dk-a b]"


def test_options_stay_and_tests_take_the_place_of_tests(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["tests", "-q", "--boards", "lab.yaml", "--cloud=nrf"]
    assert again_arguments(given, ["tests"], [TEST], tmp_path) == ["-q", "--boards", "lab.yaml", "--cloud=nrf", TEST]


def test_an_option_that_is_called_like_a_folder_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert again_arguments(["tests", "--board", "tests"], ["tests"], [TEST], tmp_path) == ["--board", "tests", TEST]


def test_what_was_run_again_can_be_run_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "again.txt").write_text(f"-q\n{TEST}\nother.py::test_y\n")
    assert again_arguments(["@again.txt"], [TEST, "other.py::test_y"], [TEST], tmp_path) == ["-q", TEST]


def test_paths_are_from_the_present_folder_on(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert again_arguments([], [], [TEST], tmp_path) == [os.path.join("..", TEST)]

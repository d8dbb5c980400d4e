"""The run's directory: private files, one run at a time, nothing of others removed."""

import os
import stat

import pytest

from harness.virtual.run_directory import RunDirectory, UnusableDirectory


def test_a_temporary_directory_is_private_and_goes_with_everything_in_it():
    with RunDirectory(None) as directory:
        directory.write_private("api-key", "x")
        (directory.path / "other").write_text("x")
        assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
        assert stat.S_IMODE((directory.path / "api-key").stat().st_mode) == 0o600
    assert not directory.path.exists()


def test_in_a_given_directory_only_own_files_go(tmp_path):
    (tmp_path / "mine").write_text("x")
    with RunDirectory(tmp_path) as directory:
        directory.write_private("api-key", "x")
        directory.take("virtual-1").symlink_to("/dev/null")
        directory.take("never-made")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_missing_directory_is_made_and_removed(tmp_path):
    with RunDirectory(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()


def test_a_directory_that_was_made_stays_when_others_put_something_there(tmp_path):
    with RunDirectory(tmp_path / "new"):
        (tmp_path / "new" / "theirs").write_text("x")
    assert (tmp_path / "new" / "theirs").exists()


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path):
    killed = RunDirectory(tmp_path)
    killed.write_private("api-key", "old")
    killed.take("virtual-1").symlink_to("/nonexistent")
    os.close(killed._lock)  # what the kernel does for a killed process
    (tmp_path / "mine").write_text("x")
    with RunDirectory(tmp_path) as directory:
        assert {path.name for path in tmp_path.iterdir()} == {"mine", ".nrf91-virtual"}
        assert directory.write_private("api-key", "new").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_of_somebody_else_is_not_touched(tmp_path):
    (tmp_path / "ca.pem").write_text("theirs")
    with RunDirectory(tmp_path) as directory, pytest.raises(UnusableDirectory, match=r"ca\.pem is not from here"):
        directory.take("ca.pem")
    assert (tmp_path / "ca.pem").read_text() == "theirs"


def test_one_run_at_a_time(tmp_path):
    with RunDirectory(tmp_path), pytest.raises(UnusableDirectory, match="in use by another process"):
        RunDirectory(tmp_path)
    with RunDirectory(tmp_path):
        pass

"""Temporary folders of killed processes are removed, those of living ones are not."""

import signal
import subprocess
import sys
import tempfile

import pytest

from harness.lab.scratch import PREFIX, Scratch

HOLD = "import sys; from harness.lab.scratch import Scratch; s = Scratch(); print(s.path, flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other(temporary):
    """Another process with a folder."""
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"TMPDIR": str(temporary)}
    ) as process:
        assert process.stdout is not None
        yield process, temporary / process.stdout.readline().strip()
        process.kill()


def test_it_is_private_and_goes_with_all_that_is_in_it(temporary):
    with Scratch() as scratch:
        assert scratch.path.stat().st_mode & 0o077 == 0
        (scratch.path / "file").touch()
    assert list(temporary.iterdir()) == []
    scratch.remove()  # a second time: nothing


def test_a_living_process_keeps_its_folder(other):
    _, folder = other
    with Scratch():
        assert folder.is_dir()


def test_the_next_process_removes_what_a_killed_one_left(other, temporary):
    process, folder = other
    (folder / "file").touch()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "file").exists()
    with Scratch() as scratch:
        assert list(temporary.iterdir()) == [scratch.path]


def test_what_only_has_the_name_stays(temporary):
    (temporary / f"{PREFIX}file").touch()
    (temporary / "elsewhere").mkdir()
    (temporary / f"{PREFIX}link").symlink_to(temporary / "elsewhere")
    with Scratch():
        assert (temporary / "elsewhere").is_dir()
        assert len(list(temporary.iterdir())) == 4


def test_a_folder_that_another_process_took_for_a_killed_ones_is_made_anew(temporary, monkeypatch):
    real, taken = tempfile.TemporaryDirectory, []

    def one_that_goes(**named):
        folder = real(**named)
        if not taken:
            taken.append(folder.name)
            folder.cleanup()
        return folder

    monkeypatch.setattr(tempfile, "TemporaryDirectory", one_that_goes)
    with Scratch() as scratch:
        assert scratch.path.is_dir()
        assert str(scratch.path) != taken[0]

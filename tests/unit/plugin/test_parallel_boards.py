"""The leader of the workers, where it cannot begin."""

import errno
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.plugin.parallel_boards import ParallelBoards
from harness.plugin.state import REPORTS


@pytest.fixture
def config():
    """A session's configuration; ``refused``: what its reports were told."""
    found = SimpleNamespace(stash=pytest.Stash(), refused=[])
    found.stash[REPORTS] = SimpleNamespace(refuse=found.refused.append)
    return found


def test_no_folder_for_temporary_files_is_said_in_one_line(config, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(pytest.UsageError, match=r"gone: No such file or directory: .* or set TMPDIR"):
        ParallelBoards(config)
    assert len(config.refused) == 1


def test_no_room_for_temporary_files_is_said_in_one_line(config, tmp_path, monkeypatch):
    """The workers could not write to theirs, and ended in INTERNALERROR."""

    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(pytest.UsageError, match=r"No space left on device: .* make room"):
        ParallelBoards(config)
    assert len(config.refused) == 1


def test_the_room_that_was_tried_is_given_back(config, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    leader = ParallelBoards(config)
    (folder,) = tmp_path.iterdir()
    assert list(folder.iterdir()) == []
    leader._scratch.remove()

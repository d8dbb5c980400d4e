import os
import stat

import pytest

from harness.credentials.private_file import write_atomically


def test_file_is_whole_private_and_alone(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"former content, longer than the new one")
    path.chmod(0o644)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_a_failure_leaves_the_former_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "key"
    path.write_bytes(b"former")

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"former"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]

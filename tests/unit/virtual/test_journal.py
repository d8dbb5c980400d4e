"""The journal file: private, one JSON object per line, readable while it is written."""

import json
import stat

import pytest

from harness.virtual.cloud.journal import JournalFile


def test_entries_can_be_read_at_once(tmp_path):
    journal = JournalFile(tmp_path / "journal.jsonl")
    journal.write("connect", client_id="dev-1", ok=True)
    journal.write("close", reason="line\nbreak")
    first, second = map(json.loads, journal.path.read_text().splitlines())
    assert (first["event"], first["client_id"], first["ok"]) == ("connect", "dev-1", True)
    assert second["reason"] == "line\nbreak"
    assert first["t"] <= second["t"]
    assert first["time"].endswith("Z")
    journal.close()


def test_the_file_is_private_and_never_an_older_one(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = JournalFile(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    journal.close()
    with pytest.raises(FileExistsError):
        JournalFile(path)


def test_what_is_no_json_becomes_text(tmp_path):
    journal = JournalFile(tmp_path / "journal.jsonl")
    journal.write("x", path=tmp_path)
    assert json.loads(journal.path.read_text())["path"] == str(tmp_path)
    journal.close()

"""The state file: what is in it afterwards, who may read it, and what it refuses."""

import json
import sqlite3
import stat
import subprocess
import sys

import pytest

from harness.virtual.cloud.registry.state_file import StateFile
from harness.virtual.unusable import UnusableState

TEAM = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cloud.state"


@pytest.fixture
def file(path):
    file = StateFile(path)
    yield file
    file.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def reopen(file):
    file.close()
    return StateFile(file.path)


def test_entries_are_there_again(file):
    file.write({"a": {"x": [1, "ä", None]}, "b": {"y": 2}})
    file.write({"a": {"x": 3}, "b": {}, "c": None})
    again = reopen(file)
    assert again.entries() == {"a": {"x": 3}}
    again.close()


def test_an_entry_that_cannot_be_written_leaves_the_others_as_they_were(file):
    file.write({"a": {"x": 1}})
    with pytest.raises(TypeError):
        file.write({"a": {"x": 2}, "b": {"x": object()}})
    file.write({"c": {"x": 3}})
    assert file.entries() == {"a": {"x": 1}, "c": {"x": 3}}


def test_the_team_stays_the_same(file):
    tenant = file.tenant_id(None)
    again = reopen(file)
    assert again.tenant_id(None) == again.tenant_id(tenant) == tenant
    with pytest.raises(UnusableState, match=f"belongs to the team {tenant}; leave --tenant out"):
        again.tenant_id(TEAM)
    again.close()


def test_a_team_asked_for_at_the_first_start(file):
    assert file.tenant_id(TEAM) == TEAM


def test_a_ca_stays_the_same(file):
    root, other = file.authority("root", "my root"), file.authority("jitp", "my other")
    again = reopen(file)
    assert again.authority("root", "my root").certificate_pem == root.certificate_pem
    assert again.authority("jitp", "my other").private_pem == other.private_pem
    assert root.certificate_pem != other.certificate_pem
    again.close()


def test_only_the_owner_reads_any_of_it_and_keys_are_in_files_of_their_own(file, path, tmp_path):
    root = file.authority("root", "my root")
    file.write({"a": {"x": 1}})
    files = sorted(tmp_path.iterdir())
    assert [one.name for one in files] == ["cloud.state", "cloud.state-wal", "cloud.state.root-ca.pem"]
    assert {mode(one) for one in files} == {0o600}
    assert files[2].read_text() == root.private_pem
    assert b"PRIVATE KEY" not in path.read_bytes() + files[1].read_bytes()


def test_a_file_that_others_could_read_is_closed_to_them(path):
    StateFile(path).close()
    path.chmod(0o644)
    StateFile(path).close()
    assert mode(path) == 0o600


@pytest.mark.parametrize("damage", ["missing", "no key", "another CA"])
def test_a_lost_ca(file, path, damage):
    file.authority("root", "my root")
    ca_file = path.with_name("cloud.state.root-ca.pem")
    if damage == "missing":
        ca_file.unlink()
    elif damage == "no key":
        ca_file.write_text(ca_file.read_text().partition("-----BEGIN PRIVATE")[0])
    else:
        ca_file.write_text(file.authority("jitp", "other").private_pem)
    again = reopen(file)
    with pytest.raises(UnusableState, match=r"root-ca\.pem does not hold the root CA .* restore it or delete both"):
        again.authority("root", "my root")
    again.close()


def test_a_file_that_is_none_of_ours(path):
    path.write_text("boards: []\n" * 100)
    path.chmod(0o644)
    with pytest.raises(UnusableState, match="not a state file of the local cloud; give another --state"):
        StateFile(path)
    assert path.read_text() == "boards: []\n" * 100
    assert mode(path) == 0o644


def test_a_database_that_is_none_of_ours(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entries (name, content)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(UnusableState, match="not a state file"):
        StateFile(path)
    assert path.read_bytes() == before


def test_a_later_format(path):
    StateFile(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(UnusableState, match="not a state file"):
        StateFile(path)


def test_two_at_once(file):
    with pytest.raises(UnusableState, match="is in use by another process"):
        StateFile(file.path)


def test_two_processes_at_once(file):
    script = (
        "import sys, pathlib; from harness.virtual.cloud.registry.state_file import *; "
        "StateFile(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file.path)], capture_output=True, text=True, timeout=20, check=False
    )
    assert "UnusableState" in done.stderr
    assert "in use by another process" in done.stderr


def test_no_such_directory(tmp_path):
    with pytest.raises(FileNotFoundError):
        StateFile(tmp_path / "missing" / "state")


def test_entries_are_plain_json(file):
    file.write({"a": {"x": "ö"}})
    again = reopen(file)
    again.close()
    with sqlite3.connect(file.path) as database:
        rows = database.execute("SELECT name, content FROM entries").fetchall()
    database.close()
    assert [(name, json.loads(content)) for name, content in rows] == [("a", {"x": "ö"})]


def test_a_damaged_entry(file):
    file.write({"a": {"x": 1}})
    file.close()
    with sqlite3.connect(file.path) as database:
        database.execute("UPDATE entries SET content = '{'")
    database.close()
    again = StateFile(file.path)
    with pytest.raises(UnusableState, match=r"cloud\.state is damaged: "):
        again.entries()
    again.close()

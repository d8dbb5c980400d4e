"""What runs write down of an account, and who may remove it."""

import os
import signal
import stat

from harness.cloud.created_things import CreatedThings
from harness.run.ledger import Ledger


def killed(folder):
    ledger = Ledger(folder, "https://api key")
    ledger.note("device", "a", True)
    ledger.note("device", "b", True)
    ledger.note("device", "a", False)
    ledger.note("job", "j", True)
    with ledger.path.open("a") as file:
        file.write('{"kind": "device", "i')
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def kill(folder):
    child = os.fork()
    if child == 0:
        try:
            killed(folder)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def left(ledger):
    with ledger.left_behind() as found:
        return {path: {kind: ids for kind, ids in things.items() if ids} for path, things in found.items()}


def test_the_next_run_learns_what_a_killed_one_left(tmp_path):
    kill(tmp_path)
    ledger = Ledger(tmp_path, "https://api key")
    (path,), (things,) = left(ledger).keys(), left(ledger).values()
    assert things == {"device": {"b"}, "job": {"j"}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with ledger.left_behind() as found:
        for stale in found:
            stale.unlink()
    assert left(ledger) == {}


def test_runs_in_progress_and_other_accounts_are_left_alone(tmp_path):
    running, other = Ledger(tmp_path, "https://api key"), Ledger(tmp_path, "https://api another")
    running.note("device", "a", True)
    kill(tmp_path)
    assert left(other) == {}
    assert list(left(Ledger(tmp_path, "https://api key")).values()) == [{"device": {"b"}, "job": {"j"}}]


def test_a_run_that_ended_well_leaves_nothing_and_one_that_did_not_leaves_all(tmp_path):
    good, bad = Ledger(tmp_path, "x"), Ledger(tmp_path, "x")
    bad.note("team", "t", True)
    good.close(keep=False)
    bad.close(keep=True)
    assert list(left(Ledger(tmp_path, "x")).values()) == [{"team": {"t"}}]


def test_no_key_of_an_account_is_in_a_name(tmp_path):
    Ledger(tmp_path, "https://api secret-key").note("device", "a", True)
    for path in tmp_path.rglob("*"):
        assert "secret-key" not in str(path)
        if path.is_file():
            assert "secret-key" not in path.read_text()


def test_what_is_made_is_noted_and_what_was_found_is_not():
    notes = []
    made = CreatedThings("device", lambda *note: notes.append(note))
    made.take("found")
    made.add("mine")
    made.add("found")  # made anew under its id
    assert made == {"found", "mine"}
    made.discard("found")
    made.discard("mine")
    made.discard("mine")
    made.update(["x", "y"])
    expected = [("mine", True), ("mine", False), ("x", True), ("y", True)]
    assert notes == [("device", id_, there) for id_, there in expected]


def test_a_process_has_its_own_file(tmp_path):
    one = Ledger(tmp_path, "x")
    assert one.path.name.startswith(f"{os.getpid()}-")

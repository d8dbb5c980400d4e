"""Whether a run goes on, where a lock tells and where none can."""

import errno
import fcntl
import os
import re
import time

import pytest

from harness.errors import Misuse
from harness.report.run_lock import LOCK, GoingOn, goes_on, refuse_going_on


@pytest.fixture
def run(tmp_path):
    """The folder of a run whose process has left its lock file behind."""
    (tmp_path / "journal.jsonl").write_text("{}")
    (tmp_path / LOCK).touch()
    return tmp_path


def test_a_lock_that_nobody_holds_is_a_killed_runs(run):
    assert not goes_on(run)
    refuse_going_on(run)


def test_a_run_that_goes_on_is_refused_with_a_way_out(run):
    writer = GoingOn(run)
    with pytest.raises(Misuse, match=re.escape(f"if it was killed, delete {run / LOCK}")):
        refuse_going_on(run)
    writer.end()
    assert not goes_on(run)


@pytest.mark.parametrize(("age", "expected"), [(60, True), (2 * 24 * 3600, False)])
def test_without_locks_the_journals_age_tells(run, monkeypatch, age, expected):
    def refused(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    then = time.time() - age
    os.utime(run / "journal.jsonl", (then, then))
    assert goes_on(run) is expected


def test_without_locks_a_run_without_a_journal_does_not_go_on(run, monkeypatch):
    def refused(path, flags):
        raise PermissionError(errno.EACCES, "Permission denied")

    (run / "journal.jsonl").unlink()
    monkeypatch.setattr(os, "open", refused)
    assert not goes_on(run)

"""Start, watch and end of a stand-in's process, with a small script in its place."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import CloudUnreachable, Misuse
from harness.lab import stand_in
from harness.lab.stand_in import StandIn
from harness.settings import ProcessSettings

FAKE = Path(__file__).with_name("fake_stand_in.py")


def start(tmp_path, manner, *, timeout=20.0, refused=None):
    return StandIn(
        "local cloud",
        ProcessSettings(directory=str(tmp_path), die_with_stdin=True),
        log=tmp_path / "log",
        error=CloudUnreachable,
        refused=refused,
        timeout=timeout,
        program=(sys.executable, str(FAKE), manner),
    )


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_start_and_stop(tmp_path):
    process = start(tmp_path, "good")
    assert process.ready["pid"] == process.pid
    assert process.died() is None
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    assert process.stop() is None
    assert gone(process.pid)
    assert process.died() is None
    assert process.stop() is None


@pytest.mark.parametrize("refused", [None, Misuse])
def test_settings_that_are_refused_are_the_error_that_was_asked_for(tmp_path, refused):
    with pytest.raises(refused or CloudUnreachable) as caught:
        start(tmp_path, "picky", refused=refused)
    said = "state: x is no state; name another file"
    assert str(caught.value) == said if refused else said in str(caught.value)


def no_process_left(*_arguments, **_options):
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_a_computer_that_has_no_process_left_is_the_error_that_was_asked_for(tmp_path, monkeypatch):
    """Where a cloud is started ahead of workers, it ended the run with INTERNALERROR."""
    monkeypatch.setattr(subprocess, "Popen", no_process_left)
    with pytest.raises(CloudUnreachable, match=r"local cloud cannot be started: .*Resource temporarily unavailable"):
        start(tmp_path, "good")


def test_a_disk_that_takes_no_settings_is_the_error_that_was_asked_for(tmp_path):
    (tmp_path / "log.json").mkdir()  # in the place of the settings
    with pytest.raises(CloudUnreachable, match=r"local cloud cannot be started: .*log\.json"):
        start(tmp_path, "good")


def test_a_crash_at_the_start_shows_its_last_words(tmp_path):
    with pytest.raises(CloudUnreachable) as caught:
        start(tmp_path, "crash")
    text = str(caught.value)
    assert "local cloud (pid " in text
    assert "ended with exit code 3; its last words: Traceback: no such policy last line; run again" in text
    assert str(tmp_path) not in text, "what is in that folder goes with it"
    assert "\n" not in text


@pytest.mark.parametrize(
    ("manner", "said"),
    [("silent", "did not report within 0.3 s"), ("chatty", "printed b'Hello, I am not JSON")],
)
def test_no_addresses_is_an_error_and_leaves_no_process(tmp_path, monkeypatch, manner, said):
    monkeypatch.setattr(stand_in, "_GRACE", 0.05)
    with pytest.raises(CloudUnreachable) as caught:
        start(tmp_path, manner, timeout=0.3 if manner == "silent" else 20.0)
    assert said in str(caught.value)
    pid = int(str(caught.value).partition("(pid ")[2].partition(")")[0])
    assert gone(pid)


def test_a_death_is_told_with_its_signal(tmp_path):
    process = start(tmp_path, "good")
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.died() == f"local cloud (pid {process.pid}) died with signal 9"
    assert process.stop() == f"local cloud (pid {process.pid}) died with signal 9"


def test_one_that_does_not_end_is_killed_and_told(tmp_path):
    process = start(tmp_path, "stubborn")
    fault = process.stop(timeout=0.2)
    assert fault == f"local cloud (pid {process.pid}) did not end within 0.2 s of SIGTERM and was killed"
    assert gone(process.pid)


def test_a_bad_end_is_told(tmp_path):
    process = start(tmp_path, "grumpy")
    assert process.stop() == f"local cloud (pid {process.pid}) ended with code 7 when it was told to"


def test_it_gets_its_settings_as_a_private_document(tmp_path):
    process = start(tmp_path, "good")
    assert process.ready["settings"] == {"directory": str(tmp_path), "die_with_stdin": True}
    assert stat.S_IMODE((tmp_path / "log.json").stat().st_mode) == 0o600
    process.stop()


def test_a_command_is_answered(tmp_path):
    process = start(tmp_path, "good")
    heard = process.command("set-fault", board="virtual-1", fault="no-sim")["heard"]
    assert heard == {"id": 1, "command": "set-fault", "board": "virtual-1", "fault": "no-sim"}
    assert process.command("other")["heard"]["id"] == 2
    with pytest.raises(Misuse, match=r"local cloud: command 'refuse' refused: not today"):
        process.command("refuse")
    assert process.command("again")["heard"]["id"] == 4
    assert process.stop() is None


def test_an_answer_that_comes_too_late_is_not_taken_for_that_to_the_next_command(tmp_path, monkeypatch):
    monkeypatch.setattr(stand_in, "_GRACE", 0.05)
    process = start(tmp_path, "good")
    with pytest.raises(CloudUnreachable, match=r"did not answer command late in time"):
        process.command("late", timeout=0.05)
    assert process.command("after-late")["heard"]["command"] == "after-late"
    process.stop()


def test_a_command_to_a_process_that_dies_or_has_died_says_so(tmp_path):
    process = start(tmp_path, "good")
    for name in ("die", "too-late"):
        with pytest.raises(CloudUnreachable, match=r"local cloud \(pid \d+\) ended with exit code 9; run again"):
            process.command(name)
    process.stop()


def test_a_command_after_the_end_says_so(tmp_path):
    process = start(tmp_path, "good")
    process.stop()
    with pytest.raises(CloudUnreachable, match="was ended and takes no command set-fault"):
        process.command("set-fault")

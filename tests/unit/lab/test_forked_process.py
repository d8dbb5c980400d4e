"""A copy of this process: what it shares with the one that made it, how it ends, and how that is heard of."""

import atexit
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from harness.lab.forked_process import ForkedProcess

SECONDS = 60.0


@pytest.fixture
def forked():
    made: list[ForkedProcess] = []

    def fork(run, **options):
        made.append(ForkedProcess(run, **options))
        return made[-1]

    yield fork
    for process in made:
        process.kill()
        process.wait(SECONDS)
        process.stdin.close()
        process.stdout.close()


def wait_for_end():
    os.read(0, 1)


def echo():
    line = sys.stdin.readline()
    print(f"{os.getpid()} heard {line}", end="")


def test_it_has_pipes_for_input_and_output_and_says_how_it_ended(forked):
    process = forked(echo, args=["echo"])
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.0)
    process.stdin.write(b"a word\n")
    process.stdin.flush()
    assert process.stdout.read() == f"{process.pid} heard a word\n".encode()
    assert process.wait(SECONDS) == process.wait() == process.poll() == process.returncode == 0


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (3, 3), ("a word", 1)])
def test_its_exit_code_is_that_of_system_exit(forked, code, expected):
    assert forked(lambda: sys.exit(code)).wait(SECONDS) == expected


def test_an_error_is_an_exit_code_of_1(forked, capfd):
    assert forked(lambda: 1 // 0).wait(SECONDS) == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_signal_ends_it_although_this_process_handles_it(forked):
    heard: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        process = forked(wait_for_end)
    finally:
        signal.signal(signal.SIGTERM, former)
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == -signal.SIGTERM
    assert not heard
    process.send_signal(signal.SIGTERM)  # it has ended, and its number may be another one's


def test_a_signal_that_this_process_ignores_stays_ignored(forked):
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = forked(echo)
    finally:
        signal.signal(signal.SIGHUP, former)
    process.send_signal(signal.SIGHUP)
    process.stdin.close()
    assert process.wait(SECONDS) == 0


def test_it_holds_none_of_this_processs_locks(forked, tmp_path):
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        forked(wait_for_end)
        said = forked(echo)  # the first one has let go when the second one answers, or the lock is waited for
        said.stdin.close()
        said.wait(SECONDS)
    with (tmp_path / "lock").open("w") as again:
        fcntl.flock(again, fcntl.LOCK_EX)


def test_it_ends_with_its_input_although_another_copy_was_made_later(forked):
    first = forked(wait_for_end)
    forked(wait_for_end)
    first.stdin.close()
    assert first.wait(SECONDS) == 0


def test_it_runs_what_was_registered_in_it_for_the_end_and_nothing_of_this_processs(forked):
    def outer():
        print("of the parent")

    def run():
        atexit.register(print, "its own")

    atexit.register(outer)
    try:
        process = forked(run)
    finally:
        atexit.unregister(outer)
    assert process.stdout.read() == b"its own\n"

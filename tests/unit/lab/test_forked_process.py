"""A copy of this process: what it shares with the one that made it, how it ends, and how that is heard of."""

import atexit
import errno
import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.lab.forked_process import ForkedProcess, can_fork

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


def test_ctrl_c_ends_it_without_a_word(forked, capfd):
    """It goes to all processes of a terminal, and each copy showed a traceback."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = forked(wait_for_end)
    finally:
        signal.signal(signal.SIGINT, former)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 130
    assert capfd.readouterr().err == ""


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


def test_what_multiprocessing_starts_in_it_ends_with_it_and_nothing_of_this_processs(forked):
    """A conftest.py's Manager outlived its worker, and held the pipes to the controller open."""
    context = multiprocessing.get_context("fork")

    def run():
        within = context.Process(target=signal.pause, daemon=True)
        within.start()
        print(within.pid)

    ours = context.Process(target=signal.pause, daemon=True)
    ours.start()
    try:
        process = forked(run)
        assert process.wait(SECONDS) == 0
        assert not Path(f"/proc/{int(process.stdout.readline())}").exists()
        assert ours.is_alive()
    finally:
        ours.terminate()
        ours.join(SECONDS)


class Owner:
    """What a finalizer can be attached to."""


def test_it_finalizes_what_it_made_and_nothing_of_this_processs(forked, tmp_path):
    def run():
        owners.clear()  # one of the parent's ends in the copy, the other lives on until its end
        owners.append(tempfile.TemporaryDirectory(dir=tmp_path))

    kept, lost = tmp_path / "kept", tmp_path / "lost"
    owner = Owner()
    owners: list[object] = [Owner()]
    finalizers = [weakref.finalize(one, path.touch) for one, path in ((owner, kept), (owners[0], lost))]
    try:
        assert forked(run).wait(SECONDS) == 0
    finally:
        for one in finalizers:
            one.detach()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def children_are_ignored():
    """Let this process ignore SIGCHLD, as whatever was started under ``trap '' CHLD`` does."""
    former = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, former)


def test_its_end_is_heard_of_where_this_process_ignores_the_end_of_children(children_are_ignored, forked):
    process = forked(wait_for_end)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(SECONDS) == process.poll() == 0
    process.send_signal(signal.SIGTERM)
    ended = forked(lambda: None)
    assert ended.stdout.read() == b""
    assert ended.wait(SECONDS) == 0


def open_descriptors():
    return set(os.listdir("/proc/self/fd"))


def test_a_copy_that_cannot_be_made_leaves_no_descriptor(monkeypatch):
    def no_process_left():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", no_process_left)
    before = open_descriptors()
    with pytest.raises(BlockingIOError):
        ForkedProcess(echo)
    assert open_descriptors() == before
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_one_that_has_ended_leaves_no_descriptor_but_its_pipes(forked):
    before = open_descriptors()
    process = forked(echo)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.0)
    process.stdin.close()
    assert process.wait(SECONDS) == 0
    process.stdout.close()
    assert open_descriptors() == before


@pytest.mark.parametrize(("tool", "said"), [(None, b"True\n"), ("coverage", b"False\n")])
def test_a_process_that_is_watched_through_sys_monitoring_cannot_be_copied(forked, tool, said):
    def run():  # in a copy, which has one thread
        sys.settrace(None)
        watching = SimpleNamespace(get_tool=lambda number: tool if number == 1 else None)
        vars(sys)["monitoring"] = watching
        print(can_fork())

    assert forked(run).stdout.read() == said


@pytest.mark.parametrize("watch", [sys.settrace, sys.setprofile])
def test_a_process_that_is_traced_or_profiled_cannot_be_copied(forked, watch):
    def run():
        watch(lambda *_: None)
        print(can_fork())

    assert forked(run).stdout.read() == b"False\n"

"""A tool that writes firmware, and does not end."""

import os
import signal
import sys

import pytest

from harness.lab.flash.process import run_tool

PYTHON = sys.executable


def run(code, timeout=60.0):
    lines = []
    return run_tool((PYTHON, "-c", code), timeout, lines.append, cure="install it"), lines


def run_shell(script):
    """Run what does not end; a shell says its line within milliseconds."""
    lines = []
    return run_tool(("sh", "-c", script), 0.5, lines.append, cure="install it"), lines


def test_lines_come_whole_and_the_last_one_too():
    ended, lines = run("import os; os.write(1, b'a\\xc3'); os.write(1, b'\\xa4\\n\\nb\\r\\n\\xff')")
    assert lines == ["a\u00e4", "", "b\r", "\ufffd"]
    assert (ended.code, ended.last, ended.fate) == (0, "a\u00e4 b \ufffd", "")


def test_a_child_in_a_session_of_its_own_does_not_hold_the_end_up():
    ended, lines = run_shell("setsid sh -c 'echo $$; exec sleep 100' & sleep 100")
    os.kill(int(lines[0]), signal.SIGKILL)  # it would have kept the output open for as long as it lives
    assert (ended.code, ended.fate) == (None, "was killed")


def test_a_tool_that_may_not_be_killed_is_said_and_not_waited_for(monkeypatch):
    def refuse(_group, _signal):
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    ended, lines = run_shell("echo $$; exec sleep 100")
    pid = int(lines[0])
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert ended.code is None
    assert ended.fate == f"cannot be killed, for it runs as another user (sudo?): end process {pid} yourself"


def test_an_error_while_a_line_is_shown_ends_the_tool():
    def show(text):
        pids.append(int(text))
        raise KeyboardInterrupt

    pids = []
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(100)"
    with pytest.raises(KeyboardInterrupt):
        run_tool((PYTHON, "-c", code), 60.0, show, cure="install it")
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_tool_that_never_stops_talking_has_an_end_too():
    ended, lines = run_shell(f"yes {'x' * 1000}")
    assert (ended.code, ended.fate) == (None, "was killed")
    assert lines[0] == "x" * 1000

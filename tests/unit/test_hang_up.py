"""A terminal that is closed ends a process tidily, and one that ignores the hang-up goes on."""

import os
import pty
import signal
import sys

import pytest

from harness.hang_up import ending_signals

TOLD = """
import sys
from harness.cli.ending import told_to_end
with told_to_end() as told:
    print("begun", flush=True)
    told.wait()
print("to nobody", flush=True)
sys.exit(7)
"""


@pytest.mark.usefixtures("hang_up_ends")
def test_what_is_written_to_a_terminal_that_was_closed_fails_nobody():
    pid, terminal = pty.fork()
    if not pid:
        os.execv(sys.executable, [sys.executable, "-c", TOLD])  # noqa: S606 - it must lead the terminal's session
    assert os.read(terminal, 9).startswith(b"begun")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


@pytest.mark.parametrize("ignored", [False, True])
def test_nohup_is_respected(ignored):
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        assert (signal.SIGHUP in ending_signals()) is not ignored
    finally:
        signal.signal(signal.SIGHUP, former)

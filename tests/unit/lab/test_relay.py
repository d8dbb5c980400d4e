"""Commands for a stand-in from processes that did not start it."""

import socket
import socketserver
from contextlib import ExitStack

from harness.lab.relay import _Server


def test_workers_that_ask_in_the_same_moment_are_all_heard(tmp_path):
    # Sixty-four boards reach the same test at once; with five in the queue the others heard "try again" and gave up.
    path = str(tmp_path / "relay")
    with _Server(path, socketserver.StreamRequestHandler), ExitStack() as opened:
        for _ in range(64):
            worker = opened.enter_context(socket.socket(socket.AF_UNIX))
            worker.settimeout(5)
            worker.connect(path)

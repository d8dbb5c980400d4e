"""Runs of pytest and commands from a process that has imported what they import: most of what a start costs.

That process is ``warm_server``; all processes of the tests share one. What is started is a process of its own, with its
own folder, output, environment, signals and exit code, as after ``python -m pytest``; it only finds modules imported.
Nothing of the project's tests is among them, nor a plug-in of pytest, which loads these itself. What a test kills or
watches is started without this, as users start it.

Its first stand-ins, a cloud and a board, are forked too, as the workers of a run of several boards have theirs.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_VARIABLE = "NRF91_TESTS_WARM_SERVER"


def share_server() -> None:
    """Start the server that the processes which this one starts will use."""
    os.environ[_VARIABLE] = _start_server()


def run_python(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Do what ``subprocess.run`` does, with a command that begins with this Python, ``-m`` and a module.

    ``folder``: in which it runs. ``timeout``: seconds, after which it is killed and subprocess.TimeoutExpired raised.
    """
    python, option, module, *arguments = command
    assert (python, option) == (sys.executable, "-m")
    with tempfile.TemporaryDirectory() as said, socket.socket(socket.AF_UNIX) as server:
        output, errors = Path(said, "output"), Path(said, "errors")
        output.touch()  # a process that dies, or is killed, before it says anything has said nothing
        errors.touch()
        server.connect(f"\0{_server()}")
        told = {"module": module, "arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        server.sendall(json.dumps({**told, "output": str(output), "errors": str(errors)}).encode() + b"\n")
        server.settimeout(timeout)
        try:
            code = server.recv(16)
        except (TimeoutError, BlockingIOError):
            server.shutdown(socket.SHUT_WR)  # has it killed
            server.settimeout(None)
            server.recv(16)
            raise subprocess.TimeoutExpired(command, timeout, output.read_bytes(), errors.read_bytes()) from None
        return subprocess.CompletedProcess(command, int(code), output.read_text(), errors.read_text())


@cache
def _server() -> str:
    return os.environ.get(_VARIABLE) or _start_server()


def _start_server() -> str:
    """Start a server; return the name of its socket. It ends with this process."""
    name = f"nrf91-tests-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")  # no file, so nothing stays
        listener.listen(128)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.warm_server", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            cwd=_ROOT,
            process_group=0,  # Ctrl-C is for this process, with which the server ends
        )
    atexit.register(process.communicate)  # its standard input ends
    return name

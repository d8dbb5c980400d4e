"""``python -m tests.integration.warm_server DESCRIPTOR``: the process that runs of ``warm_start`` are forked from.

It has imported what they import. It listens at the socket with that descriptor until its standard input ends. Each
connection brings a line of JSON, the arguments of :func:`_run`, and is told the run's exit code. A run whose connection
ends before is killed: whoever asked for it has ended, or will not wait any longer.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import selectors
import socket
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from harness.lab.forked_process import ForkedProcess
from harness.lab.spare import keep_spare

_IMPORTED = (
    *("pytest", "requests", "rich.console", "rich.table", "jinja2", "cryptography.x509", "paho.mqtt.client"),
    *("execnet", "packaging.version", "pdb", "unittest"),  # what pytest and its plug-ins import
    *("harness.run.run", "harness.run.button", "harness.policy_trials.summary", "harness.policy_trials.own_names"),
    *("harness.policy_trials.derived_trials", "harness.policy_trials.probe", "harness.report.page"),
    *("harness.report.live.live_page", "harness.report.live.last_events", "harness.report.pruning"),
    *("harness.report.rebuild", "harness.report.run_again", "harness.report.junit_form"),
    *("harness.report.terminal_summary", "harness.lab.doctor", "harness.cli.main"),
    *("harness.virtual.launch", "harness.virtual.launch_cloud", "harness.virtual.control_cloud"),  # its stand-ins
)
_STAND_INS = ("cloud", "board")  # whoever needs more starts them as users do


def serve(listener: socket.socket) -> None:
    """Fork runs until standard input ends, and then kill those that go on."""
    runs: set[ForkedProcess] = set()
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == 0:
                    for run in runs:
                        run.kill()
                    return
                if key.fileobj is listener:
                    _begin(listener.accept()[0], selector, runs)
                else:
                    key.data()


def _begin(connection: socket.socket, selector: selectors.BaseSelector, runs: set[ForkedProcess]) -> None:
    with connection.makefile("rb") as asked:
        told: dict[str, Any] = json.loads(asked.readline() or b"{}")
    if not told:  # who asked has ended meanwhile
        connection.close()
        return
    run = ForkedProcess(partial(_run, **told))
    run.stdin.close()
    run.stdout.close()
    runs.add(run)
    end = os.pidfd_open(run.pid)

    def ended() -> None:
        runs.remove(run)
        with suppress(KeyError):  # who asked has closed it
            selector.unregister(connection)
        selector.unregister(end)
        os.close(end)
        with suppress(OSError):
            connection.sendall(b"%d\n" % run.wait())
        connection.close()

    def given_up() -> None:
        with suppress(KeyError, ValueError):  # it has just ended by itself
            selector.unregister(connection)
        run.kill()

    selector.register(end, selectors.EVENT_READ, ended)
    selector.register(connection, selectors.EVENT_READ, given_up)


def _run(module: str, arguments: list[str], folder: str, environment: dict[str, str], output: str, errors: str) -> None:
    for number, path in ((1, output), (2, errors)):
        with Path(path).open("ab") as file:
            os.dup2(file.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # another TMPDIR
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # a run may have tests of its own
    sys.path[:] = [folder, *sys.path]
    for kind in _STAND_INS:
        keep_spare(kind)
    # pytest would say of each plug-in that it was imported before, which a user's is not.
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"] if module == "pytest" else []
    sys.argv[:] = [module, *quiet, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):  # Python says it at the end
            print(end.code, file=sys.stderr)
        raise


if __name__ == "__main__":
    gc.disable()
    os.environ["SSL_CERT_FILE"] = os.devnull  # aiohttp reads every CA of the computer as it is imported
    for _name in _IMPORTED:
        importlib.import_module(_name)
    gc.freeze()  # else each run looks through all that was imported, and thereby copies it: half of a small one's time
    gc.enable()
    serve(socket.socket(fileno=int(sys.argv[1])))

"""Runs of pytest and commands from a process that has imported what they import: most of what a start costs.

multiprocessing's fork server is that process. What is started is a process of its own, with its own folder, output,
environment, signals and exit code, as after ``python -m pytest``; it only finds modules imported. Nothing of the
project's tests is among them, nor a plug-in of pytest, which loads these itself. What a test kills or watches is
started without this, as users start it.

Its first stand-ins, a cloud and a board, are forked too, as the workers of a run of several boards have theirs.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.lab.spare import keep_spare

_STAND_INS = ("cloud", "board")  # whoever needs more starts them as users do
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.integration.warm_imports"])


def run_python(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Do what ``subprocess.run`` does, with a command that begins with this Python, ``-m`` and a module.

    ``folder``: in which it runs. ``timeout``: seconds, after which it is killed and subprocess.TimeoutExpired raised.
    """
    python, option, module, *arguments = command
    assert (python, option) == (sys.executable, "-m")
    with tempfile.TemporaryDirectory() as said:
        output, errors = Path(said, "output"), Path(said, "errors")
        output.touch()  # a process that dies, or is killed, before it says anything has said nothing
        errors.touch()
        process = _CONTEXT.Process(
            target=_run, args=(module, arguments, folder, dict(environment), output, errors), daemon=False
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout, output.read_bytes(), errors.read_bytes())
        return subprocess.CompletedProcess(command, process.exitcode, output.read_text(), errors.read_text())


def _run(
    module: str, arguments: list[str], folder: Path, environment: dict[str, str], output: Path, errors: Path
) -> None:
    gc.freeze()  # else each looks through all that was imported, and thereby copies it: half of a small run's time
    for number, path in ((1, output), (2, errors)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # another TMPDIR
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # a run may have tests of its own
    sys.path[:] = [str(folder), *sys.path]
    for kind in _STAND_INS:
        keep_spare(kind)
    # pytest would say of each plug-in that it was imported before, which a user's is not.
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"] if module == "pytest" else []
    sys.argv[:] = [module, *quiet, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

"""Runs pytest with the plug-in in a folder of its own, as a lab does, and reads what the run left behind."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from filelock import FileLock

from tests.integration.warm_start import run_python

TIMEOUT = 300
EARLY = 2 * TIMEOUT
"""The time limit of a test, or of a file's tests, that takes long: by it, it is dealt out before others."""
AT_LAST = TIMEOUT - 1
"""The time limit of a test that reads what another one's run has left: by it, it is dealt out behind all others."""
START = 120
"""Seconds that a run may take until its first test runs: two to start, on a busy computer fifty."""

LEAN = [argument for name in ("schemathesis", "anyio", "hypothesispytest") for argument in ("-p", f"no:{name}")]
"""Leaves out the plug-ins of our own tools: a run would spend a fifth of its processor time on importing them."""

HELPERS = '''
import os
import signal
from pathlib import Path


def stand_ins(kind):
    """Process ids of this process's stand-ins of one kind, "board" or "cloud": their standard error is called so."""
    found = []
    for children in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in map(int, children.read_text().split()):
            log = os.readlink(f"/proc/{pid}/fd/2")
            if Path(log).name.startswith(f"{kind}-"):
                found.append(pid)
    return found


def kill(kind):
    pids = stand_ins(kind)
    assert pids, f"no stand-in of a {kind} runs"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def kill_boards():
    kill("board")


def kill_cloud():
    kill("cloud")
'''


@dataclass(frozen=True)
class Case:
    """One test case of a JUnit report. ``result``: passed, failed, error or skipped."""

    name: str
    result: str
    message: str
    properties: dict[str, str]


@dataclass(frozen=True)
class Result:
    folder: Path
    exit_code: int
    output: str

    @property
    def cases(self) -> list[Case]:
        root = ElementTree.parse(self.folder / "reports" / "junit.xml").getroot()
        return [_case(element) for element in root.iter("testcase")]

    @property
    def properties(self) -> dict[str, str]:
        """Properties of the whole run."""
        root = ElementTree.parse(self.folder / "reports" / "junit.xml").getroot()
        return {one.get("name", ""): one.get("value", "") for one in root.iterfind("testsuite/properties/property")}

    def case(self, part: str) -> Case:
        (found,) = [case for case in self.cases if part in case.name]
        return found

    @property
    def run_folder(self) -> Path:
        (found,) = [path for path in (self.folder / "reports").iterdir() if path.is_dir()]
        return found

    @property
    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.run_folder / "journal.jsonl").read_text().splitlines()]


def _case(element: ElementTree.Element) -> Case:
    result, message = "passed", ""
    for kind, name in (("skipped", "skipped"), ("failure", "failed"), ("error", "error")):
        for found in element.iter(kind):
            result, message = name, found.get("message") or ""
    properties = {found.get("name", ""): found.get("value", "") for found in element.iter("property")}
    return Case(element.get("name", ""), result, message, properties)


PLUGIN = 'pytest_plugins = ["harness.plugin"]\n'
IMPATIENT = f"""
from harness.at import port
from harness.run import cloud_device

port._TRY_TIMEOUT = 0.4
cloud_device._PATIENCE_LOCAL = 3.0
{PLUGIN}"""
"""A conftest.py for runs in which what never comes is waited for again and again."""
PATIENT = f"""
from harness.plugin import interruption, parallel_boards

interruption.TIDY_SECONDS, parallel_boards._TIDY = 100.0, 90.0
{PLUGIN}"""
"""A conftest.py for runs that are told to end: on a busy computer they are not tidy within 15 s."""


def run(
    folder: Path,
    boards: str,
    tests: str,
    *arguments: str,
    env: dict[str, str] | None = None,
    conftest: str = PLUGIN,
) -> Result:
    """Run ``tests`` (source of one file) on ``boards`` (a boards file) in ``folder``."""
    command, environment = prepare(folder, boards, tests, *arguments, env=env, conftest=conftest)
    done = run_python(command, folder, environment, TIMEOUT)
    return Result(folder, done.returncode, done.stdout + done.stderr)


def prepare(
    folder: Path,
    boards: str,
    tests: str,
    *arguments: str,
    env: dict[str, str] | None = None,
    conftest: str = PLUGIN,
) -> tuple[list[str], dict[str, str]]:
    """Write the files of a run; return its command and environment, for whoever starts it."""
    (folder / "conftest.py").write_text(conftest)
    (folder / "boards.yaml").write_text(boards)
    (folder / "helpers.py").write_text(HELPERS)
    (folder / "test_inner.py").write_text(tests)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder), **(env or {})}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", *LEAN, "-p", "no:cacheprovider", "--rootdir", str(folder)]
    command += arguments
    return command, environment


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Result]) -> Result:
    """Return what ``make`` made in a folder of its own, for all tests of this session that ask for ``name``.

    The first that asks makes it; xdist's other processes wait. ``factory``: pytest's ``tmp_path_factory``.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_TESTRUNUID" in os.environ else base) / f"shared-{name}"
    kept = folder.with_suffix(".pickle")
    with FileLock(folder.with_suffix(".lock")):
        if not kept.exists():
            folder.mkdir()
            kept.write_bytes(pickle.dumps(make(folder)))
        made: Result = pickle.loads(kept.read_bytes())  # noqa: S301 - our own, of this session
    return made


def processes_of(folder: Path) -> list[str]:
    """Command lines of running processes that name ``folder``, or have their log there: what a run has left behind.

    The command line of a stand-in that was forked is not its own, but its log is.
    """
    return [line for pid, line in _running() if str(folder) in line or _logs_in(folder, pid)]


def started_in(folder: Path) -> list[str]:
    """Return what runs that :func:`prepare` made for ``folder`` have started and what still runs, workers too."""
    mark, left = f"TMPDIR={folder}\0".encode(), []
    for pid, line in _running():
        with suppress(OSError):  # ended meanwhile, or another user's
            if mark in Path(f"/proc/{pid}/environ").read_bytes() + b"\0" or _logs_in(folder, pid):
                left.append(line)
    return [line for line in left if line]


def _running() -> Iterator[tuple[int, str]]:
    """All processes but this one, with their command lines."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # ended meanwhile
            line = path.read_bytes().decode(errors="replace").replace("\0", " ")
            if str(os.getpid()) != path.parent.name:
                yield int(path.parent.name), line


def _logs_in(folder: Path, pid: int) -> bool:
    try:
        return Path(os.readlink(f"/proc/{pid}/fd/2")).is_relative_to(folder)
    except OSError:  # ended meanwhile, or another user's
        return False


@contextmanager
def stand_ins_up(folder: Path) -> Iterator[dict[str, Any]]:
    """Run a virtual board and a cloud that outlive runs; yield what ``virtual up`` says of them."""
    command = [sys.executable, "-m", "harness.cli", "virtual", "up", "--json", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(START)


def devices(up: dict[str, Any]) -> list[str]:
    """Return the account's devices."""
    cloud = up["cloud"]
    key = Path(cloud["api_key_file"]).read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.get(f"{cloud['rest']}/devices", headers=headers, verify=cloud["ca"], timeout=30)
    return [item["id"] for item in answer.json()["items"]]

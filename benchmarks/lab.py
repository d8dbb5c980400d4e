"""The lab's commands: a list of boards, the doctor of ten boards, ten places of labgrid.

Wall time of whole commands as a user waits for them, the quickest of some: what else the computer does is nobody's
merit. Ten virtual boards in one process stand behind ten ports; labgrid's part is left out where it is not installed.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.common import Row
from harness.cli.virtual import boards_file
from harness.errors import LabError
from harness.lab import Lab, load_boards_file
from harness.lab.stand_in import StandIn
from harness.settings import NamedBoard, ProcessCloud, ProcessSettings
from tests.labgrid_lab import LabgridLab, missing

BOARDS = 10
ROUNDS = 5
NAMES = tuple(f"dk-{number}" for number in range(1, BOARDS + 1))


def run() -> list[Row]:
    """Measure; about half a minute."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_commands(Path(folder)), *_places(Path(folder))]


def _commands(folder: Path) -> list[Row]:
    boards = tuple(NamedBoard(name=name) for name in NAMES)
    settings = ProcessSettings(boards=boards, cloud=ProcessCloud(), directory=str(folder / "v"), die_with_stdin=True)
    stand_ins = StandIn("stand-ins", settings, log=folder / "stderr", error=LabError)
    try:
        file = folder / "lab.yaml"
        file.write_text(yaml.safe_dump(boards_file(stand_ins.ready)))
        listed, busy = _best(folder, "boards", "list", "--boards", str(file))
        quick = min(_seconds(folder, "--quick", "--boards", str(file)) for _ in range(ROUNDS))
        whole = min(_seconds(folder, "--boards", str(file)) for _ in range(ROUNDS))
    finally:
        stand_ins.stop()
    return [
        Row("boards list, ten boards", listed, None, "", "< 0.5", "s"),
        Row("boards list, ten boards: processor time", busy, None, "", "", "s"),
        Row("doctor --quick, ten boards, as it says itself", quick, None, "", "< 0.3", "s"),
        Row("doctor, ten boards, as it says itself", whole, None, "", "< 5", "s"),
    ]


def _best(folder: Path, *words: str) -> tuple[float, float]:
    """Return the least wall time and the least processor time of a command."""
    walls, busy = [], []
    for _ in range(ROUNDS):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        _run(folder, *words)
        walls.append(time.monotonic() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(walls), min(busy)


def _seconds(folder: Path, *options: str) -> float:
    return float(json.loads(_run(folder, "doctor", "--json", *options))["seconds"])


def _run(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
        check=False,  # the doctor's code says what it found
    )
    return done.stdout


def _places(folder: Path) -> list[Row]:
    if missing():
        return []
    (folder / "labgrid").mkdir()
    rack = LabgridLab(folder / "labgrid", {"rack-1": NAMES[:5], "rack-2": NAMES[5:]})
    try:
        file = folder / "places.yaml"
        file.write_text(yaml.safe_dump(rack.boards()))
        first, last = min(_acquired(file) for _ in range(3))
    finally:
        rack.close()
    return [
        Row("labgrid: the first of ten places acquired", first, None, "", "", "s"),
        Row("labgrid: ten places acquired, from nothing", last, None, "", "< 6", "s"),
    ]


def _acquired(file: Path) -> tuple[float, float]:
    """Return after how many seconds the first place, and all of them, had a port."""
    began = time.monotonic()
    times = []
    with Lab(load_boards_file(file)) as lab:
        boards = lab.select()
        lab.lead_places(boards)
        for board in boards:
            lab.port_url(board)
            times.append(time.monotonic() - began)
    return times[0], times[-1]

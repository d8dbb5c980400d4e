"""Trials a minute: the derived policy trials on one virtual board without pacing, in a pytest run of their own.

There is no peer: nobody else derives trials from policies.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.common import Row


def run() -> list[Row]:
    """Run the derived suite twice: the smallest set, and all of it."""
    rows = []
    for which, goal in (("minimal", 15), ("full", 60)):
        passed, seconds, wall = _suite(which)
        rows.append(Row(f"policy trials, {which} ({passed}), start to end", wall, None, "-", f"< {goal} s", "s"))
        rows.append(Row(f"policy trials, {which}, while they run", passed / seconds * 60, None, "-", "-", "1/min"))
    return rows


def _suite(which: str) -> tuple[int, float, float]:
    """Return how many trials passed, the seconds that they took, and the seconds of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "tests/scenarios/test_policy.py", "-q"),
                *("--policy-trials", which, "--reports", folder),
            ],
            check=True,
            capture_output=True,
        )
        wall = time.perf_counter() - started
        cases = list(ElementTree.parse(Path(folder) / "junit.xml").getroot().iter("testcase"))
    passed = [case for case in cases if case.find("skipped") is None]
    return len(passed), sum(float(case.get("time", 0)) for case in passed), wall

"""``python -m benchmarks.two_exporters``: a night of 16 boards behind two labgrid exporters against 16 local ones.

Not part of ``make bench``, because it takes minutes. One process has the boards, virtual ones at real speed, and their
cloud. Once the harness opens their ports itself; once a real coordinator, two exporters with half of the boards each
and labgrid's ser2net stand between, all on loopback. Each night begins with new boards and an empty account. A local
one that nobody measures goes before: it compiles and reads from the disk what both need. Prints what
benchmarks/nights.py prints for both (processor time and memory: of the run alone, not of boards and labgrid), and how
much longer the second took. ``--boards N`` takes fewer boards, ``-k EXPRESSION`` fewer tests; ``--own-ser2net`` has
the ports served as docs/many-hosts.md advises.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.common import ratio
from benchmarks.nights import HEADER, Night, night
from harness.cli.virtual import boards_file
from tests.labgrid_lab import LabgridLab, missing, start_stand_ins

GOAL: Final = 1.15
_REAL: Final[dict[str, Any]] = {"time_scale": 1.0, "baud": 115200}


def main(given: Sequence[str]) -> int:
    """Run both nights and print them.

    1: a test of them did not pass, or the goal was missed; 2: labgrid or ser2net is not installed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_exporters", description=__doc__)
    parser.add_argument("--boards", type=int, default=16, metavar="N", help="so many boards, 2 at least (default 16)")
    about = "ports served by a ser2net of one's own, without delays (docs/many-hosts.md), in place of labgrid's"
    parser.add_argument("--own-ser2net", action="store_true", help=about)
    parser.add_argument("-k", default="", metavar="EXPRESSION", help="only the tests that pytest chooses by it")
    asked = parser.parse_args(given)
    if asked.boards < 2:
        parser.error(f"--boards {asked.boards}: two exporters need two boards at least")
    if reason := missing():
        print(f"benchmarks.two_exporters: {reason}", file=sys.stderr)
        return 2
    names = [f"dk-{number}" for number in range(1, asked.boards + 1)]
    more = ("-k", asked.k) if asked.k else ()
    print(HEADER, flush=True)
    _local(names, more)
    local = _local(names, more)
    print(local.line(f"{asked.boards}, local"), flush=True)
    far = _behind_exporters(names, more, own_ser2net=asked.own_ser2net)
    print(far.line(f"{asked.boards}, on two exporters"), flush=True)
    print(f"two exporters against local: {ratio(far.seconds, local.seconds)} (goal: at most {GOAL}x)")
    passed = all(each.ran and each.results["passed"] == each.ran for each in (local, far))
    return 0 if passed and far.seconds <= GOAL * local.seconds else 1


def _local(names: Sequence[str], more: Sequence[str]) -> Night:
    with tempfile.TemporaryDirectory() as folder:
        stand_ins = start_stand_ins(Path(folder), names, **_REAL)
        try:
            return _night(names, boards_file(stand_ins.ready), Path(folder), more)
        finally:
            stand_ins.stop()


def _behind_exporters(names: Sequence[str], more: Sequence[str], *, own_ser2net: bool) -> Night:
    half = len(names) // 2
    with tempfile.TemporaryDirectory() as folder:
        racks = {"rack-1": names[:half], "rack-2": names[half:]}
        lab = LabgridLab(Path(folder), racks, own_ser2net=own_ser2net, **_REAL)
        try:
            return _night(names, lab.boards(), Path(folder), more)
        finally:
            lab.close()


def _night(names: Sequence[str], boards: dict[str, Any], folder: Path, more: Sequence[str]) -> Night:
    file = folder / "boards.yaml"
    file.write_text(yaml.safe_dump(boards))
    return night(len(names), file, folder, *more)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m benchmarks.two_exporters``: a night of 16 boards behind two labgrid exporters against 16 local ones.

Not part of ``make bench``, because it takes minutes. One process has the boards, virtual ones at real speed, and their
cloud. Once the harness opens their ports itself; then a real coordinator, two exporters with half of the boards each
and ser2net stand between, all on loopback: the ser2net that labgrid starts, without and with what docs/many-hosts.md
advises ("undelayed"), or one of one's own. Each night begins with new boards and an empty account. A local one that
nobody measures goes before: it compiles and reads from the disk what all need. Prints what benchmarks/nights.py prints
for each (processor time and memory: of the run alone, not of boards and labgrid), and how much longer those behind
exporters took than the local one. ``--boards N`` takes fewer boards, ``-k EXPRESSION`` fewer tests; ``--served-by``
chooses among the nights behind exporters.
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
_SERVED_BY: Final = {
    "labgrid": "on two exporters",
    "undelayed": "on two exporters, ser2net without delays",
    "own": "on two exporters, ports of one's own ser2net",
}
_DEFAULT: Final = ("labgrid", "own")
_REAL: Final[dict[str, Any]] = {"time_scale": 1.0, "baud": 115200}


def main(given: Sequence[str]) -> int:
    """Run the nights and print them.

    1: a test of them did not pass, or the goal was missed; 2: labgrid or ser2net is not installed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_exporters", description=__doc__)
    parser.add_argument("--boards", type=int, default=16, metavar="N", help="so many boards, 2 at least (default 16)")
    about = f"only these nights behind exporters (default {' '.join(_DEFAULT)})"
    parser.add_argument("--served-by", nargs="+", choices=tuple(_SERVED_BY), default=_DEFAULT, help=about)
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
    nights, kept = [local], True
    for server in asked.served_by:
        far = _behind_exporters(names, more, server)
        nights.append(far)
        print(far.line(f"{asked.boards}, {_SERVED_BY[server]}"), flush=True)
        print(f"{_SERVED_BY[server]}: {ratio(far.seconds, local.seconds)} of local (goal: at most {GOAL}x)", flush=True)
        kept = kept and far.seconds <= GOAL * local.seconds
    return 0 if kept and all(each.ran and each.results["passed"] == each.ran for each in nights) else 1


def _local(names: Sequence[str], more: Sequence[str]) -> Night:
    with tempfile.TemporaryDirectory() as folder:
        stand_ins = start_stand_ins(Path(folder), names, **_REAL)
        try:
            return _night(names, boards_file(stand_ins.ready), Path(folder), more)
        finally:
            stand_ins.stop()


def _behind_exporters(names: Sequence[str], more: Sequence[str], served_by: str) -> Night:
    half = len(names) // 2
    with tempfile.TemporaryDirectory() as folder:
        racks = {"rack-1": names[:half], "rack-2": names[half:]}
        lab = LabgridLab(Path(folder), racks, served_by=served_by, **_REAL)
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

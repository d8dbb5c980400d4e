"""Arguments of ``judge`` and ``report``, which work on the files of runs."""

from pathlib import Path
from typing import Final

from harness.cli.parsers.base import EPILOG, Group, ParentParsers, command, subcommands, text_name, whole_number
from harness.report.junit_form import PropertiesPlace
from harness.report.pruning import PruningLimits

_RUN: Final = "the run's folder, for instance reports/20261127T20..."
_DIFFERS: Final = "another verdict than was recorded, a missing verdict or test, or an edited file"
_FOLDER: Final = "folder with a folder for each run: reports"


def add(commands: Group, shared: ParentParsers) -> None:
    """Add the commands."""
    judge = command(commands, "judge", "judge the trials of a run anew, from its files", shared.output)
    judge.epilog = EPILOG.replace("refused by board or cloud", _DIFFERS)
    judge.add_argument("run", type=Path, metavar="RUN", help="the run's folder, below reports")
    about = "only this test, or the tests with this in their id"
    judge.add_argument("--test", metavar="ID", type=text_name, help=about)
    group = subcommands(commands, "report", "pages and reports from the files of runs")
    about = "make the JUnit report of a killed run from its journal"
    rebuild = command(group, "report rebuild", about, shared.output)
    rebuild.add_argument("run", type=Path, metavar="RUN", help=_RUN)
    rebuild.add_argument(
        "--junit-properties",
        choices=[*PropertiesPlace],
        default=PropertiesPlace.CASE,
        help="where the properties of a case stand: as properties, or in its output",
    )
    _add_pages(group, shared)


def _add_pages(group: Group, shared: ParentParsers) -> None:
    about = "make run.json, report.html and summary.md of runs from their files"
    command(group, "report html", about, shared.output).add_argument(
        "folders", nargs="+", type=Path, metavar="RUN", help=_RUN
    )
    about = "make index.html in the first folder, over the runs of all of them"
    command(group, "report index", about, shared.output).add_argument(
        "folders", nargs="+", type=Path, metavar="DIR", help=_FOLDER
    )
    diff = command(group, "report diff", "show what differs between two runs", shared.output)
    diff.add_argument("run", type=Path, metavar="RUN", help=_RUN)
    diff.add_argument("other", type=Path, metavar="RUN", help="the run to compare it with")
    prune = command(group, "report prune", "shrink old runs to the part that the history needs", shared.output)
    add = prune.add_argument
    add("folders", nargs=1, type=Path, metavar="DIR", help=_FOLDER)
    add(
        "--keep-runs",
        type=whole_number,
        default=PruningLimits.runs,
        metavar="N",
        help="keep this number of runs (default %(default)s)",
    )
    add(
        "--keep-days",
        type=whole_number,
        default=PruningLimits.days,
        metavar="N",
        help="keep runs up to this age (default %(default)s)",
    )
    size = "keep runs up to this size together (default %(default)s)"
    add("--keep-size", type=whole_number, default=PruningLimits.size, metavar="BYTES", help=size)
    add(
        "--keep-history-days",
        type=whole_number,
        default=PruningLimits.history_days,
        metavar="N",
        help="keep what is left of shrunk runs up to this age (default %(default)s)",
    )
    add("--dry-run", action="store_true", help="only list these runs")

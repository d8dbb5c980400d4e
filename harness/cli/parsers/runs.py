"""Arguments of ``judge`` and ``report``: what runs have left behind."""

from pathlib import Path

from harness.cli.parsers.base import Group, Shared, command, subcommands, text_name


def add(commands: Group, shared: Shared) -> None:
    """Add the commands."""
    judge = command(commands, "judge", "judge the trials of a run anew, from its files", shared.output)
    judge.add_argument("run", type=Path, metavar="RUN", help="the run's folder, below reports")
    about = "only this test, or those that have this in their id"
    judge.add_argument("--test", metavar="ID", type=text_name, help=about)
    group = subcommands(commands, "report", "what runs have left behind")
    about = "make the JUnit report of a killed run from its journal"
    rebuild = command(group, "report rebuild", about, shared.output)
    rebuild.add_argument("run", type=Path, metavar="RUN", help="the run's folder, for instance reports/20261127T20...")

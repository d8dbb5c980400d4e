"""Arguments of ``virtual``."""

from harness.cli.parsers.base import Group, ParentParsers, command, subcommands
from harness.settings import add_options


def add(commands: Group, shared: ParentParsers) -> None:
    """Add the commands."""
    group = subcommands(commands, "virtual", "virtual boards and a local nRF Cloud")
    about = "start virtual boards and a local nRF Cloud, and write a boards file for them"
    fault = command(group, "virtual fault", "cause a fault in the stand-ins of virtual up", shared.file)
    fault.add_argument("fault", nargs="?", metavar="COMMAND", help="what goes wrong; without it all faults are listed")
    fault.add_argument("fields", nargs="*", metavar="KEY=VALUE", help="its keys, e.g. seconds=2")
    add_options(command(group, "virtual up", about, shared.output), without=("die_with_stdin",))

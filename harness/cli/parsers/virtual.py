"""Arguments of ``virtual``."""

from harness.cli.parsers.base import Group, Shared, command, subcommands
from harness.settings import add_options


def add(commands: Group, shared: Shared) -> None:
    """Add the commands."""
    group = subcommands(commands, "virtual", "virtual boards and a local nRF Cloud")
    about = "start them, and write a boards file that reaches them"
    add_options(command(group, "virtual up", about, shared.output), without=("die_with_stdin",))

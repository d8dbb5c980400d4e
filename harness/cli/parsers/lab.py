"""Arguments of ``boards``: what the lab has."""

from pathlib import Path

from harness.cli.parsers.base import Group, Parser, Shared, command, subcommands
from harness.lab.built_in import choose_boards_file


def add(commands: Group, shared: Shared) -> None:
    """Add the commands."""
    group = subcommands(commands, "boards", "what is attached, and the boards file")
    listed = command(
        group, "boards list", "list the kits on USB, who has them, and boards that are absent", shared.file
    )
    suggest = command(group, "boards suggest", "print entries for kits that the boards file does not name", shared.file)
    for parser in (listed, suggest):
        parser.add_argument(
            "--probe",
            action="store_true",
            help="ask free kits of SEGGER and Nordic by AT; without it nothing is written to any port",
        )
    suggest.add_argument("--write", action="store_true", help="add the entries to the boards file")
    suggest.add_argument("--cloud", metavar="NAME", help="the boards' cloud (default: the file's only account)")
    check = command(group, "boards check", "find every mistake in a boards file, without a board", shared.output)
    check.add_argument(
        "boards",
        nargs="?",
        type=Path,
        default=choose_boards_file(None, Path()),
        metavar="FILE",
        help="boards file (default: boards.yaml; without one the built-in lab's)",
    )
    schema = command(
        group, "boards schema", "print the JSON schema of boards files, for editors", Parser(add_help=False)
    )
    schema.set_defaults(json=False)
    command(group, "boards lease", "say who has which board since when", shared.output)

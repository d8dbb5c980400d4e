"""Shared by the parsers of all commands: errors in one line, common options, types of values."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from harness.lab.built_in import choose_boards_file

EPILOG: Final = "Exit codes: 0 done, 1 refused by board or cloud, 2 misuse, 3 the lab's trouble, 130 interrupted."
LATEST_SEC_TAG: Final = 2**31 - 1


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are one line, with the word that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Exit 2 with one line."""
        self.exit(2, f"nrf91-harness: {message}; see {self.prog} --help\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse would list every command. It suggests the nearest one only from Python 3.14 on.
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            raise argparse.ArgumentError(None, f"unknown command {value!r}; {_nearest_command(value, action.choices)}")
        super()._check_value(action, value)


def _nearest_command(word: str, known: Any) -> str:
    from harness.cli.main import COMMANDS

    if full := [repr(name) for name in COMMANDS if name.endswith(f" {word}")]:  # a group's, without the group
        return f"nearest known command is {' or '.join(full)}"
    from harness.settings.sentences import nearest  # with all settings: half of what a short command costs

    return nearest("command", word, list(known)).replace("; correct it", "")


Group: TypeAlias = "argparse._SubParsersAction[Parser]"


@dataclass(frozen=True, slots=True)
class ParentParsers:
    """Parents of the commands' parsers. ``output``: options of the output. ``board``, ``several``: options for boards.

    ``file``: only the option for the boards file.
    """

    output: Parser
    file: Parser
    board: Parser
    several: Parser


def shared() -> ParentParsers:
    """Return parsers with the options that many commands have."""
    output = Parser(add_help=False)
    output.add_argument("--json", action="store_true", help="print one JSON object")
    file = Parser(add_help=False, parents=[output])
    add_boards_file(file)
    return ParentParsers(output, file, _board_options(output), _board_options(output, nargs="+"))


def command(group: Group, full: str, about: str, options: Parser) -> Parser:
    """Add a command to ``group``.

    ``full``: its name with the group's, by which the program finds its function. ``about``: its help. ``options``:
    parsers whose options it takes over.
    """
    name = full.rpartition(" ")[2]
    described = f"{full}: {about}."
    # Shortened options are refused: pytest's --board, which names a board, would be taken for --boards, a file.
    made = group.add_parser(
        name, parents=[options], help=about, description=described, epilog=EPILOG, allow_abbrev=False
    )
    made.set_defaults(command=full)
    return made


def subcommands(group: Group, name: str, about: str) -> Group:
    """Add a group of commands to ``group``; return the object that its commands are added to.

    ``name``: its word. ``about``: its help.
    """
    return group.add_parser(name, help=about, epilog=EPILOG).add_subparsers(metavar="COMMAND", required=True)


def add_boards_file(parser: Parser) -> None:
    """Add ``--boards``."""
    about = "boards file (default: boards.yaml; without one a virtual board)"
    parser.add_argument("--boards", type=Path, default=choose_boards_file(None, Path()), metavar="FILE", help=about)


def _board_options(output: Parser, nargs: str | None = None) -> Parser:
    parser = Parser(add_help=False, parents=[output])
    add = parser.add_argument
    names = "names of boards" if nargs else "the board's name"
    add("board" if nargs is None else "several", nargs=nargs, metavar="BOARD", help=f"{names} in the boards file")
    add_boards_file(parser)
    add("--cloud", metavar="NAME", help="use this cloud of the boards file")
    add(
        "--lab-ca",
        type=Path,
        metavar="DIR",
        help="the lab CA's folder (default: as in the boards file, or .lab/ca beside it)",
    )
    add("--transcript", type=Path, metavar="FILE", help="write the dialogue with the board to FILE, without secrets")
    return parser


def text_name(text: str) -> str:
    """Return ``text`` if it can be a name."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!a} is not UTF-8 text") from None
    if not text:
        raise argparse.ArgumentTypeError("a name cannot be empty")
    return text


def sec_tag(text: str, highest: int = LATEST_SEC_TAG) -> int:
    """Return the number of a sec_tag that the harness may write to."""
    if not text.isascii() or not text.isdecimal() or int(text) > highest:
        raise argparse.ArgumentTypeError(f"{text!r} is not a sec_tag, which is 0 to {highest}")
    return int(text)


def whole_seconds(text: str) -> int:
    """Return a whole number of seconds."""
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds, 0 or more")
    return int(text)


def whole_number(text: str) -> int:
    """Return a number of runs, days or bytes: 0 or more."""
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)

"""Arguments of the commands on a lab: ``boards``, ``doctor``, ``power``, ``flash``, ``bridge`` and ``matrix``."""

import argparse
from pathlib import Path

from harness.cli.parsers.base import Group, ParentParsers, Parser, command, sec_tag, subcommands
from harness.lab.built_in import choose_boards_file


def add(commands: Group, shared: ParentParsers) -> None:
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
            help="send AT commands to free kits of SEGGER and Nordic; without it nothing is written to any port",
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
    command(group, "boards lease", "show who uses which board, and since when", shared.output)
    _add_doctor(command(commands, "doctor", "find what would spoil a night, and how to mend it", shared.file))
    about = "let any program talk to the cloud through a board: its modem does TLS, with its own key"
    _add_bridge(command(commands, "bridge", about, shared.board))
    _add_flash(command(commands, "flash", "write the firmware that the boards file names, if needed", shared.file))
    about = "show which scenario runs on which board, and why not on the others; opens no board"
    _add_matrix(command(commands, "matrix", about, shared.file))
    _add_power(command(commands, "power", "switch a board's power, and check that it happened", shared.file))


def _add_flash(parser: Parser) -> None:
    parser.add_argument("board", metavar="BOARD", help="the board's name in the boards file")
    parser.add_argument("--force", action="store_true", help="write it even if the board has it already")
    about = "the lab CA's folder, which has the records of what was written (default: as in the boards file)"
    parser.add_argument("--lab-ca", type=Path, metavar="DIR", help=about)


def _add_power(parser: Parser) -> None:
    parser.add_argument("board", metavar="BOARD", help="the board's name in the boards file")
    parser.add_argument("action", choices=("on", "off", "cycle"), help="what to do")
    about = "the lab CA's folder, beside which restarts are counted (default: as in the boards file)"
    parser.add_argument("--lab-ca", type=Path, metavar="DIR", help=about)


def _add_matrix(parser: Parser) -> None:
    about = "the tests (default: %(default)s)"
    parser.add_argument("tests", nargs="?", type=Path, default=Path("tests/scenarios"), metavar="TESTS", help=about)


def _add_bridge(parser: Parser) -> None:
    add = parser.add_argument
    add("--listen", type=_port, required=True, metavar="PORT", help="port on 127.0.0.1 to listen on; 0: any")
    add("--to", type=_address, metavar="HOST:PORT", help="where to connect (default: the cloud's MQTT broker)")
    add("--sec-tag", type=sec_tag, metavar="N", help="credentials for TLS (default: the board's own)")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 0xFFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, which is a number from 0 to 65535")
    return int(text)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) <= 0xFFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _add_doctor(parser: Parser) -> None:
    add = parser.add_argument
    parser.epilog = "Exit codes: 0 fit, 1 fit, with warnings, 2 not fit (failures) or misuse, 3 the lab's trouble."
    add("several", nargs="*", metavar="BOARD", help="names or tags in the boards file (default: all boards)")
    add("--quick", action="store_true", help="only checks that take milliseconds and stay on this computer")
    add("--cloud", metavar="NAME", help="use this cloud of the boards file")
    add("--lab-ca", type=Path, metavar="DIR", help="the lab CA's folder (default: as in the boards file)")

"""The command line: its commands and options, and the messages about mistakes in them."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from harness.cli.parsers.base import EPILOG, Parser, shared

if TYPE_CHECKING:
    from harness.credentials.key_origin import KeyOrigin
    from harness.policy import Membership


MODULES: Final = ("lab", "credentials", "tokens", "policy", "runs", "virtual", "shell")
"""The modules of parsers/, in the order of the help."""
HOMES: Final = {
    **dict.fromkeys(("boards", "doctor", "power", "flash", "bridge", "matrix"), "lab"),
    **dict.fromkeys(("provision", "credentials"), "credentials"),
    **dict.fromkeys(("attest", "jwt"), "tokens"),
    **dict.fromkeys(("judge", "report"), "runs"),
    "policy": "policy",
    "virtual": "virtual",
    "completion": "shell",
}
"""The module of each command, by its first word. Only that one is imported, so that quick commands are quick."""


class Arguments(argparse.Namespace):
    """The arguments of the command line. Which of them are set depends on ``command``."""

    command: str
    json: bool
    # of a board
    board: str
    several: list[str]  # for provision
    boards: Path
    cloud: str | None
    lab_ca: Path | None
    transcript: Path | None
    # provision
    key_origin: "KeyOrigin | None"
    reprovision: bool
    # credentials, jwt
    sec_tag: int | None
    foreign: bool  # credentials delete
    # attest, jwt
    show: bool
    challenge: bytes | None
    identity: bool
    key_type: int
    expires_in: int
    subject: str
    audience: str
    # policy
    files: list[Path]
    verb: str
    topic: str
    retain: bool
    membership: "Membership"
    memberships: "list[Membership]"
    device_id: str | None
    tenant: str | None
    live: bool
    full: bool
    mutants: bool
    # boards, doctor
    quick: bool
    probe: bool
    write: bool
    # matrix
    tests: Path
    # power
    action: Literal["on", "off", "cycle"]
    # virtual fault
    fault: str | None
    fields: list[str]
    # bridge
    listen: int
    to: tuple[str, int] | None
    # completion
    shell: str
    # judge, report rebuild
    run: Path
    test: str | None
    junit_properties: str
    # report html, index, diff, prune
    folders: list[Path]
    other: Path
    keep_runs: int
    keep_days: int
    keep_size: int
    keep_history_days: int
    dry_run: bool


class _Version(argparse.Action):
    """Print the version, which takes a while to find out, and exit."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"nrf91-harness {version('nrf91-harness')}")
        parser.exit()


def parse(arguments: Sequence[str] | None = None) -> Arguments:
    """Return the arguments. A mistake ends the process with one line on standard error and exit code 2."""
    words = sys.argv[1:] if arguments is None else arguments
    module = HOMES.get(words[0]) if words else None
    return make_parser([module] if module else MODULES).parse_args(words, Arguments())


def make_parser(modules: Sequence[str] = MODULES) -> Parser:
    """Return the parser of the whole command line, or of the commands of some modules of parsers/."""
    parser = Parser(prog="nrf91-harness", description="Tests nRF91 boards against nRF Cloud.", epilog=EPILOG)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    options = shared()
    for module in modules:
        import_module(f"harness.cli.parsers.{module}").add(commands, options)
    return parser

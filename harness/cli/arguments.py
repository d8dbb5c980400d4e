"""The command line: its commands and options, and the messages for wrong ones."""

import argparse
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.cli.parsers import credentials, lab, policy, runs, shell, tokens, virtual
from harness.cli.parsers.base import EPILOG, Parser, shared
from harness.policy import Membership

if TYPE_CHECKING:
    from harness.credentials.key_origin import KeyOrigin


class Arguments(argparse.Namespace):
    """What was given. Which members are there depends on ``command``."""

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
    membership: Membership
    memberships: list[Membership]
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


def parse(arguments: Sequence[str] | None = None) -> Arguments:
    """Return the arguments; wrong ones end the process with one line on standard error and exit code 2."""
    return make_parser().parse_args(arguments, Arguments())


def make_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(prog="nrf91-harness", description="Tests nRF91 boards against nRF Cloud.", epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"nrf91-harness {version('nrf91-harness')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    options = shared()
    for group in (lab, credentials, tokens, policy, runs, virtual, shell):
        group.add(commands, options)
    return parser

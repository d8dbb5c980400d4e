"""The command line: what may be given, and what is said to who gives something else."""

import argparse
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from harness.cli.braces import check_braces
from harness.credentials import KeyOrigin
from harness.lab import choose_boards_file
from harness.policy import Membership, Verb
from harness.settings import add_options

_LATEST = 2**31 - 1
_MEMBERSHIP_HELP = "the device's membership: provisioned (in no team), associated or gateway"
EPILOG = "Exit codes: 0 done, 1 refused by board or cloud, 2 misuse, 3 the lab's trouble, 130 interrupted."


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
    key_origin: KeyOrigin | None
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
    # judge, report rebuild
    run: Path
    test: str | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit 2 with one line."""
        self.exit(2, f"nrf91-harness: {message}; see {self.prog} --help\n")


class _Collect(argparse.Action):
    """Append a value to the list, unless it is there already."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = getattr(namespace, self.dest)
        setattr(namespace, self.dest, given if values in given else [*given, values])


_Group: TypeAlias = "argparse._SubParsersAction[_Parser]"


def parse(arguments: Sequence[str] | None = None) -> Arguments:
    """Return the arguments; wrong ones end the process with one line on standard error and exit code 2."""
    return _parser().parse_args(arguments, Arguments())


def _parser() -> _Parser:
    parser = _Parser(prog="nrf91-harness", description="Tests nRF91 boards against nRF Cloud.", epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"nrf91-harness {version('nrf91-harness')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    output = _Parser(add_help=False)
    output.add_argument("--json", action="store_true", help="print one JSON object")
    board, several = _board_options(output), _board_options(output, nargs="+")

    def command(group: _Group, full: str, about: str, options: _Parser) -> _Parser:
        name = full.rpartition(" ")[2]
        made = group.add_parser(name, parents=[options], help=about, description=f"{full}: {about}.", epilog=EPILOG)
        made.set_defaults(command=full)
        return made

    _add_provision(command(commands, "provision", "make boards devices of the cloud", several))
    stored = commands.add_parser("credentials", help="look after what is in a board's credential store")
    group = stored.add_subparsers(metavar="COMMAND", required=True)
    command(group, "credentials list", "list everything that the board holds", board)
    command(group, "credentials verify", "compare the board with what the harness wrote to it", board)
    delete = command(group, "credentials delete", "delete root CA, certificate and key of a board", board)
    delete.add_argument("--sec-tag", type=_any_sec_tag, metavar="N", help="only this sec_tag")
    delete.add_argument(
        "--foreign", action="store_true", help="with --sec-tag: all that is there, whoever wrote it (up to 4294967295)"
    )
    _add_attest(command(commands, "attest", "ask the modem for its attestation token", board))
    _add_jwt(command(commands, "jwt", "ask the modem for a JWT and verify its signature", board))
    policies = commands.add_parser("policy", help="what devices may do by the cloud's policies, and whether they may")
    group = policies.add_subparsers(metavar="COMMAND", required=True)
    _add_check(command(group, "policy check", "look for mistakes in policy documents", output))
    _add_explain(command(group, "policy explain", "say whether the documents allow something, and why", board))
    _add_trials(command(group, "policy trials", "list the trials that the documents call for", board))
    probe = command(group, "policy probe", "compare the deployed policies with the documents, by trials", board)
    _add_memberships(probe, "associated")
    _add_judge(command(commands, "judge", "judge the trials of a run anew, from its files", output))
    reports = commands.add_parser("report", help="what runs have left behind")
    group = reports.add_subparsers(metavar="COMMAND", required=True)
    rebuild = command(group, "report rebuild", "make the JUnit report of a killed run from its journal", output)
    rebuild.add_argument("run", type=Path, metavar="RUN", help="the run's folder, for instance reports/20261127T20...")
    stand_ins = commands.add_parser("virtual", help="virtual boards and a local nRF Cloud")
    group = stand_ins.add_subparsers(metavar="COMMAND", required=True)
    up = command(group, "virtual up", "start them, and write a boards file that reaches them", output)
    add_options(up, without=("die_with_stdin",))
    return parser


def _board_options(output: _Parser, nargs: str | None = None) -> _Parser:
    parser = _Parser(add_help=False, parents=[output])
    add = parser.add_argument
    names = "names of boards" if nargs else "the board's name"
    add("board" if nargs is None else "several", nargs=nargs, metavar="BOARD", help=f"{names} in the boards file")
    boards = "boards file (default: boards.yaml; without one a virtual board)"
    add("--boards", type=Path, default=choose_boards_file(None, Path()), metavar="FILE", help=boards)
    add("--cloud", metavar="NAME", help="use this cloud of the boards file")
    add(
        "--lab-ca",
        type=Path,
        metavar="DIR",
        help="the lab CA's folder (default: as in the boards file, or .lab/ca beside it)",
    )
    add("--transcript", type=Path, metavar="FILE", help="write everything that was said to FILE, without secrets")
    return parser


def _add_provision(parser: _Parser) -> None:
    add = parser.add_argument
    add(
        "--key-origin",
        type=_key_origin,
        metavar="WHERE",
        help=f"{', '.join(KeyOrigin)} (default: as in the boards file)",
    )
    add("--reprovision", action="store_true", help="make new credentials although valid ones are there")


def _add_attest(parser: _Parser) -> None:
    parser.add_argument("--challenge", type=_challenge, metavar="HEX", help="16 bytes that the token must contain")
    parser.add_argument("--show", action="store_true", help="print the token too: whoever has it can claim the board")


def _add_jwt(parser: _Parser) -> None:
    add = parser.add_argument
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--sec-tag", type=_sec_tag, metavar="N", help="key to sign with (default: the board's own)")
    key.add_argument("--identity", action="store_true", help="sign with the device identity key")
    add("--key-type", type=int, choices=(2, 8), default=2, help="2 client key, 8 endorsement key (default 2)")
    add("--expires-in", type=_seconds, default=600, metavar="SECONDS", help="0: without an end (default 600)")
    add("--subject", default="", metavar="TEXT", help="sub claim (default: as the modem chooses)")
    add("--audience", default="", metavar="TEXT", help="aud claim (default: none)")
    add("--show", action="store_true", help="print the token too: whoever has it can act as the device")


def _add_check(parser: _Parser) -> None:
    parser.add_argument("files", nargs="+", type=_document_file, metavar="FILE", help="policy document, in JSON")


def _add_explain(parser: _Parser) -> None:
    verbs = (Verb.CONNECT, Verb.PUBLISH, Verb.SUBSCRIBE)
    about = "topic, topic filter or client id; {device}, {tenant}, {other_device}, {other_tenant} in it are filled"
    about_it = f"{_MEMBERSHIP_HELP} (default: associated)"
    add = parser.add_argument
    add("verb", choices=[str(verb) for verb in verbs], help="what the device does")
    add("topic", metavar="TOPIC", type=_template, help=about)
    add("--retain", action="store_true", help="publish as a retained message")
    add(
        "--membership",
        dest="membership",
        type=_membership,
        default=Membership.ASSOCIATED,
        metavar="MEMBERSHIP",
        help=about_it,
    )
    _add_names(parser)


def _add_trials(parser: _Parser) -> None:
    parser.add_argument("--full", action="store_true", help="all derived trials, not only the smallest set")
    parser.add_argument("--mutants", action="store_true", help="list the mutants too, and what notices them")
    _add_memberships(parser, "all three")
    _add_names(parser)


def _add_memberships(parser: _Parser, default: str) -> None:
    text = f"{_MEMBERSHIP_HELP} (default: {default}); repeatable"
    add = parser.add_argument
    add(
        "--membership",
        dest="memberships",
        type=_membership,
        action=_Collect,
        default=[],
        metavar="MEMBERSHIP",
        help=text,
    )


def _add_names(parser: _Parser) -> None:
    add = parser.add_argument
    add("--device-id", metavar="ID", type=_name, help="device id (default: the boards file's, or the text {device})")
    add("--tenant", metavar="ID", type=_name, help="team (tenant) id (default: the text {tenant})")
    add("--live", action="store_true", help="read both ids from the board and its cloud")


def _add_judge(parser: _Parser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder, below reports")
    parser.add_argument("--test", metavar="ID", type=_name, help="only this test, or those that have this in their id")


def _key_origin(text: str) -> KeyOrigin:
    try:
        return KeyOrigin(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(KeyOrigin)}") from None


def _name(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!a} is not UTF-8 text") from None
    if not text:
        raise argparse.ArgumentTypeError("a name cannot be empty")
    return text


def _template(text: str) -> str:
    try:
        check_braces(_name(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _document_file(text: str) -> Path:
    """A path, or what AWS CLI takes in its place: ``file://policy.json``, ``file:///home/me/policy.json``."""
    return Path(text.removeprefix("file://"))


def _sec_tag(text: str, highest: int = _LATEST) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > highest:
        raise argparse.ArgumentTypeError(f"{text!r} is not a sec_tag, which is 0 to {highest}")
    return int(text)


def _any_sec_tag(text: str) -> int:
    """A sec_tag that a modem may list, those that Nordic reserves too."""
    return _sec_tag(text, 2**32 - 1)


def _membership(text: str) -> Membership:
    states = (Membership.PROVISIONED, Membership.ASSOCIATED, Membership.GATEWAY)
    if text not in states:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(states)}")
    return Membership(text)


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds")
    return int(text)


def _challenge(text: str) -> bytes:
    try:
        challenge = bytes.fromhex(text)
    except ValueError:
        challenge = b""
    if len(challenge) != 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not 32 hex digits")
    return challenge

"""The command line of the stand-ins' process."""

import argparse
import math
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, get_args

from cryptography.hazmat.primitives.asymmetric import ec

from harness.policy import profile_folder
from harness.policy.documents.profile import SHIPPED
from harness.virtual.board import NRF9151_MFW_2_0_2, PERSONALITIES, Fault, Framing, Terminator
from harness.virtual.cloud.broker.profile import CertificateRefusal, CloseStyle, OnViolation
from harness.virtual.cloud.provisioning.attestation import parse_identity

_MOST_BOARDS = 64
_BOARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ROUTE = re.compile(r"([^:=\s]+):(\d{1,5})=([^:=\s]+):(\d{1,5})")
_CLOUD_OPTIONS = (
    "policies",
    "on_violation",
    "close_style",
    "tenant",
    "state",
    "cert_refusal",
    "jitp_delay",
    "trust_identity",
    "proxy",
)

Route = tuple[tuple[str, int], tuple[str, int]]


@dataclass(frozen=True)
class Options:
    """What to start. ``directory`` None: a temporary one of its own. ``proxy`` None: no proxy, 0: on any free port."""

    names: tuple[str, ...]
    cloud: bool
    directory: Path | None
    model: str
    framing: Framing
    terminator: Terminator
    colour: bool
    faults: tuple[Fault, ...]
    baud: int
    time_scale: float
    network: tuple[Route, ...]
    policies: Path | None
    on_violation: OnViolation
    close_style: CloseStyle
    cert_refusal: CertificateRefusal
    jitp_delay: float
    identities: Mapping[uuid.UUID, ec.EllipticCurvePublicKey]
    proxy: int | None
    tenant: str | None
    state: Path | None
    die_with_stdin: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit 2 with one line: a supervisor shows the last line of stderr."""
        self.exit(2, f"{self.prog}: {message}\n")


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Return the options; a wrong one ends the process with one line on stderr and exit code 2."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.cloud:
        for name in _CLOUD_OPTIONS:
            if getattr(given, name) is not None:
                parser.error(f"--{name.replace('_', '-')} means nothing together with --no-cloud")
    names: tuple[str, ...] | None = given.names
    if names is None:
        names = tuple(f"virtual-{number}" for number in range(1, (1 if given.boards is None else given.boards) + 1))
    elif given.boards is not None and given.boards != len(names):
        parser.error(f"--boards {given.boards} contradicts --names, which has {len(names)}")
    return Options(
        names=names,
        cloud=given.cloud,
        directory=given.dir,
        model=given.model,
        framing=Framing(given.framing),
        terminator=Terminator(given.terminator),
        colour=given.colour,
        faults=tuple(map(Fault, given.fault)),
        baud=given.baud,
        time_scale=given.time_scale,
        network=tuple(given.network),
        policies=given.policies,
        on_violation=given.on_violation or "close",
        close_style=given.close_style or "notify",
        cert_refusal=given.cert_refusal or "close",
        jitp_delay=0.05 if given.jitp_delay is None else given.jitp_delay,
        identities=dict(given.trust_identity or ()),
        proxy=given.proxy,
        tenant=given.tenant,
        state=given.state,
        die_with_stdin=given.die_with_stdin,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m harness.virtual", description="Virtual nRF91 boards and a local nRF Cloud.")
    add = parser.add_argument
    add("--boards", type=_count, metavar="N", help="how many boards (default 1, or as many as --names)")
    add("--names", type=_names, metavar="A,B", help="their names (default virtual-1, virtual-2, ...)")
    add("--no-cloud", dest="cloud", action="store_false", help="boards only; --network says where names lead")
    add("--dir", type=Path, help="where ports, journal, CA and API key go (default: a temporary directory)")
    add("--model", choices=sorted(PERSONALITIES), default=NRF9151_MFW_2_0_2.name)
    add("--framing", choices=list(map(str, Framing)), default="serial-modem", help="the application firmware")
    add("--terminator", choices=list(map(str, Terminator)), default="cr", help="at_client: what ends a command")
    add("--colour", action="store_true", help="shell: colours and cursor movements, as on a terminal")
    add("--fault", choices=list(map(str, Fault)), action="append", default=[], help="may be given again")
    add("--baud", type=_baud, default=0, help="pace of the UART in bit/s (default 0: not paced)")
    add("--time-scale", type=_scale, default=0.05, metavar="F", help="1.0: as slow as a real modem (default 0.05)")
    add("--network", type=_route, action="append", default=[], metavar="NAME:PORT=HOST:PORT")
    add(
        "--policies",
        type=_policies,
        metavar="page|current|DIR",
        help="policy documents: the page's (default), also with what today's firmware publishes, or those in DIR",
    )
    add("--on-violation", choices=get_args(OnViolation), help="what follows a policy violation (default close)")
    add("--close-style", choices=get_args(CloseStyle), help="how a connection is closed (default notify)")
    add("--tenant", type=_tenant, metavar="UUID", help="team id (default random)")
    add("--state", type=Path, metavar="FILE", help="keep devices and the cloud's CAs in FILE and beside it")
    add(
        "--cert-refusal",
        choices=get_args(CertificateRefusal),
        help="how an unusable certificate is refused: by the end"
        " of the connection before CONNACK, or by a TLS alert (default close)",
    )
    add("--jitp-delay", type=_scale, metavar="S", help="time from a JITP device's first connection until it exists")
    add(
        "--trust-identity",
        type=_identity,
        action="append",
        metavar="UUID=HEX",
        help="identity key (P-256 point) of a board that may be claimed besides the virtual ones here",
    )
    add("--proxy", type=_port, metavar="PORT", help="HTTP CONNECT proxy for nRF Cloud's names (0: any free port)")
    add("--die-with-stdin", action="store_true", help="stop when stdin ends")
    return parser


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > _MOST_BOARDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {_MOST_BOARDS}")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if not _BOARD_NAME.fullmatch(name) or name == "api-key":
            raise argparse.ArgumentTypeError(f"{name!r} is no board name: letters, digits, - and _; not api-key")
    if len(set(names)) < len(names) or len(names) > _MOST_BOARDS:
        raise argparse.ArgumentTypeError(f"names must differ, and be at most {_MOST_BOARDS}")
    return names


def _baud(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no baud rate (0: not paced)")
    return int(text)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 <= scale < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no factor of 0 or more")
    return scale


def _route(text: str) -> Route:
    match = _ROUTE.fullmatch(text)
    if not match or not all(0 < int(port) < 65536 for port in (match[2], match[4])):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME:PORT=HOST:PORT")
    return (match[1], int(match[2])), (match[3], int(match[4]))


def _identity(text: str) -> tuple[uuid.UUID, ec.EllipticCurvePublicKey]:
    try:
        return parse_identity(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form UUID=HEX with a point on P-256") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0: any free one)")
    return int(text)


def _policies(text: str) -> Path:
    folder = profile_folder(text) if text in SHIPPED else Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is neither page nor current nor a directory")
    return folder


def _tenant(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no UUID") from None

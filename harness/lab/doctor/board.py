"""The check that talks to a board, by AT, if nobody uses it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from harness.errors import BoardLost, HarnessError, NoAnswer, PortBusy, PortMissing
from harness.lab.config import BoardConfig
from harness.lab.doctor.check import Check, CheckResult, Machine, Status
from harness.lab.doctor.findings import judge
from harness.lab.doctor.ports import device_of, not_a_port
from harness.lab.doctor.questions import Answers, ask
from harness.lab.lab import Lab
from harness.lab.lease import Lease, lease_folder, port_key

Written = Callable[[str, int], set[int]]
"""Takes a board's IMEI and a sec_tag; returns the kinds of credentials that the harness wrote there."""

_DEADLINE: Final = 12.0  # four tries of one second each, at two speeds of a remote port


Reach = Callable[[], AbstractContextManager[str]]
"""Holds a board during the block, and yields its port. Raises LabError."""


def check(board: BoardConfig, reach: Reach, written: Written) -> Check:
    """Return the check of a board, whose results are ``board.*``.

    ``board``: its entry. ``reach``: opens its port. ``written``: kinds that the harness wrote, by IMEI and sec_tag.
    """
    return Check("board.answers", board.name, partial(_board, board, reach, written), _DEADLINE)


@contextmanager
def attached(machine: Machine, board: BoardConfig, leases: Path | None) -> Iterator[str]:
    """Reach a board on this computer or at a server of ports.

    ``machine``: the computer. ``board``: its entry. ``leases``: the folder of leases.
    """
    url = device_of(machine, board)
    key = port_key(url, comports=machine.comports)
    with Lease(board.name, key, folder=leases or lease_folder()):
        yield url


@contextmanager
def at_place(lab: Lab, board: BoardConfig) -> Iterator[str]:
    """Reach a board at a labgrid place."""
    with lab.lease(board):
        yield lab.port_url(board)


def _board(board: BoardConfig, reach: Reach, written: Written) -> Iterator[CheckResult]:
    if board.virtual is not None:
        yield CheckResult("board.answers", board.name, Status.SKIPPED, "a virtual board; each run starts it anew")
        return
    url = ""
    try:
        with reach() as url:
            answers = ask(board, url)
    except PortMissing as error:
        yield _without_port(board, url, str(error))
        return
    except PortBusy as error:
        yield CheckResult("board.answers", board.name, Status.SKIPPED, f"not asked: {error}")
        return
    except HarnessError as error:
        yield CheckResult("board.answers", board.name, Status.FAIL, str(error), _cure(board, error))
        return
    yield CheckResult("board.answers", board.name, Status.OK, answers.text("AT+CGMM") or "it answers AT commands")
    yield from judge(board, answers, now=datetime.now(UTC), written=_kinds(board, answers, written))


def _without_port(board: BoardConfig, url: str, error: str) -> CheckResult:
    """Return the result of a board whose port cannot be opened. ``url``: the port, "" if not even that was found.

    That is a failure of its own unless ``port.present`` or ``place.present`` has failed for the same reason.
    """
    if not url or ("://" not in url and not_a_port(url) is not None):
        return CheckResult("board.answers", board.name, Status.SKIPPED, "not asked: its port is missing")
    return CheckResult("board.answers", board.name, Status.FAIL, error, "nrf91-harness boards list")


def _kinds(board: BoardConfig, answers: Answers, written: Written) -> Mapping[int, set[int]]:
    imei = (answers.value("AT+CGSN=1", "+CGSN") or "").strip('"')
    return {tag: written(imei, tag) for tag in board.all_sec_tags} if imei else {}


def _cure(board: BoardConfig, error: HarnessError) -> str:
    """Return the remedy. Power and button help a board that does not answer, and no other trouble."""
    if not isinstance(error, NoAnswer | BoardLost):
        return "nrf91-harness boards list"
    if board.power is not None:
        return f"nrf91-harness power {board.name} cycle"
    return f"nrf91-harness boards list --probe  # and reset {board.name} by its button"

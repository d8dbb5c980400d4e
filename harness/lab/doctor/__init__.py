"""Finds before a night what would spoil it: at host, ports, USB, boards, clouds and the lab's CA.

It changes nothing: no setting, no file, no device. Boards that nobody uses are asked, with read commands only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shlex import quote
from tempfile import gettempdir

from harness.errors import HarnessError
from harness.lab.account import account_endpoints
from harness.lab.config import BoardConfig, LabFile, NrfCloudAccount
from harness.lab.doctor import account, board, host, lab_ca, network, places, ports, usb
from harness.lab.doctor.account import Leftovers
from harness.lab.doctor.board import Written
from harness.lab.doctor.check import Check, CheckResult, Machine, Status
from harness.lab.doctor.check_runner import in_one_line, run_checks, verdict, worst
from harness.lab.doctor.own_commands import OwnCommands
from harness.lab.lab import Lab


@dataclass(frozen=True)
class Patient:
    """What the doctor looks at. ``boards``: of ``file``, each with its cloud. ``ca_folder``: the lab's state.

    ``reports``: the folder of the runs. ``leftovers``, ``written``: see account.py and board.py. ``leases``: the folder
    of leases, None: the usual one. ``lab``: reaches boards at labgrid places; without it they are left out.
    """

    file: LabFile
    boards: Sequence[BoardConfig]
    ca_folder: Path
    reports: Path
    leftovers: Leftovers
    written: Written
    machine: Machine = field(default_factory=Machine)
    leases: Path | None = None
    lab: Lab | None = None


def checks_of(patient: Patient, *, quick: bool = False) -> list[Check]:
    """Return all checks; if ``quick``, only those that stay on this computer and take milliseconds."""
    machine, boards = patient.machine, patient.boards
    found = host.checks(machine, boards, [patient.reports, Path(gettempdir())], patient.ca_folder)
    of_ports = {check.about: check for check in ports.checks(machine, boards, patient.leases)}
    for one in boards:
        found += [of_ports[one.name]] if one.name in of_ports else []
        found += usb.checks(machine, [one])
        found += _asked(patient, one)
    for name in dict.fromkeys(one.cloud for one in boards):
        found += _cloud(patient, name)
    found.append(lab_ca.check(patient.ca_folder))
    return [check for check in found if check.quick or not quick]


def _asked(patient: Patient, one: BoardConfig) -> list[Check]:
    """Return the checks that talk to the board."""
    if one.place is None:
        reach = partial(board.attached, patient.machine, one, patient.leases)
        return [board.check(one, reach, patient.written)]
    if patient.lab is None:
        return []
    reach = partial(board.at_place, patient.lab, one)
    labgrid, folder = patient.file.labgrid, patient.file.path.parent
    return [
        places.check(patient.lab.places, one, one.place, labgrid, folder),
        board.check(one, reach, patient.written),
    ]


def _cloud(patient: Patient, name: str) -> list[Check]:
    config = patient.file.cloud(name)
    if not isinstance(config, NrfCloudAccount):
        text = "a local cloud; each run starts it anew"
        return [Check("account.access", name, lambda: [CheckResult("account.access", name, Status.SKIPPED, text)])]
    key = partial(Lab(patient.file).clouds.api_key, name)
    path = config.api_key_file
    cure = f"export {config.api_key_env}=..." if path is None else f"chmod 600 {patient.file.path.parent / path}"
    found = [account.key_check(name, key, cure)]
    try:
        endpoints = account_endpoints(name, config, folder=patient.file.path.parent)
    except HarnessError as error:
        wrong = CheckResult(
            "cloud.tls", name, Status.FAIL, str(error), f"nrf91-harness boards check {quote(str(patient.file.path))}"
        )
        return [*found, Check("cloud.tls", name, lambda: [wrong])]
    found += network.checks(patient.machine, name, endpoints)
    return [*found, account.check(name, key, cure, endpoints, patient.leftovers)]


__all__ = [
    "Check",
    "CheckResult",
    "Machine",
    "OwnCommands",
    "Patient",
    "Status",
    "checks_of",
    "in_one_line",
    "run_checks",
    "verdict",
    "worst",
]

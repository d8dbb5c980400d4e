"""``nrf91-harness doctor``: finds what would spoil a night, and how to mend it. Exit 0 fit, 1 in doubt, 2 not fit."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from harness.cli.arguments import Arguments
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.tables import blocks
from harness.credentials.records import CredentialRecords
from harness.lab import Lab, load_boards_file
from harness.lab.doctor import CheckResult, OwnCommands, Patient, Status, checks_of, run_checks, verdict, worst
from harness.redact import SECRETS
from harness.run.cloud_device import RECORDS
from harness.run.ledger import left_by_killed
from harness.run.run import lab_ca_folder

_CODES: Final = {Status.WARN: 1, Status.FAIL: 2}


def examine(given: Arguments, _progress: Progress) -> Result:
    """Check host, boards, clouds and the lab's CA, all side by side."""
    began = time.monotonic()
    file = load_boards_file(given.boards)
    ca_folder = given.lab_ca or lab_ca_folder(file)
    with Lab(file, cloud_override=given.cloud) as lab:
        patient = Patient(
            file=file,
            boards=lab.select(given.several),
            ca_folder=ca_folder,
            reports=Path("reports"),
            leftovers=partial(left_by_killed, ca_folder),
            written=partial(_written, ca_folder),
            lab=lab,
        )
        results = list(run_checks(checks_of(patient, quick=given.quick)))
    commands = OwnCommands(given.boards, given.lab_ca)
    results = [replace(each, remedy=commands.complete(each.remedy)) for each in results]
    seconds = time.monotonic() - began
    data = {
        "verdict": str(worst(results)),
        "seconds": round(seconds, 3),
        "checks": [
            {
                "id": result.id,
                "about": result.about,
                "status": str(result.status),
                "text": SECRETS.scrub(result.text),
                "remedy": result.remedy or None,
            }
            for result in results
        ],
    }
    lines = [*_lines(results), verdict(results, seconds)]
    return Result(data, lines, code=_CODES.get(worst(results), 0))


def _lines(results: list[CheckResult]) -> list[str]:
    """Return a line for each result, with the remedy below it."""
    rows = [(str(each.status), each.about, each.id, SECRETS.scrub(each.text)) for each in results]
    lines: list[str] = []
    for block, result in zip(blocks(rows) if rows else (), results, strict=True):
        lines += block
        if result.remedy:
            lines.append(f"         {result.remedy}")
    return lines


def _written(ca_folder: Path, imei: str, sec_tag: int) -> set[int]:
    record = CredentialRecords(ca_folder / RECORDS).get(imei, sec_tag)
    return set() if record is None else set(record.digests)

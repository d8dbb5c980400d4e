"""Checks the lab's CA: both files are there, private, and valid for a while. It makes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from harness.credentials.lab_ca import LabCa
from harness.errors import HarnessError
from harness.lab.doctor.check import Check, CheckResult, Status

ABOUT: Final = "lab-ca"
_SOON: Final = timedelta(days=30)


def check(folder: Path) -> Check:
    """Return the check of the CA in ``folder``."""
    return Check("lab-ca.files", ABOUT, partial(_files, folder), quick=False)


def _files(folder: Path) -> Iterator[CheckResult]:
    try:
        ca = LabCa.load(folder)
    except HarnessError as error:
        cure = f"chmod 600 {folder}/*.key.pem" if "chmod" in str(error) else f"ls -l {folder}"
        yield CheckResult("lab-ca.files", ABOUT, Status.FAIL, str(error), cure)
        return
    if ca is None:
        yield CheckResult("lab-ca.files", ABOUT, Status.OK, f"{folder}: not there yet, the first run makes it")
        return
    yield CheckResult("lab-ca.files", ABOUT, Status.OK, f"{folder}: key and certificate match")
    ends = ca.certificate.not_valid_after_utc
    if ends - datetime.now(UTC) < _SOON:
        text = f"the CA ends on {ends:%Y-%m-%d}; without its folder a run makes a new one and registers the boards anew"
        yield CheckResult("lab-ca.expiry", ABOUT, Status.WARN, text, f"mv {folder} {folder}.old")
    else:
        yield CheckResult("lab-ca.expiry", ABOUT, Status.OK, f"valid until {ends:%Y-%m-%d}")

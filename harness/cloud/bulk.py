"""Bulk onboarding: the CSV file that is uploaded, and the file of errors that comes back.

nRF Cloud REST API reference, OnboardDevices and FetchBulkOpsRequest: five columns without a header (id, sub-type, tags,
firmware types, quoted PEM), tags and types separated by ``|``, at most 1000 rows. The error file names rows by their
index.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Final

from harness.cloud.types import OnboardRow
from harness.errors import Misuse

MOST_ROWS: Final = 1000
FINAL_STATES: Final = frozenset({"SUCCEEDED", "FAILED"})
_ROW_ERROR = re.compile(r"\[(\d+)\]:\s*(.*)", re.DOTALL)


def onboarding_csv(rows: Sequence[OnboardRow]) -> str:
    """Return the body for ``POST /devices``. Raises Misuse for no row, too many rows, or an id that comes twice."""
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Misuse(f"bulk onboarding takes 1 to {MOST_ROWS} devices, not {len(rows)}; split the list")
    ids = [row.device_id for row in rows]
    if len(set(ids)) != len(ids):
        twice = sorted({device_id for device_id in ids if ids.count(device_id) > 1})
        raise Misuse(f"bulk onboarding got {', '.join(twice)} more than once; give each device one row")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        pem = row.certificate_pem.strip() + "\n"
        writer.writerow([row.device_id, row.sub_type, "|".join(row.tags), "|".join(row.firmware_types), pem])
    return out.getvalue()


def key_csv(device_id: str, public_key_pem: str) -> str:
    """Return the body for ``POST /devices/public-keys`` with one row: id and quoted PEM."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([device_id, public_key_pem.strip() + "\n"])
    return out.getvalue()


def row_errors(body: bytes) -> dict[int, str]:
    """Return the messages of an error file by row. Text that cannot be read as messages is under -1."""
    text = body.decode(errors="replace")
    try:
        entries = json.loads(text)["errors"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {-1: " ".join(text.split())}
    errors: dict[int, str] = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        found = _ROW_ERROR.fullmatch(str(entry))
        row, message = (int(found[1]), found[2]) if found else (-1, str(entry))
        errors[row] = f"{errors[row]}; {message}" if row in errors else message
    return errors

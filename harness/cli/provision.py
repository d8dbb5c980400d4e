"""``nrf91-harness provision``."""

from typing import Any

from harness.cli.arguments import Arguments
from harness.cli.exit_codes import OK, describe, exit_code
from harness.cli.progress import Progress
from harness.cli.result import Result, table
from harness.cli.session import several_boards
from harness.errors import HarnessError
from harness.run import Board, Onboarded, onboard_together


def provision(given: Arguments, progress: Progress) -> Result:
    """Make boards devices of the cloud. Valid credentials are kept, unless ``--reprovision`` is given.

    Several boards are provisioned side by side, and an error of one does not stop the others.
    """
    with several_boards(given, given.several, progress) as boards:
        if len(boards) == 1:
            (board,) = boards
            data = _describe(board, board.device.onboarded)
            return Result(data, _lines(data))
        outcomes = onboard_together([board.device for board in boards])
        found: list[dict[str, Any]] = []
        lines: list[str] = []
        errors: list[HarnessError] = []
        for board, outcome in zip(boards, outcomes, strict=True):
            if isinstance(outcome, HarnessError):
                errors.append(outcome)
                found.append({"ok": False, "board": board.name, **describe(outcome)})
                lines.append(f"{board.name} is not provisioned: {found[-1]['message']}")
            else:
                found.append({"ok": True, **_describe(board, outcome)})
                lines += _lines(found[-1])
        return Result({"boards": found}, lines, code=max(map(exit_code, errors), default=OK))


def _describe(board: Board, onboarded: Onboarded) -> dict[str, Any]:
    credentials = onboarded.credentials
    return {
        "board": board.name,
        "device_id": credentials.device_id,
        "imei": board.opened.identity.imei,
        "cloud": board.cloud.name,
        "team": board.cloud.account.tenant_id,
        "key_origin": str(credentials.key_origin),
        "private_key": credentials.security,
        "sec_tag": credentials.sec_tag,
        "kept": credentials.kept,
        "reason": credentials.reason,
        "certificate_id": credentials.certificate_id,
        "certificate_ends": credentials.certificate.not_valid_after_utc.isoformat(),
        "jitp_attempts": onboarded.attempts,
        "saved": None if credentials.saved is None else str(credentials.saved),
    }


def _lines(data: dict[str, Any]) -> list[str]:
    did = "kept" if data["kept"] else "written and verified by digest"
    rows = [
        ("credentials", f"{did}: sec_tag {data['sec_tag']}, key made by {data['key_origin']}"),
        ("because", data["reason"]),
        ("private key", data["private_key"]),
        ("certificate", f"{data['certificate_id']}, ends {data['certificate_ends'][:10]}"),
    ]
    if data["jitp_attempts"]:
        rows.append(("JITP", f"{data['jitp_attempts']} attempts until provisioned, associated and accepted"))
    if data["saved"] is not None:
        rows.append(("replaced", f"what could be read of it is in {data['saved']}"))
    head = f"{data['board']} is device {data['device_id']} of team {data['team']} (cloud {data['cloud']})"
    return [head, *table(rows)]

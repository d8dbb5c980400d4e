"""``nrf91-harness credentials``: list, verify, delete."""

from harness.cli.arguments import Arguments
from harness.cli.exit_codes import OK, REFUSED
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.session import one_board
from harness.errors import Misuse
from harness.run.stored_credentials import Checked, Item, check_stored, delete_foreign, delete_stored, list_items


def list_stored(given: Arguments, progress: Progress) -> Result:
    """List everything in the board's credential store; what the harness wrote is marked."""
    with one_board(given, progress, needs_cloud=False) as board:
        items = list_items(board)
    data = {"board": given.board, "credentials": [_item(item) for item in items]}
    lines = [
        f"{item.sec_tag:>10}  {item.kind:>2}  {item.name:<26}{item.digest}{'  ours' if item.ours else ''}"
        for item in items
    ]
    head = f"{'sec_tag':>10}  {'type and name':<30}SHA-256 as the modem lists it"
    return Result(data, [head, *lines] if lines else [f"{given.board}: the credential store is empty"])


def verify(given: Arguments, progress: Progress) -> Result:
    """Compare what the harness wrote with what the board lists. Any difference counts as refused."""
    with one_board(given, progress, needs_cloud=False) as board:
        checks = check_stored(board)
        folder = board.device.records.folder
    ok = bool(checks) and all(check.ok for check in checks)
    lines = [f"sec_tag {check.sec_tag}: {check.text}" for check in checks]
    if not checks:
        lines = [f"{given.board}: {folder} has no record of anything written to this board; provision it"]
    return Result({"board": given.board, "checks": [_check(check) for check in checks]}, lines, OK if ok else REFUSED)


def delete(given: Arguments, progress: Progress) -> Result:
    """Delete root CA, certificate and key in the board's sec_tags; with ``--foreign`` everything in one sec_tag.

    Content that the harness did not write is deleted only with ``adopt: true`` or ``--foreign``. What stays is shown.
    """
    if given.foreign and given.sec_tag is None:
        raise Misuse("--foreign deletes what others wrote, in one sec_tag: name it with --sec-tag N")
    with one_board(given, progress, needs_cloud=False) as board:
        if given.foreign and given.sec_tag is not None:
            deleted, left = delete_foreign(board, given.sec_tag, progress)
        else:
            deleted, left = delete_stored(board, given.sec_tag, progress)
    lines = [f"deleted sec_tag {item.sec_tag} type {item.kind} ({item.name})" for item in deleted]
    lines = lines or [f"{given.board}: nothing to delete"]
    lines += [f"left    sec_tag {item.sec_tag} type {item.kind} ({item.name}): {why}" for item, why in left]
    data = {
        "board": given.board,
        "deleted": [_item(item) for item in deleted],
        "left": [_item(item) | {"reason": why} for item, why in left],
    }
    return Result(data, lines)


def _item(item: Item) -> dict[str, object]:
    return {
        "sec_tag": item.sec_tag,
        "type": item.kind,
        "name": item.name,
        "sha256": item.digest,
        "ours": item.ours,
    }


def _check(check: Checked) -> dict[str, object]:
    return {"sec_tag": check.sec_tag, "ok": check.ok, "text": check.text}

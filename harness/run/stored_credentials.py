"""The content of a board's credential store, compared with the records of what the harness wrote."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from harness.at import AtError
from harness.errors import Misuse
from harness.modem import CredentialKind, StoredCredential
from harness.run.board import Board

_PROVISIONED = (CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT, CredentialKind.PRIVATE_KEY)


@dataclass(frozen=True, slots=True)
class Item:
    """One credential on the board. ``ours``: the harness wrote it, by its digest."""

    sec_tag: int
    kind: int
    name: str
    digest: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """One sec_tag that the harness wrote to, compared with its record."""

    sec_tag: int
    ok: bool
    text: str


def list_items(board: Board) -> list[Item]:
    """Return everything that the modem lists."""
    return [_item(board, stored) for stored in board.opened.modem.credentials.list()]


def check_stored(board: Board) -> list[Checked]:
    """Compare the record of each sec_tag that the harness wrote to with the modem's list."""
    imei = board.opened.identity.imei
    return [_check(board, tag) for tag in board.config.all_sec_tags if board.device.records.get(imei, tag) is not None]


def delete_stored(
    board: Board, sec_tag: int | None, progress: Callable[[str], None]
) -> tuple[list[Item], list[tuple[Item, str]]]:
    """Delete root CA, certificate and key of ``board`` in ``sec_tag``, None: in all of the board's own.

    ``progress``: called with each step. Returns what was deleted, and what stays there of other types with the reason.
    Raises Misuse before anything is deleted: a sec_tag that is not the board's, or content that the harness did not
    write and that ``adopt: true`` does not give it.
    """
    modem, tags = board.opened.modem, board.config.all_sec_tags if sec_tag is None else (sec_tag,)
    for tag in tags:
        modem.credentials.check_sec_tag(tag)
    there = [item for item in list_items(board) if item.sec_tag in tags]
    found = [item for item in there if item.kind in _PROVISIONED]
    foreign = [item for item in found if not item.ours]
    if foreign and not board.config.adopt:
        places = ", ".join(f"sec_tag {item.sec_tag} type {item.kind}" for item in foreign)
        records = board.device.records.folder
        raise Misuse(
            f"{board.name}: no record in {records} that the harness wrote {places}: set adopt: true for the board to "
            "let it go, or name the sec_tag with --foreign --sec-tag N"
        )
    with modem.offline():
        for item in found:
            progress(f"deleting sec_tag {item.sec_tag} type {item.kind} ({item.name})")
            modem.credentials.delete(item.sec_tag, item.kind)
    for tag in tags:
        board.device.records.remove(board.opened.identity.imei, tag)
    why = "a type that the harness does not write; --foreign --sec-tag N deletes it"
    return found, [(item, why) for item in there if item.kind not in _PROVISIONED]


def delete_foreign(
    board: Board, sec_tag: int, progress: Callable[[str], None]
) -> tuple[list[Item], list[tuple[Item, str]]]:
    """Delete everything of ``board`` in ``sec_tag`` (0 to 4294967295), whoever wrote it, the board's own or not.

    ``progress``: called with each step. Returns what was deleted, and what the modem refused to delete, with its
    refusal.
    """
    modem = board.opened.modem
    found = [item for item in list_items(board) if item.sec_tag == sec_tag]
    deleted: list[Item] = []
    left: list[tuple[Item, str]] = []
    with modem.offline():
        for item in found:
            progress(f"deleting sec_tag {item.sec_tag} type {item.kind} ({item.name})")
            try:
                modem.credentials.delete(item.sec_tag, item.kind, foreign=True)
                deleted.append(item)
            except AtError as error:
                left.append((item, str(error)))
    if not left:
        board.device.records.remove(board.opened.identity.imei, sec_tag)
    return deleted, left


def _item(board: Board, stored: StoredCredential) -> Item:
    record = board.device.records.get(board.opened.identity.imei, stored.sec_tag)
    known = stored.kind in CredentialKind._value2member_map_
    name = CredentialKind(stored.kind).name.lower().replace("_", " ") if known else "unknown"
    ours = record is not None and record.wrote(stored.kind, stored.digest)
    return Item(stored.sec_tag, stored.kind, name, stored.digest, ours)


def _check(board: Board, sec_tag: int) -> Checked:
    record = board.device.records.get(board.opened.identity.imei, sec_tag)
    assert record is not None  # noqa: S101 - for the type checker: the caller looked
    listed = {stored.kind: stored.digest for stored in board.opened.modem.credentials.list(sec_tag)}
    wrong = [
        f"type {kind} holds {listed.get(kind, 'nothing')}, not {digest}"
        for kind, digest in sorted(record.digests.items())
        if listed.get(kind) != digest
    ]
    end = x509.load_pem_x509_certificates(record.certificate_pem.encode())[0].not_valid_after_utc
    if end < datetime.now(UTC):
        wrong.append(f"the certificate expired on {end:%Y-%m-%d}")
    if wrong:
        return Checked(sec_tag, False, "; ".join(wrong))
    text = f"as written for device {record.device_id} (key made by {record.key_origin}, {record.state})"
    return Checked(sec_tag, True, text)

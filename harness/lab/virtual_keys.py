"""Keys of ``virtual:`` that its firmware does not have, so that they would change nothing; numbers of two boards."""

import uuid
from collections.abc import Iterator
from typing import Any

from harness.lab.cloud_library_config import AUTO, KIND
from harness.lab.yaml_marks import Document, Mistake, Place
from harness.settings import DEFAULT_FIRMWARE, ONLY_WITH, FirmwareName
from harness.settings.process import OF_ONE_BOARD, same_number


def virtual_keys(document: Document, place: Place, board: dict[Any, Any]) -> Iterator[Mistake]:
    """Yield the keys of ``virtual:`` of ``board``, at ``place`` of ``document``, that its firmware does not have."""
    virtual = board.get("virtual")
    if not isinstance(virtual, dict):
        return
    firmware = runs(board)
    if firmware not in list(FirmwareName):
        return  # which is a mistake of its own
    for key in virtual:
        only = ONLY_WITH.get(key)
        if only is not None and firmware not in only:
            cure = " or ".join(f"firmware: {name}" for name in FirmwareName if name in only)
            text = f"{key!r} changes nothing on firmware {firmware}; write {cure}, or take {key!r} out"
            yield document.mistake((*place, "virtual", key), text, at_key=True)
    declared, said = board.get("firmware"), virtual.get("sample")
    sample = declared.get("sample") if isinstance(declared, dict) else None
    if sample is not None and said is not None and sample != said:
        text = f"the board's firmware is sample {sample!r}, and this one is {said!r}; take one of the two out"
        yield document.mistake((*place, "virtual", "sample"), text)


def same_numbers(document: Document, boards: list[Any]) -> Iterator[Mistake]:
    """Yield the numbers of virtual boards that an earlier one of ``boards`` has: one would keep the other from working.

    The cloud takes two with one IMEI or device UUID for one device; only one process can listen at a port.
    """
    first: dict[tuple[str, str], str] = {}  # the board that has a number
    for index, board in enumerate(boards):
        if not isinstance(board, dict) or not isinstance(board.get("virtual"), dict):
            continue
        for key in OF_ONE_BOARD:
            value, place = board["virtual"].get(key), ("boards", index, "virtual", key)
            if not value or not isinstance(value, str | int):
                continue
            number = _plain(value) if key == "device_uuid" else str(value)
            this = f"board {board.get('name')!r} in line {document.mistake(place, '').line}"
            other = first.setdefault((key, number), this)
            if other != this:
                yield document.mistake(place, f"{same_number(key, number)}, this one and {other}; correct it")


def _plain(value: Any) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return str(value)  # which is a mistake of its own


def runs(board: dict[Any, Any]) -> Any:
    """Return the firmware that ``board`` runs, as far as its entry in the file says it."""
    virtual = board.get("virtual")
    said = virtual.get("firmware") if isinstance(virtual, dict) else None
    return said or declared(board) or DEFAULT_FIRMWARE


def declared(board: dict[Any, Any]) -> str | None:
    """Return the firmware that the entry of ``board`` names beside ``virtual:``; None: it does not, or not as text."""
    firmware = board.get("firmware")
    if isinstance(firmware, dict):
        firmware = firmware.get(KIND)
    return firmware if isinstance(firmware, str) and firmware != AUTO else None

"""Keys of ``virtual:`` that only some firmwares have: on another one they would change nothing."""

from collections.abc import Iterator
from typing import Any

from harness.lab.cloud_library_config import AUTO, KIND
from harness.lab.yaml_marks import Document, Mistake, Place
from harness.settings import DEFAULT_FIRMWARE, ONLY_WITH, FirmwareName


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

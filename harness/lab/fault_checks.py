"""Finds faults of a board in boards.yaml that can never strike, because of what the board is."""

from collections.abc import Iterator
from typing import Any, Final

from harness.lab.virtual_keys import runs
from harness.lab.yaml_marks import Document, Mistake, Place
from harness.settings import FirmwareName, Model

_REAL: Final = ("port", "serial", "place")
_NO_TRIALS: Final = (Model.MUTE, Model.GARBAGE, FirmwareName.AT_CLIENT)


def fault_relations(document: Document, place: Place, board: dict[Any, Any]) -> Iterator[Mistake]:
    """Yield the mistakes in ``faults:`` of ``board``, which is at ``place`` of ``document``."""
    faults = board.get("faults")
    if not isinstance(faults, dict):
        return
    if "virtual" not in board and any(key in board for key in _REAL) and faults.get("commands"):
        text = "commands need a virtual board; a port has no stand-in; take 'commands' out, or write virtual: {}"
        yield document.mistake((*place, "faults", "commands"), text, at_key=True)
    virtual = board.get("virtual")
    what = (virtual.get("model"), runs(board)) if isinstance(virtual, dict) else (runs(board),)
    why = next((one for one in what if one in _NO_TRIALS), None)
    if why is None:
        return
    for key in ("line", "commands"):
        entries = faults.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict) and entry.get("phase"):
                text = f"a board that is {why} has no trials, so no phase ever comes; take 'phase' or the entry out"
                yield document.mistake((*place, "faults", key, index, "phase"), text, at_key=True)

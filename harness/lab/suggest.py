"""Suggests entries of a boards file for attached kits that it does not name yet."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.lab.inventory import Attached, Inventory


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """An entry to add. ``keys``: in their order. ``comment``: what the board is."""

    keys: Mapping[str, Any]
    comment: str

    def block(self, indent: int) -> list[str]:
        """Return the entry as lines of a YAML block sequence with its dashes in column ``indent``."""
        lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in self.keys.items()]
        lines[0] = _plain_name(lines[0])
        pad = " " * indent
        return [f"{pad}- {lines[0]}  # {self.comment}", *(f"{pad}  {line}" for line in lines[1:])]

    def flow(self) -> str:
        """Return the entry as a YAML flow mapping on one line."""
        return json.dumps(dict(self.keys), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``entries``: boards to add. ``refused``: a line for each attached device that is not suggested, with reason."""

    entries: tuple[BoardEntry, ...]
    refused: tuple[str, ...]


def suggest(
    inventory: Inventory, names: Iterable[str], *, cloud: str, asked: Mapping[str, Mapping[str, Any]]
) -> Suggestion:
    """Return what to add.

    ``inventory``: what is attached. ``names``: taken already. ``cloud``: the boards' cloud. ``asked``: by the path of
    the AT port, what the board there told: ``keys`` that it needs, ``comment``, or ``refused`` if none answered.
    """
    entries: list[BoardEntry] = []
    refused = [f"{path}: a plain file, not a device; remove it: sudo rm {path}" for path in inventory.plain_files]
    taken = set(names)
    for each in inventory.attached:
        if each.boards:
            continue
        reason, where = _where(each)
        said = asked.get(each.kit.ports[0], {})
        reason = reason or said.get("refused")
        if reason:
            refused.append(f"{each.kind.name} {each.kit.serial or each.kit.location} ({each.kit.ports[0]}): {reason}")
            continue
        name = _free_name(each.kind.word, taken)
        taken.add(name)
        keys: dict[str, Any] = {"name": name, **where}
        if each.kind.flow_control:
            keys["flow_control"] = True
        keys |= said.get("keys", {})
        keys["cloud"] = cloud
        comment = ", ".join(part for part in (each.kind.name, each.kit.ports[0], said.get("comment")) if part)
        entries.append(BoardEntry(keys, comment))
    return Suggestion(tuple(entries), tuple(refused))


def _where(each: Attached) -> tuple[str | None, dict[str, Any]]:
    """Return why a device is not suggested, or the keys that tell where it is."""
    if each.kind.nrf91 is False:
        return "it has no nRF91", {}
    if not each.is_kit:
        return "not a kit of SEGGER or Nordic; if a board is behind it, add it by hand with port:", {}
    if each.kit.serial and each.doubt is None:
        return None, {"serial": each.kit.serial}
    if each.kit.serial and each.kit.location:
        return None, {"serial": each.kit.serial, "location": each.kit.location}
    if each.by_path:
        return None, {"port": each.by_path[0]}
    cure = "udev makes links by USB port in /dev/serial/by-path, which are missing here; is udev running?"
    return f"{each.doubt}, and it has no permanent name; {cure}", {}


def _free_name(word: str, taken: set[str]) -> str:
    number = 1
    while (name := f"{word}-{number}") in taken:
        number += 1
    return name


def _plain_name(line: str) -> str:
    return line.replace('"', "")  # a name is one word: no need for quotes

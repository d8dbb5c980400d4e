"""``nrf91-harness boards``: lists what is attached, suggests entries, finds mistakes, prints the schema and leases."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from harness.cli.arguments import Arguments
from harness.cli.exit_codes import MISUSE, OK
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.tables import columns
from harness.errors import LabError, Misuse
from harness.lab.boards_file import BoardsFileError, load_boards_file, unreadable
from harness.lab.boards_text import read_boards_text
from harness.lab.built_in import BOARDS_FILE, BUILT_IN_LAB
from harness.lab.config import BUILT_IN_CLOUDS, BoardConfig, LabFile
from harness.lab.inventory import Attached, Inventory, as_data, take_inventory
from harness.lab.lease import lease_folder, owners
from harness.lab.merging import merged, write_merged
from harness.lab.power_config import CommandPower
from harness.lab.schema import boards_schema
from harness.lab.suggest import Suggestion, suggest
from harness.lab.yaml_marks import Document

_DEFAULT_CLOUD: Final = "nrfcloud"


def list_boards(given: Arguments, progress: Progress) -> Result:
    """List the kits with their ports and their users, and the boards of the file that are not attached.

    A file that is not there, or has mistakes, counts as misuse.
    """
    file, mistakes = _file(given.boards)
    inventory = take_inventory(() if file is None else file.boards)
    said = _asked(given, inventory, progress)
    data: dict[str, Any] = {"boards_file": str(given.boards), "mistakes": mistakes, **as_data(inventory)}
    for kit in data["kits"]:
        answer = said.get(kit["ports"][0]["device"], {})
        kit["said"] = answer.get("comment") or answer.get("refused")
    rows: list[tuple[str, ...]] = [("KIT", "SERIAL", "PORT", "CARRIES", "HELD BY", "BOARD")]
    for each in inventory.attached:
        rows += _rows(each)
    lines = columns(rows) if inventory.attached else ["no USB device with a serial port is attached"]
    lines += [f"{device}: {answer.get('comment') or answer.get('refused')}" for device, answer in said.items()]
    lines += [
        f"{each.kit.serial or each.kit.ports[0]}: {each.doubt}; say which one with location: or port:"
        for each in inventory.attached
        if each.doubt
    ]
    lines += [
        f"absent: board {name} ({where}); plug it in, or correct {given.boards}" for name, where in inventory.absent
    ]
    lines += [f"{path}: a plain file, not a device; remove it: sudo rm {path}" for path in inventory.plain_files]
    lines += [f"{line} (boards file not compared)" for line in mistakes]
    if file is not None and any(board.place for board in file.boards):
        data["places"], of_places = _places(file)
        lines += ["", *of_places]
    return Result(data, lines, MISUSE if mistakes else OK)


def _places(file: LabFile) -> tuple[list[dict[str, Any]], list[str]]:
    """Return labgrid's places, each with its holder and the board of the file that is there."""
    from harness.lab.lab import Lab  # what a list of USB kits does not need

    try:
        with Lab(file) as lab:
            found = lab.places.list()
    except LabError as error:
        return [], [f"labgrid: {error}"]
    names = {board.place: board.name for board in file.boards if board.place}
    data = [{**asdict(each), "board": names.get(each.name)} for each in found]
    rows: list[tuple[str, ...]] = [("PLACE", "EXPORTER", "HELD BY", "BOARD")]
    rows += [
        (each.name, ", ".join(each.exporters) or "absent", each.holder or "nobody", names.get(each.name, "-"))
        for each in found
    ]
    rows += [
        (place, "no such place", "", name) for place, name in names.items() if place not in {e.name for e in found}
    ]
    return data, columns(rows)


def suggest_boards(given: Arguments, progress: Progress) -> Result:
    """Print entries for kits that the boards file does not name, or write them into it."""
    path = Path(BOARDS_FILE) if given.boards == BUILT_IN_LAB else given.boards
    said = _plain(path)
    boards: tuple[BoardConfig, ...] = ()
    if path.exists() and (not said or "boards" in said) and path.stat().st_size:
        boards = load_boards_file(path).boards
    inventory = take_inventory(boards)
    found = suggest(
        inventory,
        [board.name for board in boards],
        cloud=_cloud(given, said),
        asked=_asked(given, inventory, progress),
    )
    progress.close()
    for line in found.refused:
        print(f"nrf91-harness: not suggested: {line}", file=sys.stderr)
    data = {
        "boards_file": str(path),
        "boards": [dict(entry.keys) for entry in found.entries],
        "refused": list(found.refused),
        "written": bool(given.write and found.entries),
    }
    if not given.write:
        return Result(data, _printed(found))
    if not found.entries:
        return Result(data, [f"{path}: nothing to add"])
    write_merged(path, found.entries)
    names = ", ".join(str(entry.keys["name"]) for entry in found.entries)
    return Result(data, [f"{path}: added {names}"])


def check(given: Arguments, _progress: Progress) -> Result:
    """Show every mistake in a boards file."""
    try:
        file = load_boards_file(given.boards)
    except BoardsFileError as error:
        return Result({"boards_file": str(given.boards), "mistakes": error.lines}, error.lines, code=MISUSE)
    found = list(file.without_cloud.values())  # of no matter to a command that asks the modem alone, but at night
    if found := [*found, *_without_tool(file)]:
        return Result({"boards_file": str(file.path), "mistakes": found}, found, code=MISUSE)
    names = ", ".join(board.name for board in file.boards)
    return Result(
        {"boards_file": str(file.path), "mistakes": [], "boards": [board.name for board in file.boards]},
        [f"{file.path}: no mistakes; boards: {names}"],
    )


def _without_tool(file: LabFile) -> Iterator[str]:
    """Yield a line for each board whose own program for its power is not there."""
    switched = [(board.name, board.power) for board in file.boards if isinstance(board.power, CommandPower)]
    if not switched:
        return
    from harness.lab.power.switches import switch_of  # brings modem and firmware along, which most files do not need

    for name, power in switched:
        if (why := switch_of(power).missing) is not None:
            yield f"{file.path}: board {name!r}: power: {why}"


def schema(_given: Arguments, _progress: Progress) -> Result:
    """Print the JSON schema."""
    return Result(None, json.dumps(boards_schema(), indent=2).splitlines())


def lease(_given: Arguments, _progress: Progress) -> Result:
    """Show who uses which board."""
    found = owners(lease_folder())
    data = [{"hardware": owner.key, **owner.said} for owner in found]
    return Result({"leases": data}, [f"{owner.hardware}: {owner}" for owner in found] or ["no board is in use"])


def _file(path: Path) -> tuple[LabFile | None, list[str]]:
    """Return the boards file, or its mistakes, beside which the kits are still listed to help to correct them."""
    try:
        return load_boards_file(path), []
    except BoardsFileError as error:
        return None, error.lines


def _plain(path: Path) -> dict[str, Any]:
    """Return a boards file unchecked. It may have no boards yet, because boards will be added to it, or not be there.

    Raises BoardsFileError: something of this name is there, and cannot be read.
    """
    try:
        value = Document(read_boards_text(path)).value
    except (FileNotFoundError, UnicodeDecodeError):
        return {}
    except OSError as error:
        raise unreadable(path, error) from error
    return value if isinstance(value, dict) else {}


def _cloud(given: Arguments, said: Mapping[str, Any]) -> str:
    """Return the cloud for new boards: that of the command line, else the only account of the file, else nRF Cloud."""
    clouds = said.get("clouds")
    clouds = clouds if isinstance(clouds, dict) else {}
    if given.cloud is not None:
        if given.cloud not in {*clouds, *BUILT_IN_CLOUDS}:
            known = ", ".join(dict.fromkeys([*BUILT_IN_CLOUDS, *map(str, clouds)]))
            raise Misuse(f"no cloud {given.cloud!r} in {given.boards}; known clouds: {known}")
        return given.cloud
    accounts = [name for name, cloud in clouds.items() if isinstance(cloud, dict) and cloud.get("kind") == "nrfcloud"]
    return str(accounts[0]) if len(accounts) == 1 else _DEFAULT_CLOUD


def _asked(given: Arguments, inventory: Inventory, progress: Progress) -> dict[str, dict[str, Any]]:
    if not given.probe:
        return {}
    from harness.lab.probe import probe  # brings the firmwares along, which a plain list does not need

    progress("asking the free kits by AT")
    return probe(inventory)


def _printed(found: Suggestion) -> list[str]:
    if not found.entries:
        return ["# nothing to add: every kit that can be suggested is named already, or none is attached"]
    return merged("", found.entries).rstrip("\n").split("\n")


def _rows(each: Attached) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for port in each.ports:
        first = port.vcom == 0
        who = [str(holder) for holder in port.holders] + ([str(each.owner)] if each.owner and first else [])
        kit = (each.kind.name, each.kit.serial or "none") if first else ("", "")
        boards = ", ".join(each.boards) if first else ""
        rows.append((*kit, port.device, port.role, ", ".join(who) or "nobody", boards or ("-" if first else "")))
    return rows

"""Finds mistakes in boards.yaml that no single value shows: keys that exclude each other, unknown names, files.

It looks at the plain data and not at the checked schema, so that one wrong value does not hide other mistakes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.lab.cloud_library_config import AUTO
from harness.lab.config import BUILT_IN_CLOUDS, DEFAULT_CLOUD
from harness.lab.fault_checks import fault_relations
from harness.lab.virtual_keys import declared, runs, same_numbers, virtual_keys
from harness.lab.yaml_marks import Document, Mistake, Place
from harness.settings import FirmwareName, Sample
from harness.settings.sentences import nearest

_PLACES = ("virtual", "port", "serial", "place")  # a board is at exactly one of them
_FILES = ("rest_ca", "root_ca", "api_key_file")


def relations(document: Document, folder: Path) -> Iterator[Mistake]:
    """Yield the mistakes of a document. ``folder``: to which its paths are relative."""
    data = document.value if isinstance(document.value, dict) else {}
    if isinstance(data.get("lab_ca"), str):
        yield from _lab_ca(document, folder / data["lab_ca"])
    clouds = data.get("clouds")
    clouds = clouds if isinstance(clouds, dict) else {}
    for name, cloud in clouds.items():
        if isinstance(cloud, dict):
            yield from _cloud(document, ("clouds", name), cloud, folder)
    known = [*BUILT_IN_CLOUDS, *(str(cloud) for cloud in clouds if cloud not in BUILT_IN_CLOUDS)]
    boards = data.get("boards")
    names: dict[str, int] = {}  # by name, the line of the first board that has it
    devices: dict[tuple[str, str], tuple[str, int]] = {}
    places: dict[tuple[str, Any], str] = {}
    for index, board in enumerate(boards if isinstance(boards, list) else []):
        if not isinstance(board, dict):
            continue
        place = ("boards", index)
        yield from _where(document, place, board)
        if "sec_tag" in board and "sec_tags" in board:
            text = "the board has 'sec_tag' and 'sec_tags'; keep one of them: sec_tag is the short form for one"
            yield document.mistake((*place, "sec_tags"), text, at_key=True)
        name = board.get("name")
        if isinstance(name, str):
            if name in names:
                text = f"a board in line {names[name]} is named {name!r} too; give this one another name"
                yield document.mistake((*place, "name"), text)
            else:
                names[name] = document.mistake((*place, "name"), "").line
        yield from _device(document, place, board, devices)
        yield from _claim(document, place, board)
        yield from _flash(document, (*place, "flash"), board, folder)
        if isinstance(board.get("place"), str):
            other = places.setdefault((board["place"], board.get("vcom", 0)), str(name))
            if other != str(name):
                text = f"board {other!r} is at this place already; a place has one board"
                yield document.mistake((*place, "place"), text)
        yield from _power(document, place, board)
        yield from _cloud_library(document, place, board)
        yield from virtual_keys(document, place, board)
        yield from fault_relations(document, place, board)
        wanted = board.get("cloud")
        if isinstance(wanted, str) and wanted not in known:
            text = f"unknown cloud {wanted!r}; {nearest('cloud', wanted, known)}"
            yield document.mistake((*place, "cloud"), text)
        elif isinstance(wanted, str) and _is_real(board) and _is_on_this_computer(clouds, wanted):
            text = f"a real board cannot reach {wanted!r}: only this computer can; write cloud: nrfcloud"
            yield document.mistake((*place, "cloud"), text)
    yield from _debuggers(document, boards if isinstance(boards, list) else [])
    yield from same_numbers(document, boards if isinstance(boards, list) else [])


def boards_without_cloud(document: Document) -> Iterator[tuple[str, Mistake]]:
    """Yield name and mistake of each real board that names no cloud: the default one is out of its reach.

    Whoever names a cloud with ``--cloud``, or asks the modem alone, does not mind.
    """
    data = document.value if isinstance(document.value, dict) else {}
    clouds, boards = data.get("clouds"), data.get("boards")
    if not _is_on_this_computer(clouds if isinstance(clouds, dict) else {}, DEFAULT_CLOUD):
        return
    for index, board in enumerate(boards if isinstance(boards, list) else []):
        if isinstance(board, dict) and _is_real(board) and "cloud" not in board:
            text = f"a real board without 'cloud' uses {DEFAULT_CLOUD!r}, which only this computer can reach"
            yield str(board.get("name")), document.mistake(("boards", index), f"{text}; write cloud: nrfcloud")


def _lab_ca(document: Document, folder: Path) -> Iterator[Mistake]:
    from harness.credentials.private_file import no_folder  # with it comes cryptography; most files have no lab_ca

    if (why := no_folder(folder)) is not None:
        text = f"{why}; the lab CA needs a folder, which the first run makes"
        yield document.mistake(("lab_ca",), text)


def _power(document: Document, place: Place, board: dict[Any, Any]) -> Iterator[Mistake]:
    """Check that a board whose power labgrid switches is at a place of labgrid's."""
    power = board.get("power")
    if isinstance(power, dict) and power.get("kind") == "labgrid" and not board.get("place"):
        text = "kind labgrid is the power of the board's place, and the board has no 'place'; give another kind"
        yield document.mistake((*place, "power", "kind"), text)


def _cloud_library(document: Document, place: Place, board: dict[Any, Any]) -> Iterator[Mistake]:
    """Check that firmware that connects by itself has a sample, and that other firmware has none."""
    firmware = board.get("firmware")
    kind = firmware.get("kind") if isinstance(firmware, dict) else firmware
    told = isinstance(firmware, dict) or "cloud_library" in board
    if kind == "cloud-library" and not told:
        samples = ", ".join(Sample)
        text = f"firmware {kind} needs its sample ({samples}); write firmware: {{kind: {kind}, sample: ...}}"
        yield document.mistake((*place, "firmware"), text)
    elif told and kind != "cloud-library" and (kind == AUTO or kind in set(FirmwareName)):
        text = f"firmware {kind!r} takes no keys; write firmware: {kind}"
        yield document.mistake((*place, "firmware"), text)
    elif not told and kind in (None, AUTO) and _runs_cloud_library(board):
        samples = ", ".join(Sample)
        text = "firmware cloud-library cannot be detected, so every test would be skipped"
        cure = f"write firmware: {{kind: cloud-library, sample: ...}} for the board ({samples})"
        yield document.mistake((*place, "virtual", "firmware"), f"{text}; {cure}")
    elif isinstance(firmware, dict) and kind is None:
        yield document.mistake((*place, "firmware"), "key 'kind' is missing; add kind: cloud-library")


def _runs_cloud_library(board: dict[Any, Any]) -> bool:
    virtual = board.get("virtual")
    return isinstance(virtual, dict) and virtual.get("firmware") == FirmwareName.CLOUD_LIBRARY


def _is_real(board: dict[Any, Any]) -> bool:
    return "virtual" not in board and any(board.get(key) for key in _PLACES)


def _is_on_this_computer(clouds: dict[Any, Any], name: str) -> bool:
    cloud = clouds.get(name)
    return cloud.get("kind") == "local" if isinstance(cloud, dict) else name == "local"


def _claim(document: Document, place: Place, board: dict[Any, Any]) -> Iterator[Mistake]:
    """Check that a board to be claimed has firmware with a client of the provisioning service."""
    if board.get("provision") != "claim":
        return
    from harness.firmware import FIRMWARES, Capability  # this takes longer than the rest of reading a boards file

    virtual = board.get("virtual")
    firmware = declared(board) if virtual is None else runs(board)
    if (
        isinstance(firmware, str)
        and firmware in FIRMWARES
        and Capability.PROVISIONING not in FIRMWARES[firmware].capabilities
    ):
        text = f"firmware {str(firmware)!r} has no {Capability.PROVISIONING}, so the board cannot be claimed"
        yield document.mistake((*place, "provision"), f"{text}; write firmware: shell, or choose another key origin")
    elif isinstance(virtual, dict) and virtual.get("provisioning") is not True:
        text = f"the virtual board has no {Capability.PROVISIONING}; write virtual: {{provisioning: true}}"
        yield document.mistake((*place, "provision"), text)


def _flash(document: Document, place: Place, board: dict[Any, Any], folder: Path) -> Iterator[Mistake]:
    """Check that there is a file to write, a debugger, and a tool that can write the file."""
    flash = board.get("flash")
    if not isinstance(flash, dict):
        return
    if "virtual" in board:
        yield document.mistake(place, "a virtual board has no firmware to write; remove flash:", at_key=True)
        return
    files = {key: flash[key] for key in ("application", "modem") if isinstance(flash.get(key), str)}
    if not files:
        yield document.mistake(place, "flash: names no file; give it application:, modem: or both")
    for key, file in files.items():
        if not (folder / file).exists():
            text = f"no such file: {folder / file}; give one relative to this file, or leave the key out"
            yield document.mistake((*place, key), text)
    if not isinstance(flash.get("serial"), str) and not isinstance(board.get("serial"), str):
        text = "flash: needs serial:, the USB serial number of the board's debugger; nrf91-harness boards list shows it"
        yield document.mistake(place, text)
    tool = flash.get("tool", "nrfutil")
    if (tool == "command") != ("command" in flash):
        text = "'command' goes with tool: command; give both, or none of them"
        yield document.mistake(place, text)
    if tool in ("west", "pyocd") and "modem" in files:
        text = f"{tool} cannot write modem firmware; use tool: nrfutil, or tool: command"
        yield document.mistake((*place, "modem"), text)


def _debuggers(document: Document, boards: list[Any]) -> Iterator[Mistake]:
    """Check that no debugger leads to another board, because flashing would erase that one while others use it."""
    serials = [(index, board, _serials(board)) for index, board in enumerate(boards) if isinstance(board, dict)]
    for index, board, own in serials:
        if not isinstance(board.get("flash"), dict):
            continue
        debugger = own.get("flash") or own.get("board")
        other = next(
            (each for at, each, theirs in serials if at != index and debugger and debugger in theirs.values()), None
        )
        if other is not None:
            place = ("boards", index, "flash", "serial") if "flash" in own else ("boards", index, "serial")
            text = f"this is board {other.get('name')!r} too, which flashing would erase; give flash: its own debugger"
            yield document.mistake(place, text)


def _serials(board: dict[Any, Any]) -> dict[str, str]:
    """Return the serial numbers of a board and of its debugger, in the form in which they are compared."""
    flash = board.get("flash")
    said = {"board": board.get("serial"), "flash": flash.get("serial") if isinstance(flash, dict) else None}
    return {key: serial.lstrip("0").lower() for key, serial in said.items() if isinstance(serial, str)}


def _device(
    document: Document, place: Place, board: dict[Any, Any], devices: dict[tuple[str, str], tuple[str, int]]
) -> Iterator[Mistake]:
    """Check that no two boards have one device id. ``devices``: name and line of boards, by cloud and device id."""
    device_id = board.get("device_id")
    if not isinstance(device_id, str):
        return
    mistake = document.mistake((*place, "device_id"), "")
    first, line = devices.setdefault(
        (str(board.get("cloud", DEFAULT_CLOUD)), device_id), (str(board.get("name")), mistake.line)
    )
    if line != mistake.line or first != str(board.get("name")):
        text = f"device id {device_id!r} belongs to board {first!r} already, in line {line}; give each its own"
        yield document.mistake((*place, "device_id"), text)


def _cloud(document: Document, place: Place, cloud: dict[Any, Any], folder: Path) -> Iterator[Mistake]:
    if "policies" in cloud or "enforces" in cloud:
        from harness.lab.policy_files import policy_files  # most boards files have no policy files

        yield from policy_files(document, place, cloud, folder)
    for key in _FILES:
        value = cloud.get(key)
        if isinstance(value, str) and not (folder / value).is_file():
            text = f"no such file: {folder / value}; give one relative to this file, or leave the key out"
            yield document.mistake((*place, key), text)
    if "api_key_env" in cloud and "api_key_file" in cloud:
        text = "the cloud has 'api_key_env' and 'api_key_file'; keep one of them: there is one API key"
        yield document.mistake((*place, "api_key_file"), text, at_key=True)


def _where(document: Document, place: Place, board: dict[Any, Any]) -> Iterator[Mistake]:
    for key in (key for key in board if key in _PLACES and board[key] is None):
        text = f"{key!r} has no value; give it one" + (", virtual: {} for the defaults" if key == "virtual" else "")
        yield document.mistake((*place, key), text, at_key=True)
    given = [key for key in board if key in _PLACES]
    if not given:
        text = "the board has no address; give it one of virtual, port, serial and place"
        yield document.mistake(place, text)
    for extra in given[1:]:
        text = f"the board has {given[0]!r} and {extra!r}; keep one of them: a board is in one place"
        yield document.mistake((*place, extra), text, at_key=True)
    for key, what in (("vcom", "the ports of a USB serial number"), ("location", "devices with one serial number")):
        if key in board and "serial" not in board and not (key == "vcom" and "place" in board):
            text = f"{key!r} chooses among {what}; give 'serial' or remove {key!r}"
            yield document.mistake((*place, key), text, at_key=True)

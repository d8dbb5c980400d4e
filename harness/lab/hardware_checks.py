"""Finds mistakes of a boards file that the hardware shows: one board entered twice, ports that a kit does not have.

A board that is not attached is not a mistake, because it may be plugged in later. Then its entry is compared with the
others as text.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from harness.errors import PortMissing
from harness.lab.discovery import (
    PortInfo,
    find_port,
    in_place_of_device,
    is_plain_file,
    list_kits,
    matching_kits,
    same_serial,
)
from harness.lab.lease import port_key
from harness.lab.yaml_marks import Document, Mistake, Place

Ports = Callable[[], Iterable[PortInfo]]


class _Found(NamedTuple):
    """A board that is in the file already."""

    name: str
    line: int
    key: str
    board: dict[str, Any]


def hardware(document: Document, boards: list[Any], comports: Ports) -> Iterator[Mistake]:
    """Yield the mistakes of ``boards``, the plain entries of ``document``. ``comports``: the attached ports."""
    ports = list(comports()) if any(_is_local(board) for board in boards) else []
    seen: list[_Found] = []
    for index, board in enumerate(boards):
        key = _place_key(board)
        if key is None:
            continue
        place = ("boards", index, key)
        if key == "serial":
            yield from _kit(document, place, board, lambda: ports)
        elif is_plain_file(board["port"]):
            yield document.mistake(place, f"{board['port']} is a plain file, not a device; {_remedy(board['port'])}")
        mistake = document.mistake(place, "")
        found = _Found(str(board.get("name")), mistake.line, _identity(board, key, lambda: ports), board)
        twin = next((one for one in seen if _same(one, found)), None)
        if twin is not None:
            text = (
                f"board {twin.name!r}, in line {twin.line}, is the same one: {_shown(twin.board)} and {_shown(board)} "
                "lead to one device; remove one of the two entries, or correct it"
            )
            yield document.mistake(place, text)
        seen.append(found)


def _remedy(path: str) -> str:
    return f"remove it, and plug the kit in: sudo rm {path}" if in_place_of_device(path) else "correct port:"


def _place_key(board: Any) -> str | None:
    if not isinstance(board, dict):
        return None
    given = [key for key in ("port", "serial") if isinstance(board.get(key), str) and board[key]]
    return given[0] if len(given) == 1 else None


def _is_local(board: Any) -> bool:
    key = _place_key(board)
    return key is not None and "://" not in board[key]


def _kit(document: Document, place: Place, board: dict[str, Any], comports: Ports) -> Iterator[Mistake]:
    """Yield what is wrong with an entry whose kit is attached."""
    kits = matching_kits(list_kits(comports), board["serial"], _text(board.get("location")))
    if not kits:
        return
    vcom = board.get("vcom", 0)
    if len(kits) == 1 and (not isinstance(vcom, int) or vcom < len(kits[0].ports)):
        return
    try:
        find_port(
            board["serial"],
            vcom if isinstance(vcom, int) else 0,
            location=_text(board.get("location")),
            comports=comports,
        )
    except PortMissing as error:
        where = (*place[:-1], "vcom") if len(kits) == 1 else place
        yield document.mistake(where, str(error))


def _identity(board: dict[str, Any], key: str, comports: Ports) -> str:
    """Return a text for the hardware that an entry means. It is the same for the same board, as far as that shows."""
    vcom = board.get("vcom", 0)
    try:
        if key == "port":
            return port_key(board["port"], comports=comports)
        port = find_port(board["serial"], vcom, location=_text(board.get("location")), comports=comports)
    except (PortMissing, TypeError, ValueError):
        return ""  # not attached, or a mistake of its own
    return port_key(port, comports=comports)


def _same(one: _Found, other: _Found) -> bool:
    if one.key or other.key:
        return one.key == other.key
    return (
        "serial" in one.board
        and "serial" in other.board
        and same_serial(one.board["serial"], other.board["serial"])
        and one.board.get("vcom", 0) == other.board.get("vcom", 0)
        and one.board.get("location") == other.board.get("location")
    )


def _shown(board: dict[str, Any]) -> str:
    if "port" in board:
        return f"port {board['port']}"
    return f"serial {board['serial']}" + (f" vcom {board['vcom']}" if "vcom" in board else "")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

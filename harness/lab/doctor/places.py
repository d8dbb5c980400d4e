"""Checks the labgrid place of a board: it exists, an exporter offers it, and nobody holds it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Final

from harness.errors import LabError
from harness.lab.config import BoardConfig
from harness.lab.doctor.check import Check, CheckResult, Status
from harness.lab.places.config import LabgridConfig
from harness.lab.places.places import Places

_DEADLINE: Final = 8.0  # seconds; starting labgrid's client takes one


def check(places: Places, board: BoardConfig, place: str, labgrid: LabgridConfig, folder: Path) -> Check:
    """Return the check of a board's place, whose results are ``place.*``.

    ``places``: labgrid's. ``board``: its entry. ``place``: the name of its place. ``labgrid``, ``folder``: how labgrid
    is reached, and the folder of the boards file that says so.
    """
    client = labgrid.python(folder).with_name("labgrid-client")
    command = f"{quote(str(client))} -x {quote(labgrid.address())}" if client.exists() else ""
    return Check("place", board.name, partial(_place, places, board.name, place, command), _DEADLINE)


def _place(places: Places, name: str, place: str, client: str) -> Iterator[CheckResult]:
    """Look at a place. ``client``: labgrid's own tool with the coordinator, as a shell command; "": not installed."""
    try:
        there = {each.name: each for each in places.list()}
    except LabError as error:
        remedy = f"{client} who" if client else "make labgrid-env"
        yield CheckResult("place.labgrid", name, Status.FAIL, str(error), remedy)
        return
    found = there.get(place)
    if found is None:
        text = f"labgrid has no place {place!r}; its places: {', '.join(there) or 'none'}"
        yield CheckResult("place.present", name, Status.FAIL, text, f"{client} -p {place} create")
        return
    if not found.available:
        offered = ", ".join(found.exporters) or "no exporter"
        text = f"the serial port of place {place} is missing ({offered} offers it): start its exporter, plug the kit in"
        yield CheckResult("place.present", name, Status.FAIL, text, f"{client} resources")
    else:
        yield CheckResult("place.present", name, Status.OK, f"place {place} at {', '.join(found.exporters)}")
    if found.holder is None:
        yield CheckResult("place.holder", name, Status.OK, "nobody holds it")
    else:
        text = f"place {place} is held by {found.holder}; wait (pytest --wait SECONDS), or ask the holder"
        yield CheckResult("place.holder", name, Status.WARN, text, f"{client} -p {place} release-from {found.holder}")

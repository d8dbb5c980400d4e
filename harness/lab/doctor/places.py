"""Checks the labgrid place of a board: it exists, an exporter offers it, and nobody holds it."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from harness.errors import LabError
from harness.lab.config import BoardConfig
from harness.lab.doctor.check import Check, CheckResult, Status
from harness.lab.places.places import Places

_DEADLINE: Final = 8.0  # seconds; starting labgrid's client takes one


def check(places: Places, board: BoardConfig, place: str) -> Check:
    """Return the check of a board's place, whose results are ``place.*``.

    ``places``: labgrid's. ``board``: its entry. ``place``: the name of its place.
    """
    return Check("place", board.name, partial(_place, places, board.name, place), _DEADLINE)


def _place(places: Places, name: str, place: str) -> Iterator[CheckResult]:
    try:
        there = {each.name: each for each in places.list()}
    except LabError as error:
        yield CheckResult("place.labgrid", name, Status.FAIL, str(error), "make labgrid-env; labgrid-client who")
        return
    found = there.get(place)
    if found is None:
        text = f"labgrid has no place {place!r}; there: {', '.join(there) or 'none'}"
        yield CheckResult("place.present", name, Status.FAIL, text, f"labgrid-client -p {place} create")
        return
    if not found.available:
        offered = ", ".join(found.exporters) or "no exporter"
        text = f"the serial port of place {place} is missing ({offered} offers it): start its exporter, plug the kit in"
        yield CheckResult("place.present", name, Status.FAIL, text, "labgrid-client resources")
    else:
        yield CheckResult("place.present", name, Status.OK, f"place {place} at {', '.join(found.exporters)}")
    if found.holder is None:
        yield CheckResult("place.holder", name, Status.OK, "nobody holds it")
    else:
        text = f"place {place} is held by {found.holder}; wait (--wait SECONDS), or ask that one"
        yield CheckResult(
            "place.holder", name, Status.WARN, text, f"labgrid-client -p {place} release-from {found.holder}"
        )

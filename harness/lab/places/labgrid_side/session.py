"""A session with labgrid's coordinator, and what it knows of a place."""

import asyncio
from typing import Any

from labgrid.remote.client import ClientSession

SERIAL = "NetworkSerialPort"  # the class under which clients see every exported serial port


class PlaceRefused(Exception):
    """A command that cannot be done. ``kind``: unknown, held, gone, stuck, unreachable, unreleased."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class CoordinatorSession(ClientSession):  # type: ignore[misc]
    """labgrid's client. It wakes those who wait on ``changed`` at each change."""

    def __init__(self, address: str, changed: asyncio.Condition) -> None:
        super().__init__(address, asyncio.get_running_loop())
        self.changed = changed

    async def on_resource_changed(self, *given: Any) -> None:
        """See ClientSession."""
        await super().on_resource_changed(*given)
        await self.wake()

    async def on_place_changed(self, place: Any) -> None:
        """See ClientSession."""
        await super().on_place_changed(place)
        await self.wake()

    async def wake(self) -> None:
        """Wake all that wait for a change."""
        async with self.changed:
            self.changed.notify_all()


def serial_ports(session: CoordinatorSession, place: Any, *, offered: bool = False) -> list[tuple[str, Any]]:
    """Return exporter and entry of each serial port that a place has acquired, or that is ``offered`` to it.

    ``session``: with the coordinator. ``place``: labgrid's object.
    """
    found = []
    for exporter, groups in session.resources.items():
        for group, entries in groups.items():
            for name, entry in entries.items():
                if "cls" not in entry.data or entry.cls != SERIAL:
                    continue
                path = (exporter, group, entry.cls, name)
                if place.getmatch(path) if offered else path in map(tuple, place.acquired_resources):
                    found.append((path, entry))
    return [(path[0], entry) for path, entry in sorted(found, key=lambda each: each[0])]


def matches(place: Any) -> str:
    """Return the resources that a place matches, for a message."""
    return ", ".join(f"{match.exporter}/{match.group}/{match.cls}" for match in place.matches) or "it matches nothing"

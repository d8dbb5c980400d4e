"""The places of one run: acquired, used, healed and given back."""

import asyncio
import os
import sys
import time
from contextlib import suppress
from typing import Any

import grpc
from labgrid.remote.client import Error
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages

from . import limits
from .holders import dead
from .power import switch
from .session import CoordinatorSession, PlaceRefused, matches, serial_ports


class Helper:
    """The places of one run."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session: CoordinatorSession | None = None
        self.changed = asyncio.Condition()
        self.connecting = asyncio.Lock()
        self.mine: set[str] = set()
        self.acquiring: dict[str, asyncio.Lock] = {}

    @property
    def me(self) -> str:
        """The name of this run for labgrid."""
        return f"{os.environ['LG_HOSTNAME']}/{os.environ['LG_USERNAME']}"

    async def connected(self) -> CoordinatorSession:
        """Return a session with the coordinator, a new one if it was restarted."""
        async with self.connecting:
            if self.session is None or self.session.stopping.is_set():
                session = CoordinatorSession(self.address, self.changed)
                try:
                    await session.start()
                except Error:
                    await session.close()
                    raise PlaceRefused("unreachable", f"no labgrid coordinator at {self.address}") from None
                self.session = session
            return self.session

    async def places(self) -> dict[str, Any]:
        """Return all places, each with its holder if that is not this run."""
        session = await self.connected()
        await session.sync_with_coordinator()
        found = []
        for name, place in sorted(session.places.items()):
            ports = serial_ports(session, place, offered=True)
            found.append(
                {
                    "name": name,
                    "holder": place.acquired if place.acquired and place.acquired != self.me else None,
                    "comment": place.comment,
                    "exporters": sorted({exporter for exporter, _ in ports}),
                    "available": any(entry.avail for _, entry in ports),
                }
            )
        return {"places": found}

    async def acquire(self, place: str, wait: float = 0.0) -> dict[str, Any]:
        """Acquire a place; wait up to ``wait`` seconds for another holder. One call at a time asks for a place."""
        async with self.acquiring.setdefault(place, asyncio.Lock()):
            return await self.acquire_alone(place, wait)

    async def acquire_alone(self, place: str, wait: float) -> dict[str, Any]:
        """See acquire."""
        began = time.monotonic()
        tries = 0
        tried = None  # when it was first tried with nobody else holding it
        while True:
            session = await self.connected()
            found = self.place(session, place)
            holder = found.acquired
            left = began + wait - time.monotonic()
            if holder == self.me and found.acquired_resources:
                self.mine.add(place)
                return {"tries": tries}
            if holder and holder != self.me and not await self.left_over(session, place, holder):
                if left <= 0:
                    raise PlaceRefused("held", f"place {place} is held by {holder}")
                await self.wait_for_change(min(left, limits.MOMENT))
                tried = None
                continue
            if not any(entry.avail for _, entry in serial_ports(session, found, offered=True)):
                raise PlaceRefused("gone", f"place {place}: no exporter offers its serial port ({matches(found)})")
            tries += 1
            tried = time.monotonic() if tried is None else tried
            self.mine.add(place)  # from now on the place may be ours, and must be given back if this is cut off
            try:
                await session.stub.AcquirePlace(messages.AcquirePlaceRequest(placename=place))
                await session.sync_with_coordinator()
            except grpc.aio.AioRpcError as error:
                await self.not_acquired(place, error, time.monotonic() - tried)

    async def not_acquired(self, place: str, error: Any, waited: float) -> None:
        """Return if another try may help, else raise PlaceRefused.

        ``place``: its name. ``error``: of the try. ``waited``: seconds since the first try.
        """
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            raise PlaceRefused("unreachable", f"the labgrid coordinator at {self.address} went away") from None
        if error.code() == grpc.StatusCode.PERMISSION_DENIED:
            self.mine.discard(place)
            raise PlaceRefused("held", f"place {place} is reserved: {error.details()}") from None
        if error.code() != grpc.StatusCode.FAILED_PRECONDITION or waited > limits.STUCK:
            raise PlaceRefused("stuck", f"place {place} cannot be acquired: {error.details()}") from None
        await self.give_back(place, self.me)
        await self.wait_for_change(limits.MOMENT)

    async def left_over(self, session: CoordinatorSession, place: str, holder: str) -> bool:
        """Release a place if its holder is a dead run of this computer; return whether it was.

        ``session``: with the coordinator. ``place``: its name. ``holder``: HOST/USER.
        """
        if not dead(holder, self.me):
            return False
        print(f"place {place} was left by {holder}, which is gone", file=sys.stderr, flush=True)
        await self.give_back(place, holder)
        await session.sync_with_coordinator()
        return True

    async def url(self, place: str, index: int = 0) -> dict[str, Any]:
        """Return where the place's serial port is now. Acquire the place anew if the coordinator has forgotten it."""
        again = (await self.acquire(place))["tries"]
        deadline = time.monotonic() + limits.STUCK
        while True:
            session = await self.connected()
            ports = serial_ports(session, self.place(session, place))
            if not ports:
                raise PlaceRefused(
                    "gone", f"place {place}: its exporter is gone ({matches(self.place(session, place))})"
                )
            if index >= len(ports):
                raise PlaceRefused("gone", f"place {place} has {len(ports)} serial ports, so none is number {index}")
            exporter, entry = ports[index]
            if entry.extra.get("proxy_required"):
                text = "serves its ports through SSH alone (labgrid-exporter --isolated): start it without"
                raise PlaceRefused("gone", f"place {place}: exporter {exporter} {text}")
            if entry.avail and entry.args.get("port"):
                protocol = entry.args.get("protocol") or "rfc2217"
                address = f"{entry.args['host']}:{entry.args['port']}"
                url = f"socket://{address}" if protocol == "raw" else f"rfc2217://{address}?ign_set_control"
                return {"url": url, "exporter": exporter, "again": again}
            if time.monotonic() > deadline:
                raise PlaceRefused("gone", f"place {place}: exporter {exporter} serves no port of it")
            await self.wait_for_change(limits.MOMENT)

    async def heal(self, place: str, index: int = 0) -> dict[str, Any]:
        """Acquire a place anew if nothing listens at its serial port, because its ser2net is dead."""
        found = await self.url(place, index)
        host, _, port = found["url"].partition("://")[2].partition("?")[0].rpartition(":")
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), limits.CONNECT)
            writer.close()
            return {"healed": None}
        except (OSError, TimeoutError):
            dead_port = f"nothing listened at {host}:{port}"
            if fault := await self.give_back(place, self.me):  # it would be "acquired" again as it is
                raise PlaceRefused("unreleased", f"{dead_port}, and {fault}") from None
            await self.acquire(place)
            return {"healed": f"{dead_port}, so place {place} was acquired anew"}

    async def state(self, place: str) -> dict[str, Any]:
        """Return what is wrong with a place that is held; None: nothing is known to be wrong."""
        session = await self.connected()
        found = self.place(session, place)
        if found.acquired != self.me:
            return {"wrong": f"place {place} is not held by this run any more"}
        if not serial_ports(session, found):
            return {"wrong": f"place {place}: its exporter is gone ({matches(found)})"}
        return {"wrong": None}

    async def release(self, place: str) -> dict[str, Any]:
        """Give a place back."""
        if self.session is not None and (fault := await self.give_back(place, self.me)):
            raise PlaceRefused("unreleased", fault)
        return {}

    async def power(self, place: str, action: str, delay: float, seconds: float) -> dict[str, Any]:
        """Switch ``place``. ``action``, ``delay``, ``seconds``: see :func:`switch`."""
        return await switch(self.address, place, action, delay=delay, seconds=seconds)

    def place(self, session: CoordinatorSession, name: str) -> Any:
        """Return the place with exactly this name. labgrid itself would accept a part of the name."""
        if name not in session.places:
            near = ", ".join(sorted(session.places)) or "none"
            raise PlaceRefused("unknown", f"no labgrid place {name!r} at {self.address}; there: {near}")
        return session.places[name]

    async def give_back(self, place: str, holder: str) -> str | None:
        """Release a place if ``holder`` has it; return why that failed, if it did."""
        try:
            session = await self.connected()
            await session.stub.ReleasePlace(messages.ReleasePlaceRequest(placename=place, fromuser=holder))
        except (PlaceRefused, grpc.aio.AioRpcError) as error:
            why = str(error) if isinstance(error, PlaceRefused) else error.details()
            fault = f"place {place} was not released from {holder}: {why}"
            print(fault, file=sys.stderr, flush=True)
            return fault
        if holder == self.me:
            self.mine.discard(place)
        return None

    async def wait_for_change(self, most: float) -> None:
        """Wait until a place or resource changes, ``most`` seconds at most."""
        try:
            async with asyncio.timeout(most), self.changed:
                await self.changed.wait()
        except TimeoutError:
            return

    async def release_all(self) -> list[str]:
        """Release every place, with some patience; return a line for each that may still be held."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limits.RELEASE):
                while self.mine:
                    await asyncio.gather(*(self.give_back(place, self.me) for place in sorted(self.mine)))
                    if self.mine:
                        await self.wait_for_change(limits.MOMENT)
        return [f"place {each}: labgrid-client -p {each} release-from {self.me}" for each in sorted(self.mine)]

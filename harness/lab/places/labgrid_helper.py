"""Holds labgrid places for one run. It runs in labgrid's own environment, which has another pyserial than ours.

It reads one JSON object a line on standard input, and writes one for each answer on standard output, with the same
``id``. Several commands may be under way at once. When standard input ends it releases every place, so a run that is
killed has nothing to do. It imports nothing of the harness, and of labgrid only the client, whose calls are not a
documented interface (labgrid 26.0).

Measured of labgrid: A holder is the text HOST/USER and never times out. An acquire that was interrupted leaves a place
that cannot be acquired for up to 15 s. A coordinator that restarts forgets who holds what. Nobody notices a ser2net
that has died. An exporter that restarts has other ports.
"""

import argparse
import asyncio
import json
import os
import re
import secrets
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import grpc
from labgrid.remote.client import ClientSession, Error
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages

STUCK = 20.0  # seconds for which a place may refuse to be acquired although nobody holds it
CONNECT = 2.0  # seconds; on one network a refusal comes at once
RELEASE = 7.0  # seconds of trying to release all places at the end; the run waits ten
POWER = 40.0  # seconds for labgrid-client, without the time for which the power is off; the run waits sixty
MOMENT = 1.0  # seconds from one look to the next at things that change without an event
SERIAL = "NetworkSerialPort"  # the class under which clients see every exported serial port
_RUN = re.compile(r"nrf91-.*-(?P<origin>[0-9a-f]{12})-(?P<pid>[1-9]\d*)-[0-9a-f]{8}")


class Refused(Exception):
    """A command that cannot be done. ``kind``: unknown, held, gone, stuck, unreachable, unreleased."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Session(ClientSession):  # type: ignore[misc]
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


class Helper:
    """The places of one run."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session: Session | None = None
        self.changed = asyncio.Condition()
        self.connecting = asyncio.Lock()
        self.mine: set[str] = set()
        self.acquiring: dict[str, asyncio.Lock] = {}

    @property
    def me(self) -> str:
        """The name of this run for labgrid."""
        return f"{os.environ['LG_HOSTNAME']}/{os.environ['LG_USERNAME']}"

    async def connected(self) -> Session:
        """Return a session with the coordinator, a new one if it was restarted."""
        async with self.connecting:
            if self.session is None or self.session.stopping.is_set():
                session = Session(self.address, self.changed)
                try:
                    await session.start()
                except Error:
                    await session.close()
                    raise Refused("unreachable", f"no labgrid coordinator at {self.address}") from None
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
                    raise Refused("held", f"place {place} is held by {holder}")
                await self.wait_for_change(min(left, MOMENT))
                continue
            if not any(entry.avail for _, entry in serial_ports(session, found, offered=True)):
                raise Refused("gone", f"place {place}: no exporter offers its serial port ({matches(found)})")
            tries += 1
            self.mine.add(place)  # from now on the place may be ours, and must be given back if this is cut off
            try:
                await session.stub.AcquirePlace(messages.AcquirePlaceRequest(placename=place))
                await session.sync_with_coordinator()
            except grpc.aio.AioRpcError as error:
                await self.not_acquired(place, error, time.monotonic() - began)

    async def not_acquired(self, place: str, error: Any, waited: float) -> None:
        """Return if another try may help, else raise Refused.

        ``place``: its name. ``error``: of the try. ``waited``: seconds since the first try.
        """
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            raise Refused("unreachable", f"the labgrid coordinator at {self.address} went away") from None
        if error.code() == grpc.StatusCode.PERMISSION_DENIED:
            self.mine.discard(place)
            raise Refused("held", f"place {place} is reserved: {error.details()}") from None
        if error.code() != grpc.StatusCode.FAILED_PRECONDITION or waited > STUCK:
            raise Refused("stuck", f"place {place} cannot be acquired: {error.details()}") from None
        await self.give_back(place, self.me)
        await self.wait_for_change(MOMENT)

    async def left_over(self, session: Session, place: str, holder: str) -> bool:
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
        deadline = time.monotonic() + STUCK
        while True:
            session = await self.connected()
            ports = serial_ports(session, self.place(session, place))
            if not ports:
                raise Refused("gone", f"place {place}: its exporter is gone ({matches(self.place(session, place))})")
            if index >= len(ports):
                raise Refused("gone", f"place {place} has {len(ports)} serial ports, so none is number {index}")
            exporter, entry = ports[index]
            if entry.extra.get("proxy_required"):
                text = "serves its ports through SSH alone (labgrid-exporter --isolated): start it without"
                raise Refused("gone", f"place {place}: exporter {exporter} {text}")
            if entry.avail and entry.args.get("port"):
                protocol = entry.args.get("protocol") or "rfc2217"
                address = f"{entry.args['host']}:{entry.args['port']}"
                url = f"socket://{address}" if protocol == "raw" else f"rfc2217://{address}?ign_set_control"
                return {"url": url, "exporter": exporter, "again": again}
            if time.monotonic() > deadline:
                raise Refused("gone", f"place {place}: exporter {exporter} serves no port of it")
            await self.wait_for_change(MOMENT)

    async def heal(self, place: str, index: int = 0) -> dict[str, Any]:
        """Acquire a place anew if nothing listens at its serial port, because its ser2net is dead."""
        found = await self.url(place, index)
        host, _, port = found["url"].partition("://")[2].partition("?")[0].rpartition(":")
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), CONNECT)
            writer.close()
            return {"healed": None}
        except (OSError, TimeoutError):
            await self.give_back(place, self.me)
            await self.acquire(place)
            return {"healed": f"nothing listened at {host}:{port}, so place {place} was acquired anew"}

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
            raise Refused("unreleased", fault)
        return {}

    async def power(self, place: str, action: str, delay: float = 2.0) -> dict[str, Any]:
        """Switch the place's power with labgrid's own tool, under the name of the holder.

        ``place``: its name. ``action``: on, off or cycle. ``delay``: seconds without power.
        """
        tool = os.path.join(os.path.dirname(sys.executable), "labgrid-client")
        words = [tool, "-x", self.address, "-p", place, "power", action, *(["-t", str(delay)] * (action == "cycle"))]
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        most = POWER + delay * (action == "cycle")
        try:
            said, _ = await asyncio.wait_for(process.communicate(), most)
        except TimeoutError:
            return {"complaint": f"it did not end in {most:g} s and was killed"}
        finally:
            await end_group(process)
        words_said = " ".join(said.decode(errors="replace").split())
        return {"complaint": None if process.returncode == 0 else words_said or f"exit code {process.returncode}"}

    def place(self, session: Session, name: str) -> Any:
        """Return the place with exactly this name. labgrid itself would accept a part of the name."""
        if name not in session.places:
            near = ", ".join(sorted(session.places)) or "none"
            raise Refused("unknown", f"no labgrid place {name!r} at {self.address}; there: {near}")
        return session.places[name]

    async def give_back(self, place: str, holder: str) -> str | None:
        """Release a place if ``holder`` has it; return why that failed, if it did."""
        try:
            session = await self.connected()
            await session.stub.ReleasePlace(messages.ReleasePlaceRequest(placename=place, fromuser=holder))
        except (Refused, grpc.aio.AioRpcError) as error:
            why = str(error) if isinstance(error, Refused) else error.details()
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
            async with asyncio.timeout(RELEASE):
                while self.mine:
                    await asyncio.gather(*(self.give_back(place, self.me) for place in sorted(self.mine)))
                    if self.mine:
                        await self.wait_for_change(MOMENT)
        return [f"place {each}: labgrid-client -p {each} release-from {self.me}" for each in sorted(self.mine)]


def serial_ports(session: Session, place: Any, *, offered: bool = False) -> list[tuple[str, Any]]:
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


def dead(holder: str, me: str) -> bool:
    """Tell whether ``holder`` was a run that is gone. Its process number must mean the same process for ``me``."""
    theirs, mine = _RUN.fullmatch(holder.partition("/")[2]), _RUN.fullmatch(me.partition("/")[2])
    if theirs is None or mine is None or theirs["origin"] != mine["origin"]:
        return False
    return holder.partition("/")[0] == me.partition("/")[0] and not runs(int(theirs["pid"]))


def runs(pid: int) -> bool:
    """Tell whether a process is alive, as far as that shows: /proc may hide other users' processes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def matches(place: Any) -> str:
    """Return the resources that a place matches, for a message."""
    return ", ".join(f"{match.exporter}/{match.group}/{match.cls}" for match in place.matches) or "it matches nothing"


async def end_group(process: asyncio.subprocess.Process) -> None:
    """Kill a process that still runs, with those it started, so that none of them switches power later."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


class Server:
    """Answers commands until standard input ends; then releases everything."""

    def __init__(self, helper: Helper) -> None:
        self.helper = helper
        self.running: set[asyncio.Task[None]] = set()
        self.commands: dict[str, Callable[..., Coroutine[Any, Any, dict[str, Any]]]] = {
            name: getattr(helper, name) for name in ("places", "acquire", "url", "heal", "state", "release", "power")
        }

    async def serve(self) -> list[str]:
        """See the class. Return a line for each place that may still be held."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        # Ctrl-C must end the run only, which still needs its places.
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        reading = asyncio.create_task(self.read(reader))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        stopping.cancel()
        return await self.end()

    async def end(self) -> list[str]:
        """Stop all commands, then release everything. Return a line for each place that may still be held."""
        if self.running:  # a place whose acquire is cut off half-way cannot be acquired for a while
            await asyncio.wait(self.running, timeout=MOMENT)
        left = list(self.running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return await self.helper.release_all()

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Begin a task for each line."""
        while line := await reader.readline():
            request = json.loads(line)
            task = asyncio.create_task(self.answer(request), name=request.get("command"))
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    async def answer(self, request: dict[str, Any]) -> None:
        """Do one command."""
        number, name = request.pop("id"), request.pop("command")
        try:
            answer = {"ok": True, **await self.commands[name](**request)}
        except Refused as refusal:
            answer = {"ok": False, "kind": refusal.kind, "error": str(refusal)}
        except grpc.aio.AioRpcError as error:
            text = f"labgrid coordinator at {self.helper.address}: {error.details()}"
            answer = {"ok": False, "kind": "unreachable", "error": text}
        except Exception as error:  # labgrid's client is not a documented interface: report any error, and go on
            answer = {"ok": False, "kind": "broken", "error": f"labgrid: {type(error).__name__}: {error}"}
        print(json.dumps({"id": number, **answer}), flush=True)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coordinator", required=True, metavar="HOST:PORT")
    given = parser.parse_args()
    os.environ["LG_USERNAME"] += f"-{os.getpid()}-{secrets.token_hex(4)}"  # the system uses process numbers again
    if left := asyncio.run(Server(Helper(given.coordinator)).serve()):
        sys.exit(f"not released: {'; '.join(left)}")


if __name__ == "__main__":
    main()

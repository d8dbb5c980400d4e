"""A TCP proxy that disturbs the bytes between two ends that know nothing of it.

    with TcpProxy(("127.0.0.1", 8883), [Fault(Deed.RST, age=1.0)], seed=7) as proxy:
        connect_to(proxy.address)
        proxy.phase("action")
    proxy.struck       # which fault struck which connection, and when

It runs in a thread of its own. ``network:`` of a cloud in boards.yaml leads virtual boards to it.
"""

import asyncio
import contextlib
import math
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Self

from harness.errors import LabError
from harness.faults.delay_line import DelayLine
from harness.faults.fault import Deed, Direction, Fault
from harness.faults.framing import Framing
from harness.faults.script import Act, Close, FaultPlan, FaultScript, Struck

Address = tuple[str, int]

_CHUNK = 65_536
_START_TIMEOUT = 5.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST


class TcpProxy:
    """Listens on loopback and leads each connection to ``target``, with ``faults``.

    Raises LabError if it cannot listen. ``seed``: the same one makes the same faults again. ``framing``: what counts as
    a packet.
    """

    def __init__(
        self, target: Address, faults: Sequence[Fault], *, seed: int = 0, framing: Framing = Framing.AUTO
    ) -> None:
        self._target = target
        self._plan = FaultPlan(faults, seed)
        self._framing = framing
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._count = 0
        self.address: Address = ("", 0)

    @property
    def struck(self) -> list[Struck]:
        """What the faults did so far, in order."""
        return list(self._plan.struck)

    @property
    def connections(self) -> int:
        """Connections accepted so far."""
        return self._count

    def phase(self, name: str) -> None:
        """Announce a phase to every open connection; returns when its faults have struck."""
        self._call(lambda one: one.phase(name))

    def cut(self, how: Deed = Deed.RST) -> None:
        """End every open connection now; returns when it is done. No fault of the plan is needed for it."""
        self._call(lambda one: one.close(how))

    def __enter__(self) -> Self:
        self._thread.start()
        future = asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        try:
            self.address = future.result(_START_TIMEOUT)
        except OSError as error:
            self._end_thread()
            raise LabError(f"the fault proxy cannot listen on 127.0.0.1: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_START_TIMEOUT)
        self._end_thread()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_TIMEOUT)
        if not self._thread.is_alive():
            self._loop.close()

    def _call(self, function: "Callable[[_Connection], None]") -> None:
        async def inside() -> None:
            for one in tuple(self._connections):
                function(one)

        asyncio.run_coroutine_threadsafe(inside(), self._loop).result(_START_TIMEOUT)

    async def _start(self) -> Address:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for one in tuple(self._connections):
            one.close(Deed.FIN)
        await asyncio.gather(*(one.finished() for one in tuple(self._connections)), return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        number = self._count
        try:
            there = await asyncio.open_connection(*self._target)
        except OSError:
            _end(writer, Deed.RST)  # as if the far side had refused it
            return
        script = FaultScript(self._plan, number, self._loop.time(), self._framing)
        connection = _Connection(self._loop, script, (reader, writer), there)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)


class _Connection:
    """Both sides of one connection, and the script that decides on it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        script: FaultScript,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._loop = loop
        self._script = script
        self._near, self._far = near[1], far[1]
        self._readers = {Direction.OUT: near[0], Direction.IN: far[0]}
        self._writers = {Direction.OUT: far[1], Direction.IN: near[1]}
        self._closed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._outbox = DelayLine()
        self._dead: Direction | None = None
        """The direction whose source was told that the connection is over, while the other side was not."""
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Pass bytes both ways until the connection is over."""
        self._arm()
        copies = [asyncio.ensure_future(self._copy(direction)) for direction in Direction]
        over = asyncio.ensure_future(self._closed.wait())
        both = asyncio.ensure_future(asyncio.wait(copies))
        try:
            await asyncio.wait([over, both], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (over, both, *copies):
                task.cancel()
            if self._timer is not None:
                self._timer.cancel()
            if not self._closed.is_set():
                self.close(Deed.FIN)
            self._done.set()

    async def finished(self) -> None:
        """Wait until nothing of it is left."""
        await self._done.wait()

    def phase(self, name: str) -> None:
        self._act(self._script.phase(name, self._loop.time()))

    def close(self, how: Deed) -> None:
        """End the connection towards those sides that ``how`` names; the other one keeps a dead connection."""
        if self._closed.is_set():
            return
        if how is not Deed.FIN_FAR:
            _end(self._near, how)
        if how is not Deed.FIN_NEAR:
            _end(self._far, how)
        if how in (Deed.FIN_FAR, Deed.FIN_NEAR) and self._dead is None:
            self._dead = Direction.OUT if how is Deed.FIN_NEAR else Direction.IN
        else:
            self._closed.set()

    async def _copy(self, direction: Direction) -> None:
        reader, writer = self._readers[direction], self._writers[direction]
        try:
            while data := await reader.read(_CHUNK):
                self._act(self._script.data(direction, data, self._loop.time()))
                if not writer.is_closing():
                    await writer.drain()
            if self._dead not in (None, direction):
                self.close(Deed.FIN)  # the side that still believed in the connection has ended it
            at = self._script.end(direction, self._loop.time())
            if at == math.inf or self._dead is direction:
                await self._closed.wait()  # a black hole swallows the end too
            await asyncio.sleep(at - self._loop.time())
            self._flush()
            if not writer.is_closing() and writer.can_write_eof():
                writer.write_eof()
        except OSError:
            if not self._closed.is_set() and not reader.at_eof():
                self.close(Deed.RST)

    def _act(self, acts: list[Act]) -> None:
        for act in acts:
            if isinstance(act, Close):
                self._flush()
                self.close(act.how)
            else:
                self._outbox.put(act)
        self._flush()
        self._arm()

    def _flush(self) -> None:
        for act in self._outbox.due(self._loop.time()):
            writer = self._writers[act.direction]
            if not writer.is_closing():
                writer.write(act.data)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = min(self._script.wake_at(), self._outbox.next_at())
        if at != math.inf and not self._closed.is_set():
            self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._act(self._script.tick(self._loop.time()))


def _end(writer: asyncio.StreamWriter, how: Deed) -> None:
    if how is Deed.RST:
        sock: socket.socket | None = writer.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
    else:
        writer.close()

"""A board's way to a server while the radio holds or delays it: nothing is lost, nothing overtakes."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from harness.virtual.board.latency import Latency
from harness.virtual.board.modem import Nvm, make_identity
from harness.virtual.board.network import Network
from harness.virtual.board.outputs import LinkClosed, LinkData, LinkEvent, LinkOpened, OpenLink
from harness.virtual.board.uplink import Uplink

OPEN = OpenLink("broker", 1883, None)


class Link:
    """An uplink, what happened on it, and the server's end of its connection."""

    def __init__(self, address, accepted):
        self.events: asyncio.Queue[LinkEvent] = asyncio.Queue()
        self.uplink = Uplink(Network({("broker", 1883): address}), Nvm(make_identity("a")), self.events.put_nowait)
        self.accepted = accepted

    async def next(self):
        return await asyncio.wait_for(self.events.get(), 30)

    async def open(self):
        self.uplink.open(OPEN)
        assert await self.next() == LinkOpened()
        return await asyncio.wait_for(self.accepted.get(), 30)


@asynccontextmanager
async def linked():
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def accept(reader, writer):
        await accepted.put((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    link = Link(server.sockets[0].getsockname(), accepted)
    try:
        yield link
    finally:
        await link.uplink.stop()
        server.close()


def test_what_is_held_comes_later_and_in_order():
    async def scenario():
        async with linked() as link:
            reader, writer = await link.open()
            link.uplink.hold(True)
            link.uplink.send(b"one")
            link.uplink.send(b"two")
            writer.write(b"back")
            writer.write_eof()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
            assert link.events.empty()
            link.uplink.hold(False)
            assert await asyncio.wait_for(reader.read(6), 30) == b"onetwo"
            assert (await link.next()).data == b"back"
            assert await link.next() == LinkClosed()

    asyncio.run(scenario())


def test_a_connection_is_opened_when_the_network_is_back():
    async def scenario():
        async with linked() as link:
            link.uplink.hold(True)
            link.uplink.open(OPEN)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(link.events.get(), 0.1)
            link.uplink.hold(False)
            assert await link.next() == LinkOpened()

    asyncio.run(scenario())


def test_an_end_that_is_held_is_forgotten_with_the_connection():
    async def scenario():
        async with linked() as link:
            _, writer = await link.open()
            link.uplink.hold(True)
            writer.close()
            await asyncio.sleep(0.05)
            link.uplink.close(abrupt=True)
            link.uplink.hold(False)
            await link.open()
            assert link.events.empty()

    asyncio.run(scenario())


def test_latency_delays_each_way_and_keeps_the_order():
    async def scenario():
        async with linked() as link:
            link.uplink.set_latency(0.05, 1.0, 3)
            began = time.monotonic()
            reader, writer = await link.open()
            assert time.monotonic() - began >= 0.2  # four ways
            for number in range(20):
                link.uplink.send(b"%d," % number)
            said = b"".join(b"%d," % number for number in range(20))
            assert await asyncio.wait_for(reader.readexactly(len(said)), 30) == said
            writer.write(b"back")
            event = await link.next()
            assert isinstance(event, LinkData)

    asyncio.run(scenario())


def test_a_power_cut_forgets_everything():
    async def scenario():
        async with linked() as link:
            reader, _ = await link.open()
            link.uplink.hold(True)
            link.uplink.send(b"lost")
            link.uplink.cut()
            assert await asyncio.wait_for(reader.read(), 30) == b""
            await link.open()

    asyncio.run(scenario())


def test_nothing_arrives_before_what_left_earlier():
    latency = Latency(1.0, 2.0, seed=5)
    arrivals = [latency.arrival(number / 10) for number in range(100)]
    assert arrivals == sorted(arrivals)
    assert len({round(arrival - number / 10, 3) for number, arrival in enumerate(arrivals)}) > 5
    assert Latency(2.0).arrival(7.0) == 9.0

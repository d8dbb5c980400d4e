"""The local cloud's broker: time from a violation to its close, connections a second, memory of an idle connection.

The peer is the least that asyncio can do on the same port: its own TLS with the same certificates, every CONNECT
answered with CONNACK, all else answered with a close. It knows no MQTT, no policies and no sessions. Each server runs
in a process of its own; the client is a blocking ``ssl`` socket.
"""

import asyncio
import gc
import multiprocessing
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from benchmarks.common import Row, percentile, ratio
from harness.virtual.cloud.broker.broker import Broker
from harness.virtual.cloud.journal import JournalFile
from harness.virtual.mqtt import Connack, Connect, Publish
from tests.integration.broker_lab import Directory, RawClient, Services, identity, server_identity

VIOLATIONS = 300
CONNECTS = 200
IDLE = 200
_POLICY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Action": ["iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive"],
  "Resource": ["arn:aws:iot:*:*:client/*", "arn:aws:iot:*:*:topic/prod/*", "arn:aws:iot:*:*:topicfilter/prod/*"]}]}"""
_DEVICE = "dev-1"


def run() -> list[Row]:
    """Measure both servers, one after the other, with the same client."""
    identity(_DEVICE), server_identity()  # made once, inherited by the servers' processes
    with _server(_ours) as ours, _server(_peer) as peer:
        own, other = _close_times(ours.port), _close_times(peer.port)
        rows = [
            Row(f"violating PUBLISH to close, {name} of {VIOLATIONS} (peer: asyncio TLS that closes on any data)",
                pick(own), pick(other), ratio(pick(own), pick(other)), goal, "ms")
            for name, pick, goal in (
                ("median", statistics.median, "< 1"),
                ("p99", lambda values: percentile(values, 0.99), "< 10"),
            )
        ]  # fmt: skip
        own_rate, other_rate = _connects_per_second(ours.port), _connects_per_second(peer.port)
        rows.append(
            Row("mutual TLS 1.2 + CONNECT, one after the other (peer: asyncio TLS + CONNACK)",
                own_rate, other_rate, ratio(own_rate, other_rate), "> 0.5x", "1/s")
        )  # fmt: skip
    # Of their own: a server that had connections before holds memory that new ones would fill unseen.
    with _server(_ours) as ours, _server(_peer) as peer:
        own_size, other_size = _idle_memory(ours), _idle_memory(peer)
        rows.append(
            Row(f"memory of an idle connection, {IDLE} of them (peer: asyncio TLS, no session)",
                own_size, other_size, ratio(own_size, other_size), "< 40", "KiB")
        )  # fmt: skip
    return rows


def _connected(port: int, client_id: str = _DEVICE) -> RawClient:
    client = RawClient(port, _DEVICE)
    client.send(Connect(client_id, keepalive=600))
    assert client.read() == Connack()
    return client


def _close_times(port: int) -> list[float]:
    """Return milliseconds from the write of a forbidden PUBLISH to the end of the connection."""
    times = []
    for _ in range(VIOLATIONS):
        with _connected(port) as client:
            octets = Publish("forbidden", b"x" * 120, 1, packet_id=1).encode()
            started = time.perf_counter()
            client.socket.sendall(octets)
            assert client.socket.recv(100) == b""
            times.append((time.perf_counter() - started) * 1000)
    return times


def _connects_per_second(port: int) -> float:
    started = time.perf_counter()
    for _ in range(CONNECTS):
        _connected(port).socket.close()
    return CONNECTS / (time.perf_counter() - started)


def _idle_memory(server: "_Server") -> float:
    """Return KiB per connection, from the growth of the server's resident set."""
    before = server.resident()
    clients = [_connected(server.port, f"dev-{n}") for n in range(IDLE)]
    after = server.resident()
    for client in clients:
        client.socket.close()
    return (after - before) / IDLE / 1024


class _Server:
    """A server in its own process."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.port: int = pipe.recv()

    def resident(self) -> int:
        """Return the server's resident set, bytes."""
        self._pipe.send("resident")
        size: int = self._pipe.recv()
        return size


@contextmanager
def _server(serve: Callable[[Path], object]) -> Iterator[_Server]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_main, args=(serve, there), daemon=True)
    process.start()
    try:
        yield _Server(here)
    finally:
        process.terminate()
        process.join()


def _main(serve: Callable[[Path], Awaitable[object]], pipe: Pipe) -> None:
    async def forever() -> None:
        with tempfile.TemporaryDirectory() as folder:
            pipe.send(await serve(Path(folder)))
            asyncio.get_running_loop().add_reader(pipe.fileno(), answer)
            await asyncio.Event().wait()

    def answer() -> None:
        pipe.recv()
        gc.collect()
        pipe.send(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))

    asyncio.run(forever())


async def _ours(folder: Path) -> int:
    broker = Broker(Directory(_DEVICE, policy=_POLICY), Services(), JournalFile(folder / "journal.jsonl"))
    return await broker.start("127.0.0.1", 0)


async def _peer(folder: Path) -> int:
    _, server = server_identity()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=identity(_DEVICE).pem)
    context.load_cert_chain(*server.files(folder))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    class Least(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            if data[0] == 0x10:
                self.transport.write(Connack().encode())
            else:
                self.transport.close()

    listening = await asyncio.get_running_loop().create_server(Least, "127.0.0.1", 0, ssl=context)
    return listening.sockets[0].getsockname()[1]


if __name__ == "__main__":
    from benchmarks.common import markdown_table

    print(markdown_table(run()))

"""Reads commands, does them, answers."""

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import grpc

from . import limits
from .helper import Helper
from .session import PlaceRefused


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
        # Ctrl-C and a hang-up must end the run only, which still needs its places.
        for number in (signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: None)
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
            await asyncio.wait(self.running, timeout=limits.MOMENT)
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
        except PlaceRefused as refusal:
            answer = {"ok": False, "kind": refusal.kind, "error": str(refusal)}
        except grpc.aio.AioRpcError as error:
            text = f"labgrid coordinator at {self.helper.address}: {error.details()}"
            answer = {"ok": False, "kind": "unreachable", "error": text}
        except Exception as error:  # labgrid's client is not a documented interface: report any error, and go on
            answer = {"ok": False, "kind": "broken", "error": f"labgrid: {type(error).__name__}: {error}"}
        print(json.dumps({"id": number, **answer}), flush=True)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="labgrid_helper")
    parser.add_argument("--coordinator", required=True, metavar="HOST:PORT")
    given = parser.parse_args()
    os.environ["LG_USERNAME"] += f"-{os.getpid()}-{secrets.token_hex(4)}"  # the system uses process numbers again
    if left := asyncio.run(Server(Helper(given.coordinator)).serve()):
        sys.exit(f"not released: {'; '.join(left)}")

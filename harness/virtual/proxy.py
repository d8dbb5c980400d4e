"""An HTTP proxy that leads nRF Cloud's host names to the local cloud, for tools that have them built in.

``HTTPS_PROXY=http://127.0.0.1:PORT`` makes requests, curl and others ask for ``CONNECT api.nrfcloud.com:443``. Only the
local cloud's names and ports are connected, so a tool under test reaches nothing else through it. TLS passes through:
the tool verifies the local cloud's certificate under nRF Cloud's name. Facts: RFC 9110 §9.3.6.
"""

import asyncio
import re
from collections.abc import Mapping

from harness.virtual.cloud.broker.interfaces import Journal

Address = tuple[str, int]
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CONNECT = re.compile(rb"CONNECT ([^ :]+):(\d{1,5}) HTTP/1\.[01]\r\n", re.IGNORECASE)
_LONGEST_HEAD = 8192
_HEAD_TIMEOUT = 10.0
_CHUNK = 65_536


class _Refused(Exception):
    """The request leads nowhere; ``answer``: what the client is told."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {len(reason) + 1}\r\n"
        self.answer = f"{head}connection: close\r\n\r\n{reason}\n".encode()


class Proxy:
    """Answers CONNECT for the names in ``routes``, with 403 for any other and 405 for other methods."""

    def __init__(self, routes: Mapping[Address, Address], journal: Journal) -> None:
        self._routes = routes
        self._journal = journal
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port (``port`` 0: the system chooses). OSError when it is taken."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=_LONGEST_HEAD)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and cut every tunnel."""
        if self._server is not None:
            self._server.close()
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tunnels.add(tunnel)
        tunnel.add_done_callback(self._tunnels.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_TIMEOUT)
            address = self._find(head)
            there = await asyncio.open_connection(*address)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _tunnel((reader, writer), there)
        except _Refused as refusal:
            writer.write(refusal.answer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # one of the two ends is gone, or the client sent no request in time: there is nobody to tell
        finally:
            writer.close()

    def _find(self, head: bytes) -> Address:
        """Return where the request leads. Raises :class:`_Refused`."""
        request = _CONNECT.match(head)
        if request is None:
            raise _Refused("405 Method Not Allowed", "only CONNECT is answered")
        wanted = (request[1].decode("latin-1").lower(), int(request[2]))
        address = self._routes.get(wanted)
        self._journal.write("proxy", host=wanted[0], port=wanted[1], connected=address is not None)
        if address is None:
            names = ", ".join(sorted(f"{host}:{port}" for host, port in self._routes))
            raise _Refused("403 Forbidden", f"only these are connected: {names}")
        return address


async def _tunnel(here: _Streams, there: _Streams) -> None:
    """Pass bytes both ways until both sides have ended, or one breaks."""
    copies = [asyncio.ensure_future(_copy(here[0], there[1])), asyncio.ensure_future(_copy(there[0], here[1]))]
    try:
        await asyncio.gather(*copies)
    finally:
        for copy in copies:
            copy.cancel()
        there[1].close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Pass bytes on until ``source`` ends, then say so to ``target``: either side may still have something to send."""
    while data := await source.read(_CHUNK):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()

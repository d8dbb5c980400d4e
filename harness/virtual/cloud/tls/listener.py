"""A listening socket for clients with certificates. It accepts connections, and knows all its streams to end them."""

import asyncio
from collections.abc import Callable

from harness.settings import CloudSettings
from harness.virtual.cloud.broker.interfaces import Directory, Journal
from harness.virtual.cloud.tls.stream import HandshakeRefusal, TlsApplication, TlsStream
from harness.virtual.cloud.tls.trust import ServerContext

_STOP_TIMEOUT = 5.0


class TlsListener:
    """Runs one ``application()`` on each connection. ``journal`` gets the refused handshakes.

    ``directory``: knows the certificates. ``profile``: returns the broker's behaviour, which may change while it runs.
    """

    def __init__(
        self,
        directory: Directory,
        journal: Journal,
        profile: Callable[[], CloudSettings],
        application: Callable[[], TlsApplication],
    ) -> None:
        self._directory = directory
        self._journal = journal
        self._profile = profile
        self._application = application
        self._context = ServerContext(directory, maximum=profile().highest_tls)
        self._streams: set[TlsStream] = set()
        self._server: asyncio.Server | None = None
        self._all_gone = asyncio.Event()
        self._to_refuse = 0
        self._alert: int | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port (``port`` 0: the system chooses)."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._new_stream, host, port, backlog=1024)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def refuse(self, count: int, alert: int | None) -> None:
        """Refuse the next ``count`` handshakes by the TLS alert with this number, or (None) without an alert."""
        self._to_refuse, self._alert = count, alert

    def close(self) -> None:
        """Stop listening. Connections stay."""
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        self.close()
        for stream in list(self._streams):
            stream.abort()
        if self._streams:
            self._all_gone.clear()
            await asyncio.wait_for(self._all_gone.wait(), _STOP_TIMEOUT)

    def _new_stream(self) -> TlsStream:
        refusal = None
        if self._to_refuse:
            self._to_refuse -= 1
            refusal = HandshakeRefusal(self._alert)
        profile = self._profile()
        stream = TlsStream(
            self._context,
            self._application(),
            handshake_timeout=profile.limits.handshake,
            examine=self._directory.examine,
            cert_refusal=profile.cert_refusal,
            refused=self._refused,
            gone=self._gone,
            refusal=refusal,
        )
        self._streams.add(stream)
        return stream

    def _refused(self, stream: TlsStream, reason: str) -> None:
        self._journal.write("tls_refused", source_ip=stream.source_ip, reason=reason)

    def _gone(self, stream: TlsStream) -> None:
        self._streams.discard(stream)
        if not self._streams:
            self._all_gone.set()

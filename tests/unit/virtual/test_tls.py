"""Back-pressure of a TLS stream, where a real socket would need megabytes to show it."""

import asyncio
from typing import Any

from harness.virtual.cloud.tls.stream import TlsStream
from harness.virtual.cloud.tls.trust import ServerContext
from tests.integration.broker_lab import Directory


class Transport(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.calls = []

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")


class Application:
    def __init__(self):
        self.calls = []

    def writable(self):
        self.calls.append("writable")


def test_who_does_not_read_is_not_read_from():
    async def main():
        transport, application = Transport(), Application()
        outer: Any = application
        context = ServerContext(Directory(), maximum="1.2")
        stream = TlsStream(
            context,
            outer,
            handshake_timeout=5,
            examine=lambda _: None,
            cert_refusal="close",
            refused=lambda *_: None,
            gone=lambda _: None,
        )
        stream.connection_made(transport)
        stream.pause_writing()
        assert stream.congested
        assert transport.calls == ["pause"]
        stream.resume_writing()
        assert not stream.congested
        assert transport.calls == ["pause", "resume"]
        assert application.calls == ["writable"]

    asyncio.run(main())

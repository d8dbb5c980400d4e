"""TLS over an asyncio TCP connection, with its own layer on ``ssl.MemoryBIO``.

asyncio's own TLS does not send the alert of a failed handshake (python/cpython#98078), waits for the peer's
close_notify before it closes, and holds a 256 KiB buffer per connection. Here a refused client sees the alert, and a
close is close_notify and FIN at once.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from harness.settings import CertificateRefusal, CloseStyle
from harness.virtual.cloud.broker.interfaces import Objection
from harness.virtual.cloud.tls.trust import ServerTls

_LINGER = 1.0  # seconds in which data of a peer that has not yet seen our FIN is read and dropped
_READ_SIZE = 65_536
_ALERT, _TLS_1_2, _FATAL = 21, 0x0303, 2
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds
# Clients without TCP_NODELAY (paho-mqtt) send on when our ACK has come; a delayed ACK costs them 40 ms a message.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Application(Protocol):
    """What runs on top of a :class:`TlsStream`."""

    def started(self, stream: "TlsStream") -> None:
        """The handshake is done."""

    def received(self, data: bytes) -> None:
        """Take decrypted bytes; may close the stream."""

    def writable(self) -> None:
        """The peer reads again after :attr:`TlsStream.congested`."""

    def ended(self) -> None:
        """The peer ended the connection, or it broke. May be called again, and after an own close."""


class TlsStream(asyncio.Protocol):
    """One accepted connection.

    ``examine``: asked about the client's chain of certificates when the handshake is nearly done; what follows an
    objection depends on ``cert_refusal`` (see BrokerProfile). ``refused``: called with the reason when the handshake
    fails. ``gone``: called once when the socket is released.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        application: Application,
        *,
        handshake_timeout: float,
        examine: Callable[[Sequence[bytes]], Objection | None],
        cert_refusal: CertificateRefusal,
        refused: Callable[["TlsStream", str], None],
        gone: Callable[["TlsStream"], None],
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = cast(ServerTls, context.wrap_bio(self._incoming, self._outgoing, server_side=True))
        self._application = application
        self._handshake_timeout = handshake_timeout
        self._examine = examine
        self._cert_refusal = cert_refusal
        self._refused = refused
        self._gone = gone
        self._plain = bytearray()
        self._flush_due = False
        self._established = False
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self.congested = False
        """True while the peer reads slower than it is written to."""
        self.source_ip = ""
        self.objection: Objection | None = None
        """What was found against the client's certificate, when that is left to the application to act upon."""

    @property
    def server_name(self) -> str | None:
        """The host name the client asked for (SNI), None if it did not."""
        return self._tls.server_name

    @property
    def peer_certificate(self) -> bytes:
        """The client's certificate, DER."""
        return self._tls.getpeercert(binary_form=True) or b""

    def write(self, data: bytes) -> None:
        """Send ``data``; what is written in one turn of the event loop leaves in one TLS record."""
        self._plain += data
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def close(self, style: CloseStyle = "notify") -> None:
        """Send what was written, then end the connection in this style. Later data of the peer is dropped."""
        if self._closing:
            return
        self._flush()
        self._closing = True
        self._set_timer(None)
        if style == "hang":
            return
        if style == "rst":
            self._tcp.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._tcp.abort()
            return
        if style == "notify":
            with contextlib.suppress(ssl.SSLError):  # it asks for the peer's close_notify, which is not waited for
                self._tls.unwrap()
            self._send()
        self._send_fin()

    def abort(self) -> None:
        """Release the socket at once."""
        self._closing = True
        self._tcp.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        peer = transport.get_extra_info("peername")
        self.source_ip = peer[0] if peer else ""
        self._set_timer(self._handshake_timeout, self._refuse, "no complete TLS handshake in time")

    def data_received(self, data: bytes) -> None:
        if _QUICKACK is not None:
            self._tcp.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        if self._closing:
            return
        self._incoming.write(data)
        if self._established or self._handshake():
            self._read()

    def eof_received(self) -> None:
        self._hung_up()
        # asyncio closes the connection now, but waits for a peer that does not read what is left for it.
        self._set_timer(_LINGER, self._tcp.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hung_up()
        self._set_timer(None)
        self._gone(self)

    def pause_writing(self) -> None:
        self.congested = True
        self._tcp.pause_reading()  # who does not read our answers gets no further ones

    def resume_writing(self) -> None:
        self.congested = False
        self._tcp.resume_reading()
        if not self._closing:
            self._application.writable()

    # inside

    def _handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
            return False
        except ssl.SSLError as error:
            self._refuse(getattr(error, "verify_message", None) or error.reason or str(error))
            return False
        self.objection = self._examine(self._tls.presented_chain)
        if self.objection and self._cert_refusal == "alert":
            self._send_alert(self.objection.alert)
            self._refuse(self.objection.reason)
            return False
        self._send()
        self._established = True
        self._set_timer(None)
        self._application.started(self)
        return True

    def _send_alert(self, description: int) -> None:
        """End the handshake by a fatal alert in the place of our last flight, which has not been sent yet.

        ``ssl`` has no call for it. In TLS 1.2 our side is in clear until that flight. In TLS 1.3, and with a resumed
        session, the client is done already and only sees the connection end.
        """
        self._outgoing.read()
        if self._tls.version() == "TLSv1.2" and not self._tls.session_reused:
            self._tcp.write(struct.pack(">BHHBB", _ALERT, _TLS_1_2, 2, _FATAL, description))

    def _hung_up(self) -> None:
        if self._established:
            self._application.ended()
        elif not self._closing:
            self._refused(self, "the client hung up during the handshake")
        self._closing = True

    def _refuse(self, reason: str) -> None:
        self._refused(self, reason)
        self.close("fin")  # the alert that OpenSSL wrote goes out first

    def _read(self) -> None:
        while not self._closing:
            try:
                data = self._tls.read(_READ_SIZE)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLError:  # a broken record: the alert is in the buffer
                data = b""
            if not data:  # close_notify
                self._application.ended()
                self.close()
                return
            self._application.received(data)

    def _flush(self) -> None:
        self._flush_due = False
        if self._closing:
            return
        rest = memoryview(bytes(self._plain))
        self._plain.clear()
        while rest:
            rest = rest[self._tls.write(rest) :]
        self._send()

    def _send(self) -> None:
        if self._outgoing.pending:
            self._tcp.write(self._outgoing.read())

    def _send_fin(self) -> None:
        """FIN now, release the socket when the peer closes too.

        Releasing it at once would answer data that is still on its way with RST, which may overtake what we sent.
        """
        if self._tcp.is_closing():
            return
        try:
            self._tcp.write_eof()
        except OSError:  # the peer has reset the connection meanwhile
            self._tcp.abort()
            return
        self._tcp.resume_reading()
        self._set_timer(_LINGER, self._tcp.abort)

    def _set_timer(self, delay: float | None, call: Callable[..., object] = lambda: None, *args: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if delay is None else self._loop.call_later(delay, call, *args)

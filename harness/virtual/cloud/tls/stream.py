"""TLS over an asyncio TCP connection, by pyOpenSSL over memory.

asyncio's own TLS does not send the alert of a failed handshake (python/cpython#98078), waits for the peer's
close_notify before it closes, and has a buffer of 256 KiB for each connection. Here a refused client gets the alert,
and closing sends close_notify and FIN at once.
Facts: RFC 5246 §7.2.2 and RFC 6066 §3 (alerts).
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, cast

from OpenSSL import SSL, crypto

from harness.settings import CertificateRefusal, CloseStyle
from harness.virtual.cloud.broker.interfaces import Objection
from harness.virtual.cloud.tls.trust import ServerContext

_LINGER = 1.0  # seconds for which data are read and dropped from a peer that has not seen our FIN yet
_READ_SIZE = 65_536
_ALERT, _TLS_1_2, _FATAL = 21, 0x0303, 2
_UNRECOGNIZED_NAME = 112
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds
# Clients without TCP_NODELAY (paho-mqtt) go on sending after our ACK, so a delayed ACK costs them 40 ms a message.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class TlsApplication(Protocol):
    """The protocol that runs on a :class:`TlsStream`."""

    def started(self, stream: "TlsStream") -> None:
        """The handshake is done."""

    def received(self, data: bytes) -> None:
        """Take decrypted bytes; may close the stream."""

    def writable(self) -> None:
        """Go on writing: the peer reads again after :attr:`TlsStream.congested`."""

    def ended(self) -> None:
        """The peer ended the connection, or it broke. May be called more than once, and after our own close."""


class HandshakeRefusal(NamedTuple):
    """A handshake that is refused whatever the client does. ``alert``: its number; None: closed without an alert."""

    alert: int | None


class TlsStream(asyncio.Protocol):
    """One accepted connection. ``context``: the server's. ``application``: runs on it.

    ``handshake_timeout``: seconds for the handshake.
    ``examine``: called with the client's chain of certificates when the handshake is nearly done; what follows an
    objection depends on ``cert_refusal`` (see CloudSettings). ``refused``: called with the reason when the handshake
    fails. ``gone``: called once, when the socket is released. ``refusal``: refuse the handshake in any case.
    """

    def __init__(
        self,
        context: ServerContext,
        application: TlsApplication,
        *,
        handshake_timeout: float,
        examine: Callable[[Sequence[bytes]], Objection | None],
        cert_refusal: CertificateRefusal,
        refused: Callable[["TlsStream", str], None],
        gone: Callable[["TlsStream"], None],
        refusal: HandshakeRefusal | None = None,
    ) -> None:
        self._made = False
        self._tls = context.connection()
        self._names = context.names
        self._application = application
        self._handshake_timeout = handshake_timeout
        self._examine = examine
        self._cert_refusal = cert_refusal
        self._refused = refused
        self._gone = gone
        self._refusal = refusal
        self._plain = bytearray()
        self._flush_due = False
        self._established = False
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self.congested = False
        """True while the peer reads more slowly than we write."""
        self.source_ip = ""
        self.objection: Objection | None = None
        """The objection to the client's certificate, if the application has to act on it."""

    @property
    def server_name(self) -> str | None:
        """The host name that the client asked for (SNI), or None."""
        name = self._tls.get_servername()
        return None if name is None else name.decode("ascii", errors="replace").lower()

    @property
    def peer_certificate(self) -> bytes:
        """The client's certificate, DER."""
        certificate = self._tls.get_peer_certificate()
        return b"" if certificate is None else _der(certificate)

    def write(self, data: bytes) -> None:
        """Send ``data``.

        What answers bytes that just came leaves in one TLS record, and so does everything else that is written in one
        turn of the event loop.
        """
        self._plain += data
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def close(self, style: CloseStyle = "notify") -> None:
        """Send what was written, then end the connection in this style. Later data of the peer are dropped."""
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
            with contextlib.suppress(SSL.Error):
                self._tls.shutdown()  # we do not wait for the peer's close_notify
            self._send()
        self._send_fin()

    def abort(self) -> None:
        """Release the socket at once, or as soon as there is one."""
        self._closing = True
        if self._made:
            self._tcp.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = cast(asyncio.Transport, transport)
        self._made = True
        self._loop = asyncio.get_running_loop()
        if self._closing:  # abort() was called before there was a socket
            self._tcp.abort()
            return
        peer = transport.get_extra_info("peername")
        self.source_ip = peer[0] if peer else ""
        self._set_timer(self._handshake_timeout, self._refuse, "no complete TLS handshake in time")

    def data_received(self, data: bytes) -> None:
        if _QUICKACK is not None:
            self._tcp.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        if self._closing:
            return
        self._tls.bio_write(data)
        flush_due, self._flush_due = self._flush_due, True  # at the end of this call: that saves a turn of the loop
        if self._established or self._handshake():
            self._read()
        if self._plain:
            self._flush()
        self._flush_due = flush_due

    def eof_received(self) -> None:
        self._hung_up()
        # asyncio closes the connection now, but would wait for a peer that does not read the rest.
        self._set_timer(_LINGER, self._tcp.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hung_up()
        self._set_timer(None)
        self._gone(self)

    def pause_writing(self) -> None:
        self.congested = True
        self._tcp.pause_reading()  # a peer that does not read our answers gets no further ones

    def resume_writing(self) -> None:
        self.congested = False
        self._tcp.resume_reading()
        if not self._closing:
            self._application.writable()

    # inside

    def _handshake(self) -> bool:
        if self._refusal is not None:
            if self._refusal.alert is not None:
                self._send_alert(self._refusal.alert)
            self._refuse("the local cloud was told to refuse this handshake")
            return False
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            if self._wrong_name():
                return False
            self._send()
            return False
        except SSL.Error as error:
            self._send()  # the alert that OpenSSL wrote
            self._refuse(_reason(error))
            return False
        chain = self._tls.get_peer_cert_chain() or []  # without the peer's own certificate
        self.objection = self._examine([self.peer_certificate, *map(_der, chain)])
        if self.objection and self._cert_refusal == "alert":
            self._send_alert(self.objection.alert)
            self._refuse(self.objection.reason)
            return False
        self._send()
        self._established = True
        self._set_timer(None)
        self._application.started(self)
        return True

    def _wrong_name(self) -> bool:
        """Refuse a client before our first answer if it asks for a host name that the certificate does not have."""
        name = self.server_name
        if name is None or name in self._names:
            return False
        self._send_alert(_UNRECOGNIZED_NAME)
        self._refuse(f"the client asked for the host name {name[:255]} (SNI), which the certificate does not have")
        return True

    def _send_alert(self, description: int) -> None:
        """Send a fatal alert in place of OpenSSL's next message.

        OpenSSL has no call for it, so it is written by hand. That works because our side is not encrypted yet: in TLS
        1.2 until our last flight, in TLS 1.3 until our first.
        """
        self._taken()
        self._tcp.write(struct.pack(">BHHBB", _ALERT, _TLS_1_2, 2, _FATAL, description))

    def _hung_up(self) -> None:
        if self._established:
            self._application.ended()
        elif not self._closing:
            self._refused(self, "the client hung up during the handshake")
        self._closing = True

    def _refuse(self, reason: str) -> None:
        self._refused(self, reason)
        self.close("fin")  # first the alert that OpenSSL wrote

    def _read(self) -> None:
        while not self._closing:
            try:
                data = self._tls.recv(_READ_SIZE)
            except SSL.WantReadError:
                return
            except SSL.Error:  # close_notify; or a broken record: the alert is in the buffer
                self._application.ended()
                self.close()
                return
            self._application.received(data)

    def _flush(self) -> None:
        self._flush_due = False
        if self._closing:
            return
        if self._plain:
            with contextlib.suppress(SSL.Error):  # a broken record has ended the session: nothing can be sent any more
                self._tls.sendall(bytes(self._plain))
            self._plain.clear()
        self._send()

    def _send(self) -> None:
        if data := self._taken():
            self._tcp.write(data)

    def _taken(self) -> bytes:
        """Return the bytes that OpenSSL has for the peer."""
        data = b""
        with contextlib.suppress(SSL.WantReadError):
            while True:
                data += self._tls.bio_read(_READ_SIZE)
        return data

    def _send_fin(self) -> None:
        """Send FIN now, and release the socket when the peer closes too.

        If it were released at once, data still on their way would be answered by RST, which may overtake our last data.
        """
        if self._tcp.is_closing():
            return
        try:
            self._tcp.write_eof()
        except OSError:  # meanwhile the peer has reset the connection
            self._tcp.abort()
            return
        self._tcp.resume_reading()
        self._set_timer(_LINGER, self._tcp.abort)

    def _set_timer(self, delay: float | None, call: Callable[..., object] = lambda: None, *args: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if delay is None else self._loop.call_later(delay, call, *args)


def _der(certificate: crypto.X509) -> bytes:
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)


def _reason(error: SSL.Error) -> str:
    """Return OpenSSL's reason for a failed handshake: the last part of the first entry in its queue."""
    queue = error.args[0] if error.args else ()
    return str(queue[0][-1]).upper().replace(" ", "_") if queue else "the TLS handshake failed"

"""The server's TLS context: whom the broker trusts, and what it offers.

Suites: those that nRF91 modems and AWS IoT Core have in common (nRF91 modem firmware, supported cipher suites; AWS IoT
Core Developer Guide, "Transport security"). Trust is by registration: a leaf that was registered is an anchor of its
own, whoever signed it. A certificate that ends at no anchor is refused in the handshake by OpenSSL. Whether one that
ends at an anchor may be used - its state, its times, whether it is registered itself - is the directory's to say.
"""

import ssl
import sys

from harness.virtual.cloud.broker.interfaces import Directory
from harness.virtual.key_file import readable_by_openssl

CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
    ":ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"
)

# X509_V_FLAG_NO_CHECK_TIME, which ``ssl`` has no name for: OpenSSL would refuse an expired certificate by an alert.
_TIMES_ARE_CHECKED_ELSEWHERE = 0x200000


class ServerTls(ssl.SSLObject):
    """One server-side TLS connection that remembers which host name the client asked for (SNI)."""

    server_name: str | None = None

    @property
    def presented_chain(self) -> list[bytes]:
        """The certificates the client sent, DER, its own first. OpenSSL may have verified them by others it has."""
        if sys.version_info >= (3, 13):
            return self.get_unverified_chain()
        # Before, only the object underneath offers it.
        chain = self._sslobj.get_unverified_chain() or []  # type: ignore[attr-defined]
        return [ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in chain]


class ServerContexts:
    """Hands out the TLS context for the next accept; a new one whenever the directory has changed.

    Anchors can be added to a living context but not taken away, hence a new context and not an update.
    """

    def __init__(self, directory: Directory, *, maximum: ssl.TLSVersion) -> None:
        self._directory = directory
        self._maximum = maximum
        self._version: int | None = None
        self._context: ssl.SSLContext | None = None

    def current(self) -> ssl.SSLContext:
        """Return the context that matches the directory's present version."""
        version = self._directory.version
        if self._context is None or version != self._version:
            self._context = _build(self._directory, self._maximum)
            self._version = version
        return self._context


def _build(directory: Directory, maximum: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = maximum
    context.set_ciphers(CIPHERS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _TIMES_ARE_CHECKED_ELSEWHERE
    # A resumed session skips the check of the client's chain, so nothing here invites resumption.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.sslobject_class = ServerTls
    context.sni_callback = _remember_server_name
    chain, key = directory.server_identity()
    with readable_by_openssl(chain.encode() + b"\n" + key) as path:
        context.load_cert_chain(path)
    if anchors := directory.trust_anchors():
        context.load_verify_locations(cadata="\n".join(anchors))
    return context


def _remember_server_name(tls: ssl.SSLObject, server_name: str | None, _context: ssl.SSLContext) -> None:
    if isinstance(tls, ServerTls):
        tls.server_name = server_name

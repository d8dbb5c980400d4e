"""The server's TLS context: its cipher suites, its certificate and its names.

Suites: first those that nRF91 modems and AWS IoT Core have in common, so that a modem and a virtual one get the same
(nRF91 modem firmware, supported cipher suites). Then the others that AWS IoT Core has for a server certificate with an
EC key (AWS IoT Core Developer Guide, "Transport security").

Every certificate of any issuer passes the handshake, once the client has proved that it has the key. Trust is by
registration: the directory is asked about the certificate when the handshake is nearly done. pyOpenSSL can do that;
``ssl`` refuses an unknown issuer by an alert, whatever the profile says.
"""

from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from harness.settings import TlsVersion
from harness.virtual.cloud.broker.interfaces import Directory

_MODEM = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
    ":ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"
)
_AWS = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA"
CIPHERS = f"{_MODEM}:{_AWS}"

_VERSIONS: Final[Mapping[TlsVersion, int]] = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_OPTIONS = SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE


class ServerContext:
    """Shared by all connections of a listener. ``names``: the host names that a client may ask for (SNI)."""

    def __init__(self, directory: Directory, *, maximum: TlsVersion) -> None:
        chain, key = directory.server_identity()
        certificates = x509.load_pem_x509_certificates(chain.encode())
        self.names = _names(certificates[0])
        self._context = context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_max_proto_version(_VERSIONS[maximum])
        context.set_cipher_list(CIPHERS.encode())
        context.set_options(_OPTIONS)
        # A resumed session would skip the client's certificate, so sessions cannot be resumed.
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificates[0])
        for issuer in certificates[1:]:
            context.add_extra_chain_cert(issuer)
        private = serialization.load_pem_private_key(key, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("the server's key is not an EC key")
        context.use_privatekey(private)
        context.check_privatekey()

    def connection(self) -> SSL.Connection:
        """Return the server's side of a new connection, over memory."""
        connection = SSL.Connection(self._context, None)
        connection.set_accept_state()
        return connection


def _names(certificate: x509.Certificate) -> frozenset[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return frozenset(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))

"""The modem's side of TLS: what its stack offers, and the credentials of one sec_tag out of its store.

Source: nRF91 TLS documentation (TLS 1.2, list of cipher suites). Keys go into OpenSSL through an anonymous file in
memory: they never touch a disk.

To make a context takes longer than a handshake with it, above all to read the key. A board connects hundreds of times
with the same credentials, so the context is kept for as long as they are the same. Nothing of one connection is seen in
the next: a client resumes a session only where it is told to.
"""

import ssl
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.virtual.board.modem.credentials import CLIENT_CERTIFICATE, PRIVATE_KEY, ROOT_CA
from harness.virtual.board.modem.nvm import Credential, Nvm
from harness.virtual.key_file import readable_by_openssl

CIPHERS: Final = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA384",
        "ECDHE-RSA-AES256-SHA384",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-RSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
    )
)
_KEPT: Final = 8  # contexts, of all boards of a process


class CredentialsUnusable(Exception):
    """The sec_tag lacks something that a TLS connection needs, or its parts do not belong together."""


def client_context(nvm: Nvm, sec_tag: int, *, verify: bool = True, named: bool = True) -> ssl.SSLContext:
    """Return the context for a connection: the peer and its name are verified against the root CA in ``sec_tag``.

    ``nvm``: has the credentials. ``verify``: False takes any peer. ``named``: False takes any name.
    Raises :class:`CredentialsUnusable`.
    """
    stored = tuple((kind, item) for (tag, kind), item in nvm.credentials.items() if tag == sec_tag)
    return _context(sec_tag, stored, verify=verify, named=named)


@lru_cache(maxsize=_KEPT)
def _context(
    sec_tag: int, credentials: tuple[tuple[int, Credential], ...], *, verify: bool, named: bool
) -> ssl.SSLContext:
    stored = dict(credentials)
    if verify and ROOT_CA not in stored:
        raise CredentialsUnusable(f"sec_tag {sec_tag} has no root CA")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verify and named
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        if ROOT_CA in stored:
            roots = x509.load_pem_x509_certificates(stored[ROOT_CA].content)
            ders = [root.public_bytes(serialization.Encoding.DER) for root in roots]
            context.load_verify_locations(cadata=b"".join(ders))
        if CLIENT_CERTIFICATE in stored:
            if PRIVATE_KEY not in stored:
                raise CredentialsUnusable(f"sec_tag {sec_tag} has a client certificate and no private key")
            _load_pair(context, stored[CLIENT_CERTIFICATE], stored[PRIVATE_KEY])
    except (ssl.SSLError, ValueError, x509.InvalidVersion) as error:
        raise CredentialsUnusable(f"sec_tag {sec_tag}: {error}") from error
    return context


def _load_pair(context: ssl.SSLContext, certificate: Credential, key: Credential) -> None:
    with readable_by_openssl(certificate.content.rstrip() + b"\n" + _pem(key)) as path:
        # Without a password OpenSSL would ask for it on the terminal.
        context.load_cert_chain(path, password=key.password)


def _pem(key: Credential) -> bytes:
    if not key.generated:
        return key.content
    private = serialization.load_der_private_key(key.content, password=None)
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

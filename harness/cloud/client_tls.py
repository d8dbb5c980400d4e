"""TLS contexts of clients that prove who they are with a certificate. ``ssl`` reads keys from files only."""

import ssl
import tempfile


def client_context(root_ca_pem: str, chain_pem: str, key_pem: str) -> ssl.SSLContext:
    """Return a context that trusts ``root_ca_pem`` alone and presents ``chain_pem``. Raises ssl.SSLError, ValueError.

    The file that the key passes through is 0600 from its creation and gone when this returns.
    """
    context = ssl.create_default_context(cadata=root_ca_pem)
    with tempfile.NamedTemporaryFile("w", prefix="nrf91-harness-", suffix=".pem") as file:
        file.write(key_pem.rstrip() + "\n" + chain_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context

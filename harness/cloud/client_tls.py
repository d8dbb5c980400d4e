"""TLS contexts of clients that have a certificate. ``ssl`` reads private keys from files only."""

import os
import ssl


def client_context(root_ca_pem: str, chain_pem: str, key_pem: str) -> ssl.SSLContext:
    """Return a context that trusts ``root_ca_pem`` alone and presents ``chain_pem``. Raises ssl.SSLError, ValueError.

    The key passes through a file in memory, so a process that is killed here leaves no key behind.

    ``key_pem``: the private key of the first certificate in ``chain_pem``.
    """
    context = ssl.create_default_context(cadata=root_ca_pem)
    memory = os.memfd_create("client")
    with os.fdopen(memory, "w") as file:
        file.write(key_pem.rstrip() + "\n" + chain_pem)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{memory}")
    return context

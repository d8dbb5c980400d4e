"""TLS contexts of clients that prove who they are with a certificate. ``ssl`` reads keys from files only."""

import os
import ssl


def client_context(root_ca_pem: str, chain_pem: str, key_pem: str) -> ssl.SSLContext:
    """Return a context that trusts ``root_ca_pem`` alone and presents ``chain_pem``. Raises ssl.SSLError, ValueError.

    The file that the key passes through is in memory only: a process killed here leaves no key behind.

    ``key_pem``: the private key of the first certificate in ``chain_pem``.
    """
    context = ssl.create_default_context(cadata=root_ca_pem)
    memory = os.memfd_create("client")
    with os.fdopen(memory, "w") as file:
        file.write(key_pem.rstrip() + "\n" + chain_pem)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{memory}")
    return context

"""A path for content that ``ssl`` takes only from files, such as private keys: in memory if the system can do that."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def readable_by_openssl(content: bytes) -> Iterator[str]:
    """Yield a path that holds ``content`` for the block; elsewhere than on Linux a file of mode 0600."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("key", os.MFD_CLOEXEC), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as named:
            named.write(content)
            named.flush()
            yield named.name

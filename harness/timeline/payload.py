"""How an event's data hold bytes: as text; in base64 if they are not text; by size and SHA-256 if they are many.

Of a payload over :data:`LARGEST` only the nonces in it are kept, because a trial looks for its own.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from harness.redact import SECRETS, redact_line

LARGEST: Final = 4096
"""Bytes of a payload that an event carries whole."""
NONCE: Final = re.compile(rb"\bn[0-9a-f]{16}\b")
"""What a trial marks its messages with."""


def packed(payload: bytes) -> dict[str, Any]:
    """Return the data for ``payload``: ``payload`` (text), with ``encoding`` "base64", or ``size``, ``sha256``.

    Secrets are cut. With ``size`` there may be ``nonces``.
    """
    if len(payload) > LARGEST:
        return digest(payload)
    clean = redact_line(payload)
    try:
        return {"payload": SECRETS.scrub(clean.decode())}
    except UnicodeDecodeError:
        return {"payload": base64.b64encode(SECRETS.scrub_bytes(clean)).decode(), "encoding": "base64"}


def digest(payload: bytes) -> dict[str, Any]:
    """Return ``size``, ``sha256`` and, if it has some, ``nonces`` of ``payload``."""
    data: dict[str, Any] = {"size": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
    nonces = [nonce.decode() for nonce in dict.fromkeys(NONCE.findall(payload))]
    return data | {"nonces": nonces} if nonces else data


def unpacked(data: Mapping[str, Any]) -> bytes:
    """Return the payload that :func:`packed` put into ``data``; if it was too large, its nonces with blanks between.

    Raises ValueError for an encoding that is not known.
    """
    encoding = data.get("encoding", "text")
    if encoding == "base64":
        return base64.b64decode(data["payload"], validate=True)
    if encoding != "text":
        raise ValueError(f"the payload has the unknown encoding {encoding!r}")
    if "size" in data:
        return " ".join(data.get("nonces", ())).encode()
    return str(data.get("payload", "")).encode()


def size_of(data: Mapping[str, Any]) -> int:
    """Return the size in bytes of the payload that :func:`packed` put into ``data``."""
    return int(data["size"]) if "size" in data else len(unpacked(data))


def shown(data: Mapping[str, Any], limit: int = 120) -> str:
    """Return a payload for people: its text, cut at ``limit`` characters, or how many bytes it has."""
    if "size" in data or "encoding" in data:
        return f"{size_of(data)} bytes"
    text = str(data.get("payload", ""))
    return text if len(text) <= limit else f"{text[:limit]}…"

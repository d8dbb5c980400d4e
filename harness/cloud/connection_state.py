"""What a device's state says about its connection: its status, and the reason of the last disconnect. Pure.

Source: nRFCloud/application-protocols, ipShadow.json (``reported.connection``: ``status``, ``disconnectReason``,
``clientInitiatedDisconnect``). The reasons are those of AWS IoT's lifecycle events. A device can write there too, so
the reason is evidence and not a proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONNECTED, DISCONNECTED = "connected", "disconnected"


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """``status``: connected, disconnected or another text; None: there is none. ``reason``: None: there is none.

    ``version``: of the whole state; it grows with each change. ``stamp``: time of the status in seconds since 1970.
    None: the record does not have it.
    """

    status: str | None
    reason: str | None = None
    by_client: bool | None = None
    version: int | None = None
    stamp: int | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any] | None) -> "ConnectionState":
        """Return it from a device's record (FetchDevice). What is missing, or has another form, is None."""
        state = _mapping(record, "state")
        connection = _mapping(_mapping(state, "reported"), "connection")
        stamps = _mapping(_mapping(_mapping(state, "metadata"), "reported"), "connection")
        status, reason = connection.get("status"), connection.get("disconnectReason")
        by_client, version = connection.get("clientInitiatedDisconnect"), state.get("version")
        stamp = _mapping(stamps, "status").get("timestamp")
        return cls(
            status if isinstance(status, str) else None,
            reason if isinstance(reason, str) and reason else None,
            by_client if isinstance(by_client, bool) else None,
            _number(version),
            _number(stamp),
        )


def _mapping(value: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

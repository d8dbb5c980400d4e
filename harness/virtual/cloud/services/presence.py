"""Writes into a device's state whether it is connected, and why not: ``reported.connection``.

Facts: nRFCloud/application-protocols, ipShadow.json (``status``, ``disconnectReason``, ``clientInitiatedDisconnect``;
the reasons are those of AWS IoT's lifecycle events). Seen on nRF Cloud: while a device is connected, the two latter are
not there. UNCONFIRMED: how long the write takes, which reason a refused packet leaves, and whether the write is
published; here it is not.
"""

from collections.abc import Callable
from typing import Any

from harness.virtual.cloud.broker.profile import BrokerProfile

Write = Callable[[str, dict[str, Any]], None]


class Presence:
    """``profile``: ``no_connection_state`` (nothing is written), ``reason_delay`` (seconds from the end to the write),
    ``reasons`` (the word for a reason; empty: none). ``write``: takes a device and its ``reported`` members.
    ``later``: calls after seconds.
    """

    def __init__(self, write: Write, later: Callable[[float, Callable[[], None]], object]) -> None:
        self._write = write
        self._later = later
        self._sessions: dict[str, int] = {}

    def connected(self, device: str, profile: BrokerProfile) -> None:
        """A device has connected."""
        self._sessions[device] = self._sessions.get(device, 0) + 1
        if not profile.no_connection_state:
            self._put(device, {"status": "connected", "disconnectReason": None, "clientInitiatedDisconnect": None})

    def disconnected(self, device: str, reason: str, profile: BrokerProfile) -> None:
        """A device's connection has ended; ``reason``: in the words of AWS IoT's lifecycle events.

        ``device``: the thing's name. ``profile``: how the broker behaves.
        """
        if profile.no_connection_state:
            return
        session = self._sessions.get(device)
        word = profile.reasons.get(reason, reason)
        about: dict[str, Any] = {"status": "disconnected"}
        if word:
            by_client = reason == "CLIENT_INITIATED_DISCONNECT"
            about |= {"disconnectReason": word, "clientInitiatedDisconnect": by_client}

        def write() -> None:
            if self._sessions.get(device) == session:  # else the device has connected again meanwhile
                self._put(device, about)

        if profile.reason_delay:
            self._later(profile.reason_delay, write)
        else:
            write()

    def _put(self, device: str, connection: dict[str, Any]) -> None:
        self._write(device, {"connection": connection})

"""Writes into a device's state whether it is connected, and why it was disconnected: ``reported.connection``.

Facts: nRFCloud/application-protocols, ipShadow.json (``status``, ``disconnectReason``, ``clientInitiatedDisconnect``;
the reasons are those of AWS IoT's lifecycle events). Seen on nRF Cloud: the latter two are absent while a device is
connected. UNCONFIRMED: how long the write takes, the reason after a refused packet, and whether the write is published;
here it is not.
"""

from collections.abc import Callable
from typing import Any

from harness.settings import CloudSettings

Write = Callable[[str, dict[str, Any]], None]


class Presence:
    """Writes the connection state. ``write``: takes a device and ``reported`` members. ``later``: calls after seconds.

    It uses these settings of ``profile``: ``no_connection_state``: nothing is written. ``reason_delay``: seconds from
    the end of the connection to the write. ``reasons``: the word to write for a reason; "": none.
    """

    def __init__(self, write: Write, later: Callable[[float, Callable[[], None]], object]) -> None:
        self._write = write
        self._later = later
        self._sessions: dict[str, int] = {}

    def connected(self, device: str, profile: CloudSettings) -> None:
        """Write that a device has connected. ``profile``: the broker's behaviour."""
        self._sessions[device] = self._sessions.get(device, 0) + 1
        if not profile.no_connection_state:
            self._put(device, {"status": "connected", "disconnectReason": None, "clientInitiatedDisconnect": None})

    def disconnected(self, device: str, reason: str, profile: CloudSettings) -> None:
        """Write that a device's connection has ended.

        ``device``: the thing's name. ``reason``: in the words of AWS IoT's lifecycle events. ``profile``: the broker's
        behaviour.
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
            if self._sessions.get(device) == session:  # otherwise the device has connected again meanwhile
                self._put(device, about)

        if profile.reason_delay:
            self._later(profile.reason_delay, write)
        else:
            write()

    def _put(self, device: str, connection: dict[str, Any]) -> None:
        self._write(device, {"connection": connection})

"""What every sample on a cloud library does: connect, press, connect again when its connection ended.

Sources: nrf_cloud_transport.c (the lines of a failed connect and of a hang-up). UNCONFIRMED: after what time samples
try again; what stands here is of that order.
"""

import json
from collections.abc import Callable
from typing import Final, Protocol

from harness.device_errno import ENOTCONN
from harness.virtual.board.cloud_library.session import CloudSession, SessionEvent

_PORT_SWAPPED: Final = 45858  # 8883 without ntohs(), as the library prints it


class Voice(Protocol):
    """What a sample may do on its board."""

    @property
    def session(self) -> CloudSession:
        """Its connection."""

    def log(self, level: str, module: str, text: str) -> None:
        """Write a line of the log. ``level``: err, wrn or inf. ``module``: who says it. ``text``: what it says."""

    def print(self, text: str) -> None:
        """Print a line without a prefix (printk)."""

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something later."""


class SampleCode:
    """One sample. ``extra``: see CloudSession. ``module``: its name in the log."""

    module = ""
    extra: tuple[str, ...] | None = None
    reconnects = True
    again = 5.0  # seconds until it tries again

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._count = 0

    def booted(self) -> None:
        """The application starts."""

    def missing(self, names: list[str]) -> None:
        """Credentials are missing, so it cannot connect."""

    def attached(self) -> None:
        """There is a network now."""

    def network_lost(self) -> None:
        """There is none any more."""

    def told(self, what: SessionEvent, code: int) -> None:
        """Something happened to the connection."""
        match what:
            case SessionEvent.READY:
                self.ready()
            case SessionEvent.ASSOCIATION_REQUEST:
                self.not_associated()
            case SessionEvent.ASSOCIATED:
                self._voice.session.stop()
                self._voice.after(0.1, self.connect)
            case SessionEvent.REFUSED:
                self.refused(code)
                self._again()
            case SessionEvent.CLOSED if code != 0:
                self.kicked(code)
                self._again()
            case SessionEvent.CLOSED:
                self.closed()

    def connect(self) -> None:
        """Begin to connect, where there is a network and no connection."""
        session = self._voice.session
        if not session.active and session.start():
            self.connecting()

    def connecting(self) -> None:
        """Say that it connects."""

    def ready(self) -> None:
        """It is connected and paired."""

    def not_associated(self) -> None:
        """The device is in no team."""

    def refused(self, code: int) -> None:
        """The connect failed."""
        line = f"Could not connect to nRF Cloud MQTT Broker mqtt.nrfcloud.com, port: {_PORT_SWAPPED}. err: {code}"
        self._voice.log("err", "nrf_cloud_transport", line)

    def kicked(self, code: int) -> None:
        """The other side closed the connection."""
        # recv() returns 0 for whatever was closed in order; Zephyr's library calls that ENOTCONN.
        self._voice.log("err", "nrf_cloud_transport", f"MQTT input error: {-ENOTCONN}")

    def closed(self) -> None:
        """The connection ended as asked."""

    def press(self) -> None:
        """The button."""
        self._count += 1
        session = self._voice.session
        if session.ready and session.d2c:
            message = {"appId": "BUTTON", "messageType": "DATA", "data": str(self._count)}
            session.publish(session.d2c, json.dumps(message))
            self.sent(self._count)

    def sent(self, count: int) -> None:
        """Say that a press was sent."""

    def _again(self) -> None:
        if self.reconnects:
            self._voice.after(self.again, self.connect)

    def _inf(self, text: str) -> None:
        self._voice.log("inf", self.module, text)

"""What firmwares have in common that pass AT commands to the modem and add none of their own: no MQTT."""

from collections.abc import Callable
from typing import NoReturn

from harness.at import AtPort
from harness.errors import Misuse
from harness.firmware.interface import Login, MqttEvent
from harness.timeline import Kind


class WithoutMqtt:
    """A board that can be provisioned and asked, but not connected (:class:`harness.firmware.MqttFirmware`).

    ``product``: its name for reports. ``boot_lines``: how the lines begin by which it shows that it has just started.
    """

    def __init__(self, port: AtPort, *, product: str, boot_lines: tuple[str, ...]) -> None:
        self.product = product
        self._port = port
        self._boot_lines = boot_lines

    def connect(self, login: Login, *, timeout: float = 60.0) -> None:
        """Raise Misuse."""
        self._refuse(f"connect to {login.host}")

    def topic_fault(self, topic: str) -> str | None:
        """Say that there is no MQTT."""
        return f"{self.product} has no MQTT client"

    def disconnect(self) -> None:
        """There is no connection."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Raise Misuse."""
        self._refuse(f"publish on {topic}")

    def subscribe(self, topic_filter: str, *, qos: int = 1) -> bool:
        """Raise Misuse."""
        self._refuse(f"subscribe to {topic_filter}")

    def unsubscribe(self, topic_filter: str) -> bool:
        """Raise Misuse."""
        self._refuse(f"unsubscribe from {topic_filter}")

    def mark(self) -> int:
        """Return the position on the timeline."""
        return self._port.timeline.mark()

    def events(self, since: int) -> list[MqttEvent]:
        """Return nothing: there are no MQTT events."""
        return []

    def wait(self, match: Callable[[MqttEvent], bool], *, since: int, timeout: float) -> MqttEvent | None:
        """Raise Misuse: such an event cannot come."""
        self._refuse("wait for an MQTT event")

    def restarted(self, since: int) -> str | None:
        """Return the line by which the board showed that it started anew since ``since``, or None."""
        name = self._port.name
        for event in self._port.timeline.since(since):
            if event.kind is Kind.RX and event.source == name and event.text.startswith(self._boot_lines):
                return event.text
        return None

    def close(self) -> None:
        """Nothing is watched."""

    def _refuse(self, what: str) -> NoReturn:
        raise Misuse(
            f"{self._port.name}: cannot {what}: this firmware ({self.product}) has no MQTT commands; "
            "use a board with Serial Modem for it"
        )

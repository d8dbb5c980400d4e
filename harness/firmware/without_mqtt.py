"""The driver of firmwares that pass AT commands to the modem and add none of their own: no MQTT."""

from collections.abc import Callable
from typing import NoReturn

from harness.errors import Misuse
from harness.firmware.interface import Login, MqttDriver
from harness.firmware.mqtt_event import MqttEvent


class WithoutMqtt(MqttDriver):
    """A board that can be provisioned and asked, but not connected. Its capabilities say so before anybody tries."""

    def connect(self, login: Login, *, timeout: float = 60.0) -> None:
        """Raise Misuse."""
        self._refuse(f"connect to {login.host}")

    def disconnect(self) -> None:
        """Do nothing: there is no connection."""

    def is_connected(self) -> bool:
        """Return False: there is no connection."""
        return False

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Raise Misuse. See MqttDriver."""
        self._refuse(f"publish on {topic}")

    def subscribe(self, topic_filter: str, *, qos: int = 1) -> bool:
        """Raise Misuse."""
        self._refuse(f"subscribe to {topic_filter}")

    def unsubscribe(self, topic_filter: str) -> bool:
        """Raise Misuse."""
        self._refuse(f"unsubscribe from {topic_filter}")

    def wait(self, match: Callable[[MqttEvent], bool], *, since: int, timeout: float) -> MqttEvent | None:
        """Raise Misuse: such an event cannot come. See MqttDriver."""
        self._refuse("wait for an MQTT event")

    def _refuse(self, what: str) -> NoReturn:
        raise Misuse(
            f"{self._port.name}: cannot {what}: this firmware ({self.firmware}) has no MQTT commands; "
            "use a board with Serial Modem for it"
        )

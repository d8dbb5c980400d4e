"""MQTT on a board whose firmware only carries bytes: the same driver as for one with MQTT commands."""

from collections.abc import Callable

from harness.at import AtPort
from harness.firmware.bridge import AtSocket
from harness.firmware.interface import Firmware, Login, MqttDriver
from harness.firmware.mqtt_event import MqttEvent
from harness.firmware.raw_sockets.mqtt_session import MqttSession


class RawSocketMqtt(MqttDriver):
    """``port``, ``firmware``: see MqttDriver. ``make_socket``: a new socket of the board."""

    def __init__(self, port: AtPort, firmware: Firmware, make_socket: Callable[[AtPort], AtSocket]) -> None:
        super().__init__(port, firmware)
        self._make_socket = make_socket
        self._session: MqttSession | None = None

    def connect(self, login: Login, *, timeout: float = 60.0) -> None:
        """Open a TLS socket of the board, and send CONNECT through it. See MqttDriver."""
        self.disconnect()
        self._session = MqttSession(self._make_socket(self._port), login, timeout=timeout)

    def disconnect(self) -> None:
        """Say goodbye, and close the board's socket. See MqttDriver."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def drop(self) -> None:
        """Close the board's socket without DISCONNECT. See MqttDriver."""
        session, self._session = self._session, None
        if session is not None:
            session.drop()

    def is_connected(self) -> bool:
        """Ask the board. See MqttDriver."""
        return self._session is not None and self._session.stands()

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Publish. See MqttDriver."""
        return self._session is not None and self._session.publish(topic, payload, qos=qos, retain=retain)

    def subscribe(self, topic_filter: str, *, qos: int = 1) -> bool:
        """Subscribe. See MqttDriver."""
        return self._session is not None and self._session.subscribe(topic_filter, qos=qos)

    def unsubscribe(self, topic_filter: str) -> bool:
        """Unsubscribe. See MqttDriver."""
        return self._session is not None and self._session.unsubscribe(topic_filter)

    def wait(self, match: Callable[[MqttEvent], bool], *, since: int, timeout: float) -> MqttEvent | None:
        """Wait for an event. See MqttDriver. Raises LabError also when the bridge to the board could not go on."""
        found = super().wait(match, since=since, timeout=timeout)
        failure = None if self._session is None else self._session.failure
        if failure is not None:
            raise failure
        return found

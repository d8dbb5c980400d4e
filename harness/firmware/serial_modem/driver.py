"""Serial Modem's MQTT commands.

Source: Serial Modem application documentation, "MQTT client AT commands" and "Data mode".
"""

from typing import Final

from harness.at import AtError
from harness.firmware.interface import Login, MqttDriver, NoSession
from harness.firmware.serial_modem.known_state import connected, end_connection

_INLINE_LIMIT: Final = 1024  # the firmware's buffer for a payload inside the command


class SerialModem(MqttDriver):
    """Drives one board's MQTT client over its AT port."""

    def connect(self, login: Login, *, timeout: float = 60.0) -> None:
        """Set up TCP and TLS and send CONNECT; CONNACK comes as an event. See MqttDriver."""
        clean = int(login.clean_session)
        self._port.command(f'AT#XMQTTCFG="{login.client_id}",{login.keepalive},{clean}')
        target = f'"{login.host}",{login.port},{login.sec_tag}'
        try:
            self._port.command(f'AT#XMQTTCON=1,"","",{target}', timeout=timeout)
        except AtError as refused:
            raise NoSession(
                f"{self._port.name}: no TLS session with {login.host}:{login.port} using sec_tag {login.sec_tag} "
                f"(the board says {refused.final}; name, network, trust and key all look alike to it)"
            ) from refused

    def disconnect(self) -> None:
        """End the connection that the board says it has. See MqttDriver."""
        end_connection(self._port)

    def is_connected(self) -> bool:
        """Ask the board. See MqttDriver."""
        return connected(self._port)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the board, in the command where it fits, else in data mode. See MqttDriver."""
        tail = f",{qos},{int(retain)}"
        try:
            if _fits_inline(payload):
                self._port.command(f'AT#XMQTTPUB="{topic}","{payload.decode("ascii")}"{tail}', timeout=15.0)
                return True
            return self._port.send_payload(f'AT#XMQTTPUB="{topic}",""{tail}', payload) == 0
        except AtError:
            return False

    def subscribe(self, topic_filter: str, *, qos: int = 1) -> bool:
        """Ask for a subscription. See MqttDriver."""
        return self._accepted(f'AT#XMQTTSUB="{topic_filter}",{qos}')

    def unsubscribe(self, topic_filter: str) -> bool:
        """Ask to end a subscription. See MqttDriver."""
        return self._accepted(f'AT#XMQTTUNSUB="{topic_filter}"')

    def _accepted(self, command: str) -> bool:
        try:
            self._port.command(command, timeout=15.0)
        except AtError:
            return False
        return True


def _fits_inline(payload: bytes) -> bool:
    """An inline payload is quoted text: no quote, no comma (the documentation forbids it), no line end."""
    return 0 < len(payload) <= _INLINE_LIMIT and all(32 <= byte < 127 and byte not in b'",' for byte in payload)

"""One MQTT connection of a program on this computer through a socket of the board: paho-mqtt, and its events.

The board carries bytes and knows nothing of MQTT. So everything that an MQTT client can see is seen: the return code of
CONNACK and of SUBACK, the packet id of a PUBACK; and the client can say what it likes in CONNECT, a will included.
"""

import os
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from harness.device_errno import ECONNRESET, EIO, ENETDOWN, ENOTCONN
from harness.errors import HarnessError, Misuse
from harness.firmware.bridge import AtSocket, Pump, SocketEnd, Through
from harness.firmware.bridge.listener import carry
from harness.firmware.interface import Login
from harness.firmware.mqtt_event import MqttEvent, MqttEventKind, drafted
from harness.timeline import Kind, now, packed

_REFUSED: Final = 0x80
_CLOSING: Final = 60.0
_SETTLING: Final = 5.0
_BACKLOG: Final = 16 * 1024  # bytes
# What paho makes of CONNACK's return codes (MQTT 5's reason codes), turned back.
_CONNACK: Final = {0: 0, 132: 1, 133: 2, 136: 3, 134: 4, 135: 5}
_RESULTS: Final = {
    SocketEnd.PEER: -ENOTCONN,  # what reading gives at the end of the stream
    SocketEnd.HUNG_UP: -ECONNRESET,  # what the firmware itself makes of FIN, RST and TLS alerts
    SocketEnd.RESET: -ECONNRESET,
    SocketEnd.NETWORK: -ENETDOWN,
    SocketEnd.INVALID: -ENOTCONN,
}


class MqttSession:
    """From a connected socket to its end. Its events go to the timeline of the board's port.

    Raises NoSession, LabError.

    ``remote``: a new socket of the board. ``login``: of the CONNECT. ``timeout``: seconds for TCP and TLS.
    """

    def __init__(self, remote: AtSocket, login: Login, *, timeout: float) -> None:
        self._port = remote.port
        self._asked_to_end = False
        self._lock = threading.Lock()
        self._unacknowledged: dict[int, int] = {}  # QoS by packet id
        self._ended: set[int] = set()  # over before publish() had returned
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            login.client_id,
            clean_session=login.clean_session,
            protocol=MQTTProtocolVersion.MQTTv311,
            transport="unix",
            reconnect_on_failure=False,
        )
        if login.will is not None:
            client.will_set(login.will.topic, login.will.payload, login.will.qos, login.will.retain)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._subscribed
        client.on_unsubscribe = self._unsubscribed
        client.on_message = self._message
        client.on_socket_open = _hold_back
        local = _local_end(client, login)
        try:
            self._pump: Pump = carry(local, remote, Through(login.host, login.port, login.sec_tag, timeout))
        except BaseException:
            client.on_disconnect = None  # nothing was connected
            local.close()
            client.disconnect()
            raise
        self._tell_sent(f"MQTT CONNECT as {login.client_id} (keep-alive {login.keepalive} s{_more(login)})")
        client.loop_start()

    @property
    def running(self) -> bool:
        """Whether the bridge below is still there."""
        return self._pump.running

    def stands(self) -> bool:
        """Ask the board whether the connection stands. Raises LabError."""
        return self._pump.running and self._pump.ask(_CLOSING)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        """Hand over a message. False: there is no connection. Raises Misuse for a topic that MQTT has none like.

        ``topic``, ``payload``, ``qos``, ``retain``: of the PUBLISH; ``qos`` is 0, 1 or 2.
        """
        flags = f"QoS {qos}{', retain' if retain else ''}"
        try:
            info = self._client.publish(topic, payload, qos, retain)
        except ValueError as error:
            raise Misuse(f"{self._port.name}: cannot publish on {topic!r}: {error}") from error
        sent = info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS
        if sent:
            self._tell_sent(f"MQTT PUBLISH {topic} ({flags}, id {info.mid})", packet_id=info.mid, **packed(payload))
        with self._lock:
            ended = info.mid in self._ended
            if ended:
                self._ended.discard(info.mid)
            else:
                self._unacknowledged[info.mid] = qos
        if ended and qos:
            self._tell(MqttEventKind.PUBACK, packet_id=info.mid)
        return sent

    def subscribe(self, topic_filter: str, *, qos: int) -> bool:
        """Ask for a subscription. False: there is no connection."""
        return self._asked("SUBSCRIBE", topic_filter, lambda: self._client.subscribe(topic_filter, qos))

    def unsubscribe(self, topic_filter: str) -> bool:
        """Ask to end a subscription. False: there is no connection."""
        return self._asked("UNSUBSCRIBE", topic_filter, lambda: self._client.unsubscribe(topic_filter))

    def close(self) -> None:
        """Say goodbye, and wait until the board's socket is closed. Raises LabError."""
        with suppress(HarnessError):  # a board that is gone has nothing more to hand over
            self._pump.settle(_SETTLING)
        self._asked_to_end = True
        if self._client.is_connected():
            self._tell_sent("MQTT DISCONNECT")
        self._client.disconnect()
        self._client.loop_stop()
        self._pump.join(_CLOSING)

    def drop(self) -> None:
        """End without DISCONNECT: the broker publishes the will."""
        self._asked_to_end = True
        self._pump.stop()
        self._client.loop_stop()

    @property
    def failure(self) -> HarnessError | None:
        """Why the bridge could not go on, None: it could."""
        return self._pump.failure

    # -- paho's callbacks, in its thread ------------------------------------------------------------------------------

    def _connected(
        self, _client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        result = _CONNACK.get(int(code.value), int(code.value))
        self._tell(MqttEventKind.REFUSED if result else MqttEventKind.ACCEPTED, result)

    def _disconnected(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, _code: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._asked_to_end:
            result = 0
        elif self._pump.failure is not None:
            self._port.timeline.add(Kind.FAULT, self._port.name, f"the bridge has ended: {self._pump.failure}")
            result = -EIO
        else:
            result = _RESULTS[self._pump.end or SocketEnd.PEER]
        self._tell(MqttEventKind.CLOSED, result)

    def _published(
        self, _client: Client, _data: Any, mid: int, _code: ReasonCode, _properties: Properties | None
    ) -> None:
        # paho holds a lock of its own here, and takes it in publish() too: so ours is never held around that.
        # What comes before publish() has returned is told there. QoS 0 has no PUBACK: paho says that it was sent.
        with self._lock:
            qos = self._unacknowledged.pop(mid, None)
            if qos is None:
                self._ended.add(mid)
        if qos:
            self._tell(MqttEventKind.PUBACK, packet_id=mid)

    def _subscribed(
        self, _client: Client, _data: Any, mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        code = int(codes[0].value) if codes else _REFUSED
        self._tell(MqttEventKind.SUBACK, code if code >= _REFUSED else 0, packet_id=mid)

    def _unsubscribed(
        self, _client: Client, _data: Any, mid: int, _codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._tell(MqttEventKind.UNSUBACK, packet_id=mid)

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        event = MqttEvent(MqttEventKind.MESSAGE, now(), 0, message.topic, bytes(message.payload))
        self._port.timeline.extend([drafted(event, self._port.name)])

    # -- inside -------------------------------------------------------------------------------------------------------

    def _asked(self, what: str, topic_filter: str, ask: Callable[[], tuple[MQTTErrorCode, int | None]]) -> bool:
        try:
            code, mid = ask()
        except ValueError as error:
            raise Misuse(f"{self._port.name}: cannot {what.lower()} {topic_filter!r}: {error}") from error
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._tell_sent(f"MQTT {what} {topic_filter} (id {mid})", packet_id=mid)
        return True

    def _tell(self, kind: MqttEventKind, result: int = 0, *, packet_id: int | None = None) -> None:
        event = MqttEvent(kind, now(), result, packet_id=packet_id)
        self._port.timeline.extend([drafted(event, self._port.name)])

    def _tell_sent(self, text: str, **data: Any) -> None:
        self._port.timeline.add(Kind.TX, self._port.name, text, **data)


def _local_end(client: Client, login: Login) -> socket.socket:
    """Connect ``client`` to a local socket, into which it writes CONNECT, and return the other end.

    paho-mqtt opens its socket itself, so it gets an address, in a folder that nobody else can enter. One connection is
    taken there, and the address is gone before any byte is read.
    """
    with tempfile.TemporaryDirectory(prefix="nrf91-mqtt-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(folder, "board")
        listener.bind(path)
        listener.listen(1)
        client.connect(path, 1, login.keepalive)  # a port has to be named, and is not used
        local, _ = listener.accept()
        return local


def _hold_back(_client: Client, _data: Any, opened: Any) -> None:
    """Let paho-mqtt feel soon that the board takes no more."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BACKLOG)


def _more(login: Login) -> str:
    session = "" if login.clean_session else ", persistent session"
    return session + (f", will on {login.will.topic}" if login.will else "")

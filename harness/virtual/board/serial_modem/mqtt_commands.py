"""#XMQTTCFG, #XMQTTCON, #XMQTTSUB, #XMQTTUNSUB, #XMQTTPUB.

Source: Serial Modem documentation, MQTT client AT commands. Any failure up to TLS is a bare ERROR; the
broker's answer comes later, as ``#XMQTTEVT``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.virtual.board.commands import Args, Commands, Forms, Later, Refused, Reply
from harness.virtual.board.serial_modem.mqtt_client import BrokerLogin, MqttClient

DEFAULT_CLIENT_ID = "sm_default_client_id"
DEFAULT_KEEPALIVE = 60
LONGEST_CLIENT_ID = 64
LONGEST_CREDENTIAL = 32
LONGEST_HOST = 128
LONGEST_TOPIC = 128
DISCONNECT, CONNECT_IPV4, CONNECT_IPV6 = 0, 1, 2


class MqttHost(Protocol):
    """What these commands need of the board around them."""

    @property
    def attached(self) -> bool:
        """Whether there is a data connection."""
        ...

    def enter_data_mode(self, send: Callable[[bytes], None]) -> None:
        """Take what the host sends after this command's OK as payload."""
        ...


@dataclass
class _Config:
    client_id: str = DEFAULT_CLIENT_ID
    keepalive: int = DEFAULT_KEEPALIVE
    clean_session: int = 1


class MqttCommands:
    """The MQTT commands over one ``client``. ``device``: the board around them. ``client_id``: before any #XMQTTCFG."""

    def __init__(self, device: MqttHost, client: MqttClient, *, client_id: str = DEFAULT_CLIENT_ID) -> None:
        self._device = device
        self._client = client
        self._config = _Config(client_id)

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {
            "#XMQTTCFG": Forms(
                set=self._configure,
                read=self._configuration,
                test="#XMQTTCFG: <client_id>,<keep_alive>,<clean_session>",
            ),
            "#XMQTTCON": Forms(
                set=self._connect,
                read=self._connection,
                test="#XMQTTCON: (0,1,2),<username>,<password>,<url>,<port>,<sec_tag>",
            ),
            "#XMQTTPUB": Forms(
                set=self._publish, test=lambda: self._when_connected("#XMQTTPUB: <topic>,<msg>,(0,1,2),(0,1)")
            ),
            "#XMQTTSUB": Forms(set=self._subscribe, test=lambda: self._when_connected("#XMQTTSUB: <topic>,(0,1,2)")),
            "#XMQTTUNSUB": Forms(set=self._unsubscribe, test=lambda: self._when_connected("#XMQTTUNSUB: <topic>")),
        }

    def _configure(self, args: Args) -> Reply:
        client_id = _utf8(args.string(0, longest=LONGEST_CLIENT_ID))
        keepalive = _u16(args, 1) if len(args) > 1 else DEFAULT_KEEPALIVE
        clean_session = args.choice(2, (0, 1)) if len(args) > 2 else 1
        if self._client.connected:
            raise Refused
        self._config = _Config(client_id, keepalive, clean_session)
        return None

    def _configuration(self) -> Reply:
        config = self._config
        return f'#XMQTTCFG: "{config.client_id}",{config.keepalive},{config.clean_session}'

    def _connect(self, args: Args) -> Reply:
        operation = args.choice(0, (DISCONNECT, CONNECT_IPV4, CONNECT_IPV6))
        if operation == DISCONNECT:
            if not self._client.accepted:  # before CONNACK it is refused too, without any event (sm_at_mqtt.c, 1.0)
                raise Refused
            self._client.disconnect()
            return None
        user = _utf8(args.string(1, longest=LONGEST_CREDENTIAL))
        password = args.string(2, longest=LONGEST_CREDENTIAL).encode("latin-1")
        host = args.string(3, longest=LONGEST_HOST)
        port = _u16(args, 4)
        sec_tag = args.number(5) if len(args) > 5 else None
        # The simulated network gives out IPv4 addresses only: an IPv6 name look-up finds nothing.
        if self._client.connected or not self._device.attached or operation == CONNECT_IPV6:
            raise Refused
        config = self._config
        self._client.connect(
            BrokerLogin(
                host, port, sec_tag, config.client_id, config.keepalive, bool(config.clean_session), user, password
            )
        )
        return Later.LATER

    def _connection(self) -> Reply:
        broker = self._client.broker
        if broker is None or not self._client.connected:
            return "#XMQTTCON: 0"
        tag = "" if broker.sec_tag is None else f",{broker.sec_tag}"
        return f'#XMQTTCON: 1,"{broker.client_id}","{broker.host}",{broker.port}{tag}'

    def _publish(self, args: Args) -> Reply:
        self._when_connected(None)
        topic = _topic(args, 0)
        text = args.string(1) if len(args) > 1 else ""
        qos = args.choice(2, (0, 1, 2)) if len(args) > 2 else 0
        retain = bool(args.choice(3, (0, 1))) if len(args) > 3 else False
        packet_id = self._client.next_publish_id()

        def send(payload: bytes) -> None:
            self._client.publish(topic, payload, qos=qos, retain=retain, packet_id=packet_id)

        if text:
            send(text.encode("latin-1"))
        else:
            self._device.enter_data_mode(send)
        return None

    def _subscribe(self, args: Args) -> Reply:
        self._when_connected(None)
        topic, qos = _topic(args.exactly(2), 0), args.choice(1, (0, 1, 2))
        self._client.subscribe(topic, qos)
        return None

    def _unsubscribe(self, args: Args) -> Reply:
        self._when_connected(None)
        self._client.unsubscribe(_topic(args.exactly(1), 0))
        return None

    def _when_connected(self, reply: Reply) -> Reply:
        if not self._client.connected:
            raise Refused
        return reply


def _topic(args: Args, index: int) -> str:
    topic = args.string(index, longest=LONGEST_TOPIC)
    if not topic:
        raise Refused
    return _utf8(topic)


def _utf8(text: str) -> str:
    """Make text of the bytes that came."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise Refused from None


def _u16(args: Args, index: int) -> int:
    value = args.number(index)
    if not 0 <= value <= 0xFFFF:
        raise Refused
    return value

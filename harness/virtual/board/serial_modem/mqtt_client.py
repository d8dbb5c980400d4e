"""The MQTT client of the application firmware: it behaves as the events of Zephyr's library over the modem's TLS.

Sources: Serial Modem documentation, MQTT client; observed error numbers. The numbers are the device's errno. A broker
gives no reason when it closes; what the host sees depends on what was still waiting in the socket:
nothing -> ENOTCONN, a packet -> the packet's event, then ECONNABORTED.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from harness.device_errno import ECONNABORTED, ECONNREFUSED, ECONNRESET, ENOTCONN
from harness.virtual.board.outputs import (
    CloseLink,
    LinkClosed,
    LinkData,
    LinkEvent,
    LinkFailed,
    LinkOpened,
    LinkSend,
    OpenLink,
    Outbox,
)
from harness.virtual.mqtt import (
    FROM_SERVER,
    Connack,
    Connect,
    Decoder,
    Disconnect,
    Malformed,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)

EINVAL = 22
PINGS_UNANSWERED = 2


class EvtType(IntEnum):
    """First number of ``#XMQTTEVT``."""

    CONNACK = 0
    DISCONNECT = 1
    PUBLISH = 2
    PUBACK = 3
    PUBREC = 4
    PUBREL = 5
    PUBCOMP = 6
    SUBACK = 7
    UNSUBACK = 8
    PINGRESP = 9


@dataclass(frozen=True)
class BrokerLogin:
    """Where to connect, and as whom."""

    host: str
    port: int
    sec_tag: int | None
    client_id: str
    keepalive: int
    clean_session: bool
    user: str = ""
    password: bytes = field(default=b"", repr=False)


class MqttClient:
    """One MQTT connection at a time.

    ``outbox``: takes what goes to the network. ``notify(event, result)`` and ``message(topic, payload)`` are called as
    the device's library would call back; ``opened(ok)`` ends :meth:`connect`; ``traffic()`` is called for every
    transfer over the radio. ``link``: the number of its link.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        notify: Callable[[EvtType, int], None],
        message: Callable[[bytes, bytes], None],
        opened: Callable[[bool], None],
        traffic: Callable[[], None],
        link: int = 0,
    ) -> None:
        self._link = link
        self._outbox = outbox
        self._notify = notify
        self._message = message
        self._opened = opened
        self._traffic = traffic
        self.broker: BrokerLogin | None = None
        """The connection that is open or being opened."""
        self.connected = False
        """TCP and TLS are up and CONNECT is sent; the broker may not have answered yet."""
        self.accepted = False
        """The broker has accepted the CONNECT."""
        self._decoder = Decoder(FROM_SERVER)
        self._keepalive: int | None = None
        self._unanswered = 0
        self._publish_id = 0
        self._subscribe_id = 0

    def connect(self, broker: BrokerLogin) -> None:
        """Open the link; ``opened`` is called when CONNECT was sent, or when it cannot be."""
        self.broker = broker
        self._outbox.emit(OpenLink(broker.host, broker.port, broker.sec_tag, self._link))

    def disconnect(self) -> None:
        """Say goodbye and close."""
        self._write(Disconnect())
        self._end(0)

    def abort(self, errno: int = ECONNABORTED) -> None:
        """The network below is gone. ``errno``: what the socket says, if one is open."""
        if self.connected:
            self._end(-errno)
        elif self.broker is not None:
            self.broker = None
            self._outbox.emit(CloseLink(True, self._link))
            self._opened(False)

    def next_publish_id(self) -> int:
        """Number the next message; all parts of one data mode share it."""
        self._publish_id = self._publish_id % 65534 + 1
        return self._publish_id

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, packet_id: int) -> None:
        """Send one message. It is not kept, so it is never repeated; without a connection it is dropped.

        ``topic``, ``payload``, ``qos``, ``retain``: of the PUBLISH. ``packet_id``: from 1; not sent with ``qos`` 0.
        """
        if self.connected:
            self._write(Publish(topic, payload, qos, retain, packet_id=packet_id if qos else None))

    def subscribe(self, topic_filter: str, qos: int) -> None:
        """Ask for one subscription."""
        self._write(Subscribe(self._next_subscribe_id(), ((topic_filter, qos),)))

    def unsubscribe(self, topic_filter: str) -> None:
        """End one subscription."""
        self._write(Unsubscribe(self._next_subscribe_id(), (topic_filter,)))

    def link(self, event: LinkEvent) -> None:
        """Take what happened on the link."""
        match event:
            case LinkOpened() if self.broker is not None and not self.connected:
                self._say_hello(self.broker)
            case LinkFailed() if not self.connected:
                self.broker = None
                self._opened(False)
            case LinkData(data, hangup) if self.connected:
                self._traffic()
                self._decoder.feed(data)
                self._read(one=hangup)
                if hangup and self.connected:
                    self._end(-ECONNABORTED)
            case LinkClosed(reset) if self.connected:
                self._end(-ECONNRESET if reset else -ENOTCONN)

    def _say_hello(self, broker: BrokerLogin) -> None:
        self.connected = True
        self.accepted = False
        self._unanswered = 0
        self._decoder = Decoder(FROM_SERVER)
        self._write(
            Connect(
                broker.client_id,
                broker.clean_session,
                broker.keepalive,
                user_name=broker.user or None,
                password=(broker.password or None) if broker.user else None,
            )
        )
        self._opened(True)

    def _read(self, *, one: bool) -> None:
        """Handle what has arrived. ``one``: the library looks at the hang-up after the first packet and stops."""
        try:
            while self.connected and (packet := self._decoder.next_packet()) is not None:
                self._handle(packet)
                if one:
                    return
        except Malformed:
            self._end(-EINVAL)

    def _handle(self, packet: Packet) -> None:
        match packet:
            case Connack(return_code=0):
                self.accepted = True
                self._notify(EvtType.CONNACK, 0)
            case Connack(return_code=code):
                self._notify(EvtType.CONNACK, code)
                self._end(-ECONNREFUSED)
            case Publish():
                self._received(packet)
            case Puback():
                self._notify(EvtType.PUBACK, 0)
            case Pubrec(packet_id):
                self._write(Pubrel(packet_id))
                self._notify(EvtType.PUBREC, 0)
            case Pubrel(packet_id):
                self._write(Pubcomp(packet_id))
                self._notify(EvtType.PUBREL, 0)
            case Pubcomp():
                self._notify(EvtType.PUBCOMP, 0)
            case Suback():
                self._notify(EvtType.SUBACK, 0)  # the library does not read the return codes: 0x80 looks the same
            case Unsuback():
                self._notify(EvtType.UNSUBACK, 0)
            case Pingresp():
                self._unanswered = 0
                self._notify(EvtType.PINGRESP, 0)

    def _received(self, packet: Publish) -> None:
        if packet.packet_id is not None:
            self._write(Puback(packet.packet_id) if packet.qos == 1 else Pubrec(packet.packet_id))
        self._message(packet.topic.encode(), packet.payload)
        self._notify(EvtType.PUBLISH, 0)

    def _write(self, packet: Packet) -> None:
        self._traffic()
        self._outbox.emit(LinkSend(packet.encode(), self._link))
        self._outbox.cancel(self._keepalive)
        if self.broker is not None and self.broker.keepalive:
            self._keepalive = self._outbox.after(self.broker.keepalive, self._live, real=True)

    def _live(self) -> None:
        if not self.accepted or self._unanswered >= PINGS_UNANSWERED:
            self._end(-ECONNABORTED)
            return
        self._unanswered += 1
        self._write(Pingreq())

    def _end(self, result: int) -> None:
        self.connected = self.accepted = False
        self.broker = None
        self._outbox.cancel(self._keepalive)
        self._outbox.emit(CloseLink(result != 0, self._link))
        self._notify(EvtType.DISCONNECT, result)

    def _next_subscribe_id(self) -> int:
        self._subscribe_id = self._subscribe_id % 65534 + 1
        return self._subscribe_id

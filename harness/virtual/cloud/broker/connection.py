"""A client's connection. Each packet is authorised, carried out and answered before the next one is looked at.

So answers come in order, and nothing after a violation is answered. Sources: MQTT 3.1.1 §3, §4; AWS IoT Core Developer
Guide, "MQTT", "Lifecycle events" (the words for why a connection ended).
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from harness.settings import CloseStyle, CloudSettings
from harness.virtual.cloud.broker.authorizer import Authorizer, Denial, Presented
from harness.virtual.cloud.broker.deadlines import Deadlines
from harness.virtual.cloud.broker.interfaces import Directory, Journal
from harness.virtual.cloud.broker.rate import RateLimit
from harness.virtual.cloud.broker.rules import (
    ClientError,
    check_client_id,
    check_filter_offered,
    check_message,
    check_offered,
    check_subscribe,
    check_unsubscribe,
)
from harness.virtual.cloud.broker.session import Delivery, Session
from harness.virtual.cloud.tls.stream import TlsStream
from harness.virtual.mqtt import (
    FROM_CLIENT,
    Connack,
    Connect,
    Decoder,
    Disconnect,
    Malformed,
    Packet,
    PacketType,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    UnsupportedProtocol,
    Will,
)

_BEFORE_CONNECT = frozenset({PacketType.CONNECT})
# Packets that no client may send: a second CONNECT, and PUBREC, PUBREL and PUBCOMP, because there is no QoS 2.
_AFTER_CONNECT = FROM_CLIENT - {PacketType.CONNECT, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP}


class NotAuthorized(Exception):
    """The policies, or the state of the certificate, forbid what the client asked for."""

    def __init__(self, *denials: Denial) -> None:
        super().__init__(*denials)
        self._denials = denials

    def __str__(self) -> str:
        return "; ".join(map(str, self._denials))


class ConnectionHub(Protocol):
    """What a connection needs from the broker: the state that all connections share."""

    profile: CloudSettings
    directory: Directory
    journal: Journal

    def attach(self, connection: "Connection", connect: Connect) -> tuple[Session, bool]:
        """Return the client's session, and whether it existed before. Ends an older connection of the client."""

    def detach(self, session: Session) -> None:
        """Take note that the session's connection has ended."""

    def subscribe(self, session: Session, text: str, qos: int) -> list[Delivery]:
        """Add a subscription; return the retained messages for it.

        ``session``: the client's. ``text``: the topic filter. ``qos``: the granted QoS.
        """

    def unsubscribe(self, session: Session, text: str) -> None:
        """Remove a subscription."""

    def accept(self, client_id: str, message: Publish | Will) -> None:
        """Take an authorised message."""

    def refuses_next(self) -> bool:
        """Count a violation, and tell whether it is refused. See ``refuse_only`` of CloudSettings."""

    def throttles_connect(self, client_id: str) -> bool:
        """Count a CONNECT, and tell whether it came too soon after the one before."""

    def arrived(self, thing: str | None) -> None:
        """Take note that the connection of a thing (None: of a client without one) was accepted."""

    def left(self, thing: str | None, reason: str) -> None:
        """Take note that the accepted connection of a thing has ended."""


@dataclass
class _Accepted:
    """The state of a connection after its CONNECT was accepted."""

    session: Session
    authorizer: Authorizer
    will: Will | None


class Connection:
    """Runs on a :class:`TlsStream` as its application."""

    def __init__(self, hub: ConnectionHub) -> None:
        self._hub = hub
        self._limits = hub.profile.limits
        self._decoder = Decoder(_BEFORE_CONNECT, longest=self._limits.connect_packet)
        self._client_id: str | None = None
        self._accepted: _Accepted | None = None
        self._ended = False
        self._packets = 0
        self._publishes = RateLimit(self._limits.publishes_per_second)

    @property
    def _profile(self) -> CloudSettings:
        return self._hub.profile  # it may change during a connection

    # called by the stream

    def started(self, stream: TlsStream) -> None:
        self._stream = stream
        self._deadlines = Deadlines(self._limits, self.close)

    def received(self, data: bytes) -> None:
        self._decoder.feed(data)
        try:
            while not self._ended and (packet := self._decoder.next_packet()) is not None:
                try:
                    self._handle(packet)
                except NotAuthorized as error:
                    self._refuse(error, packet)
        except UnsupportedProtocol as error:
            self._send(Connack(1))
            self._fail("CLIENT_ERROR", str(error))
        except (Malformed, ClientError) as error:
            self._fail("CLIENT_ERROR", str(error))

    def writable(self) -> None:
        self._pump()

    def ended(self) -> None:
        self.close("CONNECTION_LOST", "the client hung up without DISCONNECT")

    # called by the broker

    def close(self, reason: str, detail: str = "", *, style: CloseStyle = "notify") -> None:
        """End the connection. ``reason``: in the words of AWS IoT lifecycle events. ``style``: see CloudSettings.

        ``detail``: more for the journal.
        """
        if self._ended:
            return
        self._ended = True
        self._stream.close(style)
        self._deadlines.cancel()
        self._hub.journal.write("close", client_id=self._client_id, reason=reason, detail=detail)
        accepted, self._accepted = self._accepted, None
        if accepted is None:
            return
        self._hub.detach(accepted.session)
        self._hub.left(accepted.authorizer.admission.thing, reason)
        if accepted.will is not None and reason != "CLIENT_INITIATED_DISCONNECT":
            self._hub.accept(accepted.session.client_id, accepted.will)

    def deliver(self, message: Delivery) -> bool:
        """Give a message to the client; False if the client may not receive it, or if there is no room for it."""
        if self._accepted is None or not self._may_receive(message, self._accepted):
            return False
        if message.qos == 0:
            if self._stream.congested:
                return False
            self._send(Publish(message.topic, message.payload, retain=message.retain))
            return True
        kept = self._accepted.session.enqueue(message)
        self._pump()
        return kept

    # packets

    def _handle(self, packet: Packet) -> None:
        self._deadlines.packet()
        self._packets += 1
        if self._packets == self._limits.packets:
            self.close("SERVER_INITIATED_DISCONNECT", f"it was packet {self._packets}")
            return
        match packet, self._accepted:
            case Connect(), None:
                self._on_connect(packet)
            case Publish(), _Accepted() as accepted:
                self._on_publish(packet, accepted)
            case Puback(), _Accepted() as accepted:
                accepted.session.acknowledge(packet.packet_id)
                self._pump()
            case Subscribe(), _Accepted() as accepted:
                self._on_subscribe(packet, accepted)
            case Unsubscribe(), _Accepted() as accepted:
                check_unsubscribe(packet, self._limits)
                for text in packet.filters:
                    self._hub.unsubscribe(accepted.session, text)
                self._send(Unsuback(packet.packet_id))
            case Pingreq(), _Accepted():
                self._send(Pingresp())
            case Disconnect(), _Accepted():
                self.close("CLIENT_INITIATED_DISCONNECT")

    def _on_connect(self, packet: Connect) -> None:
        self._client_id = packet.client_id
        check_client_id(packet.client_id, self._limits)
        if packet.will is not None:
            check_message(packet.will, self._limits)
        if self._hub.throttles_connect(packet.client_id):
            self._throttle(Connack(3), "a CONNECT of this client id came too soon after the one before")
            return
        stream = self._stream
        if stream.objection is not None:
            raise NotAuthorized(Denial(stream.objection.reason))
        presented = Presented.by(packet, stream.peer_certificate, stream.source_ip, stream.server_name)
        authorizer = Authorizer(
            presented, self._hub.directory, self._hub.journal, policy_refresh=self._profile.policy_refresh
        )
        refusal = authorizer.refuses_connect()
        if refusal is None and packet.will is not None:
            refusal = authorizer.refuses_publish(packet.will)
        # Whether a certificate may connect at all does not depend on policies, so it is never tolerated.
        if refusal is not None and (authorizer.admission.refused is not None or not self._tolerates()):
            raise NotAuthorized(refusal)
        if packet.will is not None:
            check_offered(packet.will)
        self._accept_connect(packet, authorizer)

    def _accept_connect(self, packet: Connect, authorizer: Authorizer) -> None:
        session, present = self._hub.attach(self, packet)
        self._accepted = accepted = _Accepted(session, authorizer, packet.will)
        self._decoder.accept = _AFTER_CONNECT
        self._decoder.longest = self._limits.packet
        self._hub.journal.write(
            "connect",
            client_id=packet.client_id,
            thing=authorizer.admission.thing,
            source_ip=self._stream.source_ip,
            server_name=self._stream.server_name,
            clean_session=packet.clean_session,
            session_present=present,
            keepalive=packet.keepalive,
        )
        self._hub.arrived(authorizer.admission.thing)
        self._send(Connack(session_present=present))
        self._deadlines.accepted(packet.keepalive)
        for publish in session.resume(lambda message: self._may_receive(message, accepted)):
            self._send(publish)
        self._pump()

    def _on_publish(self, packet: Publish, accepted: _Accepted) -> None:
        check_message(packet, self._limits)
        if self._publishes.exceeded(self._deadlines.last_packet):
            self._throttle(None, f"more than {self._limits.publishes_per_second} PUBLISHes in a second")
            return
        refusal = accepted.authorizer.refuses_publish(packet)
        if refusal is not None and self._tolerates():
            refusal = None
        if refusal is not None and self._profile.on_violation == "close":
            raise NotAuthorized(refusal)
        check_offered(packet)
        if packet.packet_id is not None:
            self._send(Puback(packet.packet_id))
        if refusal is None:
            self._hub.accept(accepted.session.client_id, packet)
        elif self._profile.on_violation == "ack-close":
            raise NotAuthorized(refusal)

    def _on_subscribe(self, packet: Subscribe, accepted: _Accepted) -> None:
        check_subscribe(packet, self._limits)
        refusals = {text: accepted.authorizer.refuses_subscribe(text) for text, _ in packet.filters}
        refused = {text: why for text, why in refusals.items() if why is not None}
        if refused and self._tolerates():
            refused = {}
        if refused and self._profile.on_violation == "close":
            raise NotAuthorized(*refused.values())
        for text in refusals:
            check_filter_offered(text)
        if refused and self._profile.on_violation == "ack-close":
            self._send(Suback(packet.packet_id, tuple(qos for _, qos in packet.filters)))
            raise NotAuthorized(*refused.values())
        granted = {text: qos for text, qos in packet.filters if text not in refused}
        if len(accepted.session.subscriptions.keys() | granted.keys()) > self._limits.subscriptions:
            raise ClientError(f"more than {self._limits.subscriptions} subscriptions")
        codes = tuple(0x80 if text in refused else qos for text, qos in packet.filters)
        self._hub.journal.write(
            "subscribe", client_id=self._client_id, filters=[text for text, _ in packet.filters], codes=codes
        )
        self._send(Suback(packet.packet_id, codes))
        for text, qos in granted.items():
            for message in self._hub.subscribe(accepted.session, text, qos):
                self.deliver(message)

    # inside

    def _tolerates(self) -> bool:
        """Count a violation that was found just now, and tell whether it is tolerated."""
        return self._profile.on_violation == "tolerate" or not self._hub.refuses_next()

    def _refuse(self, error: NotAuthorized, packet: Packet) -> None:
        """End the connection for a violation, at once or after ``close_delay``."""
        profile, accepted = self._profile, self._accepted
        if isinstance(packet, Publish) and accepted is not None and profile.refused_delivery is not None:
            client_id = accepted.session.client_id
            asyncio.get_running_loop().call_later(profile.refused_delivery, self._hub.accept, client_id, packet)
        if profile.close_delay:
            self._deadlines.after(profile.close_delay, lambda: self._end_refused(error))
        else:
            self._end_refused(error)

    def _end_refused(self, error: NotAuthorized) -> None:
        self._stream.close(self._profile.close_style)  # before the reason is put into words, which takes a while
        self._fail("AUTH_ERROR", str(error))

    def _throttle(self, answer: Connack | None, detail: str) -> None:
        """Refuse what exceeds a limit. ``answer``: the packet that says so, if there is one."""
        if self._profile.throttled == "drop":
            self._hub.journal.write("throttled", client_id=self._client_id, detail=detail)
            return
        if self._profile.throttled == "connack" and answer is not None:
            self._send(answer)
        self._fail("THROTTLED", detail)

    def _may_receive(self, message: Delivery, accepted: _Accepted) -> bool:
        refusal = accepted.authorizer.refuses_receive(message.topic)
        if refusal is None or self._profile.on_violation == "tolerate":
            return True
        self._hub.journal.write("deliver_refused", client_id=self._client_id, topic=message.topic)
        return False

    def _pump(self) -> None:
        while self._accepted is not None and not self._stream.congested:
            publish = self._accepted.session.next_publish()
            if publish is None:
                return
            self._send(publish)

    def _send(self, packet: Connack | Publish | Puback | Suback | Unsuback | Pingresp) -> None:
        self._stream.write(packet.encode())

    def _fail(self, reason: str, detail: str) -> None:
        if self._accepted is None and self._client_id is not None:
            self._hub.journal.write("connect_refused", client_id=self._client_id, reason=reason, detail=detail)
        self.close(reason, detail)

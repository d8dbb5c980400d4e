"""The team's MQTT client on this computer. It receives messages below the team's prefix.

nRF Cloud REST API reference, CreateTeamDevice: such a client may publish and subscribe to everything that starts with
the team's ``mqttTopicPrefix``, and to nothing else.

A message goes to those alone who subscribed to its topic, so hearing that topic is as good as hearing everything. And
it is cheaper: with sixteen boards in a team, sixteen observers that hear everything hear each message sixteen times.
"""

import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from harness.cloud.client_tls import client_context
from harness.cloud.endpoints import CloudEndpoints
from harness.cloud.message import ObservedMessage
from harness.cloud.refusals import ObserverLost
from harness.cloud.types import Account, TeamDevice
from harness.errors import CloudUnreachable, Misuse
from harness.timeline import Event, Kind, Timeline

SOURCE: Final = "observer"
_HEALING: Final = "observer again"  # not SOURCE: a fault of this source ends every wait for a message
_MQTTS_PORT: Final = 8883
_KEEPALIVE: Final = 30  # seconds; AWS IoT Core takes nothing shorter
_AT_ONCE: Final = 8  # filters in one SUBSCRIBE (AWS IoT Core quotas)
_MOST_FILTERS: Final = 50  # of one connection (AWS IoT Core quotas)


class Observer:
    """Once it is made, it is connected and subscribed. All tests share one object; :meth:`heal` connects it anew.

    It never connects anew on its own, because messages that it missed would then look like messages never sent.

    Every message becomes an event of ``timeline`` (Kind.CLOUD, source "observer"), which may be replaced between tests.
    ``team``: its credentials. ``endpoints``, ``account``: where the broker is, and the team's prefix. ``filters``: what
    it hears, besides itself; more by :meth:`listen`. None: everything below the team's prefix.
    Raises CloudUnreachable if the connection, or the subscription, takes longer than ``timeout`` seconds.
    """

    def __init__(
        self,
        team: TeamDevice,
        endpoints: CloudEndpoints,
        account: Account,
        timeline: Timeline,
        *,
        filters: Sequence[str] | None = None,
        timeout: float = 15.0,
    ) -> None:
        self.timeline = timeline
        self.prefix = account.mqtt_prefix
        self._endpoints = endpoints
        self.client_id: Final = team.client_id
        self._team = team
        self._timeout = timeout
        self.connections = 0
        """How many it has made: between two of them it saw nothing."""
        self._address = endpoints.observer_mqtt or (account.mqtt_endpoint, _MQTTS_PORT)
        self._condition = threading.Condition()
        self._subscribed = False
        self._closing = False
        self._lost: str | None = None
        self._acknowledged: set[int] = set()
        # Not below m/: nRF Cloud would store it among the devices' messages.
        self._own_topic = f"{self.prefix}harness/{self.client_id}"
        self._filters = [f"{self.prefix}#"] if filters is None else [*filters, self._own_topic]
        self._awaited: set[int] = set()  # SUBSCRIBEs of the connection's beginning
        self._granted: set[int] = set()
        self._client = self._new_client()
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether it is connected and subscribed."""
        return self._subscribed and self._lost is None and not self._closing

    def heal(self) -> bool:
        """Connect anew if the connection has ended; return whether it had ended. Raises CloudUnreachable.

        The timeline gets an event about it. Call it before waiting for anything.
        """
        if self.connected or self._closing:
            return False
        self.timeline.add(Kind.FAULT, _HEALING, f"the observer's connection had ended ({self._lost}); connecting again")
        self._end_client()
        with self._condition:
            self._subscribed, self._lost = False, None
            self._acknowledged.clear()
            self._awaited.clear()
            self._granted.clear()
        self._client = self._new_client()
        self._connect()
        return True

    def listen(self, topic_filter: str) -> None:
        """Hear what comes on a topic, or on a filter that ends with ``/#``, from now on.

        What is not below the team's prefix cannot be heard, and is left. Raises ObserverLost.
        """
        mine = topic_filter.startswith(self.prefix)
        if not mine or topic_filter in self._filters or any(_covers(one, topic_filter) for one in self._filters):
            return
        if not self.connected:
            raise self._gone(f"subscribing to {topic_filter}")
        if len(self._filters) >= _MOST_FILTERS:
            oldest = next(one for one in self._filters if not one.endswith("#") and one != self._own_topic)
            self._filters.remove(oldest)
            self._client.unsubscribe(oldest)
        try:
            _, mid = self._client.subscribe(topic_filter, qos=1)
        except ValueError:  # no topic that anybody could publish on
            return
        self._filters.append(topic_filter)
        if not self._wait(lambda: mid in self._granted, self._timeout):
            raise self._gone(f"subscribing to {topic_filter}: no SUBACK within {self._timeout:g} s")

    def wait_message(
        self, match: Callable[[ObservedMessage], bool], *, since: int, timeout: float
    ) -> ObservedMessage | None:
        """Return the first message that ``match`` accepts, from mark ``since`` of the timeline on, or None.

        None after ``timeout`` seconds is evidence that no message came, because ObserverLost is raised if the
        connection ended meanwhile. If the network fails in silence, the next :meth:`fence` shows it.
        """

        def relevant(event: Event) -> bool:
            if event.kind is Kind.FAULT and event.source == SOURCE:
                return True
            message = ObservedMessage.of(event)
            return message is not None and match(message)

        event = self.timeline.wait(relevant, since=since, timeout=timeout if self.connected else 0.0)
        found = None if event is None else ObservedMessage.of(event)
        if found is None and (event is not None or not self.connected):
            raise self._gone(f"waiting for a message (last seen: {self._last_seen()})")
        return found

    def publish(self, topic: str, payload: bytes | str, *, qos: int = 1, timeout: float = 10.0) -> None:
        """Publish below the team's prefix and wait for the PUBACK; with QoS 0 until it is sent.

        ``topic``: with the team's prefix. ``payload``: text is sent as UTF-8. ``qos``: 0 or 1. ``timeout``: seconds for
        the PUBACK.
        """
        if not topic.startswith(self.prefix):
            raise Misuse(
                f"the observer may publish only below {self.prefix!r}, not to {topic!r}: the broker would hang up"
            )
        if not self.connected:
            raise self._gone(f"publishing to {topic}")
        info = self._client.publish(topic, payload, qos)
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise Misuse(f"cannot publish to {topic}: {info.rc.name}; shorten the topic or the payload")
        if not self._wait(lambda: info.mid in self._acknowledged, timeout):
            raise self._gone(f"publishing to {topic}: no PUBACK within {timeout:g} s")
        with self._condition:
            self._acknowledged.discard(info.mid)

    def fence(self, *, timeout: float = 10.0) -> float:
        """Publish a message to itself and return the seconds until it came back.

        By then a broker that keeps order has delivered everything that it received before the fence. A cloud that does
        not keep order may deliver some of it later.
        """
        token, topic = uuid.uuid4().hex, self._own_topic
        mark, started = self.timeline.mark(), time.monotonic()
        self.publish(topic, token, timeout=timeout)
        left = max(0.0, started + timeout - time.monotonic())
        found = self.wait_message(lambda m: m.payload == token.encode(), since=mark, timeout=left)
        if found is None:
            raise ObserverLost(
                f"the observer's own message on {topic} did not come back within {timeout:g} s (last seen:"
                f" {self._last_seen()}); the cloud delivers nothing to the team device: check its account"
            )
        return found.t - started

    def close(self) -> None:
        """Disconnect and end the thread."""
        self._closing = True
        self._end_client()

    def _end_client(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _new_client(self) -> Client:
        team = self._team
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=team.client_id,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.tls_set_context(_tls_context(team, self._endpoints.root_ca_pem))
        client.connect_timeout = self._timeout
        client.on_socket_open = _no_delay
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _connect(self) -> None:
        timeout = self._timeout
        self.connections += 1
        host, port = self._address
        try:
            self._client.connect(host, port, _KEEPALIVE)
        except (OSError, ValueError) as error:  # paho raises ValueError for a host name that it cannot use
            raise self._gone(f"connecting: {getattr(error, 'strerror', None) or error}") from error
        self._client.loop_start()
        if not self._wait(lambda: self._subscribed, timeout):
            raise self._gone(f"connecting: no SUBACK for {', '.join(self._filters)} within {timeout:g} s")
        text = f"subscribed to {', '.join(self._filters)} at {host}:{port} as {self.client_id}"
        self.timeline.add(Kind.CLOUD, SOURCE, text)

    def _wait(self, done: Callable[[], bool], timeout: float) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: done() or self._lost is not None, timeout)
            return done()

    def _gone(self, doing: str) -> CloudUnreachable:
        dead = self._endpoints.dead()
        reason = "" if self._lost is None else f": {self._lost}"
        host, port = self._address
        line = f"observer {self.client_id} at {host}:{port}, {doing}{reason}"
        if dead is not None:
            return ObserverLost(f"{dead}; {line}; run again")
        return ObserverLost(f"{line}; check this computer's network, and that nobody else uses this team device")

    def _last_seen(self) -> str:
        texts = (event.text for event in reversed(self.timeline.since(0)) if event.source == SOURCE)
        return next(texts, "nothing")

    # The callbacks run in paho's thread.

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._fail(f"CONNACK says {reason}")
            return
        wanted = [(one, 1) for one in self._filters]
        for first in range(0, len(wanted), _AT_ONCE):
            _, mid = client.subscribe(wanted[first : first + _AT_ONCE])
            self._awaited.add(mid or 0)

    def _on_subscribe(
        self, _client: Client, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._fail(f"the broker refuses a subscription to one of {', '.join(self._filters)}")
            return
        with self._condition:
            self._granted.add(mid)
            self._subscribed = self._awaited <= self._granted
            self._condition.notify_all()

    def _on_disconnect(
        self, client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if not self._closing and client is self._client:
            self._fail(f"the connection ended ({reason})")

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        with self._condition:
            self._acknowledged.add(mid)
            self._condition.notify_all()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            text, data = ObservedMessage.draft(message.topic, bytes(message.payload), message.qos, message.retain)
            self.timeline.add(Kind.CLOUD, SOURCE, text, **data)
        except Exception as error:  # paho would end its thread in silence
            self._fail(f"a message could not be recorded: {error!r}")

    def _fail(self, reason: str) -> None:
        with self._condition:
            if self._lost is not None:
                return
            self._lost = reason
            self._condition.notify_all()
        with suppress(OSError):  # a transcript on a full disk: those who wait still get the reason from _lost
            self.timeline.add(Kind.FAULT, SOURCE, f"observer lost: {reason}")


def _covers(topic_filter: str, topic: str) -> bool:
    return topic_filter.endswith("#") and topic.startswith(topic_filter[:-1])


def _tls_context(team: TeamDevice, root_ca_pem: str) -> ssl.SSLContext:
    try:
        return client_context(root_ca_pem, team.certificate_pem, team.private_key_pem)
    except (ssl.SSLError, OSError) as error:
        raise CloudUnreachable(
            f"the credentials of team device {team.client_id} cannot be used: {error}; make a new team device"
        ) from error


def _no_delay(_client: Client, _data: Any, sock: Any) -> None:
    # Without it a PUBLISH waits up to 40 ms for the acknowledgement of the packet before (Nagle and delayed ACK).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

"""The interfaces of an application firmware: what it can do, and how it is told to do it.

There are three. :class:`Firmware`: what a board runs, with its capabilities and limits. ``MqttWatcher``
(:mod:`harness.firmware.mqtt_event`): what its lines say of MQTT. :class:`MqttDriver`: its commands; each call says
whether the board took the request and never waits for the cloud's answer, because a trial looks at what happens
*between* request and answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.at import AtPort
from harness.errors import LabError, Misuse, NoAnswer, Refusal
from harness.firmware.mqtt_event import MqttEvent, mqtt_event, mqtt_events
from harness.timeline import Event


class Capability(StrEnum):
    """What a firmware may be able to do. The value ends the sentence "... has no"."""

    AT = "AT commands"  # a firmware without them can only be watched
    MQTT = "MQTT commands"
    WILL = "MQTT will"
    EMPTY_PAYLOAD = "PUBLISH without a payload"
    SUBACK_CODE = "SUBACK return codes"
    PACKET_ID = "packet ids of acknowledgements"
    POLL_EVENTS = "poll events of its connection"
    BINARY_PAYLOAD = "payloads of any bytes"
    SOCKETS = "socket commands"
    POLLED_SOCKETS = "sockets that tell of their changes"  # #XAPOLL
    TCP_CLIENT = "TCP client"  # #XTCPCLI
    NRF_CLOUD = "commands for nRF Cloud"
    OWN_CONNECTION = "connection of its own to the cloud"  # the firmware holds it; its log tells of it
    OWN_PUBLISH = "message that it can be told to publish over its own connection"
    PAIRING = "pairing that it takes from its shadow"
    PROVISIONING = "client of the provisioning service"  # or may have one: it says so when it is told to look


@dataclass(frozen=True, slots=True)
class Firmware:
    """What a board runs. ``product``: its name; ``version``: as the board tells it, empty where it does not.

    ``longest_topic``: bytes, None: no limit but MQTT's.
    """

    product: str
    version: str = ""
    capabilities: frozenset[Capability] = frozenset({Capability.AT})
    longest_topic: int | None = None

    def __str__(self) -> str:
        return f"{self.product} {self.version}".rstrip()

    def lacks(self, *needed: Capability) -> str | None:
        """Return why a scenario that needs these cannot run on the board, or None."""
        missing = [capability for capability in needed if capability not in self.capabilities]
        return f"{self} has no {missing[0]}" if missing else None

    @property
    def connects_itself(self) -> bool:
        """It holds a connection of its own to the cloud."""
        return Capability.OWN_CONNECTION in self.capabilities

    def topic_fault(self, topic: str) -> str | None:
        """Return why the board could not publish on or subscribe to this, whatever the cloud says; None: it could."""
        if fault := self.lacks(Capability.MQTT):
            return fault
        length = len(topic.encode())
        if self.longest_topic is not None and length > self.longest_topic:
            return f"{self} takes topics of up to {self.longest_topic} bytes, and this one has {length}"
        if '"' in topic or not topic.isprintable():
            return f"{self} cannot be told a topic with quotes or control characters"
        return None


@dataclass(frozen=True, slots=True)
class Will:
    """The message that the broker publishes when the connection ends without DISCONNECT. Needs Capability.WILL."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """What an MQTT connection is made with. ``keepalive``: seconds, 1200 is AWS IoT's maximum and NCS's default."""

    client_id: str
    host: str
    port: int
    sec_tag: int
    keepalive: int = 1200
    clean_session: bool = True
    will: Will | None = None


class NoSession(Refusal):
    """The board could not set up TCP and TLS; firmwares do not say which of DNS, TCP, trust or key failed."""


class StillConnected(LabError):
    """The board's MQTT connection could not be ended."""


class MqttDriver(ABC):
    """A board's MQTT client: each firmware fills in the commands; their effects are read from the timeline.

    Positions are marks of the timeline. Calls raise LabError when the board is gone or silent.
    """

    def __init__(self, port: AtPort, firmware: Firmware) -> None:
        self.firmware: Final = firmware
        self._port = port

    @abstractmethod
    def connect(self, login: Login, *, timeout: float = 60.0) -> None:
        """Set up TCP and TLS and send CONNECT. Raises NoSession if that failed before CONNECT was sent.

        CONNACK is an event (ACCEPTED or REFUSED); a broker that hangs up instead is CLOSED.
        """

    @abstractmethod
    def disconnect(self) -> None:
        """End the connection that the board says it has, whatever the events say. Does nothing if it has none."""

    def drop(self) -> None:
        """End the connection without DISCONNECT, so that the broker publishes the will. Needs Capability.WILL."""
        raise Misuse(f"{self._port.name}: {self.firmware} has no {Capability.WILL}, and cannot be dropped for one")

    @abstractmethod
    def is_connected(self) -> bool:
        """Ask the board whether it has a connection: an event may have got lost, the board knows. CONNECT is sent then,
        and perhaps not answered yet.
        """

    @abstractmethod
    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the board. False: the board refused it (no connection any more).

        ``topic``, ``payload``, ``qos``, ``retain``: of the PUBLISH; which payloads a board takes is a capability.
        """

    @abstractmethod
    def subscribe(self, topic_filter: str, *, qos: int = 1) -> bool:
        """Ask for a subscription. False: the board refused the request."""

    @abstractmethod
    def unsubscribe(self, topic_filter: str) -> bool:
        """Ask to end a subscription. False: the board refused the request."""

    def mark(self) -> int:
        """Return the timeline's mark: from it ``wait`` and ``events`` read on."""
        return self._port.timeline.mark()

    def events(self, since: int) -> list[MqttEvent]:
        """Return the MQTT events from ``since`` on that arrived so far."""
        return mqtt_events(self._port.timeline.since(since), self._port.name)

    def hear(self, match: Callable[[MqttEvent], bool], what: str, *, since: int, timeout: float) -> MqttEvent:
        """Return the first event from ``since`` on that ``match`` accepts.

        Raises NoAnswer after ``timeout`` seconds, which is the lab's: a slow radio looks the same as an answer that
        nobody sent. ``what``: is waited for, for the message.
        """
        event = self.wait(match, since=since, timeout=timeout)
        if event is not None:
            return event
        last = self.events(since)[-1:]
        heard = f"last heard: {last[0]}" if last else "no MQTT event came"
        raise NoAnswer(
            f"{self._port.name}: expected {what}, got nothing within {timeout:g} s; {heard}; see its transcript and the"
            " radio network"
        )

    def wait(self, match: Callable[[MqttEvent], bool], *, since: int, timeout: float) -> MqttEvent | None:
        """Return the first event from ``since`` on that ``match`` accepts, or None after ``timeout`` seconds.

        Raises BoardLost as soon as the board is gone.
        """
        port = self._port
        name = port.name

        def decisive(event: Event) -> bool:
            if event.source != name:
                return False
            found = mqtt_event(event)
            return match(found) if found is not None else port.failure is not None

        event = port.wait(decisive, since=since, timeout=timeout if port.failure is None else 0.0)
        found = None if event is None else mqtt_event(event)
        if found is None and (failure := port.failure) is not None:
            raise failure
        return found

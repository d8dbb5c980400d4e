"""A scripted device and modem for the trial runner: what the wire would do, without a wire, on a clock of their own.

Time passes only where something is waited for, so a wait that ends too early misses what comes later, and one that ends
too late shows on the clock.
"""

import json
from collections.abc import Callable, Mapping, Set
from functools import partial
from operator import index
from typing import Any

from harness.errors import NotRegistered
from harness.firmware import Login, MqttEvent, MqttEventKind, NoSession
from harness.timeline import Event, Kind, Timeline
from harness.trial import AllowedTopics, Attempt, MqttConnection, TrialContext, Trials, Verdict
from harness.trial import Stage as Stages
from harness.trial.experiment import ExperimentRule, Night
from harness.trial.rejudge import rejudge
from harness.trial.wire.step_context import AskWitness
from tests.fake import Fake

LOGIN = Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753)
LATENCY = 0.125
"""Seconds from a packet to what answers it. A power of two, so that times on the clock add up exactly."""


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.now += seconds


class ClockedTimeline(Timeline):
    """A timeline whose events are stamped by ``clock``."""

    def __init__(self, clock: Clock, keep: int = 10_000):
        super().__init__(keep=keep)
        self.clock = clock

    def add(self, kind, source, text, **data):
        return self.extend([(self.clock(), kind, source, text, data)])[0]


class FakeDevice(Fake):
    """``forbidden``: topics whose publish or subscribe ends the connection (remote errno 128)."""

    product = "fake"

    def __init__(self, forbidden: Set[str] = frozenset(), timeline: ClockedTimeline | None = None):
        self.timeline = timeline or ClockedTimeline(Clock())
        self.clock = self.timeline.clock
        self.forbidden = set(forbidden)
        self.latency = LATENCY
        self.connected = False
        self.coming: list[MqttEvent] = []
        self.log: list[MqttEvent] = []
        self.published: list[tuple[str, bytes]] = []
        self.unsubscribed: list[str] = []
        self.connects = 0
        self.silent_connects = 0  # so many are taken without an event: its line was lost
        self.refuse_connects_after: int | None = None
        self.no_session_for: set[str] = set()
        self.connack_refused_for: set[str] = set()
        self.no_connack_for: set[str] = set()
        self.silent_for: set[str] = set()
        self.swallow: set[str] = set()  # acknowledged, never delivered
        self.refusal_delay: dict[str, float] = {}  # by forbidden topic: seconds until the end of the connection
        self._cut = False  # hung up on, and does not know it yet

    def event(self, kind, result=0, topic="", payload=b"", *, after=None):
        at = self.clock() + (self.latency if after is None else after)
        self.coming.append(MqttEvent(kind, at, result, topic, payload))
        self.coming.sort(key=lambda event: event.t)

    def hang_up(self, errno=128, *, after=None):
        self._cut = True
        self.event(MqttEventKind.CLOSED, -errno, after=after)

    def connect(self, login, *, timeout=60.0):
        self.connects += 1
        if login.client_id in self.no_session_for:
            raise NoSession("fake: no TLS session")
        if login.client_id in self.no_connack_for:
            return
        if login.client_id in self.connack_refused_for:
            self.event(MqttEventKind.REFUSED, 5)
            self.event(MqttEventKind.CLOSED, -111, after=2 * self.latency)
            return
        refused = self.refuse_connects_after is not None and self.connects > self.refuse_connects_after
        if refused or login.client_id in self.forbidden:
            self.event(MqttEventKind.CLOSED, -128)
            return
        self.connected, self._cut = True, False
        if self.silent_connects:
            self.silent_connects -= 1
            return
        self.event(MqttEventKind.ACCEPTED)

    def disconnect(self):
        self._deliver()
        if self.connected:
            self.event(MqttEventKind.CLOSED, 0, after=0.0)
            self._deliver()

    def is_connected(self):
        self._deliver()
        return self.connected

    def publish(self, topic, payload, *, qos=1, retain=False):
        self._deliver()
        if not self.connected or self._cut:
            return self.connected
        if topic in self.forbidden:
            delay = self.refusal_delay.get(topic)
            self.hang_up(after=delay)
            self._cut = delay is None  # refused late: until then the connection works
        elif topic not in self.silent_for:
            if topic not in self.swallow:
                self.published.append((topic, payload))
            if qos:
                self.event(MqttEventKind.PUBACK)
        return True

    def subscribe(self, topic_filter, *, qos=1):
        self._deliver()
        if not self.connected or self._cut:
            return self.connected
        if topic_filter in self.forbidden:
            self.hang_up()
        else:
            self.event(MqttEventKind.SUBACK)
        return True

    def unsubscribe(self, topic_filter):
        self._deliver()
        self.unsubscribed.append(topic_filter)
        if self.connected and not self._cut:
            self.event(MqttEventKind.UNSUBACK)
        return self.connected

    def mark(self):
        self._deliver()
        return len(self.log)

    def events(self, since):
        self._deliver()
        return self.log[index(since) :]  # None is no position, and would be all of it

    def wait(self, match, *, since, timeout):
        deadline = self.clock() + timeout
        while True:
            found = next((event for event in self.events(since) if match(event)), None)
            if found is not None:
                return found
            if not self.coming or self.coming[0].t > deadline:
                self.clock.now = deadline
                return None
            self.clock.now = self.coming[0].t

    def restart(self):
        """Show on the wire that the board has just started."""
        self.timeline.add(Kind.RX, "fake", "Ready")

    def _deliver(self):
        while self.coming and self.coming[0].t <= self.clock():
            event = self.coming.pop(0)
            if event.kind is MqttEventKind.CLOSED:
                self.connected = False
            self.log.append(event)
            data = {"kind": event.kind.value, "result": event.result, "topic": event.topic}
            data["payload"] = event.payload.decode()
            self.timeline.extend([(event.t, Kind.MQTT, "fake", str(event), data)])


class FakeAction:
    """An allowed publish on ``topic`` that counts as seen once the device has published it."""

    def __init__(self, device: FakeDevice, topic: str = "allowed"):
        self.device = device
        self.topic = topic
        self.description = f"a QoS 1 publish on {topic}"
        self.armed = 0
        self.rights = (("iot:Publish", topic),)

    def arm(self, *, timeout):
        self.armed += 1
        return True

    def send(self, nonce):
        return self.device.publish(self.topic, nonce.encode())

    def seen(self, nonce, *, timeout):
        return (self.topic, nonce.encode()) in self.device.published


class FakeDelivery:
    """A message to the device that is allowed, and arrives unless ``lost``."""

    description = "a message to the device"
    rights = (("iot:Subscribe", "to/me"), ("iot:Receive", "to/me"))

    def __init__(self, device: FakeDevice):
        self.device = device
        self.lost = False

    def arm(self, *, timeout):
        return True

    def send(self, nonce):
        if not self.lost:
            self.device.event(MqttEventKind.MESSAGE, topic="to/me", payload=nonce.encode())
        return True

    def seen(self, nonce, *, timeout):
        found = self.device.wait(lambda event: nonce.encode() in event.payload, since=0, timeout=timeout)
        return found is not None


class FakeRegistration:
    def __init__(self, registered=True):
        self.registered = registered
        self.text = "+CEREG: 5,1" if registered else "+CEREG: 5,2"


class FakeModem(Fake):
    def __init__(self):
        self.present = FakeRegistration()
        self.coverage = True
        self.kept = False

    def remembers(self):
        return self.kept

    def registration(self):
        return self.present

    def prepare(self):
        pass

    def register(self, timeout=120.0):
        if not self.coverage:
            raise NotRegistered("not registered within 120 s, last +CEREG: 2 (searching)")
        self.present = FakeRegistration()


class Stage:
    """Everything a test of the runner needs, in one place. Every verdict is found again in what was recorded of it."""

    def __init__(
        self,
        forbidden: Set[str] = frozenset(),
        *,
        actions: tuple[str, ...] = ("allowed",),
        hold: float = 0.5,
        gap: float = 0.0,
        keep: int = 10_000,
        budget: float | None = None,
        control: Callable[[], bool] | None = None,
        settles: bool = False,
    ):
        """``control``: whether a CONNECT of MQTT 5 is answered; None: the firmware cannot send one.

        ``settles``: messages may come late, so ``settled`` is asked once more.
        """
        self.clock = Clock()
        self.timeline = ClockedTimeline(self.clock, keep)
        self.device = FakeDevice(forbidden, self.timeline)
        self.modem = FakeModem()
        self.actions = [FakeAction(self.device, topic) for topic in actions]
        self.link = MqttConnection(
            self.device,
            LOGIN,
            self.actions,
            self.timeline,
            gap=gap,
            patience=8.0,
            settle=0.5,
            clock=self.clock,
            pause=self.clock.pause,
        )
        self.recorded: list[Verdict] = []
        self.dead: Callable[[], None] = lambda: None
        self.listen: Callable[[str], None] = lambda _topic: None
        self.night = Night()
        self.delivery = FakeDelivery(self.device)
        self.witnesses: dict[str, AskWitness] = {}
        self.settled: AskWitness = lambda: {"settled": 15.0, "watched": True}
        around = TrialContext(
            self.timeline,
            ExperimentRule(hold=hold, budget=budget),
            self.night,
            AllowedTopics(("team/%FILL%",), ("team/%FILL%",), lambda action, name: name.startswith("team/")),
            self.delivery,
            lambda: self.dead(),
            lambda action, name: f"Policy: {action} {name}.",
            self._record,
            self.witnesses,
            listen=lambda topic: self.listen(topic),
            control_connect=None if control is None else partial(self._control, control),
            settled=self._settled if settles else None,
        )
        self.trials = Trials(self.link, self.modem, around)

    def _settled(self) -> Mapping[str, Any]:
        return self.settled()

    def _control(self, answered: Callable[[], bool], _login: Login, held: float, _patience: float) -> Attempt:
        self.clock.pause(held)
        return Attempt(*((Stages.ACCEPTED, "CONNACK 1") if answered() else (Stages.NO_CONNACK, "")), held)

    def delivered(self, token: str, timeout: float) -> bool:
        return any(token.encode() in payload for _, payload in self.device.published)

    def during(self, topic: str, happens: Callable[[], object]) -> None:
        """Have something happen each time that the device publishes on ``topic``, before the broker gets it."""
        publish = self.device.publish

        def eventful(published, payload, **options):
            if published == topic:
                happens()
            return publish(published, payload, **options)

        self.device.publish = eventful  # type: ignore[assignment]

    def urc(self, text: str) -> None:
        """Have the modem notify of something."""
        self.timeline.add(Kind.URC, "fake", text)

    def _record(self, verdict: Verdict) -> None:
        self.recorded.append(verdict)
        if self.timeline.dropped:
            return  # what was recorded is in the file alone
        last = rejudge(through_json(self.timeline.since()))[-1]
        assert (last.anew.outcome, last.anew.evidence) == (verdict.outcome, verdict.evidence)
        assert last.same
        assert last.attempt == verdict.attempts


def through_json(events: list[Event]) -> list[Event]:
    """Return events as they come back from a file."""
    return [event._replace(data=json.loads(json.dumps(event.data))) for event in events]

"""A scripted device and modem for the trial runner: what the wire would do, without a wire."""

from collections.abc import Callable

from harness.errors import NotRegistered
from harness.firmware import Login, MqttEvent, MqttEventKind, NoSession
from harness.timeline import Timeline
from harness.trial import MqttConnection, TrialContext, Trials, Verdict

LOGIN = Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753)


class FakeDevice:
    """``forbidden``: topics whose publish or subscribe ends the connection (remote errno 128)."""

    product = "fake"

    def __init__(self, forbidden: set[str] = frozenset()):
        self.forbidden = set(forbidden)
        self.connected = False
        self.log: list[MqttEvent] = []
        self.published: list[tuple[str, bytes]] = []
        self.unsubscribed: list[str] = []
        self.connects = 0
        self.refuse_connects_after: int | None = None
        self.no_session_for: set[str] = set()
        self.silent_for: set[str] = set()
        self.restart: str | None = None
        self.swallow: set[str] = set()  # acknowledged, never delivered
        self.drop_without_cause = False
        self.at_next_end: Callable[[], object] = lambda: None

    def _event(self, kind, result=0, topic="", payload=b""):
        self.log.append(MqttEvent(kind, float(len(self.log)), result, topic, payload))

    def hang_up(self, errno=128):
        self.at_next_end()
        self.at_next_end = lambda: None
        self.connected = False
        self._event(MqttEventKind.CLOSED, -errno)

    def connect(self, login, *, timeout=60.0):
        self.connects += 1
        if login.client_id in self.no_session_for:
            raise NoSession("fake: no TLS session")
        refused = self.refuse_connects_after is not None and self.connects > self.refuse_connects_after
        if refused or login.client_id in self.forbidden:
            self._event(MqttEventKind.CLOSED, -128)
            return
        self.connected = True
        self._event(MqttEventKind.ACCEPTED)

    def disconnect(self):
        if self.connected:
            self.connected = False
            self._event(MqttEventKind.CLOSED, 0)

    def publish(self, topic, payload, *, qos=1, retain=False):
        if not self.connected:
            return False
        if topic in self.forbidden:
            self.hang_up()
        elif topic not in self.silent_for:
            if topic not in self.swallow:
                self.published.append((topic, payload))
            if qos:
                self._event(MqttEventKind.PUBACK)
        return True

    def subscribe(self, topic_filter, *, qos=1):
        if not self.connected:
            return False
        if topic_filter in self.forbidden:
            self.hang_up()
        else:
            self._event(MqttEventKind.SUBACK)
        return True

    def unsubscribe(self, topic_filter):
        self.unsubscribed.append(topic_filter)
        self._event(MqttEventKind.UNSUBACK)
        return self.connected

    def mark(self):
        return len(self.log)

    def events(self, since):
        return self.log[since:]

    def wait(self, match, *, since, timeout):
        return next((event for event in self.log[since:] if match(event)), None)

    def restarted(self, since):
        return self.restart


class FakeAction:
    """An allowed publish on ``topic`` that counts as seen once the device has published it."""

    def __init__(self, device: FakeDevice, topic: str = "allowed"):
        self.device = device
        self.topic = topic
        self.description = f"a QoS 1 publish on {topic}"
        self.armed = 0
        self.listens_to = frozenset({"answers"})

    def arm(self, *, timeout):
        self.armed += 1
        return True

    def send(self, nonce):
        return self.device.publish(self.topic, nonce.encode())

    def seen(self, nonce, *, timeout):
        return (self.topic, nonce.encode()) in self.device.published


class FakeRegistration:
    def __init__(self, registered=True):
        self.registered = registered
        self.text = "+CEREG: 5,1" if registered else "+CEREG: 5,2"


class FakeModem:
    def __init__(self):
        self.present = FakeRegistration()
        self.coverage = True

    def registration(self):
        return self.present

    def prepare(self):
        pass

    def register(self, timeout=120.0):
        if not self.coverage:
            raise NotRegistered("not registered within 120 s, last +CEREG: 2 (searching)")
        self.present = FakeRegistration()


class FakePort:
    name = "fake"

    def __init__(self, timeline):
        self.timeline = timeline


class Stage:
    """Everything a test of the runner needs, in one place."""

    def __init__(self, forbidden: set[str] = frozenset(), *, actions: tuple[str, ...] = ("allowed",)):
        self.timeline = Timeline()
        self.device = FakeDevice(forbidden)
        self.modem = FakeModem()
        self.port = FakePort(self.timeline)
        self.actions = [FakeAction(self.device, topic) for topic in actions]
        self.link = MqttConnection(self.device, LOGIN, self.actions, self.timeline, gap=0.0, patience=0.5, settle=0.5)
        self.recorded: list[Verdict] = []
        self.dead: Callable[[], None] = lambda: None
        around = TrialContext(
            self.timeline,
            0.0,
            lambda: self.dead(),
            lambda action, name: f"Policy: {action} {name}.",
            self.recorded.append,
        )
        self.trials = Trials(self.link, self.modem, self.port, around)

    def delivered(self, token: str, timeout: float) -> bool:
        return any(token.encode() in payload for _, payload in self.device.published)

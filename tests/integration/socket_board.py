"""A board made of a TLS client on this computer: the trials of the harness over real connections, without a pty.

``SocketDevice`` is a driver as firmwares have one; its reader writes MQTT events to a timeline. ``SocketBoard`` puts
the harness's own trials on it. Hundreds of trials a minute are possible so, which no pty allows.
"""

import contextlib
import itertools
import socket
import ssl
import threading
from types import SimpleNamespace

from harness.firmware import Firmware, Login, MqttDriver, MqttEvent, MqttEventKind, NoSession
from harness.firmware.mqtt_event import drafted
from harness.timeline import Timeline, now
from harness.trial import AllowedTopics, MqttConnection, TrialContext, Trials
from harness.trial.experiment import ExperimentRule, Night
from harness.virtual.mqtt import Connack, Connect, Puback, Publish, Suback, Subscribe, Unsuback, Unsubscribe
from harness.virtual.mqtt.wire import Malformed
from tests.fake import Fake
from tests.integration.broker_lab import RawClient

_ENDS = {"fin": -128, "notify": -128, "notify without fin": -128, "rst": -104}
_ANSWERS = {Puback: MqttEventKind.PUBACK, Suback: MqttEventKind.SUBACK, Unsuback: MqttEventKind.UNSUBACK}


class Port(Fake):
    """What a driver needs of a port to read its events."""

    failure = None

    def __init__(self, timeline, name):
        self.timeline, self.name, self.wait = timeline, name, timeline.wait


class SharedClient(RawClient):
    """A client that one thread reads and others write to: OpenSSL's connections are not made for that."""

    def __init__(self, port, name):
        super().__init__(port, name)
        self.socket.settimeout(None)
        self._using = threading.Lock()

    def send(self, *packets):
        with self._using:
            super().send(*packets)

    def read(self):
        while (packet := self._decoder.next_packet()) is None:
            try:
                if not self.socket.pending():
                    socket.socket.recv(self.socket, 1, socket.MSG_PEEK)  # waiting needs no lock
                with self._using:
                    data = self.socket.recv(65536)
            except ssl.SSLEOFError:
                return "fin"
            except ConnectionResetError:
                return "rst"
            if not data:
                return "notify"
            self._decoder.feed(data)
        return packet

    def end(self):
        """End the connection; its reader closes the socket."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class SocketDevice(MqttDriver):
    """Connects to ``port`` of this computer, whatever host a login names."""

    def __init__(self, name, port):
        self.timeline = Timeline()
        super().__init__(Port(self.timeline, name), Firmware("sockets"))
        self.name, self.port = name, port
        self._client = None
        self._ids = itertools.cycle(range(1, 65_536))
        self._lock = threading.Lock()

    def connect(self, login, *, timeout=60.0):
        try:
            client = SharedClient(self.port, self.name)
            client.send(Connect(login.client_id))
        except (OSError, ssl.SSLError) as error:
            raise NoSession(f"no TLS session: {error}") from error
        with self._lock:
            self._client = client
        threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def disconnect(self):
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            self._add(MqttEventKind.CLOSED, 0)
            client.end()

    def is_connected(self):
        return self._client is not None

    def publish(self, topic, payload, *, qos=1, retain=False):
        return self._send(Publish(topic, payload, qos, retain, packet_id=next(self._ids) if qos else None))

    def subscribe(self, topic_filter, *, qos=1):
        return self._send(Subscribe(next(self._ids), ((topic_filter, qos),)))

    def unsubscribe(self, topic_filter):
        return self._send(Unsubscribe(next(self._ids), (topic_filter,)))

    def _send(self, packet):
        client = self._client
        if client is None:
            return False
        with contextlib.suppress(OSError, ssl.SSLError):  # it is over: its reader says how
            client.send(packet)
        return True

    def _read(self, client):
        while True:
            try:
                packet = client.read()
            except (OSError, ssl.SSLError, Malformed):
                packet = "rst"
            if isinstance(packet, str):
                break
            self._take(packet)
        client.socket.close()
        with self._lock:
            if self._client is not client:
                return  # ended from this side
            self._client = None
        self._add(MqttEventKind.CLOSED, _ENDS[packet])

    def _take(self, packet):
        if isinstance(packet, Connack):
            kind = MqttEventKind.REFUSED if packet.return_code else MqttEventKind.ACCEPTED
            self._add(kind, packet.return_code)
        elif isinstance(packet, Publish):
            event = MqttEvent(MqttEventKind.MESSAGE, now(), 0, packet.topic, packet.payload)
            self.timeline.extend([drafted(event, self.name)])
            if packet.packet_id is not None:
                self._send(Puback(packet.packet_id))
        elif type(packet) in _ANSWERS:
            self._add(_ANSWERS[type(packet)], 0)

    def _add(self, kind, result):
        self.timeline.extend([drafted(MqttEvent(kind, now(), result), self.name)])


class SeenPublish:
    """An allowed publish that the broker's services see: they are the observer."""

    description = "a QoS 1 publish on ok/base, seen by the observer,"
    rights = (("iot:Publish", "ok/base"),)

    def __init__(self, device, heard):
        self._device, self._heard = device, heard

    def arm(self, *, timeout):
        return True

    def send(self, nonce):
        return self._device.publish("ok/base", nonce.encode())

    def seen(self, nonce, *, timeout):
        return self._heard(nonce, timeout)


class Modem(Fake):
    """Always registered."""

    def registration(self):
        return SimpleNamespace(registered=True, text="+CEREG: 5,1")

    def remembers(self):
        return True

    def prepare(self):
        pass

    def register(self):
        pass


class SocketBoard:
    """``lab``: the broker, whose services see what is delivered. ``port``: where to connect (a proxy's)."""

    def __init__(self, lab, name, port, rule=None):
        self.device = SocketDevice(name, port)
        self.lab, self.results, self.night = lab, [], Night()
        link = MqttConnection(
            self.device,
            Login(name, "localhost", port, 1),
            [SeenPublish(self.device, self.heard)],
            self.device.timeline,
            gap=0.0,
            patience=2.0,
            settle=0.2,
        )
        context = TrialContext(
            self.device.timeline,
            rule or ExperimentRule(hold=0.05),
            self.night,
            AllowedTopics(("ok/%FILL%",), ("ok/%FILL%",), lambda _right, topic: topic.startswith("ok/")),
            None,
            lambda: None,
            lambda right, topic: "",
            lambda verdict: None,
            found=self.results.append,
        )
        self.trials = Trials(link, Modem(), context)

    def heard(self, nonce, timeout):
        """Whether a message with this nonce reached the services, which hear of it before its PUBACK is sent."""
        wanted = nonce.encode()
        return any(wanted in payload for _, _, payload, *_ in list(self.lab.services.heard)[-200:])

    def publish(self, topic, *, qos=1):
        return self.trials.publish(topic, qos=qos, witness=self.heard)

    def close(self):
        self.device.disconnect()

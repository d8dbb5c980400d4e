"""Does an experiment's plans on real TLS connections to the broker: the smallest runner that the interface allows.

The sham is an allowed publish, the action one on a topic of the same length that the policy does not allow.
"""

import contextlib
import itertools
import time

from harness.trial.experiment import Do, Done, Observation, Saw, StepConnection
from harness.virtual.mqtt import Connect, Puback, Publish, Unsubscribe
from tests.integration.broker_lab import RawClient

GIVE_UP = 3.0
ALLOWED, FORBIDDEN = "ok/sham", "no/sham"
_ENDS = {"fin", "rst", "notify", "notify without fin"}


class WireRunner:
    """``lab``: the broker, whose services are the observer. ``port``: where to connect (a proxy's)."""

    def __init__(self, lab, port, name="dev"):
        self.lab, self.port, self.name = lab, port, name
        self.connections = 0
        self._client = None
        self._clean = False
        self._since = 0.0
        self._connecting = 0.0
        self._packets = 0
        self._ids = itertools.cycle(range(1, 65_536))

    def close(self):
        if self._client is not None:
            self._client.socket.close()
            self._client = None

    def do(self, plan):
        began = time.monotonic()
        before = self._client
        if plan.connection is not StepConnection.SAME and not self._connected(plan.connection):
            return Observation((), seconds=time.monotonic() - began)
        opened, done, reached = self._client is not before, [], None
        for step in plan.steps:
            at = time.monotonic()
            saw = self._step(step, plan)
            done.append(Done(saw, time.monotonic() - at))
            if saw in (Saw.CLOSED, Saw.PASSED, Saw.NOTHING):
                if step.do is Do.ACTION:
                    reached = self._heard()
                break
        seen = Observation(
            tuple(done),
            time.monotonic() - began,
            age=time.monotonic() - self._since,
            packets=self._packets,
            reached=reached,
            opened=opened,
            connecting=self._connecting if opened else 0.0,
        )
        if seen.closed or done[-1].saw is Saw.NOTHING:
            self.close()
        return seen

    def _connected(self, wanted):
        if self._client is not None and self._clean and wanted is StepConnection.CLEAN:
            return True
        self.close()
        self._packets, began = 0, time.monotonic()
        try:
            client = RawClient(self.port, self.name)
        except OSError:
            return False
        self._client, self._clean, self._since = client, True, time.monotonic()
        self.connections += 1
        if self._say(Connect(self.name)) in (None, *_ENDS):
            self.close()
            return False
        self._connecting = time.monotonic() - began
        return True

    def _step(self, step, plan):
        if step.do is Do.IDLE:
            return Saw.CLOSED if self._hear(step.seconds) in _ENDS else Saw.ANSWERED
        if step.do is Do.EFFECT:
            return Saw.ANSWERED if self._heard() else Saw.UNSEEN
        self._clean = self._clean and step.do in (Do.BASELINE, Do.FENCE)
        topic = FORBIDDEN if step.do is Do.ACTION else ALLOWED
        if step.do is Do.ACTION:
            self._token = f"{time.monotonic_ns()}".encode()
        identifier = next(self._ids)
        body = self._token if step.do is Do.ACTION else b"sham"
        chaser = [Unsubscribe(next(self._ids), ("no/filter",))] if step.chased else []
        heard = self._say(Publish(topic, body, 1, packet_id=identifier), *chaser)
        if heard in _ENDS:
            return Saw.CLOSED
        if heard != Puback(identifier):
            return Saw.PASSED if chaser and heard is not None and self._hear(GIVE_UP) in _ENDS else Saw.NOTHING
        if chaser and self._hear(GIVE_UP) in _ENDS and step.do is Do.SHAM:
            return Saw.CLOSED
        return Saw.ANSWERED

    def _say(self, *packets):
        for packet in packets:
            self._packets += 1
            with contextlib.suppress(OSError):  # it is over: how, is read
                self._client.send(packet)
        return self._hear(GIVE_UP)

    def _hear(self, seconds):
        """Return the next packet, how the connection ended, or None after ``seconds``."""
        self._client.socket.settimeout(max(seconds, 0.001))
        try:
            return self._client.read()
        except TimeoutError:
            return None
        except OSError:
            return "rst"

    def _heard(self):
        return any(topic == FORBIDDEN and body == self._token for _, topic, body, *_ in self.lab.services.heard)

"""The allowed publish that frames every trial, and how its arrival is proved.

Which one works depends on the policies in force, so a link tries them in order and keeps the first that does: a
policy that lost the right for one of them must fail the scenarios that need it, and only those.
"""

from collections.abc import Callable
from typing import Final, Protocol

from harness.cloud import Observer
from harness.firmware import MqttDriver, MqttEvent, MqttEventKind
from harness.trial.facts import Control

REFUSED_SUBSCRIPTION: Final = 0x80
"""SUBACK's return code for "no" [MQTT-3.9.3], where the firmware tells it."""
CHASER: Final = "harness"
"""A filter that nobody has subscribed to, for an UNSUBSCRIBE; short, because the serial line is slow."""
LOST: Final = "nothing came back, but what was sent behind it was answered"
_IN_FLIGHT = 16  # messages that an experiment has on their way at once, and some more


class AllowedAction(Protocol):
    """A QoS 1 publish that is allowed, with a way to see it arrive."""

    @property
    def description(self) -> str:
        """What it does, for evidence: ``publish on prod/…/d2c, seen by the observer``."""

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """The rights that it needs: policy actions with what they are about."""

    def arm(self, *, timeout: float) -> bool:
        """Prepare a fresh connection (subscriptions). False: not possible on it."""

    def send(self, nonce: str) -> bool:
        """Publish a message that carries ``nonce``. False: the board refused it."""

    def seen(self, nonce: str, *, timeout: float) -> bool:
        """Wait until the message with ``nonce`` arrived where it should; gives up early when the connection ends."""


class ObservedPublish:
    """A publish of ``device`` on ``topic``, below the team's topic prefix, seen by ``observer``, the team's device."""

    def __init__(self, device: MqttDriver, observer: Observer, topic: str) -> None:
        self._device = device
        self._observer = observer
        self._topic = topic
        self._marks: dict[str, int] = {}

    @property
    def description(self) -> str:
        """What it does."""
        return f"a QoS 1 publish on {self._topic}, seen by the observer,"

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """To publish."""
        return (("iot:Publish", self._topic),)

    def arm(self, *, timeout: float) -> bool:
        """Nothing to prepare: the observer listens already."""
        return True

    def send(self, nonce: str) -> bool:
        """Publish a message in nRF Cloud's schema. Raises CloudUnreachable: nobody could see it arrive."""
        self._observer.heal()
        self._marks = {**_latest(self._marks), nonce: self._observer.timeline.mark()}
        return self._device.publish(self._topic, _message(nonce))

    def seen(self, nonce: str, *, timeout: float) -> bool:
        """Wait for the observer."""
        wanted = nonce.encode()
        return (
            self._observer.wait_message(
                lambda message: message.topic == self._topic and wanted in message.payload,
                since=self._marks.get(nonce, 0),
                timeout=timeout,
            )
            is not None
        )


class ShadowUpdate:
    """An update of the device's own shadow, seen by the device itself on ``update/accepted``.

    For a device outside every team: no observer may see its traffic.
    """

    def __init__(self, device: MqttDriver, thing: str) -> None:
        self._device = device
        self._topic = f"$aws/things/{thing}/shadow/update"
        self._marks: dict[str, int] = {}

    @property
    def description(self) -> str:
        """What it does."""
        return f"a QoS 1 publish on {self._topic}, answered on {self._topic}/accepted,"

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """To publish, and to get the answer."""
        answer = f"{self._topic}/accepted"
        return ("iot:Publish", self._topic), ("iot:Subscribe", answer), ("iot:Receive", answer)

    def arm(self, *, timeout: float) -> bool:
        """Subscribe to the answer."""
        return subscribed(self._device, f"{self._topic}/accepted", timeout=timeout)

    def send(self, nonce: str) -> bool:
        """Update one reported value, with the nonce as client token."""
        self._marks = {**_latest(self._marks), nonce: self._device.mark()}
        payload = f'{{"state":{{"reported":{{"harness":{{"trial":"{nonce}"}}}}}},"clientToken":"{nonce}"}}'
        return self._device.publish(self._topic, payload.encode())

    def seen(self, nonce: str, *, timeout: float) -> bool:
        """Wait for the shadow service's answer."""
        wanted = nonce.encode()
        event = self._device.wait(
            lambda event: (
                event.kind is MqttEventKind.CLOSED
                or (event.topic == f"{self._topic}/accepted" and wanted in event.payload)
            ),
            since=self._marks.get(nonce, 0),
            timeout=timeout,
        )
        return event is not None and event.kind is MqttEventKind.MESSAGE


class ObservedDelivery:
    """A message from the team's MQTT device to the board, for experiments on subscriptions.

    ``device``: the board's MQTT client. ``observer``: the team's MQTT device. ``topic``: one that the board may hear.
    """

    def __init__(self, device: MqttDriver, observer: Observer, topic: str) -> None:
        self._device = device
        self._observer = observer
        self._topic = topic
        self._marks: dict[str, int] = {}

    @property
    def description(self) -> str:
        """What it does."""
        return f"a message from the observer on {self._topic}"

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """To subscribe and to receive."""
        return ("iot:Subscribe", self._topic), ("iot:Receive", self._topic)

    def arm(self, *, timeout: float) -> bool:
        """Subscribe."""
        return subscribed(self._device, self._topic, timeout=timeout)

    def send(self, nonce: str) -> bool:
        """Have the observer publish. Raises CloudUnreachable."""
        self._observer.heal()
        self._marks = {**_latest(self._marks), nonce: self._device.mark()}
        self._observer.publish(self._topic, _message(nonce))
        return True

    def seen(self, nonce: str, *, timeout: float) -> bool:
        """Wait for the board to receive it."""
        wanted = nonce.encode()
        event = self._device.wait(
            lambda event: event.kind is MqttEventKind.CLOSED or wanted in event.payload,
            since=self._marks.get(nonce, 0),
            timeout=timeout,
        )
        return event is not None and event.kind is MqttEventKind.MESSAGE


def run_control(
    device: MqttDriver,
    control: AllowedAction,
    nonce: str,
    *,
    timeout: float,
    soon: float,
    settle: float | None,
    clock: Callable[[], float],
) -> Control:
    """Send the allowed action; wait ``timeout`` seconds for its acknowledgement, ``settle`` more for its arrival.

    ``device``: the board's client. ``control``: the action, sent with ``nonce``. ``clock``: the time in seconds.
    ``settle`` None: its arrival is not looked for, and counts as seen. ``soon``: seconds after which the line of the
    acknowledgement may be lost. Then something that needs no right is sent behind it: the answer to that shows that
    nothing more will come. It is awaited in any case: the packet behind would take it for its own.
    """
    start = clock()
    mark = device.mark()
    chased = False

    def came(*kinds: MqttEventKind, within: float) -> MqttEvent | None:
        wanted = (*kinds, MqttEventKind.CLOSED)
        return device.wait(lambda event: event.kind in wanted, since=mark, timeout=within)

    def failed(detail: str) -> Control:
        return Control(False, False, clock() - start, detail, chased)

    if not control.send(nonce):
        return Control(acked=False, seen=False, seconds=0.0, detail="the board refused to send it")
    event = came(MqttEventKind.PUBACK, within=min(soon, timeout))
    if event is None and soon < timeout:
        chased = device.unsubscribe(CHASER)
        event = came(MqttEventKind.PUBACK, MqttEventKind.UNSUBACK, within=timeout - soon)
    if event is None:
        return failed(f"nothing came back within {timeout:g} s")
    if event.kind is MqttEventKind.UNSUBACK:
        return failed(LOST)
    if event.kind is MqttEventKind.CLOSED:
        return failed(str(event))
    if chased and came(MqttEventKind.UNSUBACK, within=max(0.0, start + timeout - clock())) is None:
        return failed(f"what was sent behind it was not answered within {timeout:g} s")
    if settle is None:
        return Control(True, True, clock() - start, chased=chased)
    seen = control.seen(nonce, timeout=settle)
    return Control(True, seen, clock() - start, "" if seen else f"it did not arrive within {settle:g} s", chased)


def subscribed(device: MqttDriver, topic_filter: str, *, timeout: float) -> bool:
    """Have ``device`` subscribe to ``topic_filter``, and wait ``timeout`` seconds for SUBACK.

    False: the board or the cloud refused it, or kept silent.
    """
    mark = device.mark()
    if not device.subscribe(topic_filter):
        return False
    event = device.wait(_subscribed_or_closed, since=mark, timeout=timeout)
    return event is not None and event.kind is MqttEventKind.SUBACK and event.result < REFUSED_SUBSCRIPTION


def _latest(marks: dict[str, int]) -> dict[str, int]:
    """Return the marks of the messages that may still be on their way."""
    return dict(list(marks.items())[-_IN_FLIGHT:])


def _message(nonce: str) -> bytes:
    return f'{{"appId":"HARNESS","messageType":"DATA","data":"{nonce}"}}'.encode()


def _subscribed_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.SUBACK, MqttEventKind.CLOSED)

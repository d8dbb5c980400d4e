"""Makes the cloud send a message to the subscription under trial, and shows that it was really sent.

If no message arrives, the delivery was refused only if a message was sent: a message that got lost earlier, or a silent
service, looks the same on the board. So a trigger is a small object that sends, and it returns another small object
that finds out whether the message was sent.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.cloud import NrfCloud, Observer
from harness.firmware import MqttDriver, MqttEvent, MqttEventKind


class Sending(Protocol):
    """A message that a trigger had sent."""

    @property
    def shown_by(self) -> str:
        """What shows that it was sent, in words."""

    def seen(self, timeout: float) -> bool:
        """Look for that, for this many seconds."""


Trigger = Callable[[str], Sending | None]
"""Makes the cloud send a message with this nonce to the subscription under trial. None: nothing shows that it did."""


@dataclass(frozen=True, slots=True)
class OwnCopy:
    """The observer receives what it published itself, from ``mark`` of its timeline on."""

    observer: Observer
    topic: str
    nonce: str
    mark: int
    shown_by: str = "the observer's own copy"

    def seen(self, timeout: float) -> bool:
        """Wait for the copy."""
        wanted = self.nonce.encode()
        found = self.observer.wait_message(
            lambda message: message.topic == self.topic and wanted in message.payload, since=self.mark, timeout=timeout
        )
        return found is not None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The device's own publish was acknowledged, from ``mark`` of its events on. ``taken``: the board took it."""

    device: MqttDriver
    topic: str
    mark: int
    taken: bool

    @property
    def shown_by(self) -> str:
        """The PUBACK."""
        return f"the PUBACK for {self.topic}"

    def seen(self, timeout: float) -> bool:
        """Wait for it, or for the end of the connection."""
        event = self.device.wait(_acked_or_closed, since=self.mark, timeout=timeout) if self.taken else None
        return event is not None and event.kind is MqttEventKind.PUBACK


@dataclass(frozen=True, slots=True)
class DeviceState:
    """REST device state holds the nonce in its ``part``."""

    cloud: NrfCloud
    device_id: str
    part: Literal["desired", "reported"]
    nonce: str
    shown_by: str = "REST device state"

    def seen(self, timeout: float) -> bool:
        """Ask once: the message was waited for before, and the shadow has it before it tells of it."""
        record = self.cloud.device(self.device_id) or {}
        return self.nonce in json.dumps(record.get("state", {}).get(self.part, {}))


@dataclass(frozen=True, slots=True)
class ObserverSends:
    """The team's MQTT device publishes on ``topic``, and receives a copy itself."""

    observer: Observer
    topic: str

    def __call__(self, nonce: str) -> Sending:
        """Publish."""
        self.observer.listen(self.topic)
        mark = self.observer.timeline.mark()
        self.observer.publish(self.topic, f'{{"harness":"{nonce}"}}'.encode())
        return OwnCopy(self.observer, self.topic, nonce, mark)


@dataclass(frozen=True, slots=True)
class DeviceSends:
    """The device publishes on ``topic`` itself, which is acknowledged."""

    device: MqttDriver
    topic: str

    def __call__(self, nonce: str) -> Sending:
        """Publish."""
        return _published(self.device, self.topic, f'{{"harness":"{nonce}"}}')


@dataclass(frozen=True, slots=True)
class DeviceAsks:
    """The device asks for its shadow.

    The PUBACK shows that it asked, not that it was answered: a shadow service that keeps silent cannot be told from an
    answer that may not be delivered. So do not expect Outcome.IGNORED of it.
    """

    device: MqttDriver
    device_id: str

    def __call__(self, nonce: str) -> Sending:
        """Ask."""
        return _published(self.device, f"$aws/things/{self.device_id}/shadow/get", f'{{"clientToken":"{nonce}"}}')


@dataclass(frozen=True, slots=True)
class DeviceReports:
    """The device updates its shadow, which answers; REST device state shows the update.

    ``cloud`` None: a device outside every team, of which REST shows nothing. The PUBACK has to do, as in DeviceAsks.
    """

    device: MqttDriver
    device_id: str
    cloud: NrfCloud | None

    def __call__(self, nonce: str) -> Sending:
        """Report."""
        report = f'{{"state":{{"reported":{{"harness":{{"trial":"{nonce}"}}}}}},"clientToken":"{nonce}"}}'
        published = _published(self.device, f"$aws/things/{self.device_id}/shadow/update", report)
        return published if self.cloud is None else DeviceState(self.cloud, self.device_id, "reported", nonce)


@dataclass(frozen=True, slots=True)
class DesiredChanges:
    """REST changes the desired state of a device of the team, of which its shadow tells."""

    cloud: NrfCloud
    device_id: str

    def __call__(self, nonce: str) -> Sending:
        """Change it."""
        self.cloud.patch_state(self.device_id, desired={"harness": {"token": nonce}})
        return DeviceState(self.cloud, self.device_id, "desired", nonce)


def _published(device: MqttDriver, topic: str, payload: str) -> Sending:
    mark = device.mark()
    return Acknowledged(device, topic, mark, device.publish(topic, payload.encode()))


def _acked_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.PUBACK, MqttEventKind.CLOSED)

"""Makes the cloud send a message to the subscription under trial, and shows that it was really sent.

If no message comes, the delivery was refused only if there was a message: a message that got lost earlier, or a silent
service, looks the same on the board.
"""

import json
from collections.abc import Callable
from typing import Literal, NamedTuple

from harness.cloud import NrfCloud, Observer
from harness.firmware import MqttDriver, MqttEvent, MqttEventKind


class Sending(NamedTuple):
    """How to see that the message was sent. ``shown_by``: in words; ``seen``: asks for this many seconds."""

    shown_by: str
    seen: Callable[[float], bool]


Trigger = Callable[[str], Sending | None]
"""Makes the cloud send a message with this nonce to the subscription under trial. None: nothing shows that it did."""


def observer_sends(observer: Observer, topic: str) -> Trigger:
    """Return a trigger: the team's MQTT device publishes on ``topic``, and receives a copy itself."""

    def send(token: str) -> Sending:
        mark = observer.timeline.mark()
        observer.publish(topic, f'{{"harness":"{token}"}}'.encode())

        def copied(timeout: float) -> bool:
            wanted = token.encode()
            found = observer.wait_message(
                lambda message: message.topic == topic and wanted in message.payload, since=mark, timeout=timeout
            )
            return found is not None

        return Sending("the observer's own copy", copied)

    return send


def device_sends(device: MqttDriver, topic: str) -> Trigger:
    """Return a trigger: the device publishes on ``topic`` itself, which is acknowledged."""
    return lambda token: _published(device, topic, f'{{"harness":"{token}"}}')


def device_asks(device: MqttDriver, device_id: str) -> Trigger:
    """Return a trigger: the device asks for its shadow.

    The PUBACK shows that it asked, not that it was answered: a shadow service that keeps silent cannot be told from an
    answer that may not be delivered. So do not expect Outcome.IGNORED of it.
    """
    return lambda token: _published(device, f"$aws/things/{device_id}/shadow/get", f'{{"clientToken":"{token}"}}')


def device_reports(device: MqttDriver, device_id: str, cloud: NrfCloud | None) -> Trigger:
    """Return a trigger: the device updates its shadow, which answers; REST device state shows the update.

    ``cloud`` None: a device outside every team, of which REST shows nothing. The PUBACK has to do, as in device_asks.
    """

    def send(token: str) -> Sending:
        report = f'{{"state":{{"reported":{{"harness":{{"trial":"{token}"}}}}}},"clientToken":"{token}"}}'
        published = _published(device, f"$aws/things/{device_id}/shadow/update", report)
        return published if cloud is None else _state(cloud, device_id, "reported", token)

    return send


def desired_changes(cloud: NrfCloud, device_id: str) -> Trigger:
    """Return a trigger: REST changes the desired state of a device of the team, of which its shadow tells."""

    def send(token: str) -> Sending:
        cloud.patch_state(device_id, desired={"harness": {"token": token}})
        return _state(cloud, device_id, "desired", token)

    return send


def _published(device: MqttDriver, topic: str, payload: str) -> Sending:
    mark = device.mark()
    taken = device.publish(topic, payload.encode())

    def acknowledged(timeout: float) -> bool:
        event = device.wait(_acked_or_closed, since=mark, timeout=timeout) if taken else None
        return event is not None and event.kind is MqttEventKind.PUBACK

    return Sending(f"the PUBACK for {topic}", acknowledged)


def _state(cloud: NrfCloud, device_id: str, part: Literal["desired", "reported"], token: str) -> Sending:
    def holds(_timeout: float) -> bool:
        # Asked once: the message was waited for before, and the shadow has it before it tells of it.
        record = cloud.device(device_id) or {}
        return token in json.dumps(record.get("state", {}).get(part, {}))

    return Sending("REST device state", holds)


def _acked_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.PUBACK, MqttEventKind.CLOSED)

"""The actions that can be tried on a connection: publish, request to a service, subscription. Frozen, without state."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.firmware import MqttDriver, MqttEvent, MqttEventKind
from harness.trial.connection import MqttConnection
from harness.trial.controls import AllowedAction
from harness.trial.facts import ActionEffect
from harness.trial.filters import takes
from harness.trial.service_answer import ServiceAnswer
from harness.trial.triggers import Sending, Trigger
from harness.trial.verdict import Unproved

Witness = Callable[[str, float], bool]
"""Tells within some seconds whether the message with this nonce arrived where it belongs, or where it does harm."""

_SCHEMA: Final = b'{"appId":"HARNESS","messageType":"DATA","data":"%NONCE%"}'
_AS_FENCED: Final = True  # the published message itself, whose fence was acknowledged


@dataclass(slots=True)
class Acted:
    """An action that was sent: on which connection, with which nonce, at which mark of the device's events.

    ``prepared``: what :meth:`PacketAction.prepare` said. ``sending``: of the message that a trigger sent.
    """

    link: MqttConnection
    nonce: str
    mark: int
    prepared: bool
    sending: Sending | None = None

    def message(self, wanted: Callable[[MqttEvent], bool]) -> MqttEvent | None:
        """Return the message that is waited for, or None. Raises Unproved when the connection ends meanwhile."""
        event = self.link.device.wait(
            lambda event: event.kind is MqttEventKind.CLOSED or wanted(event), since=self.mark, timeout=self.link.settle
        )
        if event is not None and event.kind is MqttEventKind.CLOSED:
            raise Unproved(f"the action was tolerated, and the connection ended before its effect was seen: {event}")
        return event


class PacketAction(ABC):
    """One packet that is tried between an allowed action and the same again.

    ``str()`` of it says what it does, for evidence: ``publish on prod/…/a/x (QoS 1)``.
    """

    @property
    @abstractmethod
    def rights(self) -> tuple[tuple[str, str], ...]:
        """The rights that it needs: policy actions, each with its topic."""

    @abstractmethod
    def act(self, device: MqttDriver, nonce: str) -> bool:
        """Send the packet. False: the board refused it."""

    @abstractmethod
    def effect(self, acted: Acted) -> ActionEffect:
        """See whether the action has its effect. Called if the connection stayed."""

    def prepare(self, link: MqttConnection) -> bool:
        """Do what must be done before it on the connection. False: that could not be done."""
        return True

    def reached(self, nonce: str) -> bool | None:
        """Tell, after a hang-up, whether its message reached anybody all the same. None: nobody can look."""
        return None

    @property
    def answer(self) -> MqttEventKind | None:
        """What acknowledges it, None: nothing does (QoS 0)."""
        return MqttEventKind.PUBACK

    def company(self, control: AllowedAction, delivery: AllowedAction | None) -> AllowedAction | None:
        """Return the allowed message that takes the same way as its own; None: there is none.

        ``control``: from the board to the cloud; ``delivery``: the other way.
        """
        return control

    def open(self, acted: Acted) -> bool:
        """Do what must be done before its message can be sent among others. False: that did not come about."""
        return True

    def send(self, acted: Acted) -> bool:
        """Send its message, without waiting for anything. False: the board refused it."""
        return self.act(acted.link.device, acted.nonce)

    def acknowledgements(self, messages: int) -> int:
        """Return how many PUBACKs a flight of so many messages gets."""
        return messages

    def effect_of_message(self, acted: Acted) -> ActionEffect:
        """See whether the message that was sent has its effect."""
        return self.effect(acted)

    def quieten(self, acted: Acted) -> int:
        """End what would bring other devices' messages from now on; return how many packets that took."""
        return 0


@dataclass(frozen=True, slots=True)
class PublishAction(PacketAction):
    """A PUBLISH. ``payload``: ``%NONCE%`` in it is replaced. ``witness`` None: nobody can see where it arrives."""

    topic: str
    witness: Witness | None
    payload: bytes = _SCHEMA
    qos: int = 1
    retain: bool = False

    def __str__(self) -> str:
        return f"publish on {self.topic} (QoS {self.qos}{', retain' if self.retain else ''})"

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """To publish, and to have it retained."""
        retaining = (("iot:RetainPublish", self.topic),) if self.retain else ()
        return ("iot:Publish", self.topic), *retaining

    def act(self, device: MqttDriver, nonce: str) -> bool:
        """Publish."""
        return device.publish(self.topic, _filled(self.payload, nonce), qos=self.qos, retain=self.retain)

    def effect(self, acted: Acted) -> ActionEffect:
        """Ask the witness."""
        if self.witness is None:
            return ActionEffect()
        if self.witness(acted.nonce, acted.link.settle):
            return ActionEffect(True, "the message was seen where it belongs")
        return ActionEffect(False, "the message was seen nowhere", _AS_FENCED)

    def reached(self, nonce: str) -> bool | None:
        """Ask the witness, without waiting."""
        return None if self.witness is None else self.witness(nonce, 0.0)

    @property
    def answer(self) -> MqttEventKind | None:
        """PUBACK, unless it is sent with QoS 0."""
        return MqttEventKind.PUBACK if self.qos else None

    def acknowledgements(self, messages: int) -> int:
        """One for each message, and none for its own with QoS 0."""
        return messages if self.qos else messages - 1


@dataclass(frozen=True, slots=True)
class ServiceRequest(PacketAction):
    """A publish to a service of the cloud, whose answer is the proof that it was taken."""

    topic: str
    service: ServiceAnswer

    def __str__(self) -> str:
        return f"publish on {self.topic} (QoS 1)"

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """To publish."""
        return (("iot:Publish", self.topic),)

    def prepare(self, link: MqttConnection) -> bool:
        """Subscribe to the answers, unless they come without a subscription."""
        return self.service.listen is None or link.listen(self.service.listen)

    def act(self, device: MqttDriver, nonce: str) -> bool:
        """Ask."""
        return device.publish(self.topic, _filled(self.service.payload, nonce))

    def effect(self, acted: Acted) -> ActionEffect:
        """Wait for the answer."""
        if not acted.prepared:
            return ActionEffect(
                detail=f"an answer could not be awaited, as {self.service.listen} could not be subscribed to"
            )
        event = acted.message(lambda event: self.service.shown_by(event, acted.nonce))
        if event is not None:
            return ActionEffect(True, f"it was answered on {event.topic}")
        return ActionEffect(False, f"it was not answered within {acted.link.settle:g} s", _AS_FENCED)


@dataclass(frozen=True, slots=True)
class SubscribeAction(PacketAction):
    """A SUBSCRIBE. ``trigger`` makes the cloud send a message there: receiving it is the proof, SUBACK is not.

    ``trigger`` None: nothing can be made to arrive; the verdict then rests on the fence alone and says so. Silence is a
    verdict only where the trigger can show that a message was sent.
    """

    topic_filter: str
    trigger: Trigger | None

    def __str__(self) -> str:
        return f"subscribe to {self.topic_filter} (QoS 1)"

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """To subscribe."""
        return (("iot:Subscribe", self.topic_filter),)

    def act(self, device: MqttDriver, nonce: str) -> bool:
        """Subscribe."""
        return device.subscribe(self.topic_filter)

    def effect(self, acted: Acted) -> ActionEffect:
        """Have a message sent, and wait for it."""
        if self.trigger is None:
            return ActionEffect(detail="nothing can be sent there from outside, so the fence alone shows it")
        self.send(acted)
        return self.effect_of_message(acted)

    def effect_of_message(self, acted: Acted) -> ActionEffect:
        """Wait for the message that was sent."""
        sending = acted.sending
        event = acted.message(
            # What came by another subscription proves nothing of this one.
            lambda event: acted.nonce.encode() in event.payload and takes(self.topic_filter, event.topic)
        )
        if event is not None and any(takes(older, event.topic) for older in acted.link.armed):
            return ActionEffect(None, f"a message arrived on {event.topic}, where the connection listened already")
        if event is not None:
            return ActionEffect(True, f"a message arrived on {event.topic}")
        missing = f"no message arrived within {acted.link.settle:g} s"
        if sending is None:
            return ActionEffect(False, f"{missing}, and nothing shows that one was sent")
        if not sending.seen(acted.link.settle):
            return ActionEffect(False, f"{missing}, and {sending.shown_by} does not show that one was sent", False)
        return ActionEffect(False, f"{missing}, although one was sent: {sending.shown_by} shows it", True)

    @property
    def answer(self) -> MqttEventKind | None:
        """SUBACK."""
        return MqttEventKind.SUBACK

    def company(self, control: AllowedAction, delivery: AllowedAction | None) -> AllowedAction | None:
        """Messages to the board."""
        return delivery

    def open(self, acted: Acted) -> bool:
        """Subscribe."""
        return acted.link.listen(self.topic_filter)

    def send(self, acted: Acted) -> bool:
        """Have a message sent."""
        if self.trigger is not None:
            acted.sending = self.trigger(acted.nonce)
        return True

    def acknowledgements(self, messages: int) -> int:
        """None: the messages come from elsewhere."""
        return 0

    def quieten(self, acted: Acted) -> int:
        """End the subscription, where other devices publish: their messages would fill the line to the board."""
        if not set("#+") & set(self.topic_filter):
            return 0
        device, mark = acted.link.device, acted.link.device.mark()
        if device.unsubscribe(self.topic_filter):
            device.wait(_unsubscribed_or_closed, since=mark, timeout=acted.link.patience)
        return 1


def _unsubscribed_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.UNSUBACK, MqttEventKind.CLOSED)


def _filled(template: bytes, nonce: str) -> bytes:
    return template.replace(b"%NONCE%", nonce.encode())

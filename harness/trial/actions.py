"""The actions that can be tried on a connection: publish, request to a service, subscription. Frozen, without state."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from harness.firmware import MqttDriver, MqttEvent, MqttEventKind
from harness.trial.connection import MqttConnection
from harness.trial.facts import ActionEffect
from harness.trial.service_answer import ServiceAnswer
from harness.trial.triggers import Trigger
from harness.trial.verdict import Unproved

Witness = Callable[[str, float], bool]
"""Tells within some seconds whether the message with this nonce arrived where it belongs, or where it does harm."""

_SCHEMA: Final = b'{"appId":"HARNESS","messageType":"DATA","data":"%NONCE%"}'
_AS_FENCED: Final = True  # the published message itself, whose fence was acknowledged


class Acted(NamedTuple):
    """An action that was sent: on which connection, with which nonce, at which mark of the device's events.

    ``prepared``: what :meth:`PacketAction.prepare` said.
    """

    link: MqttConnection
    nonce: str
    mark: int
    prepared: bool

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
    def listens_to(self) -> str | None:
        """The topic filter that it leaves subscribed on the connection, None: none."""
        return None


@dataclass(frozen=True, slots=True)
class Publish(PacketAction):
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
        """Ask the witness, without waiting: the allowed action that was sent after it has arrived already."""
        return None if self.witness is None else self.witness(nonce, 0.0)


@dataclass(frozen=True, slots=True)
class ServiceRequest(PacketAction):
    """A publish to a service of the cloud, whose ``answer`` is the proof that it was taken."""

    topic: str
    answer: ServiceAnswer

    def __str__(self) -> str:
        return f"publish on {self.topic} (QoS 1)"

    @property
    def rights(self) -> tuple[tuple[str, str], ...]:
        """To publish."""
        return (("iot:Publish", self.topic),)

    def prepare(self, link: MqttConnection) -> bool:
        """Subscribe to the answers, unless they come without a subscription."""
        return self.answer.listen is None or link.listen(self.answer.listen)

    def act(self, device: MqttDriver, nonce: str) -> bool:
        """Ask."""
        return device.publish(self.topic, _filled(self.answer.payload, nonce))

    def effect(self, acted: Acted) -> ActionEffect:
        """Wait for the answer."""
        if not acted.prepared:
            return ActionEffect(
                detail=f"an answer could not be awaited, as {self.answer.listen} could not be subscribed to"
            )
        event = acted.message(lambda event: self.answer.shown_by(event, acted.nonce))
        if event is not None:
            return ActionEffect(True, f"it was answered on {event.topic}")
        return ActionEffect(False, f"it was not answered within {acted.link.settle:g} s", _AS_FENCED)

    @property
    def listens_to(self) -> str | None:
        """Where the answers come."""
        return self.answer.listen


@dataclass(frozen=True, slots=True)
class Subscribe(PacketAction):
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
        sending = self.trigger(acted.nonce)
        event = acted.message(lambda event: acted.nonce.encode() in event.payload)
        if event is not None:
            return ActionEffect(True, f"a message arrived on {event.topic}")
        missing = f"no message arrived within {acted.link.settle:g} s"
        if sending is None:
            return ActionEffect(False, f"{missing}, and nothing shows that one was sent")
        if not sending.seen(acted.link.settle):
            return ActionEffect(False, f"{missing}, and {sending.shown_by} does not show that one was sent", False)
        return ActionEffect(False, f"{missing}, although one was sent: {sending.shown_by} shows it", True)

    @property
    def listens_to(self) -> str | None:
        """What it subscribes to."""
        return self.topic_filter


def _filled(template: bytes, nonce: str) -> bytes:
    return template.replace(b"%NONCE%", nonce.encode())

"""Which message can be sent to a subscription on purpose, so that its trial shows more than a connection that stays.

Shadow topics from "AWS IoT Core Developer Guide, Reserved topics"; nRF Cloud's MQTT team devices may publish everything
below their team's prefix.
"""

from enum import StrEnum
from typing import NamedTuple

from harness.policy import Membership, Names
from harness.policy.derivation.case import Request, Verb
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.mqtt_rules import possible_topic


class Source(StrEnum):
    """Who makes the message."""

    OBSERVER = "the team's MQTT device publishes it"
    ASKED = "the shadow service answers the device's question"
    REPORTED = "the shadow service answers the device's update"
    DESIRED = "the shadow service tells of a changed desired state"
    ITSELF = "the device publishes it itself"


class TriggeredMessage(NamedTuple):
    """A message that can be made to arrive on ``topic``."""

    source: Source
    topic: str

    @property
    def sent(self) -> str | None:
        """The topic of what the device publishes for it; None: it need not do anything."""
        if self.source is Source.ITSELF:
            return self.topic
        return self.topic.removesuffix("/accepted") if self.source in (Source.ASKED, Source.REPORTED) else None


def delivery(
    request: Request, membership: Membership, names: Names, expectations: Expectations
) -> TriggeredMessage | None:
    """Return a message that can arrive on the subscription of ``request`` without breaking a policy, or None.

    For Verb.SUBSCRIBE the delivery must be allowed too. For Verb.RECEIVE whether it is allowed is what the trial asks.

    ``request``: the packet. ``membership``, ``names``: of the device. ``expectations``: what the documents allow it.
    """
    source = _source(request, membership, names)
    if source is None:
        return None
    topic = "/".join("harness" if level in ("#", "+") else level for level in request.name.split("/"))
    found = TriggeredMessage(source, topic)
    if found.sent is not None and not expectations.ruling("iot:Publish", found.sent).allowed:
        return None
    if request.verb is Verb.SUBSCRIBE and not expectations.ruling("iot:Receive", topic).allowed:
        return None
    return found


def shows_sending(found: TriggeredMessage, membership: Membership) -> bool:
    """Tell whether the harness can see that the message was sent, even if it did not arrive.

    A shadow service that fails looks like one whose answer may not be delivered: both are silent. The state in REST
    shows that the service worked. But REST shows only devices of the team, and it shows no answer to a question.
    """
    return found.source is not Source.ASKED and not (
        found.source is Source.REPORTED and membership is Membership.PROVISIONED
    )


def _source(request: Request, membership: Membership, names: Names) -> Source | None:
    name, shadow = request.name, f"$aws/things/{names.device_id}/shadow"
    if name.startswith(f"prod/{names.tenant_id}/"):
        return Source.OBSERVER
    if name == f"{shadow}/get/accepted":
        return Source.ASKED
    if name == f"{shadow}/update/accepted":
        return Source.REPORTED
    if name in (f"{shadow}/update/delta", f"{names.device_id}/shadow/update/delta"):
        # REST shows and changes the team's devices only.
        return None if membership is Membership.PROVISIONED else Source.DESIRED
    # On nRF Cloud's own shadow topics nRF Cloud's rules answer, and they decide what follows from a message there.
    plain = possible_topic(name) and not name.startswith(("$", f"{names.device_id}/shadow/"))
    return Source.ITSELF if plain else None

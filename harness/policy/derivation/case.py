"""One derived trial: a packet of a device, and what the policies in force for the device decide about it.

Which packet needs which permission: "AWS IoT Core Developer Guide, AWS IoT Core policy actions" and "Retained message
policy examples". That a CONNECT with a forbidden will is refused is implied by "Lifecycle events" (connect_failed).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.policy.documents.arn import client_arn, topic_arn, topicfilter_arn
from harness.policy.documents.document import PolicyDocument
from harness.policy.evaluation.membership import Membership, Names
from harness.policy.evaluation.policy_set import CompiledPolicies, PolicySet
from harness.policy.evaluation.principal import Principal
from harness.policy.evaluation.ruling import Decision, Ruling

Check = tuple[str, str]


class Verb(StrEnum):
    """What the device does in a trial."""

    CONNECT = "connect"
    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"
    RECEIVE = "receive"  # subscribe to exactly this topic and have a message on it delivered


@dataclass(frozen=True, slots=True)
class Request:
    """A packet. ``name``: the client id, topic or topic filter; ``will``: topic of a CONNECT's will.

    ``retain``: of the message, or of the will. ``persistent``: a CONNECT without clean session.
    """

    verb: Verb
    name: str
    retain: bool = False
    will: str | None = None
    persistent: bool = False

    def checks(self, names: Names) -> tuple[Check, ...]:
        """Return the permissions that the packet needs, as (action, resource), that of its CONNECT first."""
        client_id = self.name if self.verb is Verb.CONNECT else names.device_id
        message = self.will if self.verb is Verb.CONNECT else self.name
        where = {"region": names.region, "account": names.account}
        checks = [("iot:Connect", client_arn(client_id, **where))]
        if self.verb in (Verb.SUBSCRIBE, Verb.RECEIVE):
            checks.append(("iot:Subscribe", topicfilter_arn(self.name, **where)))
        if self.verb is Verb.RECEIVE:
            checks.append(("iot:Receive", topic_arn(self.name, **where)))
        if self.verb in (Verb.CONNECT, Verb.PUBLISH) and message is not None:
            checks.append(("iot:Publish", topic_arn(message, **where)))
            if self.retain:
                checks.append(("iot:RetainPublish", topic_arn(message, **where)))
        return tuple(checks)


@dataclass(frozen=True, slots=True)
class Case:
    """A trial with its expected decision.

    ``id``: short, and the same for every board; it is also the id of the pytest case. ``template``: ``request.name``
    (for a will: its topic) with ``{device}``, ``{other_device}``, ``{tenant}``, ``{other_tenant}`` in place of names.
    ``documents``: the names of the documents in force. ``probes``: what the trial is about, in one sentence.
    ``checks``: the permissions that the packet needs. ``ruling``: on the permission that decides, which is the first
    refused one, or else the last. Cases that share a connection share one ``principal`` object.
    """

    id: str
    membership: Membership
    request: Request
    template: str
    principal: Principal
    documents: tuple[str, ...]
    probes: str
    checks: tuple[Check, ...] = field(repr=False)
    ruling: Ruling = field(compare=False, repr=False)

    @property
    def expected(self) -> Decision:
        """The decision of the policies."""
        return self.ruling.decision

    @property
    def allowed(self) -> bool:
        """Whether the policies allow it."""
        return self.ruling.allowed

    @property
    def closes(self) -> bool:
        """Whether the cloud ends the connection because of it. A refused delivery is silent."""
        return not self.allowed and self.ruling.action != "iot:Receive"

    @property
    def because(self) -> str:
        """The ruling in one sentence."""
        return self.ruling.explain()

    def __str__(self) -> str:
        return f"{self.id}: {self.probes}"


def rule(compiled: CompiledPolicies, checks: Iterable[Check]) -> Ruling:
    """Return the ruling on the first permission that is refused, else on the last."""
    for action, resource in checks:
        ruling = compiled.decide(action, resource)
        if not ruling.allowed:
            return ruling
    return ruling


def allowed_by(cases: Iterable[Case], documents: Mapping[str, PolicyDocument]) -> list[bool]:
    """Tell for each case whether ``documents`` (by name) allow it. The case may come from other documents."""
    return [refused is None for refused in refusals(cases, documents)]


def refusals(cases: Iterable[Case], documents: Mapping[str, PolicyDocument]) -> list[str | None]:
    """Return for each case the first action that ``documents`` (by name) refuse, None when they allow it."""
    asked = Refusals(documents)
    return [asked.of(case) for case in cases]


class Refusals:
    """What ``documents`` (by name) refuse. They are compiled once for each connection that cases share."""

    def __init__(self, documents: Mapping[str, PolicyDocument]) -> None:
        self._documents = documents
        self._asked: dict[tuple[int, tuple[str, ...]], _Asked] = {}

    def of(self, case: Case) -> str | None:
        """Return the first action of the case that is refused, None when it is allowed."""
        key = (id(case.principal), case.documents)
        if key not in self._asked:
            policies = PolicySet(self._documents[name] for name in case.documents)
            # It keeps the principal, so that no other one gets its id.
            self._asked[key] = _Asked(policies.compile(case.principal))
        asked = self._asked[key]
        return next((check[0] for check in case.checks if not asked[check]), None)


class _Asked(dict[Check, bool]):
    """Answers for one connection, each worked out once, because many packets need the same permission (to connect)."""

    def __init__(self, compiled: CompiledPolicies) -> None:
        self._compiled = compiled

    def __missing__(self, check: Check) -> bool:
        answer = self[check] = self._compiled.allows(*check)
        return answer

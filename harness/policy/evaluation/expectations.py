"""What the policy documents say about an action, in words: the reason that stands beside a verdict's evidence.

Documents may depend on what the harness cannot know of a connection, like ``aws:SourceIp``
(:mod:`harness.policy.evaluation.unknown_keys`). Then there is a :class:`Doubt`, and no outcome is expected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from harness.policy import (
    CompiledPolicies,
    PolicyDocument,
    PolicySet,
    Principal,
    Ruling,
    client_arn,
    keys_asked,
    readings,
    topic_arn,
    topicfilter_arn,
    unknown_keys,
)
from harness.policy.derivation.case import Check, Request, Verb
from harness.policy.evaluation.membership import Membership, Names, in_force, principal_of

_RESOURCES = {
    "iot:Connect": client_arn,
    "iot:Publish": topic_arn,
    "iot:RetainPublish": topic_arn,
    "iot:Receive": topic_arn,
    "iot:Subscribe": topicfilter_arn,
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer that depends on what the harness does not know. ``keys``: the condition keys and variables concerned.

    ``best``, ``worst``: the rulings that decide if everything unknown allows as much, or as little, as it can.
    """

    keys: tuple[str, ...]
    best: Ruling
    worst: Ruling

    def __str__(self) -> str:
        return f"{self.summary}; at best {self.best.explain()}; at worst {self.worst.explain()}"

    @property
    def summary(self) -> str:
        """What the answer depends on."""
        return f"depends on {', '.join(self.keys)}, of which the harness knows nothing"


class Expectations:
    """Policy documents, seen by one device. ``documents``: a profile, or any documents.

    ``names``: of the device, its team, and others of both. ``membership``: what the device is in its team.
    """

    def __init__(self, documents: Iterable[PolicyDocument], names: Names, membership: Membership) -> None:
        self._written = _Judge({document.name: document for document in documents}, names, membership)
        self._names = names

    def explain(self, action: str, name: str) -> str:
        """Return one sentence on ``action`` (``iot:Publish`` ...) and a topic, topic filter or client id."""
        return f"Policy: {self.reason(action, name)}."

    def reason(self, action: str, name: str) -> str:
        """Return the ruling, or the doubt, whose sentence :meth:`explain` returns."""
        asked = self._permission(action, name)
        doubt = self._doubt(asked)
        return f"{action} on {name} {doubt}" if doubt else self._written.rulings(asked)[-1].explain()

    def ruling(self, action: str, name: str) -> Ruling:
        """Return the ruling on one permission: ``action`` on a topic, topic filter or client id.

        In doubt it is the worst one, because nothing may rest on a permission that may be missing.
        """
        return self._rulings(self._permission(action, name))[-1]

    def rulings(self, request: Request) -> list[Ruling]:
        """Return the rulings on the permissions that a packet needs, CONNECT first, up to the first refusal.

        In doubt the worst ones, as in :meth:`ruling`.
        """
        return self._rulings(self._packet(request))

    def doubt(self, request: Request) -> Doubt | None:
        """Return the doubt about a packet, or None if the documents decide it."""
        return self._doubt(self._packet(request))

    def _permission(self, action: str, name: str) -> "_Asked":
        client_id = name if action == "iot:Connect" else self._names.device_id
        resource = _RESOURCES[action](name, region=self._names.region, account=self._names.account)
        return _Asked(client_id, ((action, resource),))

    def _packet(self, request: Request) -> "_Asked":
        client_id = request.name if request.verb is Verb.CONNECT else self._names.device_id
        return _Asked(client_id, request.checks(self._names), request.will, request.persistent)

    def _rulings(self, asked: "_Asked") -> list[Ruling]:
        if self._extremes is None or self._doubt(asked) is None:
            return self._written.rulings(asked)
        return self._extremes[1].rulings(asked)

    @cached_property
    def _extremes(self) -> tuple["_Judge", "_Judge"] | None:
        documents = self._written.documents.values()
        if not unknown_keys(documents):
            return None
        best, worst = (self._written.reading(reading) for reading in readings(documents))
        return best, worst

    def _doubt(self, asked: "_Asked") -> Doubt | None:
        if self._extremes is None:
            return None
        best, worst = (allowed_by.rulings(asked)[-1] for allowed_by in self._extremes)
        if _seen(best) == _seen(worst):
            return None
        return Doubt(tuple(self._written.keys(asked)), best, worst)


class _Asked(NamedTuple):
    """Permissions that one connection needs, in order."""

    client_id: str
    checks: tuple[Check, ...]
    will: str | None = None
    persistent: bool = False


class _Judge:
    """One reading of the documents, by name, for one device."""

    def __init__(self, documents: Mapping[str, PolicyDocument], names: Names, membership: Membership) -> None:
        self.documents = documents
        self._names = names
        self._membership = membership
        self._compiled: dict[tuple[str, str | None, bool], CompiledPolicies] = {}

    def reading(self, documents: Mapping[str, PolicyDocument]) -> "_Judge":
        """Return the same judge with other documents."""
        return _Judge(documents, self._names, self._membership)

    def rulings(self, asked: _Asked) -> list[Ruling]:
        """Return the rulings up to the first refusal."""
        connection = asked.client_id, asked.will, asked.persistent
        if connection not in self._compiled:
            self._compiled[connection] = PolicySet(self._in_force(asked)).compile(self._principal(asked))
        rulings: list[Ruling] = []
        for action, resource in asked.checks:
            rulings.append(self._compiled[connection].decide(action, resource))
            if not rulings[-1].allowed:
                break
        return rulings

    def keys(self, asked: _Asked) -> list[str]:
        """Return the keys of unknown value that the documents ask for, if they may matter for these permissions."""
        return keys_asked(self._in_force(asked), self._principal(asked), asked.checks)

    def _in_force(self, asked: _Asked) -> list[PolicyDocument]:
        attached = asked.client_id == self._names.device_id
        return [self.documents[name] for name in in_force(self.documents.values(), self._membership, attached=attached)]

    def _principal(self, asked: _Asked) -> Principal:
        return principal_of(
            self._membership, self._names, client_id=asked.client_id, will=asked.will, persistent=asked.persistent
        )


def _seen(ruling: Ruling) -> str:
    """Return what a device sees of a ruling. It cannot see which of its permissions made the cloud hang up."""
    if ruling.allowed:
        return "allowed"
    return ruling.action if ruling.action in ("iot:Connect", "iot:Receive") else "closed"

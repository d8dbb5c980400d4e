"""What the policy documents say of an action, in words: the reason that stands beside a verdict's evidence."""

from collections.abc import Iterable

from harness.policy import CompiledPolicies, PolicyDocument, PolicySet, Ruling, client_arn, topic_arn, topicfilter_arn
from harness.policy.case import Request, Verb
from harness.policy.subject import Kind, Names, in_force, principal_of

_RESOURCES = {
    "iot:Connect": client_arn,
    "iot:Publish": topic_arn,
    "iot:RetainPublish": topic_arn,
    "iot:Receive": topic_arn,
    "iot:Subscribe": topicfilter_arn,
}


class Expectations:
    """Policy documents, seen by one device in one standing. ``documents``: a profile, or any documents."""

    def __init__(self, documents: Iterable[PolicyDocument], names: Names, standing: Kind) -> None:
        self._documents = tuple(documents)
        self._names = names
        self._standing = standing
        self._compiled: dict[tuple[str, str | None], CompiledPolicies] = {}

    def explain(self, action: str, name: str) -> str:
        """Return one sentence on ``action`` (``iot:Publish`` ...) and a topic, topic filter or client id."""
        return f"Policy: {self.ruling(action, name).explain()}."

    def ruling(self, action: str, name: str) -> Ruling:
        """Return the ruling on one permission: ``action`` on a topic, topic filter or client id."""
        client_id = name if action == "iot:Connect" else self._names.device_id
        resource = _RESOURCES[action](name, region=self._names.region, account=self._names.account)
        return self._decide(client_id, [(action, resource)])[0]

    def rulings(self, request: Request) -> list[Ruling]:
        """Return the rulings on the permissions that a packet takes, CONNECT first, up to the first refusal."""
        client_id = request.name if request.verb is Verb.CONNECT else self._names.device_id
        rulings: list[Ruling] = []
        for ruling in self._decide(client_id, request.checks(self._names), will=request.will):
            rulings.append(ruling)
            if not ruling.allowed:
                break
        return rulings

    def _decide(self, client_id: str, checks: Iterable[tuple[str, str]], *, will: str | None = None) -> list[Ruling]:
        connection = client_id, will
        if connection not in self._compiled:
            principal = principal_of(self._standing, self._names, client_id=client_id, will=will)
            names = in_force(self._documents, self._standing, attached=client_id == self._names.device_id)
            documents = (document for document in self._documents if document.name in names)
            self._compiled[connection] = PolicySet(documents).compile(principal)
        return [self._compiled[connection].decide(action, resource) for action, resource in checks]

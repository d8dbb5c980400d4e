"""What the policy documents say of an action, in words: the reason that stands beside a verdict's evidence."""

from harness.policy import (
    PolicySet,
    Principal,
    client_arn,
    load_profile,
    topic_arn,
    topicfilter_arn,
)

_ACCOUNT = "123456789012"  # any: the documents' account and the requests' are filled in from the same value
_RESOURCES = {
    "iot:Connect": client_arn,
    "iot:Publish": topic_arn,
    "iot:RetainPublish": topic_arn,
    "iot:Subscribe": topicfilter_arn,
}


class Expectations:
    """The page's policies for one device of a team, with or without the rights that association brings."""

    def __init__(self, device_id: str, tenant_id: str, *, associated: bool) -> None:
        self._device_id = device_id
        documents = load_profile(account=_ACCOUNT)
        names = ("provisioned", "associated") if associated else ("provisioned",)
        self._policies = PolicySet([documents[name] for name in names])
        self._attributes = {"tenantId": tenant_id} if associated else {}

    def explain(self, action: str, name: str) -> str:
        """Return one sentence on ``action`` (``iot:Publish`` ...) and a topic, topic filter or client id."""
        client_id = name if action == "iot:Connect" else self._device_id
        attached = client_id == self._device_id
        principal = Principal(
            client_id=client_id,
            thing_name=client_id if attached else None,
            attached=attached,
            attributes=self._attributes if attached else {},
        )
        ruling = self._policies.compile(principal).decide(action, _RESOURCES[action](name, account=_ACCOUNT))
        return f"Policy: {ruling.explain()}."

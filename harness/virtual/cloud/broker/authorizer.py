"""Asks a client's policies, and writes every decision into the journal.

Source: AWS IoT Core Developer Guide, "AWS IoT Core policy actions", "Publish/Subscribe policy examples".
"""

from dataclasses import dataclass

from harness.policy import Ruling, client_arn, topic_arn, topicfilter_arn
from harness.settings import PolicyRefresh
from harness.virtual.cloud.broker.interfaces import Admission, Directory, Journal
from harness.virtual.mqtt import Connect, Publish, Will


@dataclass(frozen=True)
class Presented:
    """What a client told about itself: the arguments of :meth:`Directory.admit`. HTTPS has no client id."""

    certificate: bytes
    client_id: str | None
    source_ip: str
    server_name: str | None
    will_topic: str | None
    persistent: bool

    @classmethod
    def by(cls, connect: Connect, certificate: bytes, source_ip: str, server_name: str | None) -> "Presented":
        """Collect it from a CONNECT and the connection it came on.

        ``connect``: the packet. ``certificate``: the client's, DER. ``source_ip``, ``server_name``: address and SNI
        host name of the connection.
        """
        will_topic = connect.will.topic if connect.will else None
        return cls(certificate, connect.client_id, source_ip, server_name, will_topic, not connect.clean_session)


class Denial:
    """Why something is not allowed. The text is made only when it is read, because finding near misses takes long."""

    def __init__(self, reason: str | Ruling) -> None:
        self._reason = reason

    def __str__(self) -> str:
        return self._reason if isinstance(self._reason, str) else self._reason.explain()


class Authorizer:
    """The rights of one connection. Each method returns None if the action is allowed, else why it is not.

    ``presented``: what the client told about itself. ``directory``: knows its rights. ``journal``: gets every decision.
    ``policy_refresh``: see CloudSettings.
    """

    def __init__(
        self, presented: Presented, directory: Directory, journal: Journal, *, policy_refresh: PolicyRefresh
    ) -> None:
        self._presented = presented
        self._directory = directory
        self._journal = journal
        self._live = policy_refresh == "live"
        self._admit()

    @property
    def admission(self) -> Admission:
        """The directory's answer about the client."""
        return self._admission

    def refuses_connect(self) -> Denial | None:
        """Ask whether the certificate may connect at all, then for iot:Connect."""
        if self._admission.refused is not None:
            return Denial(self._admission.refused)
        return self._ask("iot:Connect", client_arn(self._presented.client_id or ""))

    def refuses_publish(self, message: Publish | Will) -> Denial | None:
        """Ask for iot:Publish, and for iot:RetainPublish too if the message is to be retained."""
        resource = topic_arn(message.topic)
        refusal = self._ask("iot:Publish", resource)
        if refusal is None and message.retain:
            refusal = self._ask("iot:RetainPublish", resource)
        return refusal

    def refuses_subscribe(self, text: str) -> Denial | None:
        """Ask for iot:Subscribe on a topic filter, which policies compare as text."""
        return self._ask("iot:Subscribe", topicfilter_arn(text))

    def refuses_receive(self, topic: str) -> Denial | None:
        """Ask for iot:Receive on a message's topic."""
        return self._ask("iot:Receive", topic_arn(topic))

    def _ask(self, action: str, resource: str) -> Denial | None:
        if self._live and self._directory.version != self._version:
            self._admit()
        ruling = None
        if self._admission.refused is None and self._admission.policies is not None:
            ruling = self._admission.policies.decide(action, resource)
        self._write(action, resource, ruling)
        if ruling is None:
            return Denial(self._admission.refused or f"no policy is attached: {action} on {resource} is not allowed")
        return None if ruling.allowed else Denial(ruling)

    def _admit(self) -> None:
        shown = self._presented
        self._version = self._directory.version
        self._admission = self._directory.admit(
            shown.certificate,
            shown.client_id,
            source_ip=shown.source_ip,
            server_name=shown.server_name,
            will_topic=shown.will_topic,
            persistent=shown.persistent,
        )

    def _write(self, action: str, resource: str, ruling: Ruling | None) -> None:
        self._journal.write(
            "authorize",
            client_id=self._presented.client_id,
            action=action,
            resource=resource,
            decision=ruling.decision.name if ruling else "IMPLICIT_DENY",
            document=ruling.document if ruling else None,
            statement=ruling.statement if ruling else None,
            pattern=ruling.pattern if ruling else None,
        )

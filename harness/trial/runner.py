"""Trials on one board's connection, as scenarios call them."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import Misuse
from harness.firmware import Login
from harness.modem import Modem
from harness.timeline import Kind, Timeline
from harness.trial.actions import PacketAction, Publish, ServiceRequest, Subscribe, Witness
from harness.trial.attempts import Attempts, TrialSubject
from harness.trial.connect_trial import Circumstances, ConnectTrial
from harness.trial.connection import MqttConnection
from harness.trial.controlled_action import ControlledAction
from harness.trial.facts import Sort
from harness.trial.phases import SOURCE, PhaseLog
from harness.trial.service_answer import ServiceAnswer
from harness.trial.triggers import Trigger
from harness.trial.verdict import Verdict


@dataclass(frozen=True, slots=True)
class TrialContext:
    """The surroundings of a trial: everything that it needs besides its action.

    ``hold``: seconds after the fence in which a late refusal still counts. ``check``: raises LabError when a process
    or port behind the trial is known to be dead. ``explain``: what the policy documents say of an action and topic.
    """

    timeline: Timeline
    hold: float
    check: Callable[[], None]
    explain: Callable[[str, str], str]
    record: Callable[[Verdict], None]


class Trials:
    """Trials on one board's link. Each call returns a verdict; :meth:`Verdict.expect` turns it into pass or fail."""

    def __init__(self, link: MqttConnection, modem: Modem, context: TrialContext) -> None:
        self._link = link
        self._modem = modem
        self._context = context
        self._attempts = Attempts(context.timeline, context.check, context.record)

    def publish(
        self, topic: str, payload: bytes | None = None, *, qos: int = 1, retain: bool = False, witness: Witness | None
    ) -> Verdict:
        """Try to publish. ``witness`` (None: nobody can look) says whether the message arrived anywhere.

        ``payload`` None: a message in nRF Cloud's schema with a nonce; otherwise ``%NONCE%`` in it is replaced.
        """
        action = Publish(topic, witness, qos=qos, retain=retain)
        return self.packet(action if payload is None else Publish(topic, witness, payload, qos, retain))

    def subscribe(self, topic_filter: str, *, trigger: Trigger | None) -> Verdict:
        """Try to subscribe. See Subscribe."""
        return self.packet(Subscribe(topic_filter, trigger))

    def request(self, topic: str, answer: ServiceAnswer) -> Verdict:
        """Try to publish a request to a service of the cloud; its ``answer`` is the proof that it was taken."""
        return self.packet(ServiceRequest(topic, answer))

    def packet(self, action: PacketAction) -> Verdict:
        """Try a packet."""
        policy = " ".join(self._context.explain(*right) for right in action.rights)
        subject = TrialSubject(str(action), Sort.PACKET, policy)
        verdict = self._run(subject, lambda acting: acting.packet(action))
        if action.listens_to is not None:
            self._link.stop_listening(action.listens_to)
        return verdict

    def connect(self, login: Login, *, difference: str, during: Circumstances | None = None) -> Verdict:
        """Try to connect with another ``login`` than the link's own, or under other circumstances.

        ``difference`` says in words what differs. ``during`` brings the circumstances about (another certificate on the
        board, say) and takes them away again; it must leave the modem registered on both ways.
        """
        if login == self._link.login and during is None:
            raise Misuse("a connect trial needs another login than the link's own, or other circumstances")
        action = ConnectTrial(login, difference, during)
        policy = self._context.explain("iot:Connect", login.client_id)
        return self._run(
            TrialSubject(str(action), Sort.CONNECT, policy, difference), lambda acting: acting.connect(action)
        )

    def verify_connection(self) -> Verdict:
        """Connect with the link's own login and see the allowed action work."""
        client_id = self._link.login.client_id
        policy = self._context.explain("iot:Connect", client_id)
        return self._run(
            TrialSubject(f"connect as {client_id}", Sort.OWN_CONNECT, policy), ControlledAction.own_connect
        )

    def ensure_connected(self) -> None:
        """Be connected, for set-up that a trial needs (a subscription, say). Raises NotConnected."""
        self._link.ensure()

    def _run(self, subject: TrialSubject, act: Callable[[ControlledAction], None]) -> Verdict:
        def attempt(log: PhaseLog) -> None:
            self._be_registered()
            act(ControlledAction(self._link, self._modem, self._context.hold, log))

        return self._attempts.run(subject, attempt)

    def _be_registered(self) -> None:
        """Register a modem that an earlier trial or test left unregistered: it restarted, or lost the network."""
        if self._modem.registration().registered:
            return
        self._context.timeline.add(Kind.FAULT, SOURCE, "the modem is not registered: registering it before the trial")
        self._modem.prepare()
        self._modem.register()
        self._link.disconnect()

"""Runs trials: an action with its controls, on one connection.

Order on the wire: the allowed action (baseline), the action in question, the allowed action again (the *fence*). MQTT
keeps the order, so an acknowledged fence proves that the action before it was tolerated, and a hang-up without it that
it was not: no window has to be waited for. After a hang-up the lab is questioned: still registered? nothing restarted?
do the same credentials connect again, and does the allowed action work again? did the message reach anybody?
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from harness.at import AtPort
from harness.errors import BoardLost, CloudUnreachable, LabError, Misuse, NotRegistered
from harness.firmware import Login, MqttEvent, MqttEventKind
from harness.modem import Modem
from harness.timeline import Kind, Timeline
from harness.trial.connecting import Circumstances, Connecting
from harness.trial.connection import MqttConnection, NotConnected, nonce
from harness.trial.network import NetworkWatch
from harness.trial.service_answer import ServiceAnswer
from harness.trial.triggers import Trigger
from harness.trial.verdict import LAB_OUTCOMES, Facts, Outcome, Unproved, Verdict, judge

MAX_ATTEMPTS = 2
"""An inconclusive trial is run once more; the count stands in the verdict."""

Witness = Callable[[str, float], bool]
"""Says within so many seconds whether the message with this nonce arrived where it belongs, or where it does harm."""


class _Effect(NamedTuple):
    """Whether it was seen, None: nobody could look; in words; and where it was not: whether there was a message."""

    seen: bool | None
    detail: str = ""
    message_sent: bool | None = None


_NOT_LOOKED_AT: Final = _Effect(None)
_AS_FENCED: Final = True  # what is published is the message itself, and the fence behind it was acknowledged


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What a trial asks about everything but its action.

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

    def __init__(self, link: MqttConnection, modem: Modem, port: AtPort, context: TrialContext) -> None:
        self._link = link
        self._modem = modem
        self._port = port
        self._context = context
        self._connecting = Connecting(link, modem, port, context.explain)

    def publish(
        self, topic: str, payload: bytes | None = None, *, qos: int = 1, retain: bool = False, witness: Witness | None
    ) -> Verdict:
        """Try to publish. ``witness`` (None: nobody can look) says whether the message arrived anywhere.

        ``payload`` None: a message in nRF Cloud's schema with a nonce; otherwise ``%NONCE%`` in it is replaced.
        """
        action = f"publish on {topic} (QoS {qos}{', retain' if retain else ''})"
        template = payload if payload is not None else b'{"appId":"HARNESS","messageType":"DATA","data":"%NONCE%"}'

        def act(token: str) -> bool:
            return self._link.device.publish(
                topic, template.replace(b"%NONCE%", token.encode()), qos=qos, retain=retain
            )

        def effect(token: str, _mark: int) -> _Effect:
            if witness is None:
                return _NOT_LOOKED_AT
            if witness(token, self._link.settle):
                return _Effect(True, "the message was seen where it belongs")
            return _Effect(False, "the message was seen nowhere", _AS_FENCED)

        policy = self._context.explain("iot:Publish", topic)
        if retain:
            policy += " " + self._context.explain("iot:RetainPublish", topic)
        return self._run(action, act, effect, witness, policy)

    def subscribe(self, topic_filter: str, *, trigger: Trigger | None) -> Verdict:
        """Try to subscribe. ``trigger`` makes the cloud send a message there: receiving it is the proof, SUBACK is not.

        ``trigger`` None: nothing can be made to arrive; the verdict then rests on the fence alone and says so. Silence
        is a verdict only where the trigger can show that a message was sent.
        """
        action = f"subscribe to {topic_filter} (QoS 1)"
        device = self._link.device

        def act(_token: str) -> bool:
            return device.subscribe(topic_filter)

        def effect(token: str, mark: int) -> _Effect:
            if trigger is None:
                return _Effect(None, "nothing can be sent there from outside, so the fence alone shows it")
            sending = trigger(token)
            event = self._awaited(lambda event: token.encode() in event.payload, mark)
            if event is not None:
                return _Effect(True, f"a message arrived on {event.topic}")
            missing = f"no message arrived within {self._link.settle:g} s"
            if sending is None:
                return _Effect(False, f"{missing}, and nothing shows that one was sent")
            if not sending.seen(self._link.settle):
                return _Effect(False, f"{missing}, and {sending.shown_by} does not show that one was sent", False)
            return _Effect(False, f"{missing}, although one was sent: {sending.shown_by} shows it", True)

        verdict = self._run(action, act, effect, None, self._context.explain("iot:Subscribe", topic_filter))
        self._unsubscribe(topic_filter)
        return verdict

    def request(self, topic: str, answer: ServiceAnswer) -> Verdict:
        """Try to publish a request to a service of the cloud; its ``answer`` is the proof that it was taken."""
        action = f"publish on {topic} (QoS 1)"
        device = self._link.device
        listening = False

        def prepare() -> None:
            nonlocal listening
            listening = answer.listen is None or self._listens_to(answer.listen)

        def act(token: str) -> bool:
            return device.publish(topic, answer.payload.replace(b"%NONCE%", token.encode()))

        def effect(token: str, mark: int) -> _Effect:
            if not listening:
                return _Effect(None, f"an answer could not be awaited, as {answer.listen} could not be subscribed to")
            event = self._awaited(lambda event: answer.shown_by(event, token), mark)
            if event is not None:
                return _Effect(True, f"it was answered on {event.topic}")
            return _Effect(False, f"it was not answered within {self._link.settle:g} s", _AS_FENCED)

        policy = self._context.explain("iot:Publish", topic)
        verdict = self._run(action, act, effect, None, policy, prepare)
        if answer.listen is not None:
            self._unsubscribe(answer.listen)
        return verdict

    def _awaited(self, wanted: Callable[[MqttEvent], bool], mark: int) -> MqttEvent | None:
        """Return the message that is waited for, or None. Raises Unproved when the connection ends meanwhile."""
        event = self._link.device.wait(
            lambda event: event.kind is MqttEventKind.CLOSED or wanted(event), since=mark, timeout=self._link.settle
        )
        if event is not None and event.kind is MqttEventKind.CLOSED:
            raise Unproved(f"the action was tolerated, and the connection ended before its effect was seen: {event}")
        return event

    def _listens_to(self, topic_filter: str) -> bool:
        device = self._link.device
        mark = device.mark()
        if not device.subscribe(topic_filter):
            return False
        event = device.wait(_subscribed_or_closed, since=mark, timeout=self._link.patience)
        return event is not None and event.kind is MqttEventKind.SUBACK

    def _unsubscribe(self, topic_filter: str) -> None:
        # AWS IoT Core quotas: 50 subscriptions on a connection. One more is hung up on like a violation.
        device = self._link.device
        if self._link.connected and topic_filter not in self._link.listens_to:
            mark = device.mark()
            if device.unsubscribe(topic_filter):
                device.wait(_unsubscribed_or_closed, since=mark, timeout=self._link.patience)

    def connect(self, login: Login, *, difference: str, during: Circumstances | None = None) -> Verdict:
        """Try to connect with another ``login`` than the link's own, or under other circumstances.

        ``difference`` says in words what differs. ``during`` brings the circumstances about (another certificate on the
        board, say) and takes them away again; it must leave the modem registered on both ways.
        """
        if login == self._link.login and during is None:
            raise Misuse("a connect trial needs another login than the link's own, or other circumstances")
        action = f"connect as {login.client_id} ({difference})"
        policy = self._context.explain("iot:Connect", login.client_id)
        return self._repeated(action, lambda: self._connecting.with_another(action, login, difference, during, policy))

    def ensure_connected(self) -> None:
        """Be connected, for set-up that a trial needs (a subscription, say). Raises NotConnected."""
        self._link.ensure()

    def verify_connection(self) -> Verdict:
        """Connect with the link's own login and see the allowed action work."""
        action = f"connect as {self._link.login.client_id}"
        return self._repeated(action, lambda: self._connecting.verify(action))

    def _run(
        self,
        action: str,
        act: Callable[[str], bool],
        effect: Callable[[str, int], _Effect],
        witness: Witness | None,
        policy: str,
        prepare: Callable[[], None] = lambda: None,
    ) -> Verdict:
        def once() -> Verdict:
            facts = self._gather(action, act, effect, witness, policy, prepare)
            outcome, evidence = judge(facts)
            return Verdict(outcome, action, evidence, effect=facts.effect)

        return self._repeated(action, once)

    def _repeated(self, action: str, once: Callable[[], Verdict]) -> Verdict:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            self._step(f"attempt {attempt}: {action}")
            mark = self._link.device.mark()
            try:
                self._be_registered()
                verdict = once()
            except NotRegistered as error:
                verdict = Verdict(Outcome.NETWORK_LOST, action, str(error))
            except BoardLost as error:
                verdict = Verdict(Outcome.BOARD_LOST, action, str(error))
            except CloudUnreachable as error:
                verdict = Verdict(Outcome.CLOUD_LOST, action, str(error))
            except LabError as error:
                verdict = Verdict(Outcome.INCONCLUSIVE, action, str(error))
            verdict = replace(self._with_known_cause(verdict, mark), attempts=attempt)
            self._step(f"verdict: {verdict.outcome}. {verdict.evidence}")
            if verdict.outcome not in (Outcome.INCONCLUSIVE, Outcome.NETWORK_LOST):
                break
        self._context.record(verdict)
        return verdict

    def _gather(
        self,
        action: str,
        act: Callable[[str], bool],
        effect: Callable[[str, int], _Effect],
        witness: Witness | None,
        policy: str,
        prepare: Callable[[], None],
    ) -> Facts:
        link, device = self._link, self._link.device
        link.ensure()
        prepare()
        link.ensure()
        with NetworkWatch(self._port) as network:
            baseline = link.run()
            facts = Facts(action, link.action.description, baseline, policy=policy)
            if not baseline.ok:
                return self._questioned(facts, network, device.mark())
            token = nonce()
            mark = device.mark()
            started = time.monotonic()
            facts = replace(facts, sent=act(token))
            if facts.sent:
                facts = replace(facts, fence=link.run())
            hang_up = self._hang_up(mark, facts)
            if hang_up is None:
                found = effect(token, mark) if facts.fence and facts.fence.ok else _NOT_LOOKED_AT
                facts = replace(facts, effect=found.seen, effect_detail=found.detail, message_sent=found.message_sent)
                return self._questioned(facts, network, mark)
            facts = replace(facts, hang_up=-hang_up.result, hang_up_after=hang_up.t - started)
            facts = self._questioned(facts, network, mark)
            facts = self._after_hang_up(facts)
        if witness is not None and facts.after is not None and facts.after.ok:
            # No waiting: the control that was sent after it has arrived already.
            facts = replace(facts, reached=witness(token, 0.0))
        return facts

    def _be_registered(self) -> None:
        """Register a modem that an earlier trial or test left unregistered: it restarted, or lost the network."""
        if self._modem.registration().registered:
            return
        self._context.timeline.add(Kind.FAULT, "trial", "the modem is not registered: it is made so before the trial")
        self._modem.prepare()
        self._modem.register()
        self._link.disconnect()

    def _hang_up(self, mark: int, facts: Facts) -> MqttEvent | None:
        settled = facts.fence is not None and facts.fence.ok
        return self._link.device.wait(
            lambda event: event.kind is MqttEventKind.CLOSED,
            since=mark,
            timeout=self._context.hold if settled else self._link.patience,
        )

    def _questioned(self, facts: Facts, network: NetworkWatch, mark: int) -> Facts:
        """Add what the modem and the board say about themselves."""
        registration = self._modem.registration()
        return replace(
            facts,
            registered=registration.text if registration.registered else None,
            network_loss=network.loss(),
            restarted=self._link.device.restarted(mark),
        )

    def _after_hang_up(self, facts: Facts) -> Facts:
        if facts.network_loss or facts.restarted:
            return facts
        try:
            self._link.reconnect()
            return replace(facts, after=self._link.run())
        except NotConnected as error:
            return replace(facts, reconnect_error=str(error))

    def _with_known_cause(self, verdict: Verdict, mark: int) -> Verdict:
        """Return a verdict that blames a dead process, or a restart since ``mark``, where it proved nothing else."""
        if verdict.outcome not in LAB_OUTCOMES:
            return verdict
        # A board that is booting does not answer, so the trial may have ended before it could ask for this.
        restarted = self._link.device.restarted(mark)
        if restarted is not None:
            because = f"The board restarted or its modem failed during the trial: {restarted!r}."
            return replace(verdict, outcome=Outcome.MODEM_RESET, evidence=f"{because} {verdict.evidence}")
        try:
            self._context.check()
        except BoardLost as cause:
            return replace(verdict, outcome=Outcome.BOARD_LOST, evidence=f"{cause}. {verdict.evidence}")
        except CloudUnreachable as cause:
            return replace(verdict, outcome=Outcome.CLOUD_LOST, evidence=f"{cause}. {verdict.evidence}")
        return verdict

    def _step(self, text: str) -> None:
        self._context.timeline.add(Kind.STEP, "trial", text)


def _subscribed_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.SUBACK, MqttEventKind.CLOSED)


def _unsubscribed_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.UNSUBACK, MqttEventKind.CLOSED)

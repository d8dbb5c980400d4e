"""Trials on one board's connection, as scenarios call them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from harness.errors import LabError, Misuse
from harness.firmware import Login
from harness.modem import Modem
from harness.timeline import Kind, Timeline
from harness.trial.actions import PacketAction, PublishAction, ServiceRequest, SubscribeAction, Witness
from harness.trial.attempt_facts import facts_of
from harness.trial.attempts import Acting, Attempts, TrialSubject
from harness.trial.connect_trial import Circumstances, ConnectTrial
from harness.trial.connection import MqttConnection
from harness.trial.controls import AllowedAction
from harness.trial.experiment import (
    Conclusion,
    ExperimentResult,
    ExperimentRule,
    Grouping,
    Night,
    Observation,
    Plan,
    Subject,
)
from harness.trial.experiment.rule import LATEST
from harness.trial.facts import Attempt, Sort
from harness.trial.not_connected import NotConnected
from harness.trial.phases import SOURCE, Phase, PhaseLog
from harness.trial.questions import ask_modem
from harness.trial.service_answer import ServiceAnswer
from harness.trial.sham import AllowedTopics, Sham, shams_for
from harness.trial.triggers import Trigger
from harness.trial.verdict import Verdict
from harness.trial.wire.carried_experiment import Runner, Setup, carry_out
from harness.trial.wire.experiment_verdict import CONTROL, judged
from harness.trial.wire.group_verdict import Shared, control_of, judged_group
from harness.trial.wire.login_runner import ControlConnect, LoginRunner, OwnLoginRunner
from harness.trial.wire.plan_observation import Refs
from harness.trial.wire.plan_runner import PlanRunner
from harness.trial.wire.step_context import AskWitness, Tried


@dataclass(frozen=True, slots=True)
class TrialContext:
    """The surroundings of a trial: everything that it needs besides its action.

    ``rule``: the bound, the hold and so on. ``night``: what is remembered of the board's link. ``topics``: what shams
    are made of. ``delivery``: an allowed message to the board. ``check``: raises LabError when a process or port behind
    the trial is known to be dead. ``explain``: what the policy documents say of an action and topic. ``witnesses``: who
    is asked after a hang-up at the action, before the board connects again, by name. ``begin``: called before each
    experiment on a packet; ``found``: gets its result. ``listen``: called with each topic that an action is about to
    publish on, so that whoever may see it hears it. ``control_connect``: what the own login is compared with where it
    is refused without a word; None: the firmware cannot do that. ``settled``: asked behind the last hang-up of a proved
    refusal; it waits until no message can be on its way any more. None: none comes late.
    """

    timeline: Timeline
    rule: ExperimentRule
    night: Night
    topics: AllowedTopics
    delivery: AllowedAction | None
    check: Callable[[], None]
    explain: Callable[[str, str], str]
    record: Callable[[Verdict], None]
    witnesses: Mapping[str, AskWitness] = field(default_factory=dict)
    begin: Callable[[], None] = lambda: None
    found: Callable[[ExperimentResult], None] = lambda _result: None
    listen: Callable[[str], None] = lambda _topic: None
    control_connect: ControlConnect | None = None
    settled: AskWitness | None = None


class Trials:
    """Trials on one board's ``link``. Each call returns a verdict; :meth:`Verdict.expect` turns it into pass or fail.

    ``modem``: the board's, asked whether it is registered. ``context``: everything else that a trial needs.
    """

    def __init__(self, link: MqttConnection, modem: Modem, context: TrialContext) -> None:
        self._link = link
        self._modem = modem
        self._context = context
        self._attempts = Attempts(context.timeline, context.check, context.record)
        self._listening: list[str] = []

    def publish(
        self, topic: str, payload: bytes | None = None, *, qos: int = 1, retain: bool = False, witness: Witness | None
    ) -> Verdict:
        """Try to publish on ``topic``. ``witness`` (None: nobody can look) says whether the message arrived anywhere.

        ``qos``: 0, 1 or 2. ``retain``: whether the broker is asked to keep the message.
        ``payload`` None: a message in nRF Cloud's schema with a nonce; otherwise ``%NONCE%`` in it is replaced.
        """
        action = PublishAction(topic, witness, qos=qos, retain=retain)
        return self.packet(action if payload is None else PublishAction(topic, witness, payload, qos, retain))

    def subscribe(self, topic_filter: str, *, trigger: Trigger | None) -> Verdict:
        """Try to subscribe. See SubscribeAction."""
        return self.packet(SubscribeAction(topic_filter, trigger))

    def request(self, topic: str, answer: ServiceAnswer) -> Verdict:
        """Try to publish a request to a service of the cloud; its ``answer`` is the proof that it was taken."""
        return self.packet(ServiceRequest(topic, answer))

    def listen(self, topic_filter: str) -> None:
        """Have this subscribed to on every connection of the trials to come: an answer must be heard there.

        Raises NotConnected.
        """
        self._link.ensure()
        if not self._link.listen(topic_filter):
            self._link.doubt()
            raise NotConnected(f"{topic_filter} could not be subscribed to: nothing can be proved without the answer")
        self._listening.append(topic_filter)

    def packet(self, action: PacketAction) -> Verdict:
        """Try a packet."""
        context = self._context
        policy = " ".join(context.explain(*right) for right in action.rights)
        sham = self._sham(action)
        about = Subject(str(action), *(() if sham is None else (str(sham.action), sham.differs)))
        # A hang-up in its group may have been its late refusal, so it is watched for longer than that took: each time,
        # as its test may be run again.
        rule = replace(context.rule, hold=max(context.rule.hold, context.night.watch.get(str(action), 0.0)))
        setup = partial(Setup, "action", about, rule, context.night)

        def act(log: PhaseLog, acting: Acting) -> None:
            tried = Tried([action], sham.action if sham else None, tuple(self._listening), context.delivery)
            runner = PlanRunner(self._link, self._modem, log, tried, context.night, context.witnesses)
            self._listen_for(action)
            context.begin()
            settled = context.settled
            later = (lambda: False) if settled is None else partial(runner.delivered_later, settled)
            self._carry_out(setup(), runner, acting, delivered=later)
            acting.effect = runner.effect

        return self._attempts.run(
            TrialSubject(str(action), Sort.PACKET, policy, experiment=lambda: setup().as_data()), act
        )

    def connect(self, login: Login, *, difference: str, during: Circumstances | None = None) -> Verdict:
        """Try to connect with another ``login`` than the link's own, or under other circumstances.

        ``difference`` says in words what differs. ``during`` brings the circumstances about (another certificate on the
        board, say) and takes them away again; it must leave the modem registered on both ways. They stay for several
        attempts where the coin falls so, and for all where the login uses another sec_tag than the link's own.
        """
        if login == self._link.login and during is None:
            raise Misuse("a connect trial needs another login than the link's own, or other circumstances")
        action = ConnectTrial(login, difference, during)
        context = self._context
        policy = context.explain("iot:Connect", login.client_id)
        setup = partial(
            Setup, "login", Subject(str(action), "the right login", difference), context.rule, context.night
        )

        def act(log: PhaseLog, acting: Acting) -> None:
            self._be_registered()
            self._link.disconnect()
            runner = LoginRunner(self._link, self._modem, log, action)
            with runner.around():
                self._carry_out(setup(), runner, acting)

        subject = TrialSubject(str(action), Sort.CONNECT, policy, difference, experiment=lambda: setup().as_data())
        return self._attempts.run(subject, act)

    def verify_connection(self) -> Verdict:
        """Connect with the link's own login and see the allowed action work."""
        context, client_id = self._context, self._link.login.client_id
        action, policy = f"connect as {client_id}", context.explain("iot:Connect", client_id)
        about = Subject(action, CONTROL, "the version of MQTT")
        setup = partial(Setup, "login", about, context.rule, context.night)
        told = None if context.control_connect is None else lambda: setup().as_data()
        subject = TrialSubject(action, Sort.OWN_CONNECT, policy, experiment=told)
        return self._attempts.run(subject, partial(self._own_connect, setup))

    def ensure_connected(self) -> None:
        """Be connected, for set-up that a trial needs. Raises NotConnected."""
        self._link.ensure()

    def group(self, actions: Sequence[PacketAction]) -> list[Shared | None]:
        """Try actions that are expected to be allowed, several on a connection and with one hold.

        Returns what each showed; None: nothing yet, it must be tried alone. Nobody is blamed for a hang-up here.
        """
        context = self._context
        text = f"{len(actions)} allowed actions on shared connections"
        setup = partial(Setup, "group", Subject(text), context.rule, context.night, len(actions))
        found: list[Shared | None] = [None] * len(actions)

        def act(log: PhaseLog, acting: Acting) -> None:
            tried = Tried(actions, None, tuple(self._listening))
            runner = PlanRunner(self._link, self._modem, log, tried, context.night, {})
            self._listen_for(*actions)
            carried = carry_out(setup(), runner.do)
            acting.finish = partial(judged_group, carried)
            control, grouping = control_of(log.events()), carried.result
            assert isinstance(grouping, Grouping)  # noqa: S101 - for the type checker
            context.night.watch |= {str(actions[number]): seconds for number, seconds in grouping.watch.items()}
            for number in grouping.tolerated:
                effect = runner.effect_of(number)
                ended = number in grouping.outlived
                stayed = max(context.rule.hold, LATEST) if ended else context.rule.hold
                found[number] = Shared(log.number["trial"], len(actions), stayed, control, effect, ended)

        attempts = Attempts(context.timeline, context.check, lambda _verdict: None)
        attempts.run(TrialSubject(text, Sort.GROUP, most=1, experiment=lambda: setup().as_data()), act)
        return found

    def shared(self, action: PacketAction, found: Shared) -> Verdict:
        """Return the verdict on an action that was tried in a group, written down as a trial of this test."""
        policy = " ".join(self._context.explain(*right) for right in action.rights)

        def act(log: PhaseLog, acting: Acting) -> None:
            acting.finish = lambda _events: found.judgement(policy)
            acting.effect = found.effect.seen

        return self._attempts.run(TrialSubject(str(action), Sort.PACKET, policy, group=found.trial), act)

    def _sham(self, action: PacketAction) -> Sham | None:
        """Return the sham most like ``action`` that the cloud takes; None: the allowed action has to do."""
        shams = shams_for(action, self._context.topics)
        try:
            self._be_registered()
            return next((sham for sham in shams if self._link.takes(sham)), None)
        except LabError:  # the trial meets the same, and says so
            return next(iter(shams), None)

    def _listen_for(self, *actions: PacketAction) -> None:
        for action in actions:
            if isinstance(action, PublishAction | ServiceRequest):
                self._context.listen(action.topic)

    def _carry_out(
        self, setup: Setup, runner: Runner, acting: Acting, delivered: Callable[[], bool] = lambda: False
    ) -> None:
        """Carry an experiment out. ``delivered``: tells of a proved hang-up whether a message came all the same."""

        def staking(plan: Plan, about: Mapping[str, Any]) -> tuple[Observation, Refs]:
            acting.staked = acting.staked or bool(about["draws"])
            return runner.do(plan, about)

        carried = carry_out(setup, staking)
        acting.finish = partial(judged, carried)
        if isinstance(carried.result, ExperimentResult):
            if carried.result.conclusion is Conclusion.POLICY_DISCONNECT and delivered():
                return
            acting.proved = carried.result.conclusion is not Conclusion.INCONCLUSIVE
            acting.accepted = carried.result.conclusion is Conclusion.TOLERATED
            self._context.found(carried.result)

    def _own_connect(self, setup: Callable[[], Setup], log: PhaseLog, acting: Acting) -> None:
        """Connect with the link's own login, and run the allowed action.

        A login that was refused is tried by turns with what any cloud answers on a good link.
        """
        self._be_registered()
        self._link.forget()
        first, control = self._try(log), self._context.control_connect
        if first.refused and control is not None:
            runner = OwnLoginRunner(self._link, self._modem, log, control, first.seconds)
            self._carry_out(setup(), runner, acting)
            if not acting.accepted:
                return
            # What it proved is that the login is let in: the allowed action is to be seen too.
            acting.finish, acting.proved = None, False
        elif first.refused:
            self._try(log)
        ask_modem(self._modem, log)
        facts = facts_of(log.events())
        if not facts.refused_twice and not (control is None and facts.closed_twice):
            with log.phase(Phase.CONNECT) as found:
                self._link.ensure()
                found["control"] = self._link.action.description

    def _try(self, log: PhaseLog) -> Attempt:
        with log.phase(Phase.ACTION) as found:
            attempt = self._link.attempt(self._link.login)
            found |= asdict(attempt)
        return attempt

    def _be_registered(self) -> None:
        """Register a modem that an earlier trial or test left unregistered: it restarted, or lost the network."""
        if self._modem.registration().registered:
            return
        self._context.timeline.add(Kind.FAULT, SOURCE, "the modem is not registered: registering it before the trial")
        self._modem.prepare()
        self._modem.register()
        self._link.disconnect()

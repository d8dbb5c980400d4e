"""Carries out an experiment's plans on a board's connection, and writes to the timeline what it does.

It decides nothing. Whether a step was answered, or the connection ended, is read from the events
(:mod:`harness.trial.wire.observation_of`), here as later from a file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from harness.firmware import MqttDriver, MqttEvent, MqttEventKind
from harness.modem import Modem
from harness.timeline import Kind
from harness.trial.actions import Acted, PacketAction
from harness.trial.connection import MqttConnection, nonce
from harness.trial.controls import CHASER, AllowedAction
from harness.trial.experiment import Do, Night, Observation, Plan, Saw, Step, StepConnection
from harness.trial.facts import ActionEffect
from harness.trial.not_connected import NotConnected, NothingAllowed
from harness.trial.phases import LATE, SOURCE, Phase, PhaseLog
from harness.trial.questions import ask_modem
from harness.trial.verdict import Unproved
from harness.trial.wire.observation_of import Refs, observation_of, step_of

AskWitness = Callable[[], Mapping[str, Any]]
"""Asks somebody else why the board was hung up on, and returns what it says, ready for JSON. Raises LabError."""

_PHASES: Final = {
    Do.BASELINE: Phase.BASELINE,
    Do.SHAM: Phase.SHAM,
    Do.ACTION: Phase.ACTION,
    Do.FENCE: Phase.FENCE,
    Do.EFFECT: Phase.EFFECT,
    Do.IDLE: Phase.HOLD,
    Do.FLIGHT: Phase.FLIGHT,
    Do.PAUSE: Phase.PAUSE,
}
_NO_ANSWER: Final = "fence"  # a QoS 0 message has none: the fence behind it is awaited instead


@dataclass(frozen=True, slots=True)
class Tried:
    """What an experiment is about. ``actions``: one, or those of a group; ``sham``: an allowed one of its shape, None:
    the allowed action of the connection has to do.

    ``listening``: topic filters that the test needs on every connection. ``delivery``: an allowed message to the board,
    for rounds about a subscription; None: there is none.
    """

    actions: Sequence[PacketAction]
    sham: PacketAction | None
    listening: Sequence[str] = ()
    delivery: AllowedAction | None = None


@dataclass(slots=True)
class _State:
    """What one plan leaves for the next. ``unheard``: how often an action's answer could not be awaited.

    ``unseen``: nonces of messages that had reached nobody when the board was hung up on.
    """

    acted: dict[int, Acted] = field(default_factory=dict)
    unheard: int = 0
    effects: dict[int, ActionEffect] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)


class PlanRunner:
    """Carries out plans on ``link``. ``pause``: lets seconds pass with no connection.

    ``witnesses``: who is asked after a hang-up at the action, before the board connects again, by name.
    """

    def __init__(
        self,
        link: MqttConnection,
        modem: Modem,
        log: PhaseLog,
        tried: Tried,
        night: Night,
        witnesses: Mapping[str, AskWitness],
    ) -> None:
        self._link = link
        self._modem = modem
        self._log = log
        self._tried = tried
        self._night = night
        self._witnesses = witnesses
        self._state = _State()
        self._mark = 0  # an end of the connection from here on belongs to the plan; none has come before

    @property
    def effect(self) -> bool | None:
        """Whether the action's effect was seen when it was looked for last; None: nobody could look."""
        return self.effect_of(0).seen

    def effect_of(self, action: int) -> ActionEffect:
        """Return the effect of one action of a group."""
        return self._state.effects.get(action, ActionEffect())

    def do(self, plan: Plan, about: Mapping[str, Any]) -> tuple[Observation, Refs]:
        """Carry out ``plan`` and return what was seen. ``about``: what else the timeline is told of it.

        Raises LabError: the lab's trouble.
        """
        link, wanted = self._link, plan.connection
        kept = wanted is StepConnection.SAME or (wanted is StepConnection.CLEAN and link.clean)
        about = {
            **about,
            "since": link.since,
            "packets": link.packets if kept else 0,
            "byte_seconds": link.byte_seconds,
        }
        if wanted is StepConnection.SAME and not link.connected:
            about["closed"] = True
        ready = wanted in (StepConnection.SAME, StepConnection.NONE) or (kept and link.used_by is self)
        with self._log.phase(Phase.PLAN, plan.name, **plan.as_data(), **about):
            first = self._log.begun
            if not about.get("closed") and (ready or self._connect(new=not kept)):
                self._mark = link.device.mark()
                self._steps(plan, first)
        return observation_of(self._log.since(first))

    def delivered_later(self, settled: AskWitness) -> bool:
        """Tell whether a message of a hang-up has reached anybody after all, once none can still be on its way.

        ``settled``: waits until then. Raises LabError: nobody could look.
        """
        if not self._state.unseen:
            return False
        with self._log.phase(Phase.DELIVERY, "looking once more") as found:
            found |= settled()
            action = self._tried.actions[0]
            found[LATE] = sum(bool(action.reached(token)) for token in self._state.unseen)
        return bool(found[LATE])

    def _connect(self, *, new: bool) -> bool:
        """Have a connection with everything on it that the action needs. False: it did not come up.

        ``new`` False: the one that there is was left by the trial before.
        """
        link = self._link
        with self._log.phase(Phase.CONNECT) as found:
            try:
                if new:
                    self._be_registered()
                    link.fresh()
                for topic_filter in self._tried.listening:
                    if not link.listen(topic_filter):
                        raise NotConnected(f"connected, but {topic_filter} could not be subscribed to")
                self._prepare()
            except NothingAllowed:
                raise
            except NotConnected as error:
                link.doubt()
                found["error"] = str(error)
                return False
            link.used_by = self
            found |= {"opened": new, "since": link.since, "control": link.action.description}
        return True

    def _be_registered(self) -> None:
        """Register a modem that is not registered: an earlier test left it so, or the network went away."""
        if not self._modem.registration().registered:
            self._log.add(Kind.FAULT, SOURCE, "the modem is not registered: registering it before the trial")
            self._modem.prepare()
            self._modem.register()

    def _prepare(self) -> None:
        """Do what the actions need before them. What may not be listened to twice is left: it cannot be heard."""
        for action in self._tried.actions:
            if self._state.unheard < 2 and not action.prepare(self._link):
                self._state.unheard += 1
                raise NotConnected(f"connected, but {action} could not be prepared")

    def _steps(self, plan: Plan, first: int) -> None:
        for number, step in enumerate(plan.steps):
            self._step(number, step, plan)
            done = step_of(self._log.since(first))
            if done is None or done.saw in (Saw.CLOSED, Saw.PASSED, Saw.NOTHING):
                self._ended(step, closed=done is not None and done.saw is not Saw.NOTHING)
                return
        if self._log.restarted():
            self._ask()

    def _step(self, number: int, step: Step, plan: Plan) -> None:
        match step.do:
            case Do.BASELINE:
                self._allowed(number, step, seek=True)
            case Do.FENCE:
                self._allowed(number, step, seek=False)
            case Do.SHAM:
                self._sham(number, step, plan)
            case Do.ACTION:
                self._packet(number, step, self._tried.actions[step.action], plan)
            case Do.EFFECT:
                self._effect(number, step)
            case Do.IDLE:
                with self._phase(number, step, seconds=step.seconds) as found:
                    if self._wait((MqttEventKind.CLOSED,), since=self._mark, timeout=step.seconds) is None:
                        found["connected"] = self._link.device.is_connected()  # the line of its end may be lost
            case Do.PAUSE:
                with self._phase(number, step, seconds=step.seconds):
                    self._link.disconnect()
                    self._link.pause(step.seconds)
            case Do.FLIGHT:
                self._flight(number, step)
            case _:
                raise AssertionError(f"{step.do} is no step on a connection")

    def _sham(self, number: int, step: Step, plan: Plan) -> None:
        if self._tried.sham is not None:
            self._packet(number, step, self._tried.sham, plan)
        elif self._tried.actions[step.action].answer is None:
            self._acknowledged_sham(number, step)
        else:
            self._stand_in(number, step)

    def _stand_in(self, number: int, step: Step) -> None:
        """Send the allowed action in place of a sham."""
        if not step.chased:
            self._allowed(number, step, seek=False)
            return
        token, mark = nonce(), self._link.device.mark()
        with self._phase(number, step, nonce=token, answer=MqttEventKind.PUBACK) as found:
            found["sent"] = self._link.action.send(token)
            if found["sent"]:
                self._chased(number, MqttEventKind.PUBACK, mark, self._link.patience)

    def _acknowledged_sham(self, number: int, step: Step) -> None:
        """Send the allowed action in place of a QoS 0 sham, with a round trip and a fence behind it, as the action has.

        Otherwise the action would take twice the time of a sham, and a random cut would fall on it twice as often.
        """
        token, wait = nonce(), self._night.round_trip
        with self._phase(number, step, nonce=token, answer=_NO_ANSWER) as found:
            begun = self._link.clock()
            control = self._link.run(token=token, seek=False)
            found["sent"] = control.acked
            left = wait - (self._link.clock() - begun)
            if control.ok and self._wait((), since=self._mark, timeout=max(0.0, left)) is None:
                self._allowed(number, Step(Do.FENCE), seek=False, behind=True)

    def _allowed(self, number: int, step: Step, *, seek: bool, **more: Any) -> None:
        token = nonce()
        with self._phase(number, step, nonce=token, answer=MqttEventKind.PUBACK, **more) as found:
            control = self._link.run(token=token, seek=seek)
            found |= asdict(control)

    def _packet(self, number: int, step: Step, action: PacketAction, plan: Plan) -> None:
        """Send a sham or the action, and wait for its answer; where none comes, send a fence behind it."""
        link, device = self._link, self._link.device
        link.spoil()
        prepared = self._state.unheard < 2
        acted = self._state.acted[step.action] = Acted(link, nonce(), device.mark(), prepared)
        answer = action.answer or _NO_ANSWER
        with self._phase(number, step, nonce=acted.nonce, answer=answer) as found:
            found["sent"] = action.act(device, acted.nonce)
            if action.answer is None:
                wait = self._night.round_trip
            else:
                wait = plan.patience if step.do is Do.ACTION else link.patience
            if found["sent"] and step.chased and action.answer is not None:
                event = self._chased(number, action.answer, acted.mark, wait)
            else:
                event = self._wait((action.answer,), since=acted.mark, timeout=wait) if found["sent"] else None
            if event is None and found["sent"] and (step.do is Do.ACTION or action.answer is None):
                self._behind(number, action, wait)

    def _chased(self, number: int, answer: MqttEventKind, mark: int, timeout: float) -> MqttEvent | None:
        """Send an UNSUBSCRIBE right behind a packet, and wait for the answers to both, ``timeout`` for the packet's.

        It needs no right, and has an answer of another kind, also where nothing was subscribed to [MQTT-3.10.4-5].
        Where the cloud passes over the action, its slot ends by that answer: as soon as a sham's. Every sham is chased
        too, so that a limit of packets meets each slot alike.

        An answer that is due, and does not come behind that one either, is lost or will not come: nobody waits for it
        longer than for any answer. One lost line would otherwise cost all patience, which is 45 s on a radio link.

        Returns the packet's answer, or the end of the connection; None: neither came in time.
        """
        link, begun = self._link, self._link.clock()
        if self._wait((), since=mark, timeout=0.0) is None:
            with self._log.phase(Phase.CHASER, step=number, behind=True) as found:
                found["sent"] = link.device.unsubscribe(CHASER)
            link.packets += 1
        event = self._wait((answer, MqttEventKind.UNSUBACK), since=mark, timeout=timeout)
        if event is not None and event.kind is MqttEventKind.UNSUBACK:
            left = max(0.0, timeout - (link.clock() - begun))
            return self._wait((answer,), since=mark, timeout=min(left, self._night.patience))
        if event is not None and event.kind is not MqttEventKind.CLOSED:
            self._wait((MqttEventKind.UNSUBACK,), since=mark, timeout=link.patience)
        return event

    def _behind(self, number: int, action: PacketAction, wait: float) -> None:
        """Send a fence behind a packet that stays silent, or that has no answer.

        The first PUBACK behind a silent publish may be its own: is there a second?
        """
        device, mark = self._link.device, self._link.device.mark()
        self._allowed(number, Step(Do.FENCE), seek=False, behind=True)
        if action.answer is MqttEventKind.PUBACK and _acknowledged(device, mark) == 1:
            self._acknowledgements(2, mark, wait)

    def _acknowledgements(self, wanted: int, mark: int, timeout: float) -> bool:
        """Wait for so many PUBACKs since ``mark``, or for the end of the connection. False: neither came in time."""
        device = self._link.device

        def enough(event: MqttEvent) -> bool:
            return event.kind is MqttEventKind.CLOSED or _acknowledged(device, mark) >= wanted

        return not wanted or device.wait(enough, since=mark, timeout=timeout) is not None

    def _effect(self, number: int, step: Step) -> None:
        action, acted = self._tried.actions[step.action], self._state.acted[step.action]
        with self._phase(number, step, nonce=acted.nonce) as found:
            try:
                effect = action.effect(acted)
            except Unproved:  # the connection ended meanwhile, which its line shows
                effect = ActionEffect(None, "the connection ended before the effect was seen")
            if len(self._tried.actions) > 1 and effect.seen is None and not acted.prepared:
                effect = ActionEffect(False, effect.detail)  # alone it may be heard
            self._state.effects[step.action] = effect
            found |= asdict(effect)
            if effect.seen is not False:  # what was not seen is looked for again
                found["packets"] = action.quieten(acted)

    def _flight(self, number: int, step: Step) -> None:
        """Send messages at once, the action's at its place, and see which arrive."""
        link, device, action = self._link, self._link.device, self._tried.actions[step.action]
        link.spoil()
        control = action.company(link.action, self._tried.delivery)
        acted = Acted(link, nonce(), device.mark(), self._state.unheard < 2)
        with self._phase(number, step, nonce=acted.nonce) as found:
            found |= {"acked": False, "sent": False}
            if control is None:  # nothing that is allowed could get lost beside it, so nothing is sent
                found |= {"acked": True, "missing": 0, "action_missing": True}
                return
            opened = action.open(acted) and control.arm(timeout=link.patience)
            tokens = [acted.nonce if place == step.place else nonce() for place in range(step.of)]
            mark = device.mark()
            sent = opened and all(
                action.send(acted) if token == acted.nonce else control.send(token) for token in tokens
            )
            found["packets"] = step.of
            if not sent or not self._acknowledgements(action.acknowledgements(step.of), mark, link.patience):
                return
            missing = [
                token for token in tokens if token != acted.nonce and not control.seen(token, timeout=link.settle)
            ]
            try:
                effect = action.effect_of_message(acted)
            except Unproved:  # the connection ended meanwhile: a round that was cut short, which its line shows
                return
            self._state.effects[step.action] = effect
            gone = effect.seen is not True
            found |= {"acked": True, "missing": len(missing) + gone, "action_missing": gone, "detail": effect.detail}
            found["sent"] = bool(effect.message_sent) if gone else True

    def _ended(self, step: Step, *, closed: bool) -> None:
        """Ask what can be known of an end, before the board connects again."""
        if not closed:
            self._link.doubt()
        self._ask()
        if not closed or step.do is not Do.ACTION:
            return
        for name, ask in self._witnesses.items():
            with self._log.phase(Phase.WITNESS, f"asking {name}", witness=name) as found:
                found |= ask()
        with self._log.phase(Phase.DELIVERY) as found:
            token = self._state.acted[step.action].nonce
            found["reached"] = self._tried.actions[step.action].reached(token)
        if found["reached"] is False:
            self._state.unseen.append(token)

    def _ask(self) -> None:
        ask_modem(self._modem, self._log)

    @contextmanager
    def _phase(self, number: int, step: Step, **begin: Any) -> Iterator[dict[str, Any]]:
        with self._log.phase(_PHASES[step.do], step=number, **begin) as found:
            yield found
        if step.do in (Do.BASELINE, Do.SHAM, Do.ACTION, Do.FENCE):
            self._link.packets += 1

    def _wait(self, kinds: Sequence[MqttEventKind | None], *, since: int, timeout: float) -> MqttEvent | None:
        """Return the first event of these kinds, or the end of the connection; None: neither came in time."""
        device = self._link.device
        mark = device.mark()
        ended = next((event for event in device.events(self._mark) if event.kind is MqttEventKind.CLOSED), None)
        if ended is not None:
            return ended
        self._mark = mark  # events that were looked at need not be looked at again
        wanted = (*kinds, MqttEventKind.CLOSED)
        return device.wait(lambda event: event.kind in wanted, since=since, timeout=timeout)


def _acknowledged(device: MqttDriver, mark: int) -> int:
    return sum(event.kind is MqttEventKind.PUBACK for event in device.events(mark))

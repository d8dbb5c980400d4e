"""Carries out an experiment's plans on a board's connection, and writes to the timeline what it does.

It decides nothing. Whether a step was answered, or the connection ended, is read from the events
(:mod:`harness.trial.wire.plan_observation`), here as later from a file.
"""

from collections.abc import Mapping
from typing import Any

from harness.modem import Modem
from harness.timeline import Kind
from harness.trial.connection import MqttConnection
from harness.trial.experiment import Do, Night, Observation, Plan, Saw, Step, StepConnection
from harness.trial.facts import ActionEffect
from harness.trial.not_connected import NotConnected, NothingAllowed
from harness.trial.phases import LATE, SOURCE, Phase, PhaseLog
from harness.trial.questions import ask_modem
from harness.trial.wire.effect_steps import EffectSteps
from harness.trial.wire.packet_steps import PacketSteps
from harness.trial.wire.plan_observation import Refs, observation_of
from harness.trial.wire.recorded_step import ENDS, step_of
from harness.trial.wire.step_context import AskWitness, StepContext, Tried


class PlanRunner:
    """Carries out plans on ``link``.

    ``modem``: the board's; it has to be registered. ``log``: gets what is done and seen. ``tried``: what the
    experiment is about. ``night``: what is remembered of the board's link.
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
        self._modem = modem
        self._witnesses = witnesses
        self._on = StepContext(link, log, tried, night)
        self._packets = PacketSteps(self._on)
        self._effects = EffectSteps(self._on)

    @property
    def effect(self) -> bool | None:
        """Whether the action's effect was seen when it was looked for last; None: nobody could look."""
        return self.effect_of(0).seen

    def effect_of(self, action: int) -> ActionEffect:
        """Return the effect of one action of a group."""
        return self._on.state.effects.get(action, ActionEffect())

    def do(self, plan: Plan, about: Mapping[str, Any]) -> tuple[Observation, Refs]:
        """Carry out ``plan`` and return what was seen. ``about``: what else the timeline is told of it.

        Raises LabError: the lab's trouble.
        """
        link, wanted = self._on.link, plan.connection
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
        begin = plan.as_data() | about
        with self._on.log.phase(Phase.PLAN, plan.name, **begin):
            first = self._on.log.begun
            if not about.get("closed") and (ready or self._connect(new=not kept)):
                self._on.mark = link.device.mark()
                self._steps(plan, begin)
        return observation_of(self._on.log.since(first))

    def delivered_later(self, settled: AskWitness) -> bool:
        """Tell whether a message of a hang-up has reached anybody after all, once none can still be on its way.

        ``settled``: waits until then. Raises LabError: nobody could look.
        """
        if not self._on.state.unseen:
            return False
        with self._on.log.phase(Phase.DELIVERY, "looking once more") as found:
            found |= settled()
            action = self._on.tried.actions[0]
            found[LATE] = sum(bool(action.reached(token)) for token in self._on.state.unseen)
        return bool(found[LATE])

    def _connect(self, *, new: bool) -> bool:
        """Have a connection with everything on it that the action needs. False: it did not come up.

        ``new`` False: the one that there is was left by the trial before.
        """
        link = self._on.link
        with self._on.log.phase(Phase.CONNECT) as found:
            try:
                if new:
                    self._be_registered()
                    link.fresh()
                for topic_filter in self._on.tried.listening:
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
            found |= {
                "opened": new,
                "since": link.since,
                "connecting": link.clock() - link.asked_at if new else 0.0,
                "control": link.action.description,
            }
        return True

    def _be_registered(self) -> None:
        """Register a modem that is not registered: an earlier test left it so, or the network went away."""
        if not self._modem.registration().registered:
            self._on.log.add(Kind.FAULT, SOURCE, "the modem is not registered: registering it before the trial")
            self._modem.prepare()
            self._modem.register()

    def _prepare(self) -> None:
        """Do what the actions need before them. What may not be listened to twice is left: it cannot be heard."""
        for action in self._on.tried.actions:
            if self._on.state.unheard < 2 and not action.prepare(self._on.link):
                self._on.state.unheard += 1
                raise NotConnected(f"connected, but {action} could not be prepared")

    def _steps(self, plan: Plan, begin: Mapping[str, Any]) -> None:
        """Do the steps, up to one that ends the plan. ``begin``: the data with which it began."""
        decided = self._on.log.latest
        for number, step in enumerate(plan.steps):
            self._step(number, step, plan.patience)
            seen = step_of(begin, self._on.log.since(decided + 1))
            if seen is None or seen.done.saw in ENDS:
                self._ended(step, closed=seen is not None and seen.done.saw is not Saw.NOTHING)
                return
            decided = decided if seen.by is None else seen.by.seq
        if self._on.log.restarted():
            ask_modem(self._modem, self._on.log)

    def _step(self, number: int, step: Step, patience: float) -> None:
        match step.do:
            case Do.BASELINE:
                self._packets.allowed(number, step, seek=True)
            case Do.FENCE:
                self._packets.allowed(number, step)
            case Do.SHAM:
                self._packets.sham(number, step)
            case Do.ACTION:
                self._packets.packet(number, step, self._on.tried.actions[step.action], patience)
            case Do.EFFECT:
                self._effects.effect(number, step)
            case Do.IDLE:
                with self._on.phase(number, step, seconds=step.seconds) as found:
                    if self._on.wait((), since=self._on.mark, timeout=step.seconds) is None:
                        found["connected"] = self._on.device.is_connected()  # the line of its end may be lost
            case Do.PAUSE:
                with self._on.phase(number, step, seconds=step.seconds):
                    self._on.link.disconnect()
                    self._on.link.pause(step.seconds)
            case Do.FLIGHT:
                self._effects.flight(number, step)
            case _:
                raise AssertionError(f"{step.do} is no step on a connection")

    def _ended(self, step: Step, *, closed: bool) -> None:
        """Ask what can be known of an end, before the board connects again."""
        if not closed:
            self._on.link.doubt()
        ask_modem(self._modem, self._on.log, None if closed else self._on.link.device.is_connected)
        if not closed or step.do is not Do.ACTION:
            return
        for name, ask in self._witnesses.items():
            with self._on.log.phase(Phase.WITNESS, f"asking {name}", witness=name) as found:
                found |= ask()
        with self._on.log.phase(Phase.DELIVERY) as found:
            token = self._on.state.acted[step.action].nonce
            found["reached"] = self._on.tried.actions[step.action].reached(token)
        if found["reached"] is False:
            self._on.state.unseen.append(token)

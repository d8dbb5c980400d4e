"""A board on a simulated link, that does what plans ask. Two truths decide: what the cloud does with the action, and
what the fault does with connections."""

import math
import random
from dataclasses import dataclass, field

from harness.trial.experiment import Do, Done, Observation, Plan, Saw, Step, StepConnection
from tests.simulation.faults import NEVER, Fault


@dataclass(frozen=True)
class Link:
    """``fast``, ``typical``, ``slow``: least, median and largest round trip, seconds; lognormal between the limits.

    ``connect``: seconds until a connection is up.
    """

    name: str
    fast: float
    typical: float
    slow: float
    connect: float

    def round_trip(self, chance: random.Random) -> float:
        if self.fast == self.slow:
            return self.fast
        value = chance.lognormvariate(math.log(self.typical), math.log(self.slow / self.typical) / 3.5)
        return min(self.slow, max(self.fast, value))


LINKS = [
    Link("local", 0.002, 0.002, 0.002, 0.01),
    Link("constant 200 ms", 0.2, 0.2, 0.2, 1.0),
    Link("constant 1 s", 1.0, 1.0, 1.0, 4.0),
    Link("LTE-M", 0.1, 0.28, 5.0, 4.0),
    Link("NB-IoT", 1.0, 2.8, 10.0, 12.0),
]


@dataclass(frozen=True)
class Cloud:
    """What the cloud does with the action.

    ``refuses``: chance that it hangs up instead of answering. ``late``: hangs up so many seconds afterwards;
    ``answers``: acknowledges it. ``no``: answers with 0x80. ``effect``: the message reaches the observer.
    ``loses``: chance that the observer misses any message. ``looking``: packets, one after the other, that
    looking for the effect takes.
    ``deaf``: from an action on that it does not answer, it answers nothing at all. ``meanwhile``: until it closes late
    it answers what comes behind; where not, it has stopped reading.
    """

    name: str
    refuses: float = 0.0
    late: tuple[float, float] | None = None
    answers: bool = True
    no: bool = False
    effect: bool = True
    loses: float = 0.0
    looking: int = 0
    deaf: bool = False
    meanwhile: bool = True


_NEXT = 1e-6  # seconds from an answer to what follows it at once
_GIVE_UP = 30.0  # seconds after which a board waits no longer


@dataclass
class _Open:
    since: float
    dies: float
    last_packet: int | None
    packets: int = 0
    clean: bool = True
    doom: float = NEVER  # a late refusal is on its way


@dataclass
class World:
    """One board's night. ``do(plan)``: time passes, packets travel.

    What is sent right behind a packet is answered right behind it: both travel together, in one order.

    ``behind``: seconds that the questions behind an end take, with no connection.
    """

    link: Link
    cloud: Cloud
    fault: Fault
    chance: random.Random
    now: float = 0.0
    connection: _Open | None = field(default=None)
    behind: float = 0.0

    def do(self, plan: Plan) -> Observation:
        began, before = self.now, self.connection
        if plan.connection is StepConnection.NONE:
            return self._without_connection(plan)
        if plan.connection is not StepConnection.SAME and not self._connect(plan.connection):
            return Observation((), seconds=self.now - began)
        if self.connection is None:
            return Observation((Done(Saw.CLOSED, 0.0),), seconds=0.0)
        opened, done = self.connection, []
        missing, action_missing = 0, False
        for step in plan.steps:
            at = self.now
            saw = self._step(step, plan)
            if step.do is Do.FLIGHT and saw is Saw.ANSWERED:
                missing, action_missing = self._missing()
            done.append(Done(saw, self.now - at))
            if saw in (Saw.CLOSED, Saw.NOTHING):
                self.connection = None
                break
        age = self.now - opened.since
        self.now += self.behind * (self.connection is None)
        return Observation(
            tuple(done),
            self.now - began,
            age,
            opened.packets,
            missing=missing,
            action_missing=action_missing,
            opened=opened is not before,
            connecting=self.link.connect * (opened is not before),
        )

    def _without_connection(self, plan: Plan) -> Observation:
        self.connection = None
        (step,) = plan.steps
        self.now += step.seconds
        return Observation((Done(Saw.ANSWERED, step.seconds),), seconds=step.seconds)

    def _connect(self, wanted: StepConnection) -> bool:
        kept = self.connection
        if kept and wanted is StepConnection.CLEAN and kept.clean and min(kept.dies, kept.doom) > self.now:
            return True
        self.connection = None
        up = self.now + self.link.connect
        if self.fault.cut_after(self.now) < up:
            self.now = up
            return False
        self.now = up
        dies = min(self.fault.cut_after(up), up + self.fault.age())
        self.connection = _Open(up, dies, self.fault.last_packet())
        return True

    def _step(self, step: Step, plan: Plan) -> Saw:
        opened = self.connection
        if step.do is Do.IDLE:
            return self._wait(self.now + step.seconds)
        if step.do is Do.EFFECT and not self.cloud.looking:
            return Saw.ANSWERED if self._seen(self.cloud.effect) else Saw.UNSEEN
        if step.do not in (Do.BASELINE, Do.FENCE):
            opened.clean = False
        if step.do is Do.EFFECT:
            return self._look()
        answer = self.now + self.link.round_trip(self.chance)
        opened.packets += 1
        if opened.packets == opened.last_packet:
            return self._end(answer)
        if step.chased:
            opened.packets += 1
            if opened.packets == opened.last_packet:
                # On sight: before the answer to the packet itself has passed. And what is passed over has none.
                if self.fault.on_sight or (step.do is Do.ACTION and not self.cloud.answers):
                    return self._end(answer)
                opened.doom = min(opened.doom, answer + _NEXT)
        if step.do is Do.ACTION:
            return self._action(answer, step, plan)
        saw = self._wait(answer)
        if step.chased and saw is Saw.ANSWERED and opened.doom <= answer + _NEXT:
            return self._end(opened.doom)
        if step.do is Do.BASELINE and saw is Saw.ANSWERED and not self._seen(True):
            return Saw.UNSEEN
        return saw

    def _look(self) -> Saw:
        for _ in range(self.cloud.looking):
            answer = self.now + self.link.round_trip(self.chance)
            self.connection.packets += 1
            if self.connection.packets == self.connection.last_packet:
                return self._end(answer)
            if self._wait(answer) is Saw.CLOSED:
                return Saw.CLOSED
        return Saw.ANSWERED if self._seen(self.cloud.effect) else Saw.UNSEEN

    def _action(self, answer: float, step: Step, plan: Plan) -> Saw:
        opened, cloud = self.connection, self.cloud
        if self.chance.random() < cloud.refuses:
            return self._end(answer)
        if cloud.late:
            # Late from the answer on; or, where there is none, from when it would have come.
            opened.doom = min(opened.doom, answer + self.chance.uniform(*cloud.late))
        if cloud.no:
            return Saw.REFUSED if self._wait(answer) is Saw.ANSWERED else Saw.CLOSED
        if cloud.answers:
            return self._wait(answer)
        passed = Saw.CLOSED
        if step.chased and not cloud.deaf and (cloud.late is None or cloud.meanwhile):
            if self._wait(answer) is Saw.CLOSED:
                return Saw.CLOSED
            passed = Saw.PASSED
        if self._wait(self.now + plan.patience) is Saw.CLOSED:
            return passed
        opened.packets += 1
        fence = self.now + self.link.round_trip(self.chance)
        if opened.packets == opened.last_packet:
            self._end(fence)
            return passed
        if cloud.deaf or not cloud.meanwhile:
            return passed if self._wait(self.now + _GIVE_UP) is Saw.CLOSED else Saw.NOTHING
        return Saw.SILENT if self._wait(fence) is Saw.ANSWERED else passed

    def _wait(self, until: float) -> Saw:
        ends = min(self.connection.dies, self.connection.doom)
        if ends <= until:
            return self._end(max(ends, self.now))
        self.now = until
        return Saw.ANSWERED

    def _end(self, at: float) -> Saw:
        """The connection ends at ``at``, or before it where something else is sooner."""
        self.now = max(self.now, min(at, self.connection.dies, self.connection.doom))
        return Saw.CLOSED

    def _seen(self, sent: bool) -> bool:
        return sent and self.chance.random() >= self.cloud.loses

    def _missing(self) -> tuple[int, bool]:
        others = sum(not self._seen(True) for _ in range(11))
        action = not self._seen(self.cloud.effect)
        return others + action, action

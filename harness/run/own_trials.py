"""Trials of a firmware that connects by itself: what it holds can only be provoked, and watched through its log.

The rule is the coin experiment of :mod:`harness.trial.experiment`: before each attempt a coin decides whether the
provocation is on or off, so a link that fails by itself fails both alike, and cannot imitate a cause. An attempt makes
the firmware connect anew and watches what becomes of it. With the provocation off, the same firmware has to connect and
stay.

This module acts, and writes phases to the timeline; what came of it is read from there by pure functions
(:mod:`harness.trial.own_attempt`, :mod:`harness.trial.wire.own_observation`), and judged as every trial is.

A firmware whose log does not say that it is connected is asked in another way: the library reports its keep-alive time
to its shadow with each connection. The report is taken out of the shadow before the attempt and looked for afterwards.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from harness.errors import NoAnswer
from harness.firmware import OwnConnection
from harness.firmware.cloud_library.chain import LAST, Chain
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.watcher import CLASS
from harness.modem import Modem
from harness.timeline import Event, Kind, Timeline
from harness.trial import Outcome, Sort, Verdict
from harness.trial.attempts import Acting, Attempts, TrialSubject
from harness.trial.experiment import Do, ExperimentRule, Night, Plan, Saw, Subject
from harness.trial.judge import RECONNECTS
from harness.trial.own_attempt import DECISIVE, ENDS, HANG_UPS, REPORTED, OwnAttempt, own_attempt, own_attempts
from harness.trial.phases import Phase, PhaseLog, attempt_of, span_of
from harness.trial.wire.carried_experiment import OWN, Setup, carry_out
from harness.trial.wire.experiment_verdict import judged
from harness.trial.wire.own_observation import own_observation_of
from harness.trial.wire.plan_observation import Seen

CONFIDENCE: Final = 1e-2
"""Bound on the chance that a verdict is a coincidence. A trial of the harness's own sessions has 1e-4; here an attempt
is a whole reconnect, of which that would need fourteen, and this needs seven."""
_LEAST_HOLD: Final = 0.1
_REST_OF_CHAIN: Final = 0.2
"""Seconds after a hang-up's first line in which the others come, where the log level shows them."""
Switch = Callable[[], object]


@dataclass(frozen=True, slots=True)
class OwnVerdict:
    """``attempts``: each reconnect, with the provocation (True) or without, in order."""

    verdict: Verdict
    attempts: tuple[tuple[bool, OwnAttempt], ...]

    @property
    def outcome(self) -> Outcome:
        """What is proved."""
        return self.verdict.outcome

    @property
    def chains(self) -> list[Chain]:
        """The chains of all hang-ups that were provoked."""
        return [attempt.chain for on, attempt in self.attempts if on and attempt.chain is not None]

    def expect(self, *wanted: Outcome) -> "OwnVerdict":
        """Return self when the outcome is ``wanted``. Raises as :meth:`Verdict.expect`."""
        __tracebackhide__ = True
        self.verdict.expect(*wanted)
        return self

    def __str__(self) -> str:
        return str(self.verdict)


class OwnTrials:
    """Trials on one board's own connection.

    ``own``: makes the firmware connect and publish. ``modem``, ``timeline``: the board's. ``reported``: takes the
    firmware's report out of its shadow, and returns what looks for a new one. ``patience``: seconds that one answer of
    the cloud may take. ``hold``: seconds that a connection has to stay. ``check``, ``record``: see Attempts.
    """

    def __init__(
        self,
        own: OwnConnection,
        modem: Modem,
        timeline: Timeline,
        *,
        reported: Callable[[], Callable[[float], bool]],
        patience: float,
        hold: float,
        check: Callable[[], None] = lambda: None,
        record: Callable[[Verdict], None] = lambda _verdict: None,
    ) -> None:
        self._own = own
        self._modem = modem
        self._timeline = timeline
        self._reported = reported
        self._patience = patience
        self._hold = hold
        self._attempts = Attempts(timeline, check, record)

    def connect(self, *, after: Switch | None = None) -> OwnVerdict:
        """Have the firmware connect anew, and watch what becomes of it. ``after``: done once it is connected.

        Tolerated: it connected and stayed. Where the other side ends it, it is tried again: one end may be a cut.
        """
        subject = TrialSubject(f"{self._own.setup.what} connects by itself", Sort.FIRMWARE, most=1)

        def act(log: PhaseLog, _acting: Acting) -> None:
            for _ in range(RECONNECTS):
                attempt = self._reconnect(log, Phase.RIGHT, after=after)
                if attempt.connected or attempt.cause.what not in (LogClass.KICKED, LogClass.REFUSED):
                    return

        return self._run(subject, act)

    def experiment(self, what: str, on: Switch, off: Switch, *, at: bool = False) -> OwnVerdict:
        """Try whether the provocation gets the connection hung up on.

        ``what``: it, in words. ``on``, ``off``: switch it. ``at``: it is an action of the connected firmware, done once
        it is connected, rather than something that stands before it connects.
        """
        rule = ExperimentRule(confidence=CONFIDENCE, hold=max(self._hold, _LEAST_HOLD))
        words = Subject(what, sham="the same without it", differs="the provocation")
        setup = Setup(OWN, words, rule, Night())
        subject = TrialSubject(what, Sort.FIRMWARE, most=1, experiment=setup.as_data)

        def act(log: PhaseLog, acting: Acting) -> None:
            carried = carry_out(setup, partial(self._do, log, on, off, at))
            acting.finish = partial(judged, carried)

        return self._run(subject, act)

    def asks_for_association(self) -> str:
        """Have it connect without a pairing; return the line in which it asks to be added to an account.

        Raises NoAnswer where it does not ask; BoardLost, NotRegistered.
        """
        own = self._own
        own.end()
        mark = own.mark()
        own.begin()
        self._modem.register()
        return own.wait_line(own.setup.facts.asks, since=mark, timeout=self._patience)

    def ended(self, *, since: int) -> str:
        """Watch the connection that was up at mark ``since`` for a hold; return the line of its end, empty: it stayed.

        Raises BoardLost.
        """
        event = self._own.wait(ENDS, since=since, timeout=self._hold)
        return "" if event is None else str(event.data["line"])

    def _run(self, subject: TrialSubject, act: Callable[[PhaseLog, Acting], None]) -> OwnVerdict:
        logs: list[PhaseLog] = []

        def acted(log: PhaseLog, acting: Acting) -> None:
            logs.append(log)
            act(log, acting)

        verdict = self._attempts.run(subject, acted)
        return OwnVerdict(verdict, tuple(own_attempts(attempt_of(logs[-1].events()))))

    def _do(self, log: PhaseLog, on: Switch, off: Switch, at: bool, plan: Plan, about: Mapping[str, Any]) -> Seen:
        """Carry out one plan. A reconnect is never told to come later, so that is all that a plan asks for."""
        provoked = plan.steps[0].do is Do.WRONG_LOGIN
        switch = on if provoked else off
        with log.phase(Phase.PLAN, plan.name, **plan.as_data(), since=0.0, packets=0, **about):
            first = log.begun
            self._step(f"provocation {'on' if provoked else 'off'}")
            if not at:
                switch()
            self._reconnect(log, Phase.ACTION if provoked else Phase.RIGHT, after=switch if at else None)
        return own_observation_of(log.since(first))

    def _reconnect(self, log: PhaseLog, phase: Phase, *, after: Switch | None) -> OwnAttempt:
        """End the connection, have a new one made, and watch it. Raises NoAnswer: the firmware says nothing of it."""
        own, facts = self._own, self._own.setup.facts
        own.end()
        look = None if facts.shows_ready else self._reported()
        with log.phase(phase, step=0, board=own.name, generation=facts.generation.value) as found:
            begun = log.begun
            own.begin()
            self._modem.register()
            event = self._first(log, begun, look)
            if event is None or event.data[CLASS] == LogClass.CONNECTED:
                since, ends = (begun, HANG_UPS) if event is None else (event.seq + 1, ENDS)
                if after is not None:
                    after()
                event = own.wait(ends, since=since, timeout=self._hold)
            if event is not None and event.data[CLASS] == LogClass.KICKED:
                with suppress(NoAnswer):
                    own.wait_line(LAST, since=begun, timeout=_REST_OF_CHAIN)
            attempt = own_attempt(span_of(log.since(begun), 0))
            # For whoever looks at the page: the judge reads the lines.
            found |= {"saw": Saw.ANSWERED if attempt.connected else Saw.CLOSED, "said": str(attempt)}
        self._step(str(attempt))
        return attempt

    def _first(self, log: PhaseLog, mark: int, look: Callable[[float], bool] | None) -> Event | None:
        """Return what came first of the connection; None: its report in the shadow, which the log does not show."""
        own = self._own
        if look is not None:
            with log.phase(Phase.WITNESS, "its report in its shadow") as seen:
                seen[REPORTED] = look(self._patience)
            if seen[REPORTED]:
                return None
        event = own.wait(DECISIVE, since=mark, timeout=self._patience if look is None else 0.0)
        if event is not None:
            return event
        if look is not None:
            said = f"reported nothing to its shadow within {self._patience:g} s; {own.last_heard()}"
        else:
            said = (
                f"says nothing of its connection within {self._patience:g} s; {own.last_heard()};"
                " is that what the board runs, and are its client id and sec_tag the board's?"
            )
        raise NoAnswer(f"{own.name}: {own.setup.what} {said}")

    def _step(self, text: str) -> None:
        self._timeline.add(Kind.STEP, self._own.name, text)

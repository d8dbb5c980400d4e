"""Trials of a firmware that connects by itself: what it holds can only be provoked, and watched through its log.

The rule is the coin experiment of :mod:`harness.trial.experiment`: before each attempt a coin decides whether the
provocation is on or off, so a link that fails by itself fails both alike, and cannot imitate a cause. An attempt makes
the firmware connect anew and watches what becomes of it. With the provocation off, the same firmware has to connect and
stay.

A firmware whose log does not say that it is connected is asked in another way: the library reports its keep-alive time
to its shadow with each connection. The report is taken out of the shadow before the attempt and looked for afterwards.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.errors import NoAnswer, Party
from harness.firmware import OwnConnection
from harness.firmware.cloud_library.cause import LogCause, cause_of
from harness.firmware.cloud_library.chain import Chain, chain_in
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.watcher import CLASS
from harness.modem import Modem
from harness.timeline import Event, Kind, Timeline
from harness.trial import Outcome, Unproved, Verdict, WrongVerdict
from harness.trial.experiment import (
    Conclusion,
    Do,
    Done,
    Experiment,
    ExperimentResult,
    ExperimentRule,
    Night,
    Observation,
    Plan,
    Saw,
    Subject,
)
from harness.trial.experiment.plan import VoidedBy

CONFIDENCE: Final = 1e-2
"""Bound on the chance that a verdict is a coincidence. A trial of the harness's own sessions has 1e-4; here an attempt
is a whole reconnect, of which that would need fourteen, and this needs seven."""
_REGISTERED: Final = ("+CEREG: 1", "+CEREG: 5")
_SHOWN: Final = "its log says so"
_NOT_SHOWN: Final = "its log does not show it at this level; its shadow has a new report"
_DECISIVE: Final = (LogClass.CONNECTED, LogClass.KICKED, LogClass.REFUSED, LogClass.MODEM_FAULT)
_HANG_UPS: Final = (LogClass.KICKED, LogClass.REFUSED, LogClass.KEEPALIVE, LogClass.MODEM_FAULT)
_REFUSALS: Final = (LogClass.KICKED, LogClass.REFUSED)
_LOST_OR_HUNG_UP: Final = {LogClass.KICKED, LogClass.LINK_LOST, None}
"""A link that was lost by itself costs the experiment a bet, and no more."""
_ENDS: Final = (*_HANG_UPS, LogClass.LINK_LOST)


@dataclass(frozen=True, slots=True)
class OwnAttempt:
    """What became of one reconnect. ``connected``: it came up and stayed. ``chain``: of a hang-up, as far as visible.

    ``seconds``: from its beginning. ``because``: how it is known that it is connected.
    """

    connected: bool
    cause: LogCause
    seconds: float
    chain: Chain | None = None
    because: str = ""

    def expect_connected(self) -> "OwnAttempt":
        """Return self when it is connected. Raises WrongVerdict where the other side refused it; else Unproved."""
        if self.connected:
            return self
        __tracebackhide__ = True
        message = f"expected connected, got {self.cause}" + (f": {self.chain}" if self.chain is not None else "")
        error = (WrongVerdict if self.cause.what in _REFUSALS else Unproved)(message)
        error.party = Party.CLOUD if self.cause.what in _REFUSALS else Party.UNCLEAR
        raise error


@dataclass(frozen=True, slots=True)
class OwnVerdict:
    """``what``: the provocation. ``result``: of the experiment. ``attempts``: with it (True) and without, in order."""

    what: str
    result: ExperimentResult
    attempts: tuple[tuple[bool, OwnAttempt], ...]

    @property
    def chains(self) -> list[Chain]:
        """The chains of all hang-ups that were provoked."""
        return [attempt.chain for on, attempt in self.attempts if on and attempt.chain is not None]

    @property
    def outcome(self) -> Outcome:
        """What is proved. A refusal that no line shows as a hang-up is not: something else ended the connections."""
        if self.result.conclusion is Conclusion.TOLERATED:
            return Outcome.TOLERATED
        ends = {attempt.cause.what for on, attempt in self.attempts if on and not attempt.connected}
        hung_up = LogClass.KICKED in ends and ends <= _LOST_OR_HUNG_UP
        refused = self.result.conclusion is Conclusion.REFUSED and hung_up
        return Outcome.POLICY_DISCONNECT if refused else Outcome.INCONCLUSIVE

    def expect(self, wanted: Outcome) -> "OwnVerdict":
        """Return self when the outcome is ``wanted``. Raises WrongVerdict, or Unproved where nothing is proved."""
        __tracebackhide__ = True
        Verdict(self.outcome, self.what, str(self)).expect(wanted)
        return self

    def __str__(self) -> str:
        on = [attempt for provoked, attempt in self.attempts if provoked]
        off = [attempt for provoked, attempt in self.attempts if not provoked]
        kicked = sum(attempt.cause.what is LogClass.KICKED for attempt in on)
        stayed = sum(attempt.connected for attempt in off)
        said = f"{kicked} of {len(on)} connections with the provocation were hung up on, {stayed} of {len(off)} without"
        return f"{self.result.evidence} {said} it stayed. " + (str(self.chains[0]) if self.chains else "No hang-up.")


class OwnTrials:
    """Trials on one board's own connection.

    ``reported``: takes the firmware's report out of its shadow, and returns what looks for a new one.
    ``patience``: seconds that one answer of the cloud may take. ``hold``: seconds that a connection has to stay.
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
    ) -> None:
        self._own = own
        self._modem = modem
        self._timeline = timeline
        self._reported = reported
        self._patience = patience
        self._hold = hold

    def connect(self, *, after: Callable[[], None] | None = None) -> OwnAttempt:
        """Have the firmware connect anew, and watch what becomes of it. ``after``: done once it is connected.

        Raises NoAnswer where it neither connects nor says why not; BoardLost, NotRegistered.
        """
        own = self._own
        own.end()
        look = None if own.setup.facts.shows_ready else self._reported()
        began = time.monotonic()
        mark = own.mark()
        own.begin()
        self._modem.register()
        event = self._first(mark, look)
        connected = event is None or event.data[CLASS] == LogClass.CONNECTED
        since = mark
        if connected:
            # A report in the shadow is seen late: a hang-up may have come before. A link that is still searched for
            # then is no link that was lost.
            since, ends = (mark, _HANG_UPS) if event is None else (event.seq + 1, _ENDS)
            if after is not None:
                after()
            ended = own.wait(ends, since=since, timeout=self._hold)
            connected = ended is None
        return self._attempt(since, connected, time.monotonic() - began, shown=look is None)

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

    def experiment(self, what: str, on: Callable[[], None], off: Callable[[], None], *, at: bool = False) -> OwnVerdict:
        """Try whether the provocation gets the connection hung up on.

        ``what``: it, in words. ``on``, ``off``: switch it. ``at``: it is an action of the connected firmware, done once
        it is connected, rather than something that stands before it connects.
        """
        subject = Subject(what, sham="the same without it", differs="the provocation")
        rule = ExperimentRule(confidence=CONFIDENCE, hold=max(self._hold, 0.1))
        experiment = Experiment.of_login(subject, rule, Night(), secrets.SystemRandom())
        attempts: list[tuple[bool, OwnAttempt]] = []
        while isinstance(plan := experiment.next(), Plan):
            experiment.take(self._done(plan, on, off, attempts, at=at))
        return OwnVerdict(what, experiment.result(), tuple(attempts))

    def _done(
        self,
        plan: Plan,
        on: Callable[[], None],
        off: Callable[[], None],
        attempts: list[tuple[bool, OwnAttempt]],
        *,
        at: bool,
    ) -> Observation:
        provoked = plan.steps[0].do is Do.WRONG_LOGIN
        self._step(f"attempt {len(attempts) + 1}: provocation {'on' if provoked else 'off'}")
        switch = on if provoked else off
        if not at:
            switch()
        attempt = self.connect(after=switch if at else None)
        attempts.append((provoked, attempt))
        self._step(f"attempt {len(attempts)}: {_shown(attempt)}")
        saw = Saw.ANSWERED if attempt.connected else Saw.CLOSED
        void = "" if attempt.connected or attempt.cause.what is LogClass.KICKED else str(attempt.cause)
        by = VoidedBy.RESTART if attempt.cause.what is LogClass.MODEM_FAULT else VoidedBy.NETWORK
        return Observation((Done(saw, attempt.seconds),), seconds=attempt.seconds, void=void, voided_by=by)

    def _step(self, text: str) -> None:
        self._timeline.add(Kind.STEP, self._own.name, text)

    def _first(self, mark: int, look: Callable[[float], bool] | None) -> Event | None:
        """Return what came first of the connection; None: its report in the shadow, which the log does not show."""
        own = self._own
        if look is None:
            event = own.wait(_DECISIVE, since=mark, timeout=self._patience)
            if event is None:
                raise NoAnswer(
                    f"{own.name}: {own.setup.what} says nothing of its connection within {self._patience:g} s;"
                    f" {own.last_heard()}; is that what the board runs, and are its client id and sec_tag the board's?"
                )
            return event
        if look(self._patience):
            return None
        event = own.wait(_DECISIVE, since=mark, timeout=0.0)
        if event is None:
            raise NoAnswer(
                f"{own.name}: {own.setup.what} reported nothing to its shadow within {self._patience:g} s;"
                f" {own.last_heard()}"
            )
        return event

    def _attempt(self, since: int, connected: bool, seconds: float, *, shown: bool) -> OwnAttempt:
        lines = self._own.lines(since)
        generation = self._own.setup.facts.generation
        if connected:
            return OwnAttempt(True, LogCause(LogClass.CONNECTED), seconds, because=_SHOWN if shown else _NOT_SHOWN)
        # A link that was taken away to make it connect anew is not a link that was lost. By position, because lines
        # that came in one go have one time.
        registered = max((index for index, line in enumerate(lines) if line.text.startswith(_REGISTERED)), default=-1)
        cause = cause_of(lines[registered + 1 :], generation=generation, up=True)
        chain = chain_in([line.text for line in lines]) if cause.what is LogClass.KICKED else None
        return OwnAttempt(False, cause, seconds, chain)


def _shown(attempt: OwnAttempt) -> str:
    if attempt.connected:
        return f"connected, and stayed ({attempt.because})"
    return f"{attempt.cause}" + (f"; {attempt.chain}" if attempt.chain is not None else "")

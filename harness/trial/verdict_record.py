"""What the rules over a whole run need of each test: its verdicts, and the hang-ups in it. Plain values, and pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from harness.device_errno import REMOTE_CLOSE
from harness.firmware import WORDS
from harness.timeline import Event, Kind
from harness.trial.facts import Sort
from harness.trial.phases import Phase
from harness.trial.verdict import Outcome
from harness.words import Ask

# Not UNSUBSCRIBE: chasers are such packets, and whether one was sent before the hang-up is chance.
_SENT: Final = (Ask.PUBLISH, Ask.SUBSCRIBE)

# An enumeration is slow to ask (Python 3.11), and every event of a run comes by here.
_PHASE, _MQTT, _TX, _FACTS, _EXPECT = Kind.PHASE, Kind.MQTT, Kind.TX, Kind.FACTS, Kind.EXPECT


@dataclass(frozen=True, slots=True)
class HangUp:
    """The other side ended a connection. ``age``: seconds since CONNACK.

    ``packets``: PUBLISHes and SUBSCRIBEs sent since then, -1: not known.
    ``trial``: the number of the trial that it fell into. ``at_action``: at what that trial was about; otherwise at
    something that is allowed, or at nothing, and before that. One behind it may be its late refusal, and is left out.
    ``tried``: in a group: the actions that had been sent on that connection. It may have been the refusal of any.
    """

    age: float
    packets: int
    trial: int
    at_action: bool
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """``trial``: its number. ``wanted``: what the test expected; empty: nothing was said."""

    trial: int
    sort: str
    action: str
    outcome: str
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestRecord:
    """One test: its last time, where it was run again."""

    __test__ = False  # pytest would take a class of this name for a test

    verdicts: tuple[TrialVerdict, ...] = ()
    hang_ups: tuple[HangUp, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "TestRecord":
        """Return it as it was written down. Raises KeyError, TypeError for data of something else."""
        verdicts = (TrialVerdict(**{**one, "wanted": tuple(one["wanted"])}) for one in data["verdicts"])
        hang_ups = (HangUp(**{**one, "tried": tuple(one.get("tried", ()))}) for one in data["hang_ups"])
        return cls(tuple(verdicts), tuple(hang_ups))


def record_of(events: Sequence[Event], outcomes: Mapping[int, Outcome] | None = None) -> TestRecord:
    """Return what ``events`` of a test show. ``outcomes``: by trial, in place of those that were recorded."""
    reading = RecordReading(outcomes)
    reading(events)
    return reading.record


def wanted_of(expect: Event) -> tuple[str, ...]:
    """Return the outcomes that an EXPECT event says were expected; none where a hand has written something else."""
    wanted = expect.data.get("wanted")
    return tuple(map(str, wanted)) if isinstance(wanted, list | tuple) else ()


class RecordReading:
    """Reads a test's events as they come: a sink of its timeline, whose memory may drop what a long test began with.

    So the run's own rules rest on the same events as ``nrf91-harness judge``, which reads the file.
    """

    def __init__(self, outcomes: Mapping[int, Outcome] | None = None) -> None:
        self._verdicts: dict[int, TrialVerdict] = {}
        self._hang_ups: list[HangUp] = []
        self._outcomes = outcomes or {}
        self._attempt: Mapping[str, Any] = {}
        self._in_action = False
        self._acted = False  # on this connection, in this attempt
        self._tried: list[str] = []  # on this connection, in this group
        self._opened: float | None = None
        self._packets = -1

    def __call__(self, events: Sequence[Event]) -> None:
        """Take in what came next."""
        for event in events:
            self._take(event)

    @property
    def record(self) -> TestRecord:
        """What was read so far."""
        return TestRecord(tuple(self._verdicts.values()), tuple(self._hang_ups))

    def _take(self, event: Event) -> None:
        kind = event.kind
        if kind is _TX:
            self._packets += self._packets >= 0 and WORDS.asked(event.text).what in _SENT
        elif kind is _PHASE:
            self._phase(event)
        elif kind is _MQTT:
            self._mqtt(event)
        elif kind is _FACTS:
            self._verdict(event)
        elif kind is _EXPECT and self._verdicts:
            last = next(reversed(self._verdicts.values()))
            wanted = wanted_of(event)
            self._verdicts[last.trial] = TrialVerdict(last.trial, last.sort, last.action, last.outcome, wanted)

    def _phase(self, event: Event) -> None:
        name, begins = event.data.get("name"), event.data.get("on") == "begin"
        if name == Phase.ATTEMPT:
            self._acted = False
            self._tried = []
            self._attempt = event.data if begins else self._attempt
        elif name == Phase.ACTION:
            self._in_action = begins
            self._acted = self._attempt.get("sort") != Sort.GROUP
            if begins and not self._acted:
                self._tried.append(str(event.data.get("tried", "")))
        elif name == Phase.PLAN and begins and self._opened is None and _was_left(event):
            self._opened, self._packets = float(event.data["since"]), -1

    def _mqtt(self, event: Event) -> None:
        kind = event.data.get("kind")
        if kind == "accepted":
            self._opened, self._packets, self._acted, self._tried = event.t, 0, False, []
        elif kind == "closed":
            if self._opened is not None and abs(int(event.data.get("result", 0))) in REMOTE_CLOSE:
                at_action = self._in_action and self._acted
                trial = int(self._attempt.get("trial", -1))
                if at_action or not self._acted:
                    age, tried = round(event.t - self._opened, 6), tuple(self._tried)
                    self._hang_ups.append(HangUp(age, self._packets, trial, at_action, tried))
            self._opened, self._packets, self._acted, self._tried = None, -1, False, []

    def _verdict(self, event: Event) -> None:
        trial, sort = int(event.data["trial"]), str(self._attempt.get("sort", ""))
        if sort == Sort.GROUP:
            return  # each of its actions has a verdict of its own
        outcome = self._outcomes.get(trial, event.data["outcome"])
        self._verdicts[trial] = TrialVerdict(trial, sort, str(self._attempt.get("action", "")), str(outcome))


def _was_left(plan: Event) -> bool:
    """Tell whether a plan begins on a connection that an earlier test left open."""
    return bool(plan.data.get("packets")) and not plan.data.get("closed")

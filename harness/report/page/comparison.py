"""Compares a failed test with its last green run on the same board, channel by channel.

The order of events between channels depends on chance, within a channel it does not. So each channel is compared by
itself, up to its first difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.report.normal_form import normal
from harness.report.page.words import span
from harness.timeline import Event, Kind

_CHANNELS: Final[tuple[tuple[str, frozenset[Kind]], ...]] = (
    ("commands and answers", frozenset({Kind.TX, Kind.RX, Kind.RESULT})),
    ("URCs and MQTT", frozenset({Kind.URC, Kind.MQTT})),
    ("cloud and observer", frozenset({Kind.CLOUD})),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """The events of one test from its trial on. ``start``: of the test; ``control``: the allowed action around it.

    ``tally``: for an experiment, the results of its arms and logins, in words by name.
    """

    events: Sequence[Event]
    start: float
    names: Mapping[str, str]
    got: str = ""
    control: str = ""
    tally: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One channel. ``same``: how many events are alike before the first difference. "": there is no further event."""

    name: str
    same: int
    green: str
    now: str


@dataclass(frozen=True, slots=True)
class RunComparison:
    """``phases``: each one's name, and its time in each run. ``differing``: the board's properties that changed."""

    run: str
    green: Trial
    rows: Sequence[Row]
    phases: Sequence[tuple[str, str, str]]
    differing: Sequence[tuple[str, str, str]]


def compare(
    run: str, green: Trial, now: Trial, names: Mapping[str, str], before: Mapping[str, str], after: Mapping[str, str]
) -> RunComparison:
    """Compare the trial of the green run ``run`` with the present one.

    ``names``: phases as a reader says them; ``before``, ``after``: properties of the board in the two runs. ``green``,
    ``now``: events of the two trials.
    """
    rows = _tallies(green, now)
    if not rows:  # an experiment draws its places at random, so its channels always differ
        rows = [row for name, kinds in _CHANNELS if (row := _row(name, kinds, green, now)) is not None]
    if green.control != now.control:
        rows.append(
            Row("allowed action around it", 0, normal(green.control, green.names), normal(now.control, now.names))
        )
    took, takes = _phases(green), _phases(now)
    phases = [
        (label, span(took[name]) if name in took else "—", span(takes[name]) if name in takes else "—")
        for name, label in names.items()
        if name in took or name in takes
    ]
    differing = [
        (name, before.get(name, "—"), after.get(name, "—"))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
    return RunComparison(run, green, rows, phases, differing)


def _tallies(green: Trial, now: Trial) -> list[Row]:
    names = dict.fromkeys([*green.tally, *now.tally])
    return [Row(name, 0, green.tally.get(name, "—"), now.tally.get(name, "—")) for name in names]


def _row(name: str, kinds: frozenset[Kind], green: Trial, now: Trial) -> Row | None:
    mine, theirs = _channel(green, kinds), _channel(now, kinds)
    if not mine and not theirs:
        return None
    same = 0
    for one, other in zip(mine, theirs, strict=False):
        if one[0] != other[0]:
            break
        same += 1
    return Row(name, same, _shown(mine, same), _shown(theirs, same))


def _channel(trial: Trial, kinds: frozenset[Kind]) -> list[tuple[str, str]]:
    """Return for each event the text to compare and the text to show."""
    names = dict(trial.names)
    topic = _topic(trial.control)
    if topic:
        names["{allowed topic}"] = topic
    return [
        (
            f"{event.kind} {normal(event.text, names)}",
            f"+{span(event.t - trial.start)} {normal(event.text, trial.names)}",
        )
        for event in trial.events
        if event.kind in kinds
    ]


def _shown(channel: Sequence[tuple[str, str]], position: int) -> str:
    return channel[position][1] if position < len(channel) else ""


def _topic(control: str) -> str:
    """Return the TOPIC of ``a QoS 1 publish on TOPIC, seen by the observer,``."""
    return control.partition(" on ")[2].partition(",")[0]


def _phases(trial: Trial) -> dict[str, float]:
    begun: dict[str, float] = {}
    took: dict[str, float] = {}
    for event in trial.events:
        name = str(event.data.get("name", ""))
        if event.kind is Kind.PHASE and event.data.get("on") == "begin":
            begun[name] = event.t
        elif event.kind is Kind.PHASE and name in begun:
            took[name] = event.t - begun.pop(name)
    return took

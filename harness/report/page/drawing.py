"""Draws what happened in a test on one time axis: lanes of marks, phases as bands, pins of the evidence.

Places are in per cent of the axis, so the drawing fits any width without a script.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.report.page.scale import WIDE, Cut, Scale
from harness.report.page.words import span
from harness.timeline import Event, Kind

FEWEST: Final = 6
"""The least number of events for a drawing."""

PHASES: Final = {
    "connect": "connect",
    "baseline": "allowed before",
    "action": "action",
    "fence": "fence",
    "hold": "wait",
    "effect": "effect",
    "questions": "questions",
    "reconnect": "connect again",
    "after": "repeat",
    "delivery": "delivery",
    "sham": "allowed",
    "chaser": "behind it",
    "witness": "witness",
    "late": "late",
    "flight": "several at once",
    "right": "right login",
}
_PLANS: Final = {
    "baseline": "allowed before",
    "pause": "pause",
    "attempt": "login",
    "idle control": "idle",
    "busy control": "busy",
}
LANES: Final = ("Harness", "UART to board", "UART from board", "URC", "MQTT", "Cloud, observer", "Radio")
_LANE_OF: Final = {
    Kind.STEP: 0,
    Kind.FAULT: 0,
    Kind.PHASE: 0,
    Kind.TX: 1,
    Kind.RX: 2,
    Kind.RESULT: 2,
    Kind.URC: 3,
    Kind.MQTT: 4,
    Kind.CLOUD: 5,
}
_NOMINAL = 860  # pixels of the axis on a desktop screen
_LETTER = 6.4  # pixels of one character, on average
_REGISTERED = re.compile(r"\+CEREG: ?(?:\d,)?([15])(?:,|$)")
_COMMAND = re.compile(r"AT[+%#]?X?(\w+[?=]?)")


@dataclass(slots=True)
class Mark:
    """``shape``: dot, diamond, bar, state or absence. ``zoom``: from which zoom on its label has room; 0: never."""

    lane: int
    seq: int
    shape: str
    left: float
    width: float = 0.0
    label: str = ""
    title: str = ""
    tone: str = ""
    zoom: int = 1
    row: int = 0  # its lane's number among those that are drawn


@dataclass(frozen=True, slots=True)
class Band:
    """A phase: its name and where it lies."""

    name: str
    left: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True)
class Pin:
    """At the mark of an event, the numbers of the sentences that the event proves."""

    seq: int
    numbers: str
    left: float
    row: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """``ticks``: place and time of each. ``points``: places and times between which the scale is even."""

    lanes: Sequence[str]
    marks: Sequence[Mark]
    bands: Sequence[Band]
    pins: Sequence[Pin]
    cuts: Sequence[Cut]
    ticks: Sequence[tuple[float, str]] = field(default_factory=list)
    points: Sequence[tuple[float, float]] = ()
    plans: bool = False


def draw(events: Sequence[Event], start: float, pinned: Mapping[int, Sequence[int]], absent: int = 0) -> Drawing | None:
    """Draw a test; return None if there is too little to see.

    ``events``: of its timeline. ``start``: when it began. ``pinned``: sentences by event. ``absent``: the sentence that
    rests on the absence of an event.
    """
    shown = [event for event in events if event.kind in _LANE_OF]
    if sum(event.kind is not Kind.PHASE for event in shown) < FEWEST:
        return None
    begin = next((event.t for event in shown if event.kind is Kind.PHASE), shown[0].t)
    scale = Scale([event.t for event in shown], begin)
    # States first, because what is drawn later lies above, and a bar must not hide a label.
    marks = [*_states(shown, scale), *_marks(shown, scale, pinned), *_absence(shown, scale, absent)]
    lanes = sorted({mark.lane for mark in marks})
    for mark in marks:
        mark.row = lanes.index(mark.lane)
    _label(marks)
    pins = [
        Pin(
            mark.seq,
            ",".join(map(str, pinned[mark.seq])),
            mark.left + (mark.width if mark.shape == "bar" else 0),
            mark.row,
        )
        for mark in marks
        if mark.seq in pinned and mark.shape in ("dot", "diamond", "bar")
    ]
    free = [
        place
        for place in (0, 16, 32, 48, 64, 80)
        if all(abs((cut.left + cut.right) / 2 - place) > 9 for cut in scale.cuts)
    ]
    ticks = [(place, f"+{span(max(0.0, scale.time(place) - start))}") for place in free]
    names = [LANES[lane] for lane in lanes]
    plans = bool(_plan_names(shown))
    return Drawing(names, marks, list(_bands(shown, scale)), pins, scale.cuts, ticks, scale.points(), plans)


def _marks(events: Sequence[Event], scale: Scale, pinned: Mapping[int, Sequence[int]]) -> Iterable[Mark]:
    sent: Event | None = None
    for event in events:
        lane, left = _LANE_OF[event.kind], scale.place(event.t)
        if event.kind is Kind.PHASE:
            if event.seq in pinned:
                yield Mark(lane, event.seq, "dot", left, label=_phase_said(event), title=event.text, tone="quiet")
        elif event.kind is Kind.TX:
            sent = event
        elif event.kind is Kind.RESULT:
            if sent is not None:
                begun = scale.place(sent.t)
                label = command_name(sent.text)
                yield Mark(1, sent.seq, "bar", begun, max(left - begun, 0.3), label, sent.text)
                sent = None
            bad = event.data.get("ok") is False
            yield Mark(
                lane,
                event.seq,
                "dot",
                left,
                label=event.text if bad else "",
                title=event.text,
                tone="bad" if bad else "",
            )
        else:
            yield Mark(lane, event.seq, _shape(event), left, label=_said(event), title=event.text, tone=_tone(event))
    if sent is not None:
        begun = scale.place(sent.t)
        yield Mark(1, sent.seq, "bar", begun, WIDE - begun, f"{command_name(sent.text)}: no answer", sent.text, "bad")


def command_name(text: str) -> str:
    """Return the text on a bar: the command's name, or how much data it was."""
    found = _COMMAND.match(text)
    return found[1].rstrip("=") if found else f"{len(text.encode('utf-8', 'replace'))} B"


def _phase_said(event: Event) -> str:
    return PHASES.get(str(event.data.get("name")), str(event.data.get("name", "")))


def _shape(event: Event) -> str:
    return "diamond" if event.kind is Kind.URC else "dot"


def _tone(event: Event) -> str:
    if event.kind is Kind.FAULT or event.data.get("kind") == "closed":
        return "bad"
    return "cloud" if event.kind is Kind.CLOUD else "quiet" if event.kind in (Kind.STEP, Kind.RX) else ""


def _said(event: Event) -> str:
    if event.kind is Kind.URC:
        return event.text.removeprefix("#XMQTT").removeprefix("+")[:24]
    if event.kind is Kind.CLOUD:
        return "message seen" if "topic" in event.data else event.text[:40]
    return "hung up" if event.data.get("kind") == "closed" else event.text[:32]


def _states(events: Sequence[Event], scale: Scale) -> Iterable[Mark]:
    """Return the MQTT connection and the registration in the radio network as bars."""
    first, last = scale.place(events[0].t), scale.place(events[-1].t)
    mqtt = [event for event in events if event.kind is Kind.MQTT]
    since: float | None = first if mqtt and mqtt[0].data.get("kind") != "accepted" else None
    for event in mqtt:
        if event.data.get("kind") == "accepted":
            since = scale.place(event.t)
        elif event.data.get("kind") == "closed" and since is not None:
            yield Mark(4, -1, "state", since, scale.place(event.t) - since, title="connected")
            since = None
    if since is not None:
        yield Mark(4, -1, "state", since, last - since, title="connected")
    lines = [event for event in events if event.kind in (Kind.RX, Kind.URC) and event.text.startswith("+CEREG:")]
    for event, following in zip(lines, [*lines[1:], None], strict=False):
        found, left = _REGISTERED.match(event.text), scale.place(event.t)
        right = last if following is None else scale.place(following.t)
        words = "registered, roaming" if found and found[1] == "5" else "registered" if found else "not registered"
        if event is lines[0] and found:
            left = first
        yield Mark(
            6, -1, "state", left, right - left, words if event is lines[0] else "", words, "" if found else "bad"
        )


def _absence(events: Sequence[Event], scale: Scale, number: int) -> Iterable[Mark]:
    if not number:
        return
    begin = next((event for event in events if event.kind is Kind.PHASE and event.data.get("name") == "action"), None)
    if begin is not None:
        left = scale.place(begin.t)
        yield Mark(5, -1, "absence", left, WIDE - left, f"({number}) never seen", "it never came")


def _bands(events: Sequence[Event], scale: Scale) -> Iterable[Band]:
    begun: dict[str, float] = {}
    # An experiment has many phases. Only its plans get names; what was tried shows within them.
    names = _plan_names(events)
    wanted = {"plan", "action"} if names else PHASES.keys()
    first = next((event for event in events if event.kind is Kind.PHASE), None)
    if first is not None and scale.place(first.t) > 0:
        yield Band("set-up", 0.0, scale.place(first.t), "early")
    for event in events:
        name = str(event.data.get("name", ""))
        if event.kind is not Kind.PHASE or name not in wanted:
            continue
        if event.data.get("on") == "begin" and name == "plan":
            said = names.pop(0)
        if event.data.get("on") == "begin":
            begun[name] = scale.place(event.t)
        elif name in begun:
            left = begun.pop(name)
            label = said if name == "plan" else PHASES[name]
            yield Band(label, left, scale.place(event.t) - left, "act" if name == "action" else "")


def _plan_names(events: Sequence[Event]) -> list[str]:
    return [
        f"arm {event.data['arm']}" if "arm" in event.data else _PLANS.get(str(event.data.get("plan")), event.text)
        for event in events
        if event.kind is Kind.PHASE and event.data.get("name") == "plan" and event.data.get("on") == "begin"
    ]


def _label(marks: Sequence[Mark]) -> None:
    """Work out from which zoom on each label has room before the next mark of its lane."""
    for lane in {mark.lane for mark in marks}:
        mine = sorted(
            (mark for mark in marks if mark.lane == lane and mark.shape != "state"), key=lambda mark: mark.left
        )
        for mark, following in zip(mine, [*mine[1:], None], strict=False):
            end = 100.0 if following is None else following.left
            room = (mark.width if mark.shape == "bar" else end - mark.left) * _NOMINAL / 100 - (
                8 if mark.shape == "bar" else 16
            )
            needed = len(mark.label) * _LETTER
            mark.zoom = next((zoom for zoom in (1, 2, 4, 8, 16) if needed <= room * zoom), 0)

"""The lines of a timeline file: one JSON object each. Pure: events to text and back.

=======================  ================================================================================
``k``                    fields
=======================  ================================================================================
``file``                 ``v`` (schema), ``began`` (UTC), ``mono`` (monotonic seconds then), and what the
                         writer was told: run, lab, board, cloud, version of the harness
an event's kind          ``i`` (number of the test here, 0: outside of any), ``n`` (seq), ``t`` (seconds
                         since ``mono`` of the test, or of the file), ``s`` (source), ``x`` (text), ``d`` (data)
test phase facts         the same, with the fields of the data beside the others
expect end
=======================  ================================================================================
"""

import json
from collections.abc import Mapping
from json.encoder import encode_basestring as quoted
from typing import Any, Final

from harness.redact import SECRETS
from harness.timeline.events import Event, Kind

SCHEMA: Final = 1
FILE: Final = "file"
_OWN: Final = frozenset("kintsxd")
_MOST: Final = 10**12  # of seconds and numbers: beyond that no harness wrote them, and sums of them would fail
# What is behind the reader counts with these, or compares them: a hand or a disk may have left something else there.
_WHOLE: Final = {Kind.PHASE: ("trial", "attempt"), Kind.FACTS: ("trial", "attempt", "judge")}
_TEXTS: Final = {Kind.PHASE: ("name", "on", "action", "sort", "tried"), Kind.FACTS: ("outcome",), Kind.MQTT: ("kind",)}
OWN_WORK: Final = frozenset({Kind.TEST, Kind.PHASE, Kind.FACTS, Kind.EXPECT, Kind.END})
_RESULT: Final = Kind.RESULT
_COST: Final = ["command", "seconds", "ok"]
_NAMES: Final = {kind: kind.value for kind in Kind}  # quicker than an enumeration that is asked for its value
# json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str) takes twice as long: it makes an encoder for
# every call. The arguments are: markers, default, encoder, indent, two separators, sort_keys, skipkeys, allow_nan.
_encoder: Final = json.encoder.c_make_encoder(None, str, quoted, None, ":", ",", False, False, True)  # type: ignore[attr-defined]


def _dumps(value: Mapping[str, Any]) -> str:
    return "".join(_encoder(value, 0))


def header_line(header: Mapping[str, Any]) -> str:
    """Return the first line of a file."""
    return _dumps({"k": FILE, "v": SCHEMA, **header})


def event_line(event: Event, number: int, mono: float) -> str:
    """Return the line for ``event`` of test ``number`` (0: none), begun at ``mono``. It may hold registered secrets."""
    seq, t, kind, source, text, data = event
    head = f'{{"i":{number},"n":{seq},"t":{t - mono:.6f},"k":"{_NAMES[kind]}","s":{quoted(source)},"x":{quoted(text)}'
    if not data:
        return head + "}"
    if kind is _RESULT and list(data) == _COST:  # one for each command: half of what the encoder takes
        command, seconds, ok = data.values()
        if type(command) is str and type(seconds) is float and type(ok) is bool and seconds - seconds == 0.0:
            return f'{head},"d":{{"command":{quoted(command)},"seconds":{seconds},"ok":{"true" if ok else "false"}}}}}'
    if kind in OWN_WORK and _OWN.isdisjoint(data):
        return f"{head},{_dumps(data)[1:]}"
    return f'{head},"d":{_dumps(data)}}}'


def scrubbed(event: Event) -> Event:
    """Return ``event`` without registered secrets, which are cut from its texts one by one."""
    return event._replace(text=SECRETS.scrub(event.text), data=SECRETS.scrub_value(event.data))


def parse_event(fields: Mapping[str, Any], mono: float) -> Event:
    """Return the event in a line's ``fields``. Raises ValueError, KeyError, TypeError if they hold none."""
    kind = Kind(fields["k"])
    data = fields.get("d", {})
    if kind in OWN_WORK and "d" not in fields:
        data = {name: value for name, value in fields.items() if name not in _OWN}
    if not isinstance(data, dict):
        raise TypeError("d is not an object")
    source, text = fields["s"], fields["x"]
    if not isinstance(source, str) or not isinstance(text, str):
        raise TypeError("s and x must be text")
    for name in _WHOLE.get(kind, ()):
        if name in data:
            whole(data[name], name)
    if kind is Kind.MQTT and not isinstance(data.get("result", 0), int):  # of any size: it is what a board said
        raise TypeError("result is not a whole number")
    for name in _TEXTS.get(kind, ()):
        if not isinstance(data.get(name, ""), str):
            raise TypeError(f"{name} must be text")
    return Event(whole(fields["n"], "n"), round(mono + sensible(fields["t"], "t"), 6), kind, source, text, data)


def check_unknown(fields: Mapping[str, Any]) -> None:
    """Check a line of a kind that only a newer harness or another tool knows. Raises ValueError, KeyError, TypeError.

    What it has of an event's fields must be what they are in any event.
    """
    if not isinstance(fields["k"], str):
        raise TypeError("k must be text")
    for name in ("i", "n"):
        if name in fields:
            whole(fields[name], name)
    sensible(fields.get("t", 0.0), "t")
    if not isinstance(fields.get("s", ""), str) or not isinstance(fields.get("x", ""), str):
        raise TypeError("s and x must be text")


def whole(value: Any, name: str) -> int:
    """Return ``value``, which is called ``name``. Raises ValueError: too large; TypeError: no whole number."""
    found = sensible(value, name)
    if not isinstance(found, int):
        raise TypeError(f"{name} is not a whole number")
    return found


def sensible(value: Any, name: str) -> float:
    """Return ``value``, which is called ``name``. Raises ValueError: infinite or too large; TypeError: no number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is not a number")
    if not abs(value) < _MOST:  # NaN is not less, either
        raise ValueError(f"{name} is not a number that makes sense")
    return value

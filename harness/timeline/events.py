"""What a timeline holds: events, and their kinds."""

import time
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What an event is. The value is what the timeline file shows.

    Those from TEST to END are what the harness says of its own work. Their ``data``:

    =======  ==========================================================================================
    TEST     ``key`` (test without its board), ``names`` (placeholder to text), ``began`` (UTC), ``mono``
    PHASE    ``trial``, ``attempt``, ``name`` (baseline, action, fence, ...), ``on`` (begin or end)
    FACTS    ``judge`` (version), ``facts``, ``outcome``, ``sentences``, ``one_in``, ``suspect``, ``tally``
    EXPECT   ``wanted`` (outcomes), ``got``
    END      ``result``, ``error``, ``branch``, ``party``, ``place``, ``seconds`` (per phase of pytest)
    =======  ==========================================================================================
    """

    RX = "rx"  # one line from a port, as it came (redacted)
    TX = "tx"  # one command or payload to a port (redacted)
    URC = "urc"  # a line that belongs to no command
    RESULT = "result"  # a command's final result, with what it cost
    MQTT = "mqtt"  # what the device reports of its MQTT connection
    CLOUD = "cloud"  # what the cloud's side saw: REST answers, messages at the observer
    STEP = "step"  # a step that the harness decided on, with the reason
    FAULT = "fault"  # the lab's trouble: port gone, process dead, lines dropped
    TEST = "test"  # a test begins
    PHASE = "phase"  # a phase of a trial begins or ends
    FACTS = "facts"  # what a trial found, and what was made of it
    EXPECT = "expect"  # what a test expected of a trial
    END = "end"  # the test has ended
    CUT = "cut"  # a file leaves out what follows of the test, but for the five kinds above


class Event(NamedTuple):
    """One thing that happened. ``seq``: its number. ``t``: seconds of :func:`now`. ``data``: JSON-ready."""

    seq: int
    t: float
    kind: Kind
    source: str
    text: str
    data: dict[str, Any]


Draft = tuple[float, Kind, str, str, dict[str, Any]]
"""An event before it has its number."""


def now() -> float:
    """Return ``time.monotonic()`` in whole microseconds, as a file keeps it."""
    return time.monotonic_ns() // 1000 / 1e6  # a third of what round() takes

"""What to say of a port on which somebody else speaks."""

import os
from collections.abc import Iterable
from typing import Final

from harness.at.holders import holders
from harness.timeline import Event, Timeline

FAULTS: Final = "faults"
"""The source of the events that tell of faults which the boards file or a test asked for."""
LINE_FAULT: Final = "line"
"""The ``wire`` of the event by which a fault that the boards file asks for on a port is told."""

_SAYS_OTHERWISE: Final = ("say-line", "disturb-urcs", "disturb-output")
"""Commands to a virtual board that change what its port says."""


def asked_fault(events: Iterable[Event]) -> Event | None:
    """Return the first event that tells of a fault on the port itself which somebody asked for; None: nobody did."""
    return next(
        (
            event
            for event in events
            if event.source == FAULTS
            and (event.data.get("wire") == LINE_FAULT or event.text.startswith(_SAYS_OTHERWISE))
        ),
        None,
    )


def foreign_writer(url: str, timeline: Timeline) -> str:
    """Say for a message that something else writes to the port ``url``, with the processes that hold it open.

    ``timeline``: the board's. If faults that were asked for have struck there, they are what must be looked at first.
    """
    asked = asked_fault(timeline.since())
    if asked is not None:
        return f"a fault on this port that was asked for looks like this: {asked.text}"
    local = [url] if url.startswith("/") else []
    others = [str(holder) for held in holders(local).values() for holder in held if holder.pid != os.getpid()]
    held = f"; it is open in {', '.join(others)}, too" if others else ""
    return (
        f"something else writes to this port: ModemManager?{held}; end it, or tell it to leave the port alone"
        ' (udev: ENV{ID_MM_DEVICE_IGNORE}="1")'
    )

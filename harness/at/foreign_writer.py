"""What to say of a port on which somebody else speaks."""

import os
from typing import Final

from harness.at.holders import holders
from harness.timeline import Timeline

LINE_FAULT: Final = "line"
"""The ``wire`` of the event by which a fault that the boards file asks for on a port is told."""


def foreign_writer(url: str, timeline: Timeline) -> str:
    """Say for a message that something else writes to the port ``url``, with the processes that hold it open.

    ``timeline``: the board's. If the boards file's own faults have struck there, they are what must be looked at first.
    """
    if any(event.data.get("wire") == LINE_FAULT for event in timeline.since()):
        return "the boards file's own faults on this line have struck (faults: {line: ...}), and look like this"
    local = [url] if url.startswith("/") else []
    others = [str(holder) for held in holders(local).values() for holder in held if holder.pid != os.getpid()]
    held = f"; it is open in {', '.join(others)}, too" if others else ""
    return (
        f"something else writes to this port: ModemManager?{held}; end it, or tell it to leave the port alone"
        ' (udev: ENV{ID_MM_DEVICE_IGNORE}="1")'
    )

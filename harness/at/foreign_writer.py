"""What to say of a port on which somebody else speaks."""

import os

from harness.at.holders import holders


def foreign_writer(url: str) -> str:
    """Say for a message that something else writes to the port ``url``, with the processes that hold it open."""
    local = [url] if url.startswith("/") else []
    others = [str(holder) for held in holders(local).values() for holder in held if holder.pid != os.getpid()]
    held = f"; it is open in {', '.join(others)}, too" if others else ""
    return (
        f"something else writes to this port: ModemManager?{held}; end it, or tell it to leave the port alone"
        ' (udev: ENV{ID_MM_DEVICE_IGNORE}="1")'
    )

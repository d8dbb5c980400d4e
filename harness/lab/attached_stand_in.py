"""A stand-in that another process started: used as one's own, watched, and left running."""

import os
import select
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.lab.relay import send


class AttachedStandIn:
    """``what``: what it is to the user. ``ready``: the line that it printed to whoever started it, with its ``pid``.

    ``name``: its name at the relay, whose folder is ``ready["relay"]``.
    """

    def __init__(self, what: str, name: str, ready: Mapping[str, Any]) -> None:
        self.what = what
        self._name = name
        self.ready = dict(ready)
        self.pid = int(ready["pid"])
        try:
            self._watch: int | None = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self._watch = None

    def died(self, *, grace: float = 0.0) -> str | None:
        """Return that the process has ended, or None while it runs. ``grace``: seconds to wait for its end."""
        if self._watch is not None:
            poll = select.poll()  # not select.select: a process with many open files has numbers beyond its limit
            poll.register(self._watch, select.POLLIN)
            if not poll.poll(grace * 1000):
                return None
        return f"{self.what} (pid {self.pid}) ended"

    def command(self, name: str, /, **fields: Any) -> dict[str, Any]:
        """Tell the process something, by way of the one that started it. See StandIn.command."""
        return send(Path(self.ready["relay"]), self._name, name, fields)

    def stop(self) -> str | None:
        """Leave the process alone: it belongs to whoever started it."""
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None
        return None

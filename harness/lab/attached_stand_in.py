"""A stand-in that another process started. It is used and watched like an own one, and left running."""

import os
import select
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.lab.relay import send


class AttachedStandIn:
    """``what``: names it for the user. ``ready``: the line that it printed when it was ready, with its ``pid``.

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
        """Return a text if the process has ended, else None. ``grace``: seconds to wait for its end."""
        if self._watch is not None:
            poll = select.poll()  # not select.select, which cannot take file descriptors above 1023
            poll.register(self._watch, select.POLLIN)
            if not poll.poll(grace * 1000):
                return None
        return f"{self.what} (pid {self.pid}) ended"

    def command(self, name: str, /, **fields: Any) -> dict[str, Any]:
        """Send the process a command, through the process that started it. See StandIn.command."""
        return send(Path(self.ready["relay"]), self._name, name, fields)

    def stop(self) -> str | None:
        """Leave the process running, because it belongs to the process that started it."""
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None
        return None

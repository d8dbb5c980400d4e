"""A firmware's own connection to the cloud: the harness makes it connect and publish, and watches its log.

The firmware holds the MQTT session, so there is nothing to send but what a person would: a line at the console, a
button, or the network taken away and given back. What became of it is evidence on the timeline
(:mod:`harness.firmware.cloud_library.evidence`).
"""

import re
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from harness.at import AtPort
from harness.errors import Misuse
from harness.firmware.cloud_library.cause import Timed
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.facts import SampleFacts
from harness.firmware.cloud_library.watcher import CLASS, evidence_of
from harness.firmware.console import Console
from harness.timeline import Event, Kind

OFFLINE: Final = "AT+CFUN=4"
ONLINE: Final = "AT+CFUN=1"
BY_NETWORK: Final = (OFFLINE, ONLINE)
"""How any firmware is made to connect anew: its network goes and comes back. It needs no command of its own."""
_CFUN: Final = 60.0
_ENDED: Final = (LogClass.USER_DISCONNECT, LogClass.LINK_LOST, LogClass.KICKED)
_ENDING: Final = 3.0


@dataclass(frozen=True, slots=True)
class OwnSetup:
    """What the boards file, or the table of samples, says. ``reconnect``: AT commands, and lines for the console.

    ``publish``: see SampleFacts. ``press``: presses the button, None: nothing can. ``what``: the sample, for people.
    """

    what: str
    facts: SampleFacts
    publish: str | None = None
    reconnect: Sequence[str] = BY_NETWORK
    press: Callable[[], None] | None = None

    @property
    def can_publish(self) -> bool:
        """Something makes it publish."""
        return self.publish is not None or self.press is not None


class OwnConnection:
    """One board's. ``port``: the board's. ``setup``: how it is told what to do.

    ``switch_on``: does AT+CFUN=1 with the SIM's PIN. None: that command is sent as it is.
    """

    def __init__(self, port: AtPort, setup: OwnSetup, *, switch_on: Callable[[], object] | None = None) -> None:
        self.setup: Final = setup
        self._switch_on = switch_on
        self._port = port
        self._up = False

    @property
    def name(self) -> str:
        """The board's name."""
        return self._port.name

    def mark(self) -> int:
        """Return the timeline's mark: from it ``wait`` and ``lines`` read on."""
        return self._port.timeline.mark()

    def end(self) -> None:
        """Do the first part of a reconnect: the connection ends. What it says of that is waited for, if it was up."""
        mark = self.mark()
        self._do(self.setup.reconnect[:-1])
        if self._up:
            self.wait(_ENDED, since=mark, timeout=_ENDING)
        self._up = False

    def begin(self) -> None:
        """Do its last part: the firmware connects."""
        self._do(self.setup.reconnect[-1:])

    def publish(self, payload: str) -> None:
        """Have one message published. ``payload``: in it where a line makes it publish; a button says what it likes.

        Raises Misuse where nothing can make it publish.
        """
        if self.setup.publish is not None:
            self._do((self.setup.publish.replace("{payload}", payload),))
            return
        with Console(self._port, press=self.setup.press) as console:
            console.press()

    def wait(self, classes: Collection[LogClass], *, since: int, timeout: float) -> Event | None:
        """Return the first event from ``since`` on that is evidence of one of ``classes``; None after ``timeout`` s.

        Raises BoardLost as soon as the board is gone.
        """
        port = self._port
        wanted = {each.value for each in classes}

        def decisive(event: Event) -> bool:
            if event.source != port.name:
                return False
            return event.data.get(CLASS) in wanted or port.failure is not None

        event = port.wait(decisive, since=since, timeout=timeout if port.failure is None else 0.0)
        if event is None or evidence_of(event) is None:
            if (failure := port.failure) is not None:
                raise failure
            return None
        self._up = event.data[CLASS] == LogClass.CONNECTED
        return event

    def lines(self, since: int) -> list[Timed]:
        """Return the lines that the board said by itself from ``since`` on."""
        return [
            Timed(event.t, event.text)
            for event in self._port.timeline.since(since)
            if event.source == self._port.name and event.kind in (Kind.RX, Kind.URC) and "role" not in event.data
        ]

    def wait_line(self, text: str | re.Pattern[str], *, since: int, timeout: float) -> str:
        """Return the first line with ``text``, or in which it matches, from ``since`` on.

        Raises NoAnswer after ``timeout`` s; BoardLost.
        """
        pattern = re.escape(text) if isinstance(text, str) else text
        return self._port.wait_line(pattern, timeout, since=since).text

    def last_heard(self) -> str:
        """Return what an error message says of the last lines."""
        return self._port.last_heard()

    def _do(self, lines: Sequence[str]) -> None:
        for line in lines:
            if line.upper() == ONLINE and self._switch_on is not None:
                self._switch_on()
            elif line.upper().startswith("AT+") or line.upper().startswith("AT%") or line.upper().startswith("AT#"):
                self._port.command(line, timeout=_CFUN)
            elif self._port.settings.at_shell:
                with Console(self._port) as console:
                    console.run(line)
            else:
                raise Misuse(
                    f"{self._port.name}: {shlex.quote(line)} is no AT command, and {self.setup.what} has no shell to"
                    " type it at: correct firmware: in the boards file"
                )

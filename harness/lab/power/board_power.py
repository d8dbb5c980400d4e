"""Takes a board's power away and gives it back, and proves that this happened.

These prove a restart: the kit's USB device goes away and comes back. Or, if the debugger keeps its own power and the
port stays, the firmware's boot line. Or AT+CMEE, which was set before, is back at its default. The exit code of a tool
proves nothing, and many hubs cut the data lines and not the power.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from harness.at import AtPort, PortSettings
from harness.errors import HarnessError, LabError, PortMissing
from harness.firmware import FIRMWARES, find_firmware, kind_of, synchronise
from harness.lab.board_settings import settings_of
from harness.lab.config import BoardConfig
from harness.lab.power.reset_loop import ResetLoop
from harness.lab.power.switches import Action, Switch
from harness.timeline import Event, Kind, Timeline

_LOOK_AGAIN: Final = 0.1  # seconds from one look for a device to the next; not every system has an event for it
_BOOT: Final = re.compile(r"\*\*\* Booting |Ready\Z|The AT host sample started")
_CFUN_TIMEOUT: Final = 60.0
_LINES: Final = (Kind.RX, Kind.URC, Kind.RESULT)


class PowerUnproven(LabError):
    """The tool was used, but nothing shows that the board's power was switched."""


class BoardPower:
    """The power of one board, whose port nobody has open.

    ``config``: the board's entry. ``switch``: the tool. ``find_port``: returns where the port is now, or raises
    PortMissing. ``loop``: counts restarts. ``note``: called with each step.
    """

    def __init__(
        self,
        config: BoardConfig,
        switch: Switch,
        find_port: Callable[[], str],
        loop: ResetLoop,
        note: Callable[[str], None] = lambda _text: None,
    ) -> None:
        if config.power is None:
            raise ValueError("a board without power:")
        self._name = config.name
        self._config = config
        self._power = config.power
        self._switch = switch
        self._find_port = find_port
        self._loop = loop
        self._note = note
        self._firmware: str | None = config.firmware  # None until the firmware has been found out
        self._settings = settings_of(config)

    def cycle(self) -> str:
        """Take the power away and give it back; return the proof.

        Raises PowerUnproven with the tool's complaint; LabError if there is no tool, or the restart is one too many.
        """
        self._need_tool()
        self._loop.check(self._name)
        before, polite = self._identity(), self._say_goodbye()
        if self._switch.cycles:
            with self._listener() as listener:
                complaint = self._act("cycle")
                return self._see_start(before, polite=polite, gone=False, listener=listener, complaint=complaint)
        try:
            complaint = self._act("off")
            self._wait(self._power.delay)
            gone = self._identity() is None
        except BaseException:
            self._act("on")  # after any error the board must not stay without power
            raise
        with self._listener() as listener:
            complaint = self._act("on") or complaint
            return self._see_start(before, polite=polite, gone=gone, listener=listener, complaint=complaint)

    def off(self) -> str:
        """Switch the board off; return the proof. Raises PowerUnproven, LabError."""
        self._need_tool()
        self._loop.check(self._name)
        before, polite = self._identity(), self._say_goodbye()
        complaint = self._act("off")
        self._wait(self._power.delay)
        if before is not None and self._identity() is None:
            return "its device went away"
        if polite and not self._answers():
            return "it does not answer any more"
        if before is None and not polite:  # it may be off already, or be another board's entry: nobody can tell
            raise PowerUnproven(
                f"{self._name}: power off: nothing shows that it happened: before, the board neither had a device here "
                f"nor answered ({_said(complaint)}); is it attached, and does the boards file name the right one?"
            )
        raise self._unproven("off", complaint)

    def on(self) -> str:
        """Switch the board on; return the proof. Raises PowerUnproven; LabError if there is no tool."""
        self._need_tool()
        before = self._identity()
        with self._listener() as listener:
            complaint = self._act("on")
            with suppress(PowerUnproven):
                return self._see_start(before, polite=False, gone=before is None, listener=listener, complaint=None)
        if self._answers():
            return "it answers"
        raise self._unproven("on", complaint)

    def _need_tool(self) -> None:
        """Raise LabError if the tool cannot start: it would switch nothing, and all waiting would be in vain."""
        if (why := self._switch.missing) is not None:
            raise LabError(f"{self._name}: power: {why}")

    def _say_goodbye(self) -> bool:
        """Send AT+CFUN=0 if the board answers: it stores its settings, and the restart does not count as a reset."""
        try:
            with self._in_step() as port:
                port.command("AT+CMEE=1")
                port.command("AT+CFUN=0", timeout=_CFUN_TIMEOUT)
        except HarnessError as error:
            self._note(f"AT+CFUN=0 could not be sent before: {error}")
            self._loop.count()
            return False
        self._note("AT+CFUN=0 was sent before")
        return True

    def _see_start(
        self, before: object, *, polite: bool, gone: bool, listener: "_Listener", complaint: str | None
    ) -> str:
        deadline = time.monotonic() + self._power.boot
        while time.monotonic() < deadline:
            now = self._identity()
            if line := listener.boot_line():
                return self._proved(f"it said {line!r}")
            if now is not None and (gone or listener.broken or (before is not None and now != before)):
                self._refuse_a_cut_of_data_alone(polite=polite)
                return self._proved("its device came" if before is None else "its device went away and came back")
            self._wait(_LOOK_AGAIN)
        if polite and self._error_mode() == "0":
            return self._proved("its settings are those of a start")
        raise self._unproven("cycle", complaint)

    def _proved(self, what: str) -> str:
        self._note(f"restarted: {what}")
        return what

    def _unproven(self, action: str, complaint: str | None) -> PowerUnproven:
        return PowerUnproven(
            f"{self._name}: power {action}: nothing shows that it happened: its device did not change, and no "
            f"boot line came within {self._power.boot:g} s ({_said(complaint)}); does this hub or relay cut its "
            "supply, and has the board no other (battery, second cable)?"
        )

    def _refuse_a_cut_of_data_alone(self, *, polite: bool) -> None:
        """Raise PowerUnproven if the board still has the setting from before, so that only its USB device was away."""
        if polite and self._error_mode() == "1":
            raise PowerUnproven(
                f"{self._name}: power cycle: its USB device went away and came back, but the board did not restart: "
                "the hub cuts data and not power, or the board has another supply (battery, second cable)"
            )

    def _error_mode(self) -> str | None:
        """Return the value of AT+CMEE, which was set to 1 before and is 0 after a start; None: not told."""
        try:
            with self._in_step(patience=self._power.boot) as port:
                return port.command("AT+CMEE?").value("+CMEE")
        except HarnessError:
            return None

    def _answers(self) -> bool:
        try:
            with self._in_step():
                return True
        except HarnessError:
            return False

    @contextmanager
    def _in_step(self, *, patience: float = 0.0) -> Iterator[AtPort]:
        """Hold the port open, with a board that answers. An unknown firmware is found out first.

        ``patience``: more seconds for a board of known firmware. Raises LabError: no port, no answer, other firmware.
        """
        with _open(self._name, self._find_port(), self._settings) as port:
            if self._firmware is None:
                self._firmware = find_firmware(port).kind
            else:
                synchronise(port, self._firmware, patience=patience)
            self._settings = port.settings  # with the speed and terminator that were found
            yield port

    def _listener(self) -> "_Listener":
        return _Listener(self._name, self._find_port, self._settings, self._firmware)

    def _act(self, action: Action) -> str | None:
        self._note(f"power {action}")
        complaint = self._switch.act(action, self._environment())
        if complaint:
            self._note(f"power {action}: {complaint}")
        return complaint

    def _environment(self) -> dict[str, str]:
        try:
            port = self._find_port()
        except LabError:
            port = ""
        return {"NRF91_BOARD": self._name, "NRF91_SERIAL": self._config.serial or "", "NRF91_PORT": port}

    def _identity(self) -> object | None:
        """Return a value that changes when the device has been away; None: it is away."""
        try:
            device = os.path.realpath(self._find_port())
            found = os.stat(device)
        except (PortMissing, OSError):
            return None
        return device, found.st_ino, found.st_rdev, _devnum(Path(device).name)

    def _wait(self, seconds: float) -> None:
        threading.Event().wait(seconds)


def _said(complaint: str | None) -> str:
    return complaint or "the tool reported no error"


def _devnum(tty: str) -> str | None:
    """Return the USB number of a port's device, which is new each time it is attached."""
    with suppress(OSError):
        return (Path("/sys/class/tty") / tty / "device" / ".." / "devnum").read_text().strip()
    return None


def _open(name: str, url: str, settings: PortSettings) -> AtPort:
    return AtPort.open(url, name=name, timeline=Timeline(), settings=settings)


class _Listener:
    """Listens on a port that stays while its board restarts. Without a port it hears nothing."""

    def __init__(self, name: str, find_port: Callable[[], str], settings: PortSettings, firmware: str | None) -> None:
        kinds = FIRMWARES.values() if firmware is None else [kind_of(firmware)]
        self._patterns = [kind.restart for kind in kinds if kind.restart is not None]
        self._port: AtPort | None = None
        with suppress(HarnessError):
            self._port = _open(name, find_port(), settings)

    def __enter__(self) -> "_Listener":
        return self

    def __exit__(self, *_: object) -> None:
        if self._port is not None:
            self._port.close()

    @property
    def broken(self) -> bool:
        """Whether the port has gone away."""
        return self._port is not None and not self._port.alive

    def boot_line(self) -> str | None:
        """Return the boot line of the board, if it came."""
        if self._port is None:
            return None
        return next((event.text for event in self._port.timeline.since(0) if self._starts(event)), None)

    def _starts(self, event: Event) -> bool:
        said = event.kind in _LINES
        return said and any(pattern.match(event.text) for pattern in (_BOOT, *self._patterns))

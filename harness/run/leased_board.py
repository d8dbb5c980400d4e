"""A board of the lab during a run: leased and opened when first needed, opened again when it comes back."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from harness.errors import HarnessError, LabError, Misuse, again
from harness.firmware import WrongFirmware
from harness.lab import BoardConfig, Lab
from harness.run.button import button_of
from harness.run.flashing import flasher
from harness.run.former_settings import FormerSettings
from harness.run.found_modes import FoundModes
from harness.run.modem_setup import ModemSetup
from harness.run.open_board import OpenBoard
from harness.run.power import board_power, cut_for_recovery
from harness.run.recovery import Recovery
from harness.timeline import Kind, Timeline


class LeasedBoard:
    """Keeps the lease for the run, and the board open as long as its port lives.

    A board that failed stays failed for the run: later tests get the first error at once, not each its own time-out.
    ``lab``: finds and leases the board. ``config``: its entry in the boards file. ``progress`` takes what is done, step
    by step. ``timeline``: all that happens to the board during the run. ``modes``: what to put back after a killed run;
    None for a board that ends with its run. ``state``: the folder of the lab's state, where restarts are counted; with
    it, recovery cuts power by what the boards file names, without it by ``cut_power``.
    """

    def __init__(
        self,
        lab: Lab,
        config: BoardConfig,
        progress: Callable[[str], None],
        modes: FoundModes | None = None,
        cut_power: Callable[[], bool] = lambda: False,
        state: Path | None = None,
    ) -> None:
        self.config = config
        self.timeline: Final = Timeline()
        self._lab = lab
        self._progress = progress
        self._leases = ExitStack()
        self._leased = False
        self._opened: OpenBoard | None = None
        self._broken: HarnessError | None = None
        self._found_mode: int | None = None
        self._modes = modes
        self._setup = ModemSetup(config, FormerSettings(state / "settings") if modes and state else None)
        self._url = ""
        self._state = state
        self._flashed = False
        if state is not None:
            cut_power = partial(cut_for_recovery, lab, config, self._find_port, state, self.timeline)
        heal, press = partial(lab.heal, config), button_of(lab, config)
        self._recovery = Recovery(config, self._find_port, self.timeline, cut_power, heal, press)

    @property
    def opened(self) -> OpenBoard:
        """Port, modem and firmware; opened on first use. Raises LabError: no port, busy, silent, wrong firmware."""
        if self._broken is not None:
            raise again(self._broken)
        if self._opened is None:
            try:
                self._opened = self._open()
            except LabError as error:
                if isinstance(error, WrongFirmware):
                    self._say_where(error)
                self._broken = error
                raise
        return self._opened

    def _say_where(self, wrong: WrongFirmware) -> None:
        """Add to the error where and how the boards file names the firmware."""
        said = self._lab.file.firmware_lines.get(self.config.name)
        if said is not None:
            wrong.args = (f"{wrong} ({said})",)

    @property
    def alive(self) -> bool:
        """Whether the board is open and its port still there."""
        return self._opened is not None and self._opened.port.alive

    def begin(self) -> bool:
        """A test begins. False: the port had gone away or is in doubt, and is opened anew when needed."""
        port = None if self._opened is None else self._opened.port
        if port is None:
            return True
        wrong = self._wrong()
        if port.alive and port.in_step and wrong is None:
            return True
        self._recovery.await_port(port.failure or LabError(wrong or "the board did not answer any more"))
        self._shut()
        return False

    def _wrong(self) -> str | None:
        try:
            return self._lab.wrong(self.config)
        except LabError as error:
            return str(error)

    def step(self, text: str) -> None:
        """Record and show what is being done with the board."""
        self.timeline.add(Kind.STEP, self.config.name, text)
        self._progress(text)

    def properties(self) -> dict[str, str]:
        """Return what the board said of itself so far."""
        taken = self._recovery.taken
        recovered = {"recovery": ", ".join(f"{step} {times}" for step, times in taken.items())} if taken else {}
        if self._opened is None:
            return recovered
        identity = self._opened.identity
        return {
            "imei": identity.imei,
            "model": identity.model,
            "modem_firmware": identity.firmware,
            "firmware": str(self._opened.firmware),
            **recovered,
        }

    def restore(self) -> None:
        """Put back the settings that were changed, if asked for, and the functional mode found. Raises HarnessError."""
        if self._opened is not None and self._found_mode is not None:
            try:
                self._setup.undo(self._opened)
            finally:
                self._opened.modem.set_functional_mode(self._found_mode)
                if self._modes is not None:
                    self._modes.put_back(self._opened.identity.imei)

    def cycle_power(self) -> str:
        """Take the board's power away and give it back; return what proves it. The port is opened anew when needed.

        Raises Misuse: nothing can; PowerUnproven, LabError.
        """
        if self._state is None:
            raise Misuse(f"board {self.config.name!r}: the lab keeps no state here, so restarts cannot be counted")
        power = board_power(self._lab, self.config, self._find_port, self._state, self.step)
        if not self._leased:
            self._leases.enter_context(self._lab.lease(self.config))
            self._leased = True
        self._shut()
        return power.cycle()

    def close(self) -> None:
        """Close the port and end the lease."""
        try:
            self._shut()
        finally:
            self._leases.close()

    def _open(self) -> OpenBoard:
        if not self._leased:
            self._leases.enter_context(self._lab.lease(self.config))
            self._leased = True
        self._flash()
        opened = self._recovery.open(returning=self._found_mode is not None)
        try:
            if self._found_mode is None:
                found = opened.found_mode
                self._found_mode = found if self._modes is None else self._modes.found(opened.identity.imei, found)
            self._setup.apply(opened, self.step)
        except BaseException:
            opened.port.close()
            raise
        return opened

    def _flash(self) -> None:
        """Bring the firmware to what the boards file names, once in a run. Raises LabError."""
        if self.config.flash is None or self._state is None or self._flashed:
            return
        self._flashed = True
        folder = self._lab.file.path.parent
        flasher(self.config, self._find_port, folder, self._state, self.timeline, self.step).run()

    def _find_port(self) -> str:
        url = self._lab.port_url(self.config)
        if url != self._url:  # a port that is waited for is looked up again and again
            self._url = url
            self.step(f"opening {url}")
        return url

    def _shut(self) -> None:
        if self._opened is not None:
            self._opened.port.close()
        self._opened = None

"""Brings a board to the firmware that its boards file names: writes what is needed, and checks what the board tells.

Modem firmware comes first, because an application may need it. A tool that reports success proves nothing: the board
must answer afterwards, and the modem must tell the version in its file's name.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.at import PortDenied
from harness.errors import HarnessError, LabError, Misuse, PortBusy, PortMissing
from harness.lab.config import BoardConfig
from harness.lab.flash.board_contents import BoardContents
from harness.lab.flash.decision import ImageKind, Versions, WrittenImage, modem_version, why_needed
from harness.lab.flash.record import FlashRecords, hash_of
from harness.lab.flash.tools import Note, check_target, write
from harness.lab.flash_config import FlashConfig
from harness.lab.lease import Lease, lease_folder, owners, usb_key
from harness.lab.shared_lock import SharedLock

_LOCK_WAIT: Final = 5.0  # seconds; who has a board's lease has its debugger too, unless a boards file has a mistake


class FlashFailed(LabError):
    """The board could not be written, or it does not run what was written."""


@dataclass(frozen=True, slots=True)
class Flashed:
    """One file. ``reason``: why it was written; None: it was there already. ``told``: what the board tells now.

    ``proved``: what the board tells distinguishes this firmware from others.
    """

    kind: ImageKind
    file: Path
    reason: str | None
    told: str
    proved: bool = True


class Flasher:
    """The firmware of one board. The caller has the board's lease, and nobody has its port open.

    ``config``: the board's entry. ``ask``: asks the board what it runs; raises LabError if it does not answer.
    ``records``: of what this lab wrote. ``folder``: of the boards file. ``note``: called with each step. ``locks``: the
    folder of the debuggers' locks, None: the computer's.
    """

    def __init__(
        self,
        config: BoardConfig,
        ask: Callable[[], BoardContents],
        records: FlashRecords,
        folder: Path,
        note: Note = lambda _text: None,
        locks: Path | None = None,
    ) -> None:
        if config.flash is None:
            raise Misuse(
                f"board {config.name!r} has no flash: in the boards file, so there is nothing to write; add it"
            )
        self._name = config.name
        self._firmware = config.firmware
        self._flash: FlashConfig = config.flash
        self._serial = serial_of(config)
        self._ask = ask
        self._records = records
        self._folder = folder
        self._note = note
        self._locks = locks

    def run(self, *, force: bool = False) -> list[Flashed]:
        """Write the files that the board does not have, with ``force`` all of them; return what was done or was there.

        Raises FlashFailed; LabError: no tool, no file, or the debugger is in use; Misuse.
        """
        files = self._files()
        hashes = {kind: hash_of(file) for kind, file in files.items()}
        before = self._state()
        reasons = {kind: self._reason(kind, files[kind], hashes[kind], before, force=force) for kind in files}
        if any(reasons.values()):
            with ExitStack() as stack:
                self._lock(stack)
                check_target(self._flash, self._serial)
                for kind, file in files.items():
                    if reason := reasons[kind]:
                        self._write(kind, file, reason)
                after = self._proved(files, reasons)
                for kind in files:
                    if reasons[kind]:
                        self._records.put(self._serial, kind, WrittenImage(hashes[kind], after.told.of(kind)))
            self._compare_stores(before, after)
        else:
            after = before or BoardContents(Versions())
        proved = {ImageKind.MODEM: True, ImageKind.APPLICATION: after.proved}
        return [Flashed(kind, files[kind], reasons[kind], after.told.of(kind), proved[kind]) for kind in files]

    def _files(self) -> dict[ImageKind, Path]:
        given = {ImageKind.MODEM: self._flash.modem, ImageKind.APPLICATION: self._flash.application}
        return {kind: self._folder / file for kind, file in given.items() if file is not None}

    def _state(self) -> BoardContents | None:
        """Return what the board runs, or None if it does not answer. Raises LabError if the board is missing."""
        try:
            return self._ask()
        except (PortMissing, PortBusy, PortDenied):
            raise  # somebody else has the board, or it may not be this board's debugger: nothing is written
        except HarnessError as error:
            self._note(f"it does not answer before it is flashed: {error}")
            return None

    def _reason(
        self, kind: ImageKind, file: Path, sha256: str, before: BoardContents | None, *, force: bool
    ) -> str | None:
        if force:
            return "it was asked for"
        written = self._records.get(self._serial, kind)
        return why_needed(kind, file, sha256, written, None if before is None else before.told)

    def _lock(self, stack: ExitStack) -> None:
        folder = self._locks or lease_folder()
        key = usb_key(self._serial)
        if not any(owner.key == key and owner.is_me for owner in owners(folder)):
            try:  # another boards file may have a board with this serial number, and a run of it may be at work
                stack.enter_context(Lease(self._name, key, folder=folder, timeout=_LOCK_WAIT))
            except PortBusy as error:
                raise PortBusy(
                    f"{self._name}: debugger {self._serial} is in use, nothing is written: {error}"
                ) from error
        lock = SharedLock(folder / f"flash-{self._serial}.busy")
        if not lock.take(_LOCK_WAIT):
            raise LabError(
                f"{self._name}: another process uses debugger {self._serial}; wait for it: fuser {lock.path}"
            )
        stack.callback(lock.release)

    def _write(self, kind: ImageKind, file: Path, reason: str) -> None:
        self._note(f"flashing the {kind} firmware {file.name}: {reason}")
        self._records.forget(self._serial, kind)
        try:
            write(self._flash, kind, file, self._serial, self._note)
        except Misuse:
            raise
        except LabError as error:
            text = f"{self._name}: the {kind} firmware was not written: {error}"
            raise FlashFailed(f"{text}; nrf91-harness flash {self._name} tries again") from error

    def _proved(self, files: dict[ImageKind, Path], reasons: dict[ImageKind, str | None]) -> BoardContents:
        """Return what the board runs now. Raises FlashFailed if it does not answer, or runs something else."""
        try:
            after = self._ask()
        except HarnessError as error:
            raise FlashFailed(
                f"{self._name}: {self._flash.tool} reports success, but the board has not answered since: {error}; "
                f"is it the right file for this board? nrf91-harness flash {self._name} --force writes it once more"
            ) from error
        wanted = modem_version(files[ImageKind.MODEM]) if reasons.get(ImageKind.MODEM) else None
        if wanted is not None and after.told.modem != wanted:
            raise FlashFailed(
                f"{self._name}: {self._flash.tool} reports success, but the modem reports "
                f"{after.told.modem or 'nothing'} in place of {wanted}; "
                f"nrf91-harness flash {self._name} --force writes it once more"
            )
        if reasons.get(ImageKind.APPLICATION) and not after.told.application:
            raise FlashFailed(
                f"{self._name}: {self._flash.tool} reports success, but the board does not run "
                f"{self._firmware or 'a known firmware'}, as the boards file says; "
                "correct 'firmware' there, or application: of flash:"
            )
        return after

    def _compare_stores(self, before: BoardContents | None, after: BoardContents) -> None:
        """Note which credentials are gone. Whether a modem update keeps credentials is UNCONFIRMED."""
        if before is not None and (gone := before.credentials - after.credentials):
            self._note(f"{len(gone)} credentials that were in the modem's store are gone")


def serial_of(config: BoardConfig) -> str:
    """Return the serial number of a board's debugger. Raises Misuse if the boards file does not have it."""
    serial = (config.flash.serial if config.flash else None) or config.serial
    if serial is None:
        text = f"board {config.name!r}: flash: needs serial:, the USB serial number of its debugger"
        raise Misuse(f"{text}; nrf91-harness boards list shows it")
    return serial.lstrip("0") if serial.isdecimal() else serial

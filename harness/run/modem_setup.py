"""A board's modem set up as its boards file says, and put back as it was if the file asks for that."""

from collections.abc import Callable

from harness.lab import BoardConfig
from harness.run.former_settings import FormerSettings
from harness.run.open_board import OpenBoard


class ModemSetup:
    """The settings of one board in one run. ``kept``: where former ones outlive a killed run, None: nowhere."""

    def __init__(self, config: BoardConfig, kept: FormerSettings | None) -> None:
        self._config = config
        self._kept = kept
        self._former: tuple[str, ...] = ()

    def apply(self, opened: OpenBoard, note: Callable[[str], None]) -> None:
        """Write what differs: at the first opening, and again after a restart that lost it. Raises LabError."""
        changed = opened.modem.write_settings(self._config.wanted_settings, note)
        if not self._config.put_back:
            return
        self._former = self._former or changed
        if self._kept is not None:
            self._kept.keep(opened.identity.imei, changed)

    def undo(self, opened: OpenBoard) -> None:
        """Put back what was changed, by this run or by one that was killed. Raises HarnessError."""
        if not self._config.put_back:
            return
        imei = opened.identity.imei
        kept = self._kept.kept(imei) if self._kept is not None else ()
        opened.modem.put_back(kept or self._former)
        if self._kept is not None:
            self._kept.forget(imei)

"""A board's modem set up as its boards file says, and put back as it was if the file asks for that."""

from collections.abc import Callable, Sequence

from harness.errors import HarnessError
from harness.lab import BoardConfig
from harness.run.former_settings import FormerSettings
from harness.run.open_board import OpenBoard


class ModemSetup:
    """The settings of one board in one run. ``kept``: where former ones outlive a killed run, None: nowhere."""

    def __init__(self, config: BoardConfig, kept: FormerSettings | None) -> None:
        self._config = config
        self._kept = kept
        self._former: dict[str, tuple[str, ...]] = {}

    def apply(self, opened: OpenBoard, note: Callable[[str], None]) -> None:
        """Write what differs: at the first opening, and again after a restart that lost it.

        Raises LabError: what was written before that is put back.
        """

        def keep(key: str, commands: Sequence[str]) -> None:
            if self._config.put_back:
                self._former.setdefault(key, tuple(commands))
                if self._kept is not None:
                    self._kept.keep(opened.identity.imei, key, commands)

        try:
            opened.modem.write_settings(self._config.wanted_settings, note, keep)
        except HarnessError as error:
            try:
                self.undo(opened)
            except HarnessError as left:
                error.add_note(f"the settings that were written before that are not put back: {left}")
            raise

    def undo(self, opened: OpenBoard) -> None:
        """Put back what was changed, by this run or by one that was killed. Raises HarnessError."""
        if not self._config.put_back:
            return
        imei = opened.identity.imei
        kept = self._kept.kept(imei) if self._kept is not None else {}
        former = {**self._former, **kept}  # a killed run saw what was there at first
        opened.modem.put_back([command for commands in reversed(former.values()) for command in commands])
        self._former = {}
        if self._kept is not None and kept:
            self._kept.forget(imei)

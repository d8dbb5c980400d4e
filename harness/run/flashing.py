"""The firmware of a run's boards: by hand, and before a night begins with a board."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import BoardConfig
from harness.lab.flash import Flasher, FlashRecords
from harness.lab.flash.board_contents import BoardContents, ask
from harness.timeline import Timeline


def flasher(
    config: BoardConfig,
    find_port: Callable[[], str],
    folder: Path,
    state: Path,
    timeline: Timeline,
    note: Callable[[str], None],
) -> Flasher:
    """Return the flasher that brings a board to the firmware that its boards file names.

    ``config``: the board's entry. ``find_port``: returns where the board is now. ``folder``: of the boards file.
    ``state``: the folder of the lab's state. ``timeline``: gets the board's lines. ``note``: called with each step.
    Raises Misuse if the boards file names no firmware.
    """

    def asked() -> BoardContents:
        return ask(config, find_port(), timeline, patience=config.return_within)

    return Flasher(config, asked, FlashRecords(state / "flash"), folder, note)

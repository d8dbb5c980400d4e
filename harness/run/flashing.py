"""The firmware of a run's boards: by hand, and before a night begins with a board."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import BoardConfig
from harness.lab.flash import Flasher, FlashRecords
from harness.lab.flash.asking import BoardContents, ask
from harness.timeline import Timeline


def flasher(
    config: BoardConfig,
    find_port: Callable[[], str],
    folder: Path,
    state: Path,
    timeline: Timeline,
    note: Callable[[str], None],
) -> Flasher:
    """Return what brings a board's firmware to what its boards file names.

    ``find_port``: where the board is now. ``folder``: of the boards file. ``state``: the folder of the lab's state.
    ``timeline``: where the board's lines go; ``note`` is told of each step. Raises Misuse: no firmware is named.
    """

    def asked() -> BoardContents:
        return ask(config, find_port(), timeline, patience=config.return_within)

    return Flasher(config, asked, FlashRecords(state / "flash"), folder, note)

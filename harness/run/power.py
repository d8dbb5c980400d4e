"""The power of a run's boards: by hand, for a test, and for recovery before a board is called out."""

from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError
from harness.lab import BoardConfig, Lab
from harness.lab.power import BoardPower, ResetLoop
from harness.timeline import Kind, Timeline


def board_power(
    lab: Lab,
    config: BoardConfig,
    find_port: Callable[[], str],
    state: Path,
    note: Callable[[str], None] = lambda _text: None,
) -> BoardPower:
    """Return the power of a board. Raises Misuse if the boards file names no switch.

    ``lab``, ``config``: the board's. ``find_port``: returns where the board is now. ``state``: the folder of the lab's
    state. ``note``: called with each step.
    """
    switch = lab.switch(config)
    loop = ResetLoop(state / "power" / f"{config.name}.json")
    return BoardPower(config, switch, find_port, loop, note)


class RecoveryPower:
    """Cuts the power of a board that answers nothing. What goes wrong with that stands on the timeline.

    ``lab``, ``config``: the lab, and the board's entry in its file. ``find_port``: where the board's port is now.
    ``state``: folder of the lab's state, where restarts are counted. ``timeline``: the board's.
    """

    def __init__(
        self, lab: Lab, config: BoardConfig, find_port: Callable[[], str], state: Path, timeline: Timeline
    ) -> None:
        self._lab = lab
        self._config = config
        self._find_port = find_port
        self._state = state
        self._timeline = timeline

    def cycle(self, board: str) -> bool:
        """See PowerSwitch."""
        if self._config.power is None:
            return False
        try:
            board_power(self._lab, self._config, self._find_port, self._state, self._step).cycle()
        except HarnessError as error:
            self._timeline.add(Kind.FAULT, board, f"recovery: power could not be cut: {error}")
            return False
        return True

    def _step(self, text: str) -> None:
        self._timeline.add(Kind.STEP, self._config.name, text)

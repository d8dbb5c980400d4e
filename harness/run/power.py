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


def cut_for_recovery(
    lab: Lab, config: BoardConfig, find_port: Callable[[], str], state: Path, timeline: Timeline
) -> bool:
    """Cut the power of a board that answers nothing. False: it has no switch, or the timeline says what went wrong.

    ``timeline``: the board's. ``lab``, ``config``, ``find_port``, ``state``: see :func:`board_power`.
    """
    if config.power is None:
        return False

    def step(text: str) -> None:
        timeline.add(Kind.STEP, config.name, text)

    try:
        board_power(lab, config, find_port, state, step).cycle()
    except HarnessError as error:
        timeline.add(Kind.FAULT, config.name, f"recovery: power could not be cut: {error}")
        return False
    return True

"""``nrf91-harness power``: switches a board's power, and tells how it is known that this happened."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial

from harness.cli.arguments import Arguments
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.session import find_board
from harness.errors import Misuse, PortMissing
from harness.lab import BoardConfig, Lab, load_boards_file
from harness.run import lab_ca_folder
from harness.run.power import board_power


def switch(given: Arguments, progress: Progress) -> Result:
    """Switch the board off, on, or off and on."""
    file = load_boards_file(given.boards)
    config = find_board(file, given.board)
    if not config.outlives_run:
        raise Misuse(f"board {config.name!r} is virtual and has no power to switch; each run starts it anew")
    with Lab(file) as lab:
        state = given.lab_ca or lab_ca_folder(file)
        power = board_power(lab, config, partial(lab.port_url, config), state, progress)
        with _lease(lab, config):
            actions = {"off": power.off, "on": power.on, "cycle": power.cycle}
            seen = actions[given.action]()
    data = {"board": config.name, "action": given.action, "seen": seen}
    return Result(data, [f"{config.name}: power {given.action}: {seen}"])


def _lease(lab: Lab, config: BoardConfig) -> AbstractContextManager[object]:
    """Take the board's lease. A board that is switched off has no port, so nobody else can have it."""
    try:
        return lab.lease(config)
    except PortMissing:
        return nullcontext()

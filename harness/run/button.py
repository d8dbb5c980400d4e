"""Presses a board's button: a virtual board's by its stand-in, a real board's by a program of the lab."""

import subprocess
from collections.abc import Callable
from typing import Final

from harness.errors import LabError
from harness.lab import BoardConfig, Lab

_PATIENCE: Final = 30.0
_SHOWN: Final = 200


def button_of(lab: Lab, config: BoardConfig) -> Callable[[], None] | None:
    """Return what presses the board's button; None: nothing can. Pressing raises LabError where that fails."""
    if config.cloud_library is None:
        return None
    if config.cloud_library.button is not None:
        program = config.cloud_library.button
        return lambda: _run(config.name, program)
    if config.virtual is not None:
        return lambda: _press(lab, config)
    return None


def _press(lab: Lab, config: BoardConfig) -> None:
    lab.stand_ins.of(config).command("press-button", board=config.name)


def _run(board: str, program: tuple[str, ...]) -> None:
    try:
        done = subprocess.run(
            program, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{board}: cannot press the button: {error}; correct button: in the boards file") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-_SHOWN:]
        raise LabError(
            f"{board}: the button's program {program[0]!r} ended with {done.returncode}: {said or 'it says nothing'}"
        )

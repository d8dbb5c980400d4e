"""What the controller tells a worker process of pytest-xdist."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

INPUT = "nrf91"
"""Its name among what xdist passes on."""
LEFT_BEHIND = "nrf91_left"
"""The name of what a worker says at its end, among what xdist passes back: a line for each thing that it left."""

REFUSED = "nrf91_refused"
"""The name of what a worker says if pytest refused its arguments: the lines of pytest's error."""
MISTAKEN = "nrf91_mistaken"
"""The name of whether that error is the harness's: a mistake that keeps tests of boards from running."""

EXITED = "nrf91_exited"
"""The key for the reason that ``pytest.exit`` was given in a test that ended its worker."""

STRUCK = "nrf91_struck"
"""The key for the names of the boards file's faults that have struck; said by a worker that knows tests of boards."""


@dataclass(frozen=True, slots=True)
class WorkerInput:
    """What a worker is told. ``run``: the run's id; ``clouds``: a local cloud's name to its ready line.

    ``plan``: the file that the first worker to know it writes: which board each test runs on.
    ``places``: the folder by which labgrid's places are reached. ``board``: the one whose tests the worker collects,
    with those that use no board; None for all.
    """

    run: str
    plan: str
    clouds: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: str | None = None
    board: str | None = None

    def text(self) -> str:
        """Return it as text: xdist passes plain values only."""
        return json.dumps(asdict(self))


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process is a worker, of whoever leads it."""
    return hasattr(config, "workerinput")


def worker_input(config: pytest.Config) -> WorkerInput | None:
    """Return what the controller told this process; None if it is not a worker."""
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    return WorkerInput(**json.loads(given[INPUT])) if given is not None and INPUT in given else None

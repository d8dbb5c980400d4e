"""What the plug-in keeps for a session, in pytest's typed stash, and the run that is made when it is first needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import Misuse
from harness.report import CaseRecord, RunFolder

if TYPE_CHECKING:
    from harness.policy_trials.derived import DerivedTrials
    from harness.run import Run

FOLDER = pytest.StashKey[RunFolder]()
OWN_JUNIT = pytest.StashKey[bool]()
RUN = pytest.StashKey["Run"]()
TRIALS = pytest.StashKey["DerivedTrials"]()
MISTAKE = pytest.StashKey[Misuse]()
LEFT = pytest.StashKey[list[str]]()
CASE = pytest.StashKey[CaseRecord]()
BOARD_PARAMETER = "_board"
DERIVED = "derived"
OWN_NAMES = "own_names"


def run_of(config: pytest.Config) -> Run:
    """Return the run of this session; made on first use. Raises Misuse for a mistake in the boards file."""
    if RUN not in config.stash:
        from harness.credentials import KeyOrigin
        from harness.run import Run

        origin, ca_folder = config.getoption("--provision"), config.getoption("--lab-ca")
        config.stash[RUN] = Run(
            Path(config.getoption("--boards") or config.rootpath / "boards.yaml"),
            config.getoption("--board"),
            cloud=config.getoption("--cloud"),
            folder=config.stash[FOLDER],
            ca_folder=Path(ca_folder) if ca_folder else None,
            root=config.rootpath,
            key_origin=KeyOrigin(origin) if origin else None,
            renew=config.getoption("--reprovision"),
        )
    return config.stash[RUN]


def derived_of(config: pytest.Config) -> DerivedTrials:
    """Return what this session knows of its derived trials."""
    if TRIALS not in config.stash:
        from harness.policy_trials.derived import DerivedTrials

        config.stash[TRIALS] = DerivedTrials(run_of(config))
    return config.stash[TRIALS]


def full(config: pytest.Config) -> bool:
    """Tell whether all derived policy trials are wanted, not only the smallest set."""
    return bool(config.getoption("--policy-trials") == "full")

"""What the plug-in keeps for a session, in pytest's typed stash, and the run that is made when it is first needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import Misuse
from harness.plugin.worker_input import worker_input

if TYPE_CHECKING:
    from harness.plugin.boards_out import BoardsOut
    from harness.plugin.interruption import Interruption
    from harness.plugin.recording import PhaseResult
    from harness.plugin.run_reports import RunReports
    from harness.policy_trials.derived_trials import DerivedTrials
    from harness.report import CaseRecord, RunFolder
    from harness.run import Run
    from harness.timeline import Window
    from harness.trial.verdict_record import RecordReading

FOLDER: pytest.StashKey[RunFolder] = pytest.StashKey()
RUN: pytest.StashKey[Run] = pytest.StashKey()
TRIALS: pytest.StashKey[DerivedTrials] = pytest.StashKey()
MISTAKE: pytest.StashKey[Misuse] = pytest.StashKey()
LEFT: pytest.StashKey[list[str]] = pytest.StashKey()
FAULTS: pytest.StashKey[set[str]] = pytest.StashKey()
"""The leader's: faults of the boards file that struck in workers; there once one of them knows tests of boards."""
REPORTS: pytest.StashKey[RunReports] = pytest.StashKey()
INTERRUPTION: pytest.StashKey[Interruption] = pytest.StashKey()
OUT: pytest.StashKey[BoardsOut] = pytest.StashKey()
CASE: pytest.StashKey[CaseRecord] = pytest.StashKey()
WINDOW: pytest.StashKey[Window] = pytest.StashKey()
READING: pytest.StashKey[RecordReading] = pytest.StashKey()
PHASES: pytest.StashKey[dict[str, PhaseResult]] = pytest.StashKey()
SIDE_BY_SIDE: pytest.StashKey[list[str]] = pytest.StashKey()
"""The controller's: the boards for which it has asked for a worker each."""
OWN_BOARD: pytest.StashKey[str | None] = pytest.StashKey()
"""A worker's: the board whose tests it collects; None for all."""
BOARD_PARAMETER = "_board"
DERIVED = "derived"
OWN_NAMES = "own_names"


def root_of(config: pytest.Config) -> Path:
    """Return the folder in which boards file and reports are unless they are named: pytest's root folder.

    Where neither a configuration file nor ``--rootdir`` says which that is, it is the present folder: pytest then takes
    the folder above everything on the command line, even of a file like ``--boards ../lab.yaml``.
    """
    given = config.known_args_namespace
    return config.rootpath if config.inipath is not None or given.rootdir else config.invocation_params.dir


def reports_of(config: pytest.Config) -> Path:
    """Return the folder that holds one folder for each run."""
    return Path(config.getoption("--reports") or root_of(config) / "reports")


def folder_of(config: pytest.Config) -> RunFolder:
    """Return the folder of this run; a worker is told which. It is made on disk by what is first written to it."""
    if FOLDER not in config.stash:
        from harness.report import RunFolder

        given = worker_input(config)
        config.stash[FOLDER] = RunFolder(reports_of(config), given.run if given else None)
    return config.stash[FOLDER]


def out_of(config: pytest.Config) -> BoardsOut:
    """Return what this process knows of boards that are out."""
    if OUT not in config.stash:
        from harness.plugin.boards_out import BoardsOut

        config.stash[OUT] = BoardsOut()
    return config.stash[OUT]


def run_of(config: pytest.Config) -> Run:
    """Return the run of this session; made on first use. Raises Misuse for a mistake in the boards file."""
    if RUN not in config.stash:
        from harness.credentials import KeyOrigin
        from harness.lab import choose_boards_file
        from harness.lab.lease import act_for
        from harness.run import Run

        given = worker_input(config)
        if given:
            act_for(config.workerinput["mainargv"])  # type: ignore[attr-defined] # pytest-xdist has put it there
        origin, ca_folder = config.getoption("--key-origin"), config.getoption("--lab-ca")
        config.stash[RUN] = Run(
            choose_boards_file(config.getoption("--boards"), root_of(config)),
            config.getoption("--board"),
            cloud=config.getoption("--cloud"),
            folder=folder_of(config),
            ca_folder=Path(ca_folder) if ca_folder else None,
            root=root_of(config),
            key_origin=KeyOrigin(origin) if origin else None,
            renew=config.getoption("--reprovision"),
            clouds=given.clouds if given else None,
            places=given.places if given else None,
            wait=config.getoption("--wait"),
            confidence=config.getoption("--confidence"),
        )
    return config.stash[RUN]


def derived_of(config: pytest.Config) -> DerivedTrials:
    """Return what this session knows of its derived trials."""
    if TRIALS not in config.stash:
        from harness.policy_trials.derived_trials import DerivedTrials

        config.stash[TRIALS] = DerivedTrials(run_of(config))
    return config.stash[TRIALS]


def full(config: pytest.Config) -> bool:
    """Tell whether all derived policy trials are wanted, not only the smallest set."""
    return bool(config.getoption("--policy-trials") == "full")

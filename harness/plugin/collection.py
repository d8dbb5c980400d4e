"""Which tests run on which boards."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import Misuse
from harness.plugin.own_junit import want_own_junit
from harness.plugin.state import (
    BOARD_PARAMETER,
    DERIVED,
    MISTAKE,
    derived_of,
    folder_of,
    full,
    run_of,
    uses_board,
)

if TYPE_CHECKING:
    from harness.policy.derivation.case import Case


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once per selected board, the board's name in its id.

    One that asks for ``derived`` runs once for each policy case that the documents of the board's cloud yield.
    """
    if BOARD_PARAMETER not in metafunc.fixturenames:
        return
    derived = DERIVED in metafunc.fixturenames
    names: list[str] = []
    pairs: list[tuple[Case, str]] = []
    try:
        run = run_of(metafunc.config)
        names = [board.name for board in run.selected]
        if derived:
            pairs = derived_of(metafunc.config).cases(full=full(metafunc.config))
    except Misuse as mistake:
        metafunc.config.stash[MISTAKE] = mistake
    if not derived:
        metafunc.parametrize(BOARD_PARAMETER, names, ids=names, indirect=True, scope="session")
        return
    # The board comes last, because pytest puts tests together that have the last parameter in common.
    metafunc.parametrize(
        [DERIVED, BOARD_PARAMETER],
        pairs,
        ids=[f"{name}-{case.id}" for case, name in pairs],
        indirect=[BOARD_PARAMETER],
        scope="session",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """End here on a mistake in the boards file, or where the reports of board tests cannot be written."""
    collect_only = config.getoption("collectonly")
    mistake = config.stash.get(MISTAKE, None)
    if mistake is not None:
        if not collect_only:
            with contextlib.suppress(OSError):  # the mistake itself is what the user must hear of
                folder_of(config).write_mistake(str(mistake))
        raise pytest.UsageError(str(mistake))
    if not collect_only and any(map(uses_board, items)):
        _make_folder(folder_of(config).path)
        want_own_junit(config)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(
            f"{path}: {error.strerror}: board tests are reported there; name folders that can be written with"
            " --reports DIR and --lab-ca DIR"
        ) from error

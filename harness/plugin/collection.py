"""Which tests run on which boards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _pytest.junitxml import xml_key  # pytest has no public way to take its own report back

from harness.errors import Misuse
from harness.plugin.state import (
    BOARD_PARAMETER,
    DERIVED,
    FOLDER,
    MISTAKE,
    OWN_JUNIT,
    derived_of,
    full,
    run_of,
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
    """End here on a mistake in the boards file; leave no report of a run that uses no board."""
    mistake = config.stash.get(MISTAKE, None)
    if mistake is not None:
        config.stash[FOLDER].write_mistake(str(mistake))
        raise pytest.UsageError(str(mistake))
    uses_boards = any(BOARD_PARAMETER in getattr(item, "fixturenames", ()) for item in items)
    if not uses_boards and config.stash.get(OWN_JUNIT, False) and xml_key in config.stash:
        config.pluginmanager.unregister(config.stash[xml_key])
        del config.stash[xml_key]

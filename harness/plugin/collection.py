"""Which tests run on which boards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import Misuse
from harness.plugin.run_start import only_lists, plan, reports_begun
from harness.plugin.state import (
    BOARD_PARAMETER,
    DERIVED,
    MISTAKE,
    OWN_BOARD,
    REPORTS,
    derived_of,
    full,
    run_of,
)
from harness.plugin.worker_input import is_worker

if TYPE_CHECKING:
    from harness.policy.derivation.case import Case


_ASKING_A_CLOUD = frozenset({"cloud", "observer", "provisioned", "device_api"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once per selected board, with the board's name in its id; in a worker of one board, on that.

    A test that asks for ``derived`` runs once for each policy case that the documents of the board's cloud yield.
    """
    if BOARD_PARAMETER not in metafunc.fixturenames:
        return
    derived = DERIVED in metafunc.fixturenames
    names: list[str] = []
    pairs: list[tuple[Case, str]] = []
    own = metafunc.config.stash.get(OWN_BOARD, None)
    try:
        run = run_of(metafunc.config)
        names = [board.name for board in run.selected if own in (None, board.name)]
        if derived:
            pairs = derived_of(metafunc.config).cases(full=full(metafunc.config), only=own)
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
    """End here on a mistake in the boards file, or if the API key of a cloud that a test uses is missing."""
    mistake = config.stash.get(MISTAKE, None)
    if mistake is None and not only_lists(config.option):
        mistake = _missing_key(config, items)
    if mistake is None:
        return
    config.stash[MISTAKE] = mistake
    if not only_lists(config.option) and not is_worker(config):
        reports_begun(config).refuse(str(mistake))
    raise pytest.UsageError(str(mistake))


def _missing_key(config: pytest.Config, items: list[pytest.Item]) -> Misuse | None:
    asking = [item for item in items if _ASKING_A_CLOUD & set(getattr(item, "fixturenames", ()))]
    names = {name for name in boards_of(asking).values() if name}
    try:
        if names:
            run_of(config).check_api_keys(names)
    except Misuse as mistake:
        return mistake
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the tests that will run, if any uses a board. A worker tells the controller, which notes them."""
    config, boards = session.config, boards_of(session.items)
    if REPORTS in config.stash:
        config.stash[REPORTS].collected = True
    if any(boards.values()) and MISTAKE not in config.stash and not (only_lists(config.option) or is_worker(config)):
        plan(config, boards)


def boards_of(items: Iterable[pytest.Item]) -> dict[str, str]:
    """Return which board each test (its node id) runs on, "" for a test that uses none; in the order of the run."""
    return {item.nodeid: str(parameters_of(item).get(BOARD_PARAMETER, "")) for item in items}


def parameters_of(item: pytest.Item) -> dict[str, Any]:
    """Return a test's parameters."""
    found: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return found

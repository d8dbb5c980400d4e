"""Leases of the tests' own: no other run on this computer, nor what one left, can hold a pty of theirs.

Not for tests/scenarios: they may run on real boards, which all runs of a computer must see leased.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.lab.lease import LEASES_VARIABLE


@pytest.fixture(scope="package", autouse=True)
def own_leases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LEASES_VARIABLE, str(tmp_path_factory.mktemp("leases")))
        yield

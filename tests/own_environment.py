"""The environment of the project's own tests, which all that they start inherits.

Their leases are their own: no other run on this computer, nor what one left, can hold a pty of theirs. And what they
start is no worker of theirs: a run of pytest that inherits xdist's variable takes itself for one, and begins otherwise
than a user's does. And Ctrl-C reaches what they start: a shell without job control has what it runs with ``&`` ignore
it, and who ignores a signal hands that on.

Not for tests/scenarios: they may run on real boards, which all runs of a computer must see leased.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from harness.lab.lease import LEASES_VARIABLE


@pytest.fixture(scope="package", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LEASES_VARIABLE, str(tmp_path_factory.mktemp("leases")))
        patch.delenv("PYTEST_XDIST_WORKER", raising=False)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        yield

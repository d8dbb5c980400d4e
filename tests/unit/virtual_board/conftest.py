import pytest

from tests.unit.virtual_board.bench import Bench


@pytest.fixture
def bench():
    """Serial Modem on a modem that is registered."""
    bench = Bench()
    bench.attach()
    bench.taken()
    return bench

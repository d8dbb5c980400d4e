import pytest

from tests.less_garbage import pytest_collection, pytest_collection_finish
from tests.own_environment import own_environment

__all__ = ["own_environment", "pytest_collection", "pytest_collection_finish"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kills", "runs that are killed")
    group.addoption("--kills", type=int, default=2, metavar="N", help="kill at so many steps or moments (0: at all)")
    group.addoption("--kills-seed", type=int, default=9, metavar="SEED", help="chooses the steps and moments")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        from tests.integration.warm_start import share_server

        share_server()


@pytest.fixture
def aws():
    """A broker with two devices. Imported here, for what uses no broker starts without it."""
    from tests.integration.broker_lab import lab

    with lab("dev-1", "dev-2") as running:
        yield running


@pytest.fixture
def lab(tmp_path):
    """A local cloud."""
    from tests.integration.cloud_lab import running_cloud

    with running_cloud(tmp_path) as lab:
        yield lab

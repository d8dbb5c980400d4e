from collections.abc import Iterator

import pytest

from harness.cloud import CloudEndpoints, NrfCloud
from harness.timeline import Timeline
from tests.unit.cloud.fake_rest import FakeRest

API_KEY = "d8be845e816e45d4a9529a6cfcd459c88e3c22b5"


def make_endpoints(rest: str, **changes) -> CloudEndpoints:
    values = {
        "name": "twin",
        "rest": rest,
        "rest_ca": None,
        "device_mqtt": ("mqtt.nrfcloud.com", 8883),
        "observer_mqtt": None,
        "root_ca_pem": "",
        "public": False,
        "jitp": ("mqtt.nrfcloud.com", 8443),
        "provisioning": "https://provisioning.invalid/v1",
    }
    return CloudEndpoints(**(values | changes))


@pytest.fixture
def rest() -> Iterator[FakeRest]:
    server = FakeRest()
    yield server
    server.close()


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def cloud(rest: FakeRest, timeline: Timeline) -> Iterator[NrfCloud]:
    with NrfCloud(make_endpoints(rest.url), API_KEY, timeline=timeline, poll=0.0, pause=0.0) as client:
        yield client

"""The provisioning service's REST calls: claim, queue, look, unclaim; what a run leaves and what it does not."""

import json

import pytest

from harness.cloud import NrfCloud, RestError
from harness.redact import SECRETS
from tests.unit.cloud.conftest import API_KEY, make_endpoints
from tests.unit.cloud.fake_rest import FakeRest, Reply

UUID = "56495254-3030-4078-80d2-3751e27280de"
TOKEN = "2dn3hQFQ.0oRDoQEmoQRBIfZYQ"
CLAIM = "POST /claimed-devices"
QUEUE = f"POST /claimed-devices/{UUID}/provisioning"
LOOK = f"GET /claimed-devices/{UUID}/provisioning/c1"
UNCLAIM = f"DELETE /claimed-devices/{UUID}"


@pytest.fixture
def service():
    server = FakeRest()
    yield server
    server.close()


@pytest.fixture
def noted():
    return []


@pytest.fixture
def cloud(rest, service, timeline, noted):
    """An account whose provisioning service has an address of its own, as nRF Cloud's."""
    endpoints = make_endpoints(rest.url, provisioning=service.url)
    note = lambda *entry: noted.append(entry)  # noqa: E731
    with NrfCloud(endpoints, API_KEY, timeline=timeline, poll=0.0, pause=0.0, note=note) as client:
        yield client


def test_a_claim_goes_to_the_service_and_is_noted_before(cloud, rest, service, noted):
    service.replies[CLAIM] = [Reply(201, {"id": UUID})]
    assert cloud.claims.claim(TOKEN, UUID, "tag") is None
    (asked,) = service.asked
    assert asked.json == {"claimToken": TOKEN, "tags": ["tag"]}
    assert asked.headers["Authorization"] == f"Bearer {API_KEY}"
    assert noted == [("claim", UUID, True)]
    assert rest.asked == []
    assert cloud.claims.claim(TOKEN, UUID, "tag") is None  # a second renewal in one run
    assert len(service.asked) == 1


def test_the_token_is_a_secret(cloud, service, timeline):
    service.replies[CLAIM] = [Reply(422, {"code": 42200, "message": f"bad {TOKEN}"})]
    refused = cloud.claims.claim(TOKEN, UUID, "tag")
    assert TOKEN not in str(refused)
    assert TOKEN not in SECRETS.scrub(TOKEN)
    assert not any(TOKEN in event.text for event in timeline.since())


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refused_claim_is_not_ours_to_give_up(cloud, service, noted, status):
    service.replies[CLAIM] = [Reply(status, {"message": "claimed"})]
    refused = cloud.claims.claim(TOKEN, UUID, "tag")
    assert isinstance(refused, RestError)
    assert refused.status == status
    assert cloud.claims.made == set()
    assert noted == [("claim", UUID, True), ("claim", UUID, False)]
    assert not cloud.claims.unclaim(UUID)
    assert len(service.asked) == 1


def test_a_claim_of_which_nobody_knows_is_given_up_at_the_end(cloud, service):
    service.replies[CLAIM] = [Reply(500)]
    with pytest.raises(RestError):
        cloud.claims.claim(TOKEN, UUID, "tag")
    service.replies[UNCLAIM] = [Reply(204)]
    assert cloud.delete_all_made() == []
    assert (service.asked[-1].method, service.asked[-1].path) == ("DELETE", f"/claimed-devices/{UUID}")
    assert cloud.claims.made == set()


def test_a_command_and_what_becomes_of_it(cloud, service):
    service.replies[QUEUE] = [Reply(201, {"id": "c1"})]
    service.replies[LOOK] = [
        Reply(200, {"status": "PENDING"}),
        Reply(200, {"status": "IN_PROGRESS"}),
        Reply(200, {"status": "SUCCEEDED", "response": {"certificateSigningRequest": {"csr": "x.y"}}}),
    ]
    request = {"certificateSigningRequest": {"secTag": 7}}
    assert cloud.claims.queue(UUID, "why", request) == "c1"
    assert json.loads(service.asked[0].body) == {"description": "why", "request": request}
    states = [cloud.claims.state(UUID, "c1") for _ in range(3)]
    assert [(state.final, state.fault) for state in states] == [(False, None), (False, None), (True, None)]
    assert states[-1].response == {"certificateSigningRequest": {"csr": "x.y"}}


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        ({"clientCertificate": {"cmeError": 515, "message": "ERROR"}}, "cmeError 515, message ERROR"),
        (None, "no reason given"),
    ],
)
def test_a_failed_command_says_why(cloud, service, response, fault):
    service.replies[LOOK] = [Reply(200, {"status": "FAILED", "response": response})]
    state = cloud.claims.state(UUID, "c1")
    assert (state.final, state.fault) == (True, fault)


def test_what_a_killed_run_claimed_is_given_up(cloud, service):
    service.replies[UNCLAIM] = [Reply(204)]
    assert cloud.delete_left({"claim": {UUID}}) == []
    assert [asked.method for asked in service.asked] == ["DELETE"]


def test_a_claim_that_cannot_be_given_up_is_named(cloud, service):
    service.replies[CLAIM], service.replies[UNCLAIM] = [Reply(201, {"id": UUID})], [Reply(403, {"code": 40300})]
    cloud.claims.claim(TOKEN, UUID, "tag")
    (line,) = cloud.delete_all_made()
    assert line.startswith(f"{UUID} is still in the account: DELETE /claimed-devices/{UUID} answered 403")

"""The provisioning service's REST calls: claim, queue, look, unclaim; what a run leaves and what it does not."""

import json

import pytest

from harness.cloud import HARNESS_TAG, NrfCloud, RestError
from harness.cloud.refusals import NotOurs, OwnerUnknown
from harness.redact import SECRETS
from tests.unit.cloud.conftest import API_KEY, make_endpoints
from tests.unit.cloud.fake_rest import FakeRest, Reply

UUID = "56495254-3030-4078-80d2-3751e27280de"
TOKEN = "2dn3hQFQ.0oRDoQEmoQRBIfZYQ"
CLAIM = "POST /claimed-devices"
QUEUE = f"POST /claimed-devices/{UUID}/provisioning"
LOOK = f"GET /claimed-devices/{UUID}/provisioning/c1"
UNCLAIM = f"DELETE /claimed-devices/{UUID}"
READ = f"GET /claimed-devices/{UUID}"
LIST = "GET /claimed-devices"
OURS = Reply(200, {"id": UUID, "tags": [f"smoke,{HARNESS_TAG}"]})


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
    assert cloud.claims.claim(TOKEN, UUID) is None
    (asked,) = service.asked
    assert asked.json == {"claimToken": TOKEN, "tags": [HARNESS_TAG]}
    assert asked.headers["Authorization"] == f"Bearer {API_KEY}"
    assert noted == [("claim", UUID, True)]
    assert rest.asked == []
    assert cloud.claims.claim(TOKEN, UUID) is None  # a second renewal in one run
    assert len(service.asked) == 1


def test_the_token_is_a_secret(cloud, service, timeline):
    service.replies[CLAIM] = [Reply(422, {"code": 42200, "message": f"bad {TOKEN}"})]
    refused = cloud.claims.claim(TOKEN, UUID)
    assert TOKEN not in str(refused)
    assert TOKEN not in SECRETS.scrub(TOKEN)
    assert not any(TOKEN in event.text for event in timeline.since())


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refused_claim_is_not_ours_to_give_up(cloud, service, noted, status):
    service.replies[CLAIM] = [Reply(status, {"message": "claimed"})]
    refused = cloud.claims.claim(TOKEN, UUID)
    assert isinstance(refused, RestError)
    assert refused.status == status
    assert cloud.claims.made == set()
    assert noted == [("claim", UUID, True), ("claim", UUID, False)]
    assert not cloud.claims.unclaim(UUID)
    assert len(service.asked) == 1


def doubtful(cloud, service):
    """A claim that the service may have taken, or not."""
    service.replies[CLAIM] = [Reply(500)]
    with pytest.raises(RestError):
        cloud.claims.claim(TOKEN, UUID)
    service.replies[UNCLAIM] = [Reply(204)]
    service.asked.clear()


def test_a_doubtful_claim_is_given_up_if_it_has_our_tag(cloud, service):
    doubtful(cloud, service)
    service.replies[READ] = [OURS]
    assert (cloud.delete_all_made(), cloud.not_ours) == ([], [])
    assert service.calls() == [READ, UNCLAIM]
    assert cloud.claims.made == set()


def test_a_doubtful_claim_is_found_in_the_list_where_it_cannot_be_read_alone(cloud, service):
    doubtful(cloud, service)
    service.replies[LIST] = [
        Reply(200, {"items": [{"id": "another", "tags": []}, {"id": UUID, "tags": [HARNESS_TAG]}]})
    ]
    assert cloud.claims.unclaim(UUID)
    assert service.calls()[-1] == UNCLAIM


@pytest.mark.parametrize("record", [{"tags": ["theirs"]}, {"tags": []}, {"tags": None}, {}])
def test_a_doubtful_claim_of_somebody_else_is_left_and_told_once(cloud, service, record):
    doubtful(cloud, service)
    service.replies[READ] = [Reply(200, {"id": UUID, **record})]
    assert cloud.delete_all_made() == []
    (line,) = cloud.not_ours
    assert "without the tag nrf91-harness" in line
    assert f'curl -X DELETE -H "Authorization: Bearer $NRFCLOUD_API_KEY" {service.url}/claimed-devices/{UUID}' in line
    assert cloud.delete_all_made() == []
    assert (service.calls(), len(cloud.not_ours)) == ([READ], 1)


@pytest.mark.parametrize("reply", [Reply(403), Reply(500), Reply(200, b"<html>"), Reply(200, {"other": 1})])
def test_a_claim_of_which_nobody_can_say_whose_it_is_stays_and_is_named_again(cloud, service, reply):
    doubtful(cloud, service)
    service.replies[LIST] = [reply]
    with pytest.raises(OwnerUnknown, match=r"its tags cannot be read: .*; left as it is; if nobody uses it: curl -X"):
        cloud.claims.unclaim(UUID)
    (line,) = cloud.delete_all_made()
    assert "left as it is" in line
    assert UNCLAIM not in service.calls()
    assert cloud.claims.made == {UUID}


def test_a_doubtful_claim_that_is_not_there_is_gone(cloud, service):
    doubtful(cloud, service)
    service.replies[LIST], service.replies[UNCLAIM] = [Reply(200, {"items": []})], [Reply(404, {"code": 40410})]
    assert not cloud.claims.unclaim(UUID)
    assert cloud.claims.made == set()


def test_a_doubtful_claim_is_tried_again(cloud, service):
    doubtful(cloud, service)
    service.replies[CLAIM] = [Reply(201, {"id": UUID})]
    assert cloud.claims.claim(TOKEN, UUID) is None
    assert cloud.claims.unclaim(UUID)
    assert service.calls() == [CLAIM, UNCLAIM]


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


def test_what_a_killed_run_claimed_is_given_up_by_its_tag(cloud, service):
    service.replies[READ], service.replies[UNCLAIM] = [OURS], [Reply(204)]
    assert cloud.delete_left({"claim": {UUID}}) == []
    assert service.calls() == [READ, UNCLAIM]


def test_what_somebody_else_claimed_after_a_killed_run_is_left(cloud, service):
    service.replies[READ], service.replies[UNCLAIM] = [Reply(200, {"id": UUID, "tags": []})], [Reply(204)]
    assert cloud.delete_left({"claim": {UUID}}) == []
    assert (len(cloud.not_ours), service.calls()) == (1, [READ])
    cloud.claims.made.add(UUID)
    with pytest.raises(NotOurs, match="so by somebody else, and left as it is"):
        cloud.claims.unclaim(UUID)


def test_a_claim_that_cannot_be_given_up_is_named(cloud, service):
    service.replies[CLAIM], service.replies[UNCLAIM] = [Reply(201, {"id": UUID})], [Reply(403, {"code": 40300})]
    cloud.claims.claim(TOKEN, UUID)
    (line,) = cloud.delete_all_made()
    assert line.startswith(f"{UUID} is still in the account: DELETE /claimed-devices/{UUID} answered 403")

"""What NrfCloud sends and makes of the answers, and what it refuses to touch."""

import datetime

import pytest

from harness.cloud import HARNESS_GATEWAY, HARNESS_TAG, NotOurs, NrfCloud, OnboardRow, RestError, StillPending
from harness.errors import Misuse
from tests.unit.cloud.conftest import API_KEY, make_endpoints
from tests.unit.cloud.fake_rest import Reply

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
FREE = Reply(404, {"code": 40410, "message": "no"})
DONE = Reply(202)
SET = {"clientId": "account-1", "caCert": "CA", "clientCert": "CERT", "privateKey": "KEY"}


def onboard(cloud, rest, device_id="dev-1"):
    rest.on(f"GET /devices/{device_id}", FREE)
    rest.on(f"POST /devices/{device_id}", DONE)
    cloud.onboard_device(device_id, PEM)
    rest.asked.clear()


def test_account(cloud, rest):
    raw = {
        "mqttEndpoint": "mqtt.nrfcloud.com",
        "mqttTopicPrefix": "prod/u/",
        "team": {"tenantId": "u"},
        "role": "owner",
    }
    rest.on("GET /account", Reply(200, raw))
    account = cloud.account()
    assert (account.tenant_id, account.mqtt_prefix, account.mqtt_endpoint) == ("u", "prod/u/", "mqtt.nrfcloud.com")
    assert account.raw == raw


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "the answer is not a JSON object"),
        ([1], "the answer is not a JSON object"),
        ({"team": {}, "mqttEndpoint": ""}, "the answer has no mqttTopicPrefix"),
    ],
)
def test_an_answer_that_is_none(cloud, rest, body, said):
    rest.on("GET /account", Reply(200, body))
    with pytest.raises(RestError, match=said):
        cloud.account()


def test_device_is_none_only_for_404(cloud, rest):
    assert cloud.device("nobody") is None
    rest.on("GET /devices/known", Reply(200, {"id": "known"}))
    assert cloud.device("known") == {"id": "known"}
    rest.on("GET /devices/secret", Reply(401, {"code": 40100}))
    with pytest.raises(RestError, match="code 40100: access denied"):
        cloud.device("secret")


def test_ids_cannot_leave_their_path(cloud, rest):
    cloud.device("../account?x=1#y")
    assert rest.calls() == ["GET /devices/..%2Faccount%3Fx%3D1%23y"]


def test_onboard_device(cloud, rest):
    rest.on("POST /devices/dev:1", DONE)
    cloud.onboard_device("dev:1", PEM, "gateway", ["lab", "night"])
    assert rest.calls() == ["GET /devices/dev:1", "POST /devices/dev:1"]
    assert rest.asked[1].json == {"certificate": PEM, "subType": "gateway", "tags": [HARNESS_TAG, "lab", "night"]}
    assert cloud.made == {"dev:1"}


@pytest.mark.parametrize(
    "record",
    [
        {"tags": [HARNESS_TAG, "x"], "subType": ""},
        {"tags": [], "subType": HARNESS_TAG},
        {"tags": [], "subType": HARNESS_GATEWAY},
    ],
)
def test_a_device_of_an_earlier_run_is_recognised(cloud, rest, record):
    assert cloud.recognise("dev-1") is None
    assert cloud.made == set()
    rest.on("GET /devices/dev-1", Reply(200, {"id": "dev-1", **record}))
    assert cloud.recognise("dev-1") == {"id": "dev-1", **record}
    assert cloud.made == {"dev-1"}


def test_a_device_of_others_is_not_recognised(cloud, rest):
    rest.on("GET /devices/dev-1", Reply(200, {"id": "dev-1", "tags": [], "subType": "tracker"}))
    with pytest.raises(NotOurs, match="dev-1 is in the account already"):
        cloud.recognise("dev-1")
    assert cloud.made == set()


def test_a_device_of_others_is_not_replaced(cloud, rest):
    rest.on("GET /devices/dev-1", Reply(200, {"id": "dev-1", "tags": ["production"]}))
    with pytest.raises(NotOurs, match=f"dev-1 is in the account already, without the tag {HARNESS_TAG}"):
        cloud.onboard_device("dev-1", PEM)
    assert rest.calls() == ["GET /devices/dev-1"]
    assert cloud.made == set()


def test_what_a_killed_run_left_is_deleted_first(cloud, rest, timeline):
    rest.on("GET /devices/dev-1", *[Reply(200, {"id": "dev-1", "tags": [HARNESS_TAG]})] * 2, FREE)
    rest.on("DELETE /devices/dev-1", DONE)
    rest.on("POST /devices/dev-1", DONE)
    cloud.onboard_device("dev-1", PEM)
    get = "GET /devices/dev-1"
    assert rest.calls() == [get, "DELETE /devices/dev-1", get, get, "POST /devices/dev-1"]
    assert "a former run left device dev-1: deleting it" in [e.text for e in timeline.since()]


@pytest.mark.parametrize(
    "act",
    [
        lambda cloud: cloud.delete_device("theirs"),
        lambda cloud: cloud.dissociate("theirs"),
        lambda cloud: cloud.patch_state("theirs", desired={}),
        lambda cloud: cloud.send_message("theirs", "d/theirs/d2c", "x"),
        lambda cloud: cloud.team_devices.delete("theirs"),
    ],
)
def test_what_is_not_ours_is_not_touched(cloud, rest, act):
    with pytest.raises(NotOurs, match="theirs"):
        act(cloud)
    assert rest.asked == []


def test_delete_device(cloud, rest):
    onboard(cloud, rest)
    rest.on("DELETE /devices/dev-1", DONE)
    assert cloud.delete_device("dev-1") is True
    assert cloud.made == set()


def test_deleting_what_is_gone_is_no_error(cloud, rest):
    onboard(cloud, rest)
    assert cloud.delete_device("dev-1") is False
    assert cloud.made == set()


def test_association(cloud, rest):
    rest.on("PUT /association/dev-1", DONE)
    rest.on("DELETE /association/dev-1", DONE)
    cloud.associate("dev-1", "123456", sub_type="jitp")
    cloud.dissociate("dev-1")
    assert rest.calls() == ["GET /devices/dev-1", "PUT /association/dev-1?subType=jitp", "DELETE /association/dev-1"]
    assert rest.asked[1].body == b"123456"


def test_associating_a_device_of_the_account_does_not_make_it_ours(cloud, rest):
    rest.on("GET /devices/dev-1", Reply(200, {"id": "dev-1"}))
    rest.on("PUT /association/dev-1", DONE)
    cloud.associate("dev-1", "123456")
    with pytest.raises(NotOurs):
        cloud.dissociate("dev-1")


def test_patch_state_has_no_wrapper(cloud, rest):
    onboard(cloud, rest)
    rest.on("PATCH /devices/dev-1/state", DONE)
    cloud.patch_state("dev-1", desired={"config": {"a": 1}})
    cloud.patch_state("dev-1", reported={})
    assert [asked.json for asked in rest.asked] == [{"desired": {"config": {"a": 1}}}, {"reported": {}}]
    with pytest.raises(Misuse, match="neither desired nor reported"):
        cloud.patch_state("dev-1")


def test_send_message(cloud, rest):
    onboard(cloud, rest)
    rest.on("POST /devices/dev-1/messages", DONE)
    cloud.send_message("dev-1", "d/dev-1/d2c", {"appId": "TEMP"})
    assert rest.asked[0].json == {"topic": "d/dev-1/d2c", "message": {"appId": "TEMP"}}


def test_messages_follow_the_pages(cloud, rest):
    rest.on(
        "GET /messages",
        Reply(200, {"items": [{"message": 1}], "pageNextToken": "a/b=="}),
        Reply(200, {"items": [{"message": 2}]}),
    )
    since = datetime.datetime(2026, 11, 23, 4, 5, 6, 789000, datetime.timezone(datetime.timedelta(hours=1)))
    assert cloud.messages(device_id="dev-1", since=since) == [{"message": 1}, {"message": 2}]
    first = "GET /messages?pageLimit=100&pageSort=asc&deviceId=dev-1&inclusiveStart=2026-11-23T03%3A05%3A06.789Z"
    assert rest.calls() == [first, first + "&pageNextToken=a%2Fb%3D%3D"]


def test_messages_refuses_a_search_that_the_api_lacks(cloud, rest):
    with pytest.raises(Misuse, match="app_id or topic, not both"):
        cloud.messages(app_id="TEMP", topic="d/x/d2c")
    assert rest.asked == []


def test_team_device(cloud, rest):
    rest.on("POST /devices/mqtt-team", Reply(201, SET))
    rest.on("DELETE /devices/mqtt-team/account-1", DONE)
    team = cloud.team_devices.create()
    assert (team.client_id, team.ca_pem, team.certificate_pem, team.private_key_pem) == (
        "account-1",
        "CA",
        "CERT",
        "KEY",
    )
    assert "KEY" not in repr(team)
    assert cloud.team_devices.delete("account-1") is True
    with pytest.raises(NotOurs):
        cloud.team_devices.delete("account-1")


def test_a_team_device_is_noted_before_its_id_is_known(rest):
    notes = []
    rest.on("POST /devices/mqtt-team", Reply(403, {"code": 40100}), Reply(201, SET))
    with NrfCloud(make_endpoints(rest.url), API_KEY, note=lambda *note: notes.append(note)) as cloud:
        with pytest.raises(RestError):
            cloud.team_devices.create()
        cloud.team_devices.create()
    assert [(kind, there) for kind, _, there in notes] == [
        ("team-asked", True),
        ("team-asked", True),
        ("team", True),
        ("team-asked", False),
    ]
    assert datetime.datetime.fromisoformat(notes[0][1]).tzinfo is not None


def test_a_jitp_device_that_a_killed_run_left_in_no_team_is_brought_back_and_deleted(cloud, rest):
    record = Reply(200, {"id": "dev-1", "subType": HARNESS_TAG, "tags": []})
    rest.on("GET /devices/dev-1", FREE, FREE, record)
    rest.on("PUT /association/dev-1", DONE)
    rest.on("DELETE /devices/dev-1", DONE)
    assert cloud.delete_left({"device": {"dev-1"}, "code": {"dev-1 1234"}}) == []
    (asked,) = (asked for asked in rest.asked if asked.method == "PUT")
    assert asked.body == b"1234"
    assert rest.calls()[-1] == "DELETE /devices/dev-1"


def test_a_device_whose_dissociation_was_done_at_the_lost_try_is_out_of_the_team(cloud, rest):
    rest.on("GET /devices/dev-1", FREE)
    rest.on("PUT /association/dev-1", DONE)
    rest.on("DELETE /association/dev-1", Reply(0, reset=True), Reply(404, {"code": 40413, "message": "no such device"}))
    cloud.associate("dev-1", "1234")
    cloud.dissociate("dev-1")
    rest.on("DELETE /association/dev-1", Reply(404, {"code": 40413, "message": "no such device"}))
    with pytest.raises(RestError, match="40413"):
        cloud.dissociate("dev-1")


def test_a_code_of_a_device_that_the_cloud_never_made_is_in_vain(cloud, rest):
    rest.on("GET /devices/dev-1", FREE)
    rest.on("PUT /association/dev-1", Reply(404, {"code": 40412, "message": "no"}))
    assert cloud.delete_left({"device": {"dev-1"}, "code": {"dev-1 1234"}}) == []
    assert not [call for call in rest.calls() if call.startswith("DELETE")]


def test_a_certificate_from_the_cloud(cloud, rest):
    rest.on("POST /devices/dev-1/certificates", Reply(201, SET))
    assert cloud.create_device_certificate("dev-1", "123456").certificate_pem == "CERT"
    assert rest.asked[1].body == b"123456"
    assert cloud.made == {"dev-1"}


def test_delete_all_made_says_what_is_left(cloud, rest):
    onboard(cloud, rest, "a")
    onboard(cloud, rest, "b")
    rest.on("POST /devices/mqtt-team", Reply(201, SET))
    cloud.team_devices.create()
    rest.on("DELETE /devices/a", Reply(403, {"code": 40100}))
    rest.on("DELETE /devices/b", DONE)
    rest.on("DELETE /devices/mqtt-team/account-1", DONE)
    (left,) = cloud.delete_all_made()
    assert left.startswith("a is still in the account: DELETE /devices/a answered 403")
    assert (cloud.made, cloud.team_devices.made) == ({"a"}, set())


@pytest.mark.parametrize(("tags", "deleted"), [(["nrf91-harness"], True), (["theirs"], False)])
def test_a_device_whose_post_was_refused_is_deleted_only_with_our_tag(cloud, rest, tags, deleted):
    """Somebody else may have put it there in the same moment."""
    rest.on("POST /devices/dev-1", Reply(409, {"code": 40900}))
    with pytest.raises(RestError):
        cloud.onboard_device("dev-1", PEM)
    rest.on("GET /devices/dev-1", Reply(200, {"id": "dev-1", "tags": tags}))
    rest.on("DELETE /devices/dev-1", Reply(202))
    assert cloud.delete_all_made() == []
    assert ("DELETE /devices/dev-1" in rest.calls(), len(cloud.not_ours)) == (deleted, not deleted)


def test_wait_device(cloud, rest):
    rest.on("GET /devices/dev-1", FREE, FREE, Reply(200, {"id": "dev-1"}))
    assert cloud.wait_device("dev-1", timeout=5.0) == {"id": "dev-1"}
    assert len(rest.asked) == 3


def test_a_report_shows_after_a_while(cloud, rest):
    late = Reply(200, {"state": {"desired": {"a": "late"}, "reported": {}}})
    rest.on("GET /devices/dev-1", FREE, late, Reply(200, {"state": {"reported": {"harness": {"token": "late"}}}}))
    assert cloud.wait_reported("dev-1", "late", timeout=5.0)
    assert len(rest.asked) == 3
    assert not cloud.wait_reported("dev-1", "never", timeout=0.0)


def test_bulk(cloud, rest):
    rest.on("POST /devices", Reply(202, {"bulkOpsRequestId": "01B"}))
    rest.on(
        "GET /bulk-ops-requests/01B",
        Reply(200, {"status": "PENDING"}),
        Reply(200, {"status": "IN_PROGRESS"}),
        Reply(200, {"status": "FAILED", "errorSummaryUrl": f"http://127.0.0.1:{rest.port}/files/e.json?sig=x"}),
    )
    rest.on("GET /files/e.json", Reply(200, {"errors": ["[1]: certificate is no PEM"]}))
    bulk_id = cloud.onboard_devices([OnboardRow("a", PEM), OnboardRow("b", "junk", tags=("t",))])
    result = cloud.wait_bulk(bulk_id, timeout=5.0)
    assert (result.status, result.errors, result.succeeded) == ("FAILED", {1: "certificate is no PEM"}, False)
    post = next(asked for asked in rest.asked if asked.method == "POST")
    assert post.headers["Content-Type"] == "text/csv"
    assert post.body.decode() == f'a,,{HARNESS_TAG},,"{PEM}"\nb,,{HARNESS_TAG}|t,,"junk\n"\n'
    error_file = rest.asked[-1]
    assert "Authorization" not in error_file.headers


def test_wait_bulk_ends_at_its_deadline(cloud, rest):
    rest.on("GET /bulk-ops-requests/01B", Reply(200, {"status": "PENDING"}))
    with pytest.raises(StillPending, match="waited 0 s for bulk operation 01B to end"):
        cloud.wait_bulk("01B", timeout=0.0)


def test_the_client_shows_no_key(cloud):
    assert API_KEY not in repr(cloud) + repr(vars(cloud))


def test_public_key_is_registered_by_csv(cloud, rest):
    rest.on("POST /devices/public-keys", Reply(202, {"bulkOpsRequestId": "B1"}))
    assert cloud.register_public_key("dev-1", "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----") == "B1"
    body = rest.asked[-1].body
    assert body == b'dev-1,"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"\n'
    assert rest.asked[-1].headers["Content-Type"] == "text/csv"


def test_public_key_of_a_foreign_device_is_not_touched(cloud, rest):
    rest.on("GET /devices/dev-1", Reply(200, {"id": "dev-1", "tags": []}))
    with pytest.raises(NotOurs):
        cloud.register_public_key("dev-1", "PEM")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"items": 5}, "the answer's items is not a list"),
        ({"items": [1]}, "the answer's items are not all objects"),
        ({"items": [], "pageNextToken": 7}, "the answer's pageNextToken is not a text"),
    ],
)
def test_a_page_of_another_form_is_one_line(rest, cloud, body, said):
    rest.on("GET /messages", Reply(200, body))
    with pytest.raises(RestError, match=said):
        cloud.messages()


def test_an_account_of_another_form_is_one_line(rest, cloud):
    rest.on("GET /account", Reply(200, {"mqttEndpoint": "h", "mqttTopicPrefix": "p", "team": []}))
    with pytest.raises(RestError, match="the answer's team is not an object"):
        cloud.account()

"""REST as a device calls it: the token goes out, every answer comes back as a value."""

import pytest

from harness.cloud import DeviceApi, RestAnswer
from harness.timeline import Timeline
from tests.unit.cloud.conftest import make_endpoints
from tests.unit.cloud.fake_rest import Reply

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJkZXYtMSJ9.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"


@pytest.fixture
def api(rest):
    with DeviceApi(make_endpoints(rest.url), Timeline()) as api:
        yield api


def test_token_replaces_the_api_key_and_is_not_recorded(rest, api):
    rest.on("GET /devices/dev-1", Reply(200, {}))
    assert api.device("dev-1", TOKEN) == RestAnswer(200)
    assert rest.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert rest.asked[0].path == "/devices/dev-1"
    assert TOKEN not in repr(api.timeline.since())


def test_without_a_token_there_is_no_authorization(rest, api):
    rest.on("GET /fota-job-executions/dev-1/current", Reply(401, {"code": 40100, "message": "denied"}))
    answer = api.current_fota_job("dev-1", None)
    assert answer == RestAnswer(401, 40100, "denied")
    assert "Authorization" not in rest.asked[0].headers
    assert answer.denied
    assert not answer.authorised


@pytest.mark.parametrize(
    ("body", "foreign"), [(b"<html>Log in</html>", True), (b"", False), (b"{}", False), (b"[", True)]
)
def test_a_body_that_is_no_json_is_not_the_apis(rest, api, body, foreign):
    rest.on("GET /devices/dev-1", Reply(200, body))
    answer = api.device("dev-1", TOKEN)
    assert (answer.foreign, answer.authorised) == (foreign, not foreign)


@pytest.mark.parametrize(
    ("answer", "authorised", "denied"),
    [
        (RestAnswer(200), True, False),
        (RestAnswer(200, foreign=True), False, False),
        (RestAnswer(202), True, False),
        (RestAnswer(404, 40499), True, False),
        (RestAnswer(404, 40410), False, False),
        (RestAnswer(404), False, False),
        (RestAnswer(401), False, True),
        (RestAnswer(403, 40100), False, True),
        (RestAnswer(422, 42200), False, False),
    ],
)
def test_what_an_answer_says(answer, authorised, denied):
    assert (answer.authorised, answer.denied) == (authorised, denied)


def test_paths_and_bodies(rest, api):
    api.update_state("dev:1", TOKEN, {"a": 1})
    api.ground_fix(TOKEN)
    api.current_fota_job("dev-1", TOKEN)
    assert [(call.method, call.path) for call in rest.asked] == [
        ("PATCH", "/devices/dev:1/state"),
        ("POST", "/location/ground-fix"),
        ("GET", "/fota-job-executions/dev-1/current"),
    ]
    assert b'"reported"' in rest.asked[0].body

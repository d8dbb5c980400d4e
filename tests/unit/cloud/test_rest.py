"""Repeats, time-outs and messages of the HTTPS client."""

import datetime
import socket
from email.utils import format_datetime

import pytest

from harness.cloud import NrfCloud, RestError
from harness.cloud import rest as rest_module
from harness.cloud.rest import LONGEST_PAUSE, retry_after
from harness.errors import CloudUnreachable, Misuse
from harness.timeline import Kind, Timeline
from tests.unit.cloud.conftest import API_KEY, make_endpoints
from tests.unit.cloud.fake_rest import Reply

ACCOUNT = {"mqttEndpoint": "h", "mqttTopicPrefix": "prod/t/", "team": {"tenantId": "t"}}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_repeats_and_notes_it(cloud, rest, timeline, status):
    rest.on("GET /account", Reply(status), Reply(status), Reply(200, ACCOUNT))
    assert cloud.account().tenant_id == "t"
    assert [e.text for e in timeline.since()] == [
        f"GET /account -> {status}",
        f"GET /account: {status}; try 2 of 4 in 0 s",
        f"GET /account -> {status}",
        f"GET /account: {status}; try 3 of 4 in 0 s",
        "GET /account -> 200",
    ]
    assert all(e.kind is Kind.CLOUD and e.source == "twin" for e in timeline.since())


def test_gives_up_after_four_tries(cloud, rest):
    rest.on("GET /account", Reply(500, {"code": 50010, "message": "oops"}))
    with pytest.raises(RestError) as caught:
        cloud.account()
    assert (caught.value.status, caught.value.code, caught.value.attempts, len(rest.asked)) == (500, 50010, 4, 4)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_never_repeats_a_client_error(cloud, rest, status):
    rest.on("GET /account", Reply(status, {"code": status * 100}))
    with pytest.raises(RestError) as caught:
        cloud.account()
    assert (caught.value.status, caught.value.code, caught.value.attempts) == (status, status * 100, 1)
    assert len(rest.asked) == 1


def test_a_broken_connection_is_repeated(cloud, rest):
    rest.on("GET /account", Reply(0, reset=True), Reply(200, ACCOUNT))
    assert cloud.account().mqtt_prefix == "prod/t/"
    assert len(rest.asked) == 2


def test_a_ca_file_that_is_gone_is_the_labs_trouble(tmp_path):
    """Somebody cleaned up temporary folders during a run: tests failed, as if the product did."""
    endpoints = make_endpoints("https://127.0.0.1:1", rest_ca=tmp_path / "gone.pem")
    client = NrfCloud(endpoints, API_KEY, timeline=Timeline(), pause=0.0)
    with client, pytest.raises(CloudUnreachable, match=r"invalid path: .*gone\.pem"):
        client.account()


@pytest.mark.parametrize("reply", [Reply(500), Reply(0, reset=True)])
def test_a_post_that_may_have_been_done_is_not_sent_twice(cloud, rest, reply):
    rest.on("POST /devices/mqtt-team", reply)
    with pytest.raises((RestError, CloudUnreachable)):
        cloud.team_devices.create()
    assert rest.calls() == ["POST /devices/mqtt-team"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_post_that_was_not_taken_is_sent_again(cloud, rest, status):
    answer = {"clientId": "c", "caCert": "ca", "clientCert": "cert", "privateKey": "key"}
    rest.on("POST /devices/mqtt-team", Reply(status), Reply(201, answer))
    assert cloud.team_devices.create().client_id == "c"
    assert len(rest.asked) == 2


def test_retry_after_is_honoured(rest, timeline, monkeypatch):
    pauses = []
    monkeypatch.setattr(rest_module.RestClient, "wait", lambda self, seconds: pauses.append(seconds))
    rest.on("GET /account", Reply(429, headers={"Retry-After": "7"}), Reply(503), Reply(503), Reply(200, ACCOUNT))
    with NrfCloud(make_endpoints(rest.url), API_KEY, timeline=timeline, pause=0.5) as cloud:
        cloud.account()
    assert pauses == [7.0, 1.0, 2.0]


def test_retry_after_forms():
    assert retry_after(None) is None
    assert retry_after("2") == 2.0
    assert retry_after("-3") == 0.0
    assert retry_after("86400") == LONGEST_PAUSE
    assert retry_after("soon") is None
    assert retry_after("nan") is None
    assert retry_after("inf") == LONGEST_PAUSE
    assert retry_after(f"Wed, 21 Oct 2026 07:28:{'7' * 30} GMT") is None  # found by fuzz/rest_bodies.py
    now = datetime.datetime.now(datetime.UTC)
    assert 5 < retry_after(format_datetime(now + datetime.timedelta(seconds=10), usegmt=True)) <= 10
    assert retry_after(format_datetime(now - datetime.timedelta(hours=1), usegmt=True)) == 0.0


def test_refused_connection_is_one_line(timeline):
    port = closed_port()
    endpoints = make_endpoints(f"https://127.0.0.1:{port}/v1")
    with NrfCloud(endpoints, API_KEY, timeline=timeline, pause=0.0) as cloud, pytest.raises(CloudUnreachable) as caught:
        cloud.account()
    assert str(caught.value) == (
        f"GET https://127.0.0.1:{port}/v1/account failed at try 4: Connection refused;"
        " check this computer's network and the address of cloud 'twin'"
    )
    assert [e.data["attempt"] for e in timeline.since()] == [1, 2, 3]


def test_a_dead_process_leads_the_message_and_ends_the_tries(timeline):
    reason = "local cloud (pid 7) died with signal 9"
    endpoints = make_endpoints(f"https://127.0.0.1:{closed_port()}/v1", dead=lambda: reason)
    with NrfCloud(endpoints, API_KEY, timeline=timeline, pause=0.0) as cloud, pytest.raises(CloudUnreachable) as caught:
        cloud.account()
    assert str(caught.value).startswith(reason + "; GET https://")
    assert timeline.since() == []


def test_no_tls_on_the_other_side_is_said_and_not_repeated(rest, timeline):
    endpoints = make_endpoints(rest.url.replace("http:", "https:"))
    with NrfCloud(endpoints, API_KEY, timeline=timeline, pause=0.0) as cloud, pytest.raises(CloudUnreachable) as caught:
        cloud.account()
    assert "/v1/account failed: TLS: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert timeline.since() == []


def test_silence_ends_at_the_deadline(monkeypatch, timeline):
    monkeypatch.setattr(rest_module, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoints = make_endpoints(f"http://127.0.0.1:{server.getsockname()[1]}/v1")
        with NrfCloud(endpoints, API_KEY, timeline=timeline) as cloud, pytest.raises(CloudUnreachable) as caught:
            cloud.account()
    assert "failed: no answer within 0.1 s;" in str(caught.value)


def test_the_key_is_in_the_authorization_header_only(cloud, rest, timeline, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    rest.on("GET /account", Reply(401, {"code": 40100, "message": f"unknown key {API_KEY}"}))
    with pytest.raises(RestError) as caught:
        cloud.account()
    assert rest.asked[0].headers["Authorization"] == f"Bearer {API_KEY}"
    written = [str(caught.value), repr(caught.value), repr(timeline.since()), repr(vars(caught.value))]
    assert not [text for text in written if API_KEY in text]


def test_a_public_cloud_does_not_take_netrc_for_the_key(rest, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    rest.on("GET /account", Reply(200, ACCOUNT))
    with NrfCloud(make_endpoints(rest.url, public=True), API_KEY) as cloud:
        cloud.account()
    assert rest.asked[0].headers["Authorization"] == f"Bearer {API_KEY}"


def test_proxies_do_not_catch_a_cloud_on_this_computer(cloud, rest, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    rest.on("GET /account", Reply(200, ACCOUNT))
    assert cloud.account().tenant_id == "t"


@pytest.mark.parametrize("key", ["", "short", "with space inside", "käse-käse-käse"])
def test_what_is_no_key_is_refused_before_any_call(key):
    with pytest.raises(Misuse, match="the API key of cloud 'twin' is not a key"):
        NrfCloud(make_endpoints("http://127.0.0.1:1/v1"), key)


def test_redirects_are_not_followed(cloud, rest):
    rest.on("GET /account", Reply(302, headers={"Location": "http://127.0.0.1:1/elsewhere"}))
    with pytest.raises(RestError) as caught:
        cloud.account()
    assert caught.value.status == 302

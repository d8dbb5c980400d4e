"""What a running cloud can be told to do wrong, through the control of its process: broker, REST, what it reports."""

import asyncio
import json
import socket
from dataclasses import replace

import pytest
import requests

from harness.cloud import NrfCloud
from harness.virtual.board import Network
from harness.virtual.control import StandIns, respond
from harness.virtual.control_cloud import CloudControl
from tests.integration.cloud_lab import DEADLINE, running_cloud
from tests.unit.cloud.conftest import make_endpoints


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as running:
        running.control = StandIns({}, CloudControl(running.cloud), Network({}))
        yield running


@pytest.fixture
def say(lab):
    """Send one command line, return the answer without its id."""

    def say(command, **fields):
        line = json.dumps({"id": 1, "command": command, **fields}).encode()
        answer = asyncio.run_coroutine_threadsafe(respond(line, lab.control), lab.loop).result(5)
        return {key: value for key, value in json.loads(answer).items() if key != "id"}

    return say


@pytest.fixture
def reported(lab):
    """Return what a device's state says of its connection."""
    return lambda name: lab.rest.get(f"/devices/{name}")["state"]["reported"].get("connection")


def test_the_state_says_why_a_device_was_disconnected(lab, say, reported):
    device = lab.device("dev-why").ready()
    assert reported("dev-why") == {"status": "connected"}
    version = lab.rest.get("/devices/dev-why")["state"]["version"]
    device.client.publish("forbidden", b"", 0)
    assert device.ended.wait(30)
    assert reported("dev-why") == {
        "status": "disconnected",
        "disconnectReason": "AUTH_ERROR",
        "clientInitiatedDisconnect": False,
    }
    assert lab.rest.get("/devices/dev-why")["state"]["version"] == version + 1
    device.client.loop_stop()
    device.ready()
    device.close()
    lab.journal.wait("close", client_id="dev-why", reason="CLIENT_INITIATED_DISCONNECT")
    assert reported("dev-why")["clientInitiatedDisconnect"] is True


def test_another_word_no_word_and_nothing_at_all(lab, say, reported):
    said = say("change-broker", settings={"reasons": {"AUTH_ERROR": "CLIENT_ERROR", "DUPLICATE_CLIENTID": ""}})
    assert said == {"ok": True, "settings": {"reasons": {}}}
    device = lab.device("dev-word").ready()
    device.client.publish("forbidden", b"", 0)
    assert device.ended.wait(30)
    assert reported("dev-word")["disconnectReason"] == "CLIENT_ERROR"
    device.client.loop_stop()
    device.ready()
    assert say("duplicate-client", client_id="dev-word", backoff=60) == {"ok": True}
    assert device.ended.wait(30)
    assert reported("dev-word") == {"status": "disconnected"}
    assert say("stop-duplicate", client_id="dev-word") == {"ok": True}
    say("change-broker", settings={"no_connection_state": True})
    device.client.loop_stop()
    device.ready()
    assert reported("dev-word") == {"status": "disconnected"}
    say("change-broker", settings={"no_connection_state": False, "reasons": {}})


def test_a_late_word_does_not_follow_a_new_connection(lab, say, reported):
    say("change-broker", settings={"reason_delay": 0.1})
    device = lab.device("dev-late").ready()
    say("close-connection", client_id="dev-late")
    assert device.ended.wait(30)
    device.client.loop_stop()
    device.ready()
    say("change-broker", settings={"reason_delay": 0.0})
    lab.call(lambda: None)
    assert reported("dev-late") == {"status": "connected"}


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"close_dely": 1}, "unknown key 'close_dely'; nearest known key is 'close_delay'; correct it"),
        ({"close_delay": -1}, "close_delay cannot be -1: it must be greater than or equal to 0; correct it"),
        ({"tenant": "x"}, "unknown key 'tenant'; "),
    ],
)
def test_a_setting_that_cannot_be_is_refused(say, settings, error):
    answer = say("change-broker", settings=settings)
    assert answer["ok"] is False
    assert answer["error"].startswith(error)


def test_limits_that_are_not_named_stay(lab, say):
    assert say("change-broker", settings={"limits": {"packets": 9}})["settings"]["limits"]["topic"] == 256
    assert (lab.cloud.broker.profile.limits.packets, lab.cloud.broker.profile.limits.topic) == (9, 256)
    say("change-broker", settings={"limits": {"packets": 0}})


@pytest.mark.parametrize("listener", ["mqtt", "jitp"])
def test_the_limit_of_a_handshake_holds_for_new_connections(lab, say, listener):
    say("change-broker", settings={"limits": {"handshake": 0.1}})
    with socket.create_connection(getattr(lab.cloud, f"{listener}_address"), DEADLINE) as silent:
        silent.settimeout(3)
        assert silent.recv(1) == b""
    say("change-broker", settings={"limits": {"handshake": 5}})


def test_the_broker_restarts(lab, say):
    device = lab.device("dev-again").ready()
    answer = say("restart-broker")
    assert answer == {"ok": True, "mqtt": list(lab.cloud.mqtt_address)}
    assert device.ended.wait(30)
    device.client.loop_stop()
    device.ready()


def test_the_observer_is_cut_and_deaf(lab, say):
    observer = lab.observer()
    device = lab.device("dev-heard").ready()
    topic = f"{lab.prefix}m/d/dev-heard/d2c"
    assert say("deafen-client", client_id="observer") == {"ok": True}
    device.publish(topic, b"lost")
    assert say("hear-client", client_id="observer") == {"ok": True}
    device.publish(topic, b"heard")
    assert observer.message(topic) == (topic, b"heard")
    assert say("hear-client", client_id="observer")["error"] == "client 'observer' is not deaf"
    assert say("close-connection", client_id="observer") == {"ok": True}
    assert observer.ended.wait(30)


def test_rest_answers_something_else(lab, say):
    say("disturb-rest", path="/devices/", status=429, seconds=7, count=1)
    lab.rest.get("/account")  # another path
    answer = lab.rest("GET", "/devices/none")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (429, "7", 42900)
    assert lab.rest("GET", "/devices/none").status_code == 404
    say("disturb-rest", status=500, method="POST", count=None)
    lab.rest.get("/account")
    assert lab.rest("POST", "/devices/x", json={}).status_code == 500
    assert lab.rest("POST", "/devices/x", json={}).status_code == 500
    say("clear-rest")
    assert lab.rest("POST", "/devices/x", json={}).status_code == 422


@pytest.mark.parametrize(
    ("how", "error"), [("cut", "IncompleteRead|broken|reset"), ("close", "without response|reset")]
)
def test_a_rest_answer_is_cut(lab, say, how, error):
    say("disturb-rest", how=how)
    with pytest.raises(requests.RequestException, match=f"(?i){error}"):
        lab.rest("GET", "/account")
    lab.rest.get("/account")


def test_an_answer_that_was_cut_is_asked_for_again(lab, say):
    endpoints = replace(make_endpoints(lab.rest.url), rest_ca=lab.ca_file)
    with NrfCloud(endpoints, lab.cloud.api_key, pause=0.0) as cloud:
        say("disturb-rest", how="cut")
        assert cloud.account().mqtt_prefix == lab.prefix


def test_rest_keeps_silent(lab, say):
    say("disturb-rest", how="timeout", seconds=0.2)
    with pytest.raises(requests.Timeout):
        lab.rest.session.get(f"{lab.rest.url}/account", timeout=0.05)
    lab.rest.get("/account")

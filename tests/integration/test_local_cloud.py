"""The local nRF Cloud as its clients see it: requests over REST, paho-mqtt as device and as observer, openssl."""

import base64
import json
import queue
import shutil
import subprocess
import time

import pytest

from harness.settings import CloudSettings
from harness.virtual.cloud.registry.registry import CertificateState
from tests.integration.cloud_lab import DEADLINE, Identity, running_cloud
from tests.unit.virtual.cloud_makers import rsa_certificate_pem

S = "$aws/things/dev-1/shadow"


@pytest.fixture
def slow_lab(tmp_path):
    with running_cloud(tmp_path, CloudSettings(bulk_step=3600)) as lab:
        yield lab


# trust


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("side", ["rest", "mqtt"])
def test_openssl_verifies_the_chain(lab, tmp_path, side):
    host, port = lab.cloud.rest_address if side == "rest" else lab.cloud.mqtt_address
    name = "api.nrfcloud.com" if side == "rest" else "mqtt.nrfcloud.com"
    lab.device()  # its certificate is what the broker asks for
    arguments = ["-connect", f"{host}:{port}", "-CAfile", str(lab.ca_file), "-servername", name]
    checks = ["-verify_hostname", name, "-x509_strict", "-verify_return_error", "-brief"]
    identity = ["-cert", str(tmp_path / "dev-1.pem"), "-key", str(tmp_path / "dev-1.pem")]
    done = subprocess.run(
        ["openssl", "s_client", *arguments, *checks, *identity],
        input=b"",
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert b"Verification: OK" in done.stderr, done.stderr.decode()


# the key


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer " + "0" * 40, "Basic {key}", "Bearer {key}0", "Bearer eyJ0.e30.x"]
)
@pytest.mark.parametrize("path", ["/account", "/devices", "/nothing"])
def test_everything_needs_the_key(lab, header, path):
    headers = {"Authorization": None if header is None else header.format(key=lab.cloud.api_key)}
    assert lab.rest.refusal("GET", path, headers=headers) == (401, 40100)


@pytest.mark.parametrize("path", ["/status", "/openapi.json"])
def test_two_operations_need_no_key(lab, path):
    assert lab.rest("GET", path, headers={"Authorization": None}).status_code == 200


def test_the_key_looks_like_nrf_clouds(lab):
    assert len(lab.cloud.api_key) == 40
    assert set(lab.cloud.api_key) <= set("0123456789abcdef")


def test_unknown_paths_and_methods(lab):
    assert lab.rest.refusal("GET", "/nothing") == (404, 40420)
    assert lab.rest.refusal("PUT", "/account") == (405, 40500)


def test_the_openapi_document_lists_what_is_served(lab):
    paths = lab.rest.get("/openapi.json")["paths"]
    assert set(paths["/devices/{deviceId}"]) == {"get", "post", "delete"}
    assert set(paths["/association/{deviceId}"]) == {"put", "delete"}


def test_the_account(lab):
    account = lab.rest.get("/account")
    assert account["mqttTopicPrefix"] == f"prod/{account['team']['tenantId']}/" == lab.prefix
    assert account["mqttEndpoint"] == "mqtt.nrfcloud.com"
    assert account["role"] == "owner"


# policies


def test_a_policy_that_asks_for_the_certificate_is_enforced(tmp_path):
    policies = tmp_path / "policies"
    policies.mkdir()
    own, secret = "cert/${iot:Certificate.Subject.CommonName}/x", "prod/*/m/secret"
    statements = [
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"arn:aws:iot:*:*:topic/{own}"},
        {
            "Effect": "Deny",
            "Action": "iot:Publish",
            "Resource": f"arn:aws:iot:*:*:topic/{secret}",
            "Condition": {"StringEquals": {"iot:Certificate.Issuer.CommonName": "dev-1"}},
        },
    ]
    (policies / "lab.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    with running_cloud(tmp_path, policies=policies) as lab:
        for name, refused in (("dev-1", f"{lab.prefix}m/secret"), ("dev-2", "cert/dev-1/x")):
            device = lab.device(name).ready()
            device.publish(f"cert/{name}/x")
            device.publish(f"{lab.prefix}m/public")
            assert not device.ended.is_set()
            device.client.publish(refused, b"", 1)
            assert device.ended.wait(DEADLINE)
            entry = lab.journal.wait("authorize", action="iot:Publish", client_id=name, document="lab", statement=1)
            assert entry["pattern"].endswith(f":topic/cert/{name}/x")
        lab.journal.wait("authorize", client_id="dev-1", document="lab", statement=2, decision="EXPLICIT_DENY")
        lab.device("dev-3").ready().publish(f"{lab.prefix}m/secret")
        lab.journal.wait("authorize", client_id="dev-3", action="iot:Publish", document="associated")


# onboarding


def test_a_device_onboarded_connects_and_its_message_is_observed_and_stored(lab):
    observer, device = lab.observer(), lab.device(tags=["t1"], supportedFirmwareTypes=["APP"]).ready()
    topic = f"{lab.prefix}m/d/dev-1/d2c"
    device.publish(topic, b'{"appId":"TEMP","messageType":"DATA","data":"21.5"}')
    assert observer.json(topic) == {"appId": "TEMP", "messageType": "DATA", "data": "21.5"}
    (item,) = lab.rest.get("/messages", deviceId="dev-1")["items"]
    assert item.keys() == {"tenantId", "topic", "deviceId", "receivedAt", "message"}
    assert (item["topic"], item["deviceId"], item["message"]["appId"]) == (topic, "dev-1", "TEMP")
    found = lab.rest.get("/devices/dev-1")
    assert (found["id"], found["type"], found["tags"]) == ("dev-1", "Generic", ["t1"])
    assert found["firmware"] == {"supports": ["APP"]}
    assert found["tenantId"] == item["tenantId"]
    assert found["state"]["desired"]["nrfcloud_mqtt_topic_prefix"] == lab.prefix
    assert found["state"]["version"] == 2  # of the association, and of the connection


PEM = Identity("x").certificate_pem


@pytest.mark.parametrize(
    ("device_id", "body"),
    [
        ("dev-2", {"certificate": PEM + PEM}),
        ("dev-2", {"certificate": PEM.rstrip()}),
        ("dev-2", {"certificate": rsa_certificate_pem("dev-2")}),
        ("dev-2", {"certificate": ""}),
        ("dev-2", {}),
        ("dev-2", {"certificate": 5}),
        ("dev-2", {"certificate": PEM, "tags": "t"}),
        ("dev-2", {"certificate": PEM, "tags": ["a b"]}),
        ("dev-2", {"certificate": PEM, "supportedFirmwareTypes": ["X"]}),
        ("dev-2", {"certificate": PEM, "subTypes": "typo"}),
        ("dev-2", []),
        ("dev%202", {"certificate": PEM}),
        ("d" * 129, {"certificate": PEM}),
    ],
)
def test_refused_onboarding(lab, device_id, body):
    assert lab.rest.refusal("POST", f"/devices/{device_id}", json=body) == (422, 42200)
    assert lab.rest.get("/devices")["items"] == []


def test_onboarding_without_json(lab):
    assert lab.rest.refusal("POST", "/devices/dev-2", data=b"{") == (422, 42200)
    assert lab.rest.refusal("POST", "/devices/dev-2", data=b"[" * 5000) == (422, 42200)


def test_listing_devices(lab):
    for name, sub_type in (("a", ""), ("b", "my-gateway"), ("c", "")):
        lab.device(name, subType=sub_type)

    def names(**query):
        return [item["id"] for item in lab.rest.get("/devices", **query)["items"]]

    assert names(pageSort="asc") == ["a", "b", "c"]
    assert names(deviceTypes="Gateway") == ["b"]
    assert names(deviceIds=["a", "c"]) == ["c", "a"]
    first = lab.rest.get("/devices", pageLimit=2, includeState="false")
    assert [item["id"] for item in first["items"]] == ["c", "b"]
    assert "state" not in first["items"][0]
    assert names(pageLimit=2, pageNextToken=first["pageNextToken"]) == ["a"]
    for query in ({"pageLimit": 0}, {"pageLimit": 101}, {"pageSort": "up"}, {"pageNextToken": "x"}, {"deviceId": "a"}):
        assert lab.rest.refusal("GET", "/devices", params=query) == (422, 42200)


@pytest.mark.parametrize("body", ["imei-1", ["imei-1"]])
def test_renaming_a_device(lab, body):
    lab.device()
    assert lab.rest.get("/devices/dev-1")["name"] == "dev-1"
    assert lab.rest("PUT", "/devices/dev-1/name", json=body).status_code == 202
    assert lab.rest.get("/devices/dev-1")["name"] == "imei-1"
    for wrong in ("", [], ["a", "b"], 5, {"name": "x"}):
        assert lab.rest.refusal("PUT", "/devices/dev-1/name", json=wrong) == (422, 42200)
    assert lab.rest.refusal("PUT", "/devices/dev-9/name", json="x") == (404, 40410)


def test_retagging_a_device(lab):
    lab.device(tags=["a"])
    assert lab.rest("PUT", "/devices/dev-1/tags", json=["b", "c"]).status_code == 202
    assert lab.rest.get("/devices", tags="c")["items"][0]["tags"] == ["b", "c"]
    for wrong in ("b", [5], ["a b"], {}):
        assert lab.rest.refusal("PUT", "/devices/dev-1/tags", json=wrong) == (422, 42200)
    assert lab.rest.get("/devices/dev-1")["tags"] == ["b", "c"]


# bulk operations


def wait_bulk(lab, bulk_id):
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        details = lab.rest.get(f"/bulk-ops-requests/{bulk_id}")
        if details["status"] in ("SUCCEEDED", "FAILED"):
            return details
    raise AssertionError(details)


def csv_row(name, pem=None):
    return f'{name},,t1|t2,APP|MODEM,"{pem or Identity(name).certificate_pem}"\n'


@pytest.mark.parametrize("encode", [str.encode, lambda text: base64.b64encode(text.encode())])
def test_bulk_onboarding(lab, encode):
    body = csv_row("a") + csv_row("bad", rsa_certificate_pem("bad")) + csv_row("c")
    answer = lab.rest("POST", "/devices", data=encode(body), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 202
    details = wait_bulk(lab, answer.json()["bulkOpsRequestId"])
    assert (details["status"], details["endpoint"]) == ("FAILED", "ONBOARD_DEVICES")
    errors = lab.rest("GET", details["errorSummaryUrl"], headers={"Authorization": None}).json()["errors"]
    assert len(errors) == 1
    assert errors[0].startswith("[1]: the key must be an EC key on P-256")
    assert [item["id"] for item in lab.rest.get("/devices", pageSort="asc")["items"]] == ["a", "c"]
    assert lab.rest("GET", details["uploadedDataUrl"], headers={"Authorization": None}).content == encode(body)
    assert [item["status"] for item in lab.rest.get("/bulk-ops-requests", status="FAILED")["items"]] == ["FAILED"]


def test_bulk_onboarding_that_succeeds_has_no_error_summary(lab):
    answer = lab.rest("POST", "/devices", data=csv_row("a").encode(), headers={"Content-Type": "text/csv"})
    details = wait_bulk(lab, answer.json()["bulkOpsRequestId"])
    assert details["status"] == "SUCCEEDED"
    assert "errorSummaryUrl" not in details


def test_bulk_operations_begin_pending_and_do_nothing_yet(slow_lab):
    answer = slow_lab.rest("POST", "/devices", data=csv_row("a").encode(), headers={"Content-Type": "text/csv"})
    details = slow_lab.rest.get(f"/bulk-ops-requests/{answer.json()['bulkOpsRequestId']}")
    assert details["status"] == "PENDING"
    assert slow_lab.rest.get("/devices")["items"] == []


def test_refused_bulk_requests(lab):
    assert lab.rest.refusal("POST", "/devices", data=b"a,b\n", headers={"Content-Type": "text/csv"}) == (422, 42200)
    body = csv_row("a").encode()
    assert lab.rest.refusal("POST", "/devices", data=body, headers={"Content-Type": "application/json"}) == (422, 42200)
    assert lab.rest.refusal("GET", "/bulk-ops-requests/01ARZ3NDEKTSV4RRFFQ69G5FAV") == (404, 40410)
    assert lab.rest.refusal("GET", "/bulk-ops-requests", params={"status": "DONE"}) == (422, 42200)


def test_files_of_a_bulk_operation_need_their_whole_url(slow_lab):
    answer = slow_lab.rest("POST", "/devices", data=csv_row("a").encode(), headers={"Content-Type": "text/csv"})
    details = slow_lab.rest.get(f"/bulk-ops-requests/{answer.json()['bulkOpsRequestId']}")
    *start, _capability, name = details["uploadedDataUrl"].split("/")
    assert slow_lab.rest.refusal("GET", "/".join([*start, "guess", name])) == (404, 40410)
    assert _capability not in json.dumps(slow_lab.journal.events)


# association


def test_dissociation_changes_rights_from_the_next_connection_on(lab):
    observer, device = lab.observer(), lab.device().ready()
    topic = f"{lab.prefix}m/d/dev-1/d2c"
    device.subscribe("dev-1/shadow/update/#")
    assert lab.rest("DELETE", "/association/dev-1").status_code == 202
    assert device.json("dev-1/shadow/update/delta")["state"]["pairing"]["state"] == "not_associated"
    assert lab.rest.refusal("GET", "/devices/dev-1") == (404, 40410)

    device.publish(topic, b'"still allowed"')
    assert observer.json(topic) == "still allowed"
    assert not device.ended.is_set()

    device.close()
    device.ready()
    device.client.publish(topic, b'"forbidden now"', 0)  # paho would send QoS 1 again when it is connected again
    assert device.ended.wait(DEADLINE)
    assert lab.journal.wait("close", client_id="dev-1", reason="AUTH_ERROR")

    assert lab.rest.refusal("PUT", "/association/dev-1", data="123456") == (404, 40411)
    assert lab.rest.refusal("PUT", "/association/dev-9", data="123456") == (404, 40412)
    assert lab.rest.refusal("PUT", "/association/dev-1", data="") == (422, 42200)
    assert lab.rest("POST", "/devices/dev-1", json={"certificate": device.certificate_pem}).status_code == 202
    device.client.loop_stop()
    device.ready()
    device.publish(topic, b'"allowed again"')
    assert observer.json(topic) == "allowed again"
    assert lab.rest.get("/devices/dev-1")["id"] == "dev-1"


# who may connect


def refused_connect(lab, peer):
    peer.connect()
    assert peer.ended.wait(DEADLINE)
    assert not peer.connected.is_set()


def test_an_inactive_certificate_does_not_connect(lab):
    device = lab.device()
    registry = lab.cloud.registry
    key = lab.call(registry.certificate_of, "dev-1").certificate_id
    lab.call(registry.set_certificate_state, key, CertificateState.INACTIVE)
    refused_connect(lab, device)
    assert "is INACTIVE" in json.dumps(lab.journal.wait("connect_refused", client_id="dev-1"))
    lab.call(registry.set_certificate_state, key, CertificateState.ACTIVE)
    device.client.loop_stop()
    device.ready()


def test_a_certificate_does_not_connect_as_another_thing(lab):
    one, _other = lab.device("dev-1"), lab.device("dev-2")
    pem = (lab.folder / "dev-1.pem").read_text()
    impostor = lab.peer("dev-2", pem, "")
    refused_connect(lab, impostor)
    one.ready()


def test_an_unregistered_certificate_does_not_connect(lab):
    lab.device("dev-1")
    stranger = Identity("dev-1")
    refused_connect(lab, lab.peer("dev-1", stranger.certificate_pem, stranger.private_key_pem))


def test_deletion_tells_the_device_and_ends_its_connection(lab):
    device = lab.device().ready()
    device.subscribe(f"{lab.prefix}m/d/dev-1/+/r")
    assert lab.rest("DELETE", "/devices/dev-1").status_code == 202
    assert device.json(f"{lab.prefix}m/d/dev-1/c2d/r") == {"appId": "DEVICE", "messageType": "DISCON"}
    assert device.ended.wait(DEADLINE)
    device.client.loop_stop()
    refused_connect(lab, device)
    assert lab.rest.refusal("DELETE", "/devices/dev-1") == (404, 40414)


@pytest.mark.parametrize(
    "topic", ["$aws/things/dev-1/shadow/get/accepted", "prod/other/m/#", "dev-1/shadow/get/#", "#"]
)
def test_a_team_device_is_kept_below_its_prefix(lab, topic):
    observer = lab.observer()
    observer.client.subscribe(topic, 1)
    assert observer.ended.wait(DEADLINE)
    assert lab.journal.wait("close", reason="AUTH_ERROR")["client_id"].startswith("mqtt-team-")


def test_team_devices_over_rest(lab):
    observer = lab.observer()
    client_id = lab.journal.wait("team_device")["client_id"]
    shown = lab.rest.get(f"/devices/mqtt-team/{client_id}")
    assert shown.keys() == {"clientId", "caCert", "clientCert"}
    rotated = lab.rest("PATCH", f"/devices/mqtt-team/{client_id}")
    assert rotated.status_code == 201
    assert rotated.json()["clientCert"] != shown["clientCert"]
    assert lab.rest("DELETE", f"/devices/mqtt-team/{client_id}").status_code == 202
    assert observer.ended.wait(DEADLINE)
    assert lab.rest.refusal("GET", f"/devices/mqtt-team/{client_id}") == (404, 40410)


# shadow and jobs


def test_the_shadow_over_mqtt(lab):
    device = lab.device().ready()
    device.subscribe("dev-1/shadow/get/#", f"{S}/get/#", f"{S}/update/#")
    device.publish(f"{S}/get")
    full = device.json(f"{S}/get/accepted")
    assert full["version"] == 2
    assert full["state"]["desired"]["pairing"]["state"] == "paired"
    assert full["state"]["reported"] == {"connection": {"status": "connected"}}
    assert device.json("dev-1/shadow/get/accepted") == {key: full["state"][key] for key in ("desired", "reported")}
    device.publish(f"{S}/update", b'{"state":{"reported":{"x":1}},"version":2,"clientToken":"t"}')
    accepted = device.json(f"{S}/update/accepted")
    assert (accepted["version"], accepted["clientToken"]) == (3, "t")
    device.publish(f"{S}/update", b'{"state":{"reported":{"x":2}},"version":2}')
    assert device.json(f"{S}/update/rejected")["code"] == 409
    device.publish(f"{S}/update", b"{")
    assert device.json(f"{S}/update/rejected")["code"] == 400
    assert lab.rest.get("/devices/dev-1")["state"]["reported"] == {"x": 1, "connection": {"status": "connected"}}


def test_the_state_over_rest_reaches_the_device(lab):
    device = lab.device().ready()
    device.subscribe("dev-1/shadow/update/#")
    body = {"desired": {"config": {"led": "red"}}}
    assert lab.rest("PATCH", "/devices/dev-1/state", json=body, headers={"If-Match": "2"}).status_code == 202
    assert device.json("dev-1/shadow/update/delta")["state"]["config"] == {"led": "red"}
    again = lab.rest.refusal("PATCH", "/devices/dev-1/state", json=body, headers={"If-Match": "2"})
    assert again == (409, 40900)
    assert lab.rest.get("/devices/dev-1")["state"]["delta"]["config"] == {"led": "red"}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, (422, 42200)),
        ({"state": {}}, (422, 42200)),
        ({"reported": None}, (422, 42200)),
        ({"reported": {"a": [None]}}, (422, 42200)),
        ({"reported": {"a": "x" * 9000}}, (413, 41300)),
    ],
)
def test_refused_states(lab, body, answer):
    lab.device()
    assert lab.rest.refusal("PATCH", "/devices/dev-1/state", json=body) == answer
    assert lab.rest.refusal("PATCH", "/devices/dev-2/state", json={"reported": {}}) == (404, 40410)


def test_jobs_are_answered_without_a_subscription(lab):
    device = lab.device().ready()
    device.publish("$aws/things/dev-1/jobs/get", b'{"clientToken":"t"}')
    answer = device.json("$aws/things/dev-1/jobs/get/accepted")
    assert (answer["inProgressJobs"], answer["queuedJobs"], answer["clientToken"]) == ([], [], "t")


# messages


def test_messages_are_listed_newest_first_page_by_page(lab):
    device = lab.device().ready()
    topic = f"{lab.prefix}m/d/dev-1/d2c"
    for number in range(5):
        device.publish(topic, json.dumps({"appId": "N", "data": number}).encode())
    first = lab.rest.get("/messages", appId="N", deviceId="dev-1", pageLimit=3)
    assert [item["message"]["data"] for item in first["items"]] == [4, 3, 2]
    assert first["total"] == 3
    second = lab.rest.get("/messages", appId="N", pageLimit=3, pageNextToken=first["pageNextToken"])
    assert [item["message"]["data"] for item in second["items"]] == [1, 0]
    assert "pageNextToken" not in second
    oldest = lab.rest.get("/messages", topic=topic, deviceId="dev-1", pageSort="asc", pageLimit=1)["items"][0]
    assert oldest["message"]["data"] == 0
    assert len(lab.rest.get("/messages", start=first["items"][0]["receivedAt"], topic=topic)["items"]) >= 1
    assert lab.rest.get("/messages", end=oldest["receivedAt"])["items"] == []
    assert lab.rest.get("/messages", inclusiveStart="2100-01-01T00:00:00Z")["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"appId": "A", "topic": "t"},
        {"appId": "A" * 65},
        {"device": "dev-1"},
        {"deviceId": ["a", "b"]},
        {"start": "yesterday"},
        {"start": "2030-01-01", "inclusiveStart": "2030-01-01"},
    ],
)
def test_refused_message_queries(lab, query):
    assert lab.rest.refusal("GET", "/messages", params=query) == (422, 42200)


@pytest.mark.parametrize("topic", ["d/dev-1/c2d/r", "m/d/dev-1/c2d/r"])
def test_a_message_sent_over_rest_reaches_the_device_and_is_stored(lab, topic):
    observer, device = lab.observer(), lab.device().ready()
    device.subscribe(f"{lab.prefix}m/d/dev-1/+/r")
    body = {"topic": topic, "message": {"appId": "LED", "messageType": "CFG_SET", "data": {}}}
    assert lab.rest("POST", "/devices/dev-1/messages", json=body).status_code == 202
    whole = f"{lab.prefix}m/d/dev-1/c2d/r"
    assert device.json(whole)["appId"] == "LED"
    assert observer.json(whole)["appId"] == "LED"
    assert lab.rest.get("/messages", topic=whole)["items"][0]["deviceId"] == "dev-1"


def test_the_forms_of_a_message_sent_over_rest(lab):
    observer = lab.observer()
    lab.device()
    binary = base64.b64encode(b"\x00\xff").decode()
    for body, leaf, payload in (
        ({"message": "text"}, "d2c", b"text"),
        ({"topic": "d/dev-1/d2c/bulk", "message": [{"a": 1}]}, "d2c/bulk", b'[{"a": 1}]'),
        ({"topic": "d/dev-1/d2c/bin", "message": binary}, "d2c/bin", b"\x00\xff"),
    ):
        assert lab.rest("POST", "/devices/dev-1/messages", json=body).status_code == 202
        assert observer.message() == (f"{lab.prefix}m/d/dev-1/{leaf}", payload)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": 5},
        {"message": None, "topic": "d/dev-1/d2c"},
        {"message": "x", "topic": "a/dev-1"},
        {"message": "x", "topic": "d/dev-1/#"},
        {"message": "x", "topic": "d/dev-1/" + "y" * 250},
        {"message": "not base64", "topic": "d/dev-1/d2c/bin"},
        {"message": {}, "topic": "d/dev-1/d2c/bin"},
    ],
)
def test_refused_messages_reach_nobody(lab, body):
    observer = lab.observer()
    lab.device()
    assert lab.rest.refusal("POST", "/devices/dev-1/messages", json=body) == (422, 42200)
    assert lab.rest("POST", "/devices/dev-1/messages", json={"message": "fence"}).status_code == 202
    assert observer.message()[1] == b"fence"
    with pytest.raises(queue.Empty):
        observer.messages.get_nowait()


def test_the_journal_holds_no_secret(lab):
    lab.observer()
    lab.device().ready()
    lab.rest("DELETE", "/association/dev-1")
    lab.rest("PUT", "/association/dev-1", data="654321")
    text = json.dumps(lab.journal.events)
    assert lab.cloud.api_key not in text
    assert "PRIVATE KEY" not in text
    assert '654321"' not in text
    assert lab.journal.wait("rest", method="PUT", status=404)["deviceId"] == "dev-1"

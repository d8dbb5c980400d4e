"""The operations that a team's tester uses beside devices and messages; each answer is held against the document."""

import re
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from tests.integration.cloud_clients import proxy_of, tool
from tests.integration.cloud_lab import Identity

CELL = {"mcc": 242, "mnc": 1, "eci": 33703712, "tac": 2305}
POINTS = [{"macAddress": "40:01:7a:c5:6a:01"}, {"macAddress": "00-0e-38-bb-69-30"}]


def bearer(token, **fields):
    return {"headers": {"Authorization": f"Bearer {token}", **fields}}


def device(lab, name="dev-1", **claims):
    """Onboard a device; return its token as an argument of a call."""
    identity = Identity(name)
    assert lab.rest("POST", f"/devices/{name}", json={"certificate": identity.certificate_pem}).status_code == 202
    key: Any = serialization.load_pem_private_key(identity.private_key_pem.encode(), None)
    return bearer(jwt.encode({"sub": name, **claims}, key, algorithm="ES256"))


def proxy_token(lab, key, **claims):
    claims = {"aud": lab.cloud.team.tenant_id, **claims}
    return jwt.encode({name: value for name, value in claims.items() if value}, key, algorithm="ES256")


# location


@pytest.mark.parametrize(
    ("method", "path", "arguments", "answer"),
    [
        ("POST", "/location/cell", {"json": {"lte": [CELL]}}, "SCELL"),
        ("POST", "/location/cell", {"json": {"lte": [CELL, CELL]}}, "MCELL"),
        ("POST", "/location/wifi", {"json": {"accessPoints": POINTS}}, "WIFI"),
        ("GET", "/location/single-cell", {"params": CELL}, "SCELL"),
        ("POST", "/location/ground-fix", {"json": {"lte": [CELL]}}, "SCELL"),
    ],
)
def test_a_place_is_answered_and_remembered(lab, method, path, arguments, answer):
    found = lab.rest(method, path, **arguments, **device(lab))
    assert found.status_code == 200
    assert (found.json()["lat"], found.json()["lon"]) == (63.421, 10.437)
    assert found.json().get("fulfilledWith", answer) == answer
    (place,) = lab.rest.get("/location/history", deviceId="dev-1")["items"]
    assert (place["serviceType"], place["lat"], place["deviceId"]) == (answer, "63.421", "dev-1")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    usage = lab.rest.get("/account/usage", inclusiveStart="2020-01-01", exclusiveEnd="2999-01-01")["items"]
    assert {"date": today, "service": "LOCATION", "serviceType": answer, "source": "REST", "sum": 1} in usage


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/location/cell", {}),
        ("/location/cell", {"lte": []}),
        ("/location/wifi", {"accessPoints": POINTS[:1]}),
        ("/location/gnss", {"lat": 91, "lon": 0}),
        ("/location/gnss", {"lat": "1", "lon": 0}),
        ("/location/gnss", []),
    ],
)
def test_a_place_that_cannot_be(lab, path, body):
    assert lab.rest.refusal("POST", path, json=body, **device(lab)) == (422, 42200)


def test_the_history_of_places(lab):
    own, other = device(lab), device(lab, "dev-2")
    for lat in (1, 2):
        assert lab.rest("POST", "/location/gnss", json={"lat": lat, "lon": 3, "alt": 4}, **own).status_code == 202
    assert lab.rest("POST", "/location/gnss", json={"lat": 9, "lon": 9}, **other).status_code == 202
    newest, oldest = lab.rest.get("/location/history", deviceId="dev-1")["items"]
    assert (newest["lat"], oldest["lat"], oldest["meta"]["alt"]) == ("2", "1", 4)
    assert [one["lat"] for one in lab.rest.get("/location/history", latest="true", pageSort="asc")["items"]] == [
        "2",
        "9",
    ]
    assert lab.rest.get("/location/history", end="2020-01-01T00:00:00Z")["items"] == []
    assert lab.rest("DELETE", f"/location/history/dev-1/{newest['id']}").status_code == 202
    assert lab.rest.get("/location/history", deviceId="dev-1")["items"] == [oldest]
    assert lab.rest.refusal("DELETE", f"/location/history/dev-2/{oldest['id']}") == (404, 40410)
    assert lab.rest.refusal("GET", "/location/history", **own) == (401, 40100)


# assistance data


def test_assistance_data_in_parts(lab):
    own = device(lab)
    size = int(lab.rest("HEAD", "/location/agnss", params={"types": [1, 8]}, **own).headers["Content-Length"])
    assert size == 1 + (3 + 14) + (3 + 15)
    whole = lab.rest("POST", "/location/agnss", json={"types": [1, 8]}, **own)
    assert (whole.status_code, whole.headers["Content-Range"]) == (206, f"bytes 0-{size - 1}/{size}")
    own["headers"]["Range"] = "bytes=10-19"
    part = lab.rest("POST", "/location/agnss", json={"types": [1, 8]}, **own)
    assert (part.content, part.headers["Content-Range"]) == (whole.content[10:20], f"bytes 10-19/{size}")
    own["headers"]["Range"] = f"bytes={size}-"
    assert lab.rest.refusal("POST", "/location/agnss", json={"types": [1, 8]}, **own) == (416, 41600)


@pytest.mark.parametrize("types", ["x", [0], [18], ["1"], {"1": 1}])
def test_types_that_there_are_not(lab, types):
    assert lab.rest.refusal("POST", "/location/agnss", json={"types": types}, **device(lab)) == (422, 42200)


@pytest.mark.parametrize("path", ["/location/pgps", "/location/pgnss"])
def test_predictions_are_fetched_from_another_host(lab, monkeypatch, path):
    asked = {"predictionCount": 2, "predictionIntervalMinutes": 240, "startGpsDay": 16500}
    where = lab.rest("GET", path, params=asked, **device(lab)).json()
    assert where["host"] == "pgps.nrfcloud.com"
    with proxy_of(lab) as port:
        file = tool(lab, port, monkeypatch)("GET", f"https://{where['host']}/{where['path']}")
    assert file.status_code == 200
    assert (int.from_bytes(file.content[4:6], "little"), int.from_bytes(file.content[10:12], "little")) == (2, 16500)
    assert lab.rest.refusal("GET", path, params={"predictionCount": 9999}, **device(lab, "dev-2")) == (422, 42200)


# tokens


def test_tokens_that_the_team_makes_for_its_services(lab):
    assert lab.rest.refusal("GET", "/account/service-token") == (404, 40410)
    made = lab.rest("POST", "/account/service-key-and-token").json()
    assert lab.rest.get("/account/service-token")["token"] == made["token"]
    (key,) = lab.rest.get("/account")["plan"]["serviceKeys"]
    assert (key["service"], key["enabled"]) == ("ALL", True)
    fix = {"json": {"lte": [CELL]}}
    assert lab.rest("POST", "/location/ground-fix", **fix, **bearer(made["token"])).status_code == 200
    nameless, named = proxy_token(lab, made["key"]), proxy_token(lab, made["key"], sub="any-device")
    assert lab.rest("POST", "/location/ground-fix", **fix, **bearer(nameless)).status_code == 200
    assert lab.rest.get("/location/history")["items"] == []  # nobody knows whose places they were
    assert lab.rest("POST", "/location/ground-fix", **fix, **bearer(named)).status_code == 200
    custom = bearer(nameless, **{"x-custom-device-id": "other"})
    assert lab.rest("POST", "/location/ground-fix", **fix, **custom).status_code == 200
    assert [place["deviceId"] for place in lab.rest.get("/location/history")["items"]] == ["other", "any-device"]


@pytest.mark.parametrize(
    "claims", [{"aud": "another-team"}, {"aud": None}, {"exp": 1}, {"aud": "another-team", "sub": "dev-1"}]
)
def test_service_tokens_that_do_not_hold(lab, claims):
    key = lab.rest("POST", "/account/service-key-and-token").json()["key"]
    token = bearer(proxy_token(lab, key, **claims))
    assert lab.rest.refusal("POST", "/location/ground-fix", json={"lte": [CELL]}, **token) == (401, 40100)


def test_a_service_token_is_for_location_alone(lab):
    device(lab)
    made = lab.rest("POST", "/account/service-key-and-token").json()
    for token in (made["token"], proxy_token(lab, made["key"], sub="dev-1")):
        for path in ("/devices/dev-1", "/devices", "/account"):
            assert lab.rest.refusal("GET", path, **bearer(token)) == (401, 40100)


def test_an_evaluation_token(lab):
    assert lab.rest.refusal("GET", "/account/service-evaluation-token") == (404, 40410)
    made = lab.rest("POST", "/account/service-evaluation-token").json()
    assert lab.rest.get("/account/service-evaluation-token") == made
    call = bearer(made["token"], **{"x-custom-device-id": "trial-1"})
    assert lab.rest("POST", "/location/ground-fix", json={"lte": [CELL]}, **call).status_code == 200
    assert lab.rest.get("/location/history")["items"][0]["serviceType"] == "SCELL_EVAL"


def test_a_devices_token_for_another_team(lab):
    own = device(lab, aud="11111111-2222-4333-8444-555555555555")
    assert lab.rest.refusal("GET", "/devices/dev-1", **own) == (401, 40100)
    assert lab.rest("GET", "/devices/dev-2", **device(lab, "dev-2", aud=lab.cloud.team.tenant_id)).status_code == 200


# alerts, tags, usage


def test_alerts(lab):
    own = device(lab)
    alert = {"appId": "ALERT", "type": 3, "ts": 1700000000000, "desc": "hot"}
    assert lab.rest("POST", "/devices/dev-1/messages", json={"message": alert}, **own).status_code == 202
    (found,) = lab.rest.get("/alerts", deviceIds="dev-1", status="ACTIVE")["items"]
    assert (found["originalMessage"], found["createdAt"]) == (alert, "2023-11-14T22:13:20.000Z")
    archived = lab.rest("PATCH", f"/alerts/{found['id']}/archive").json()
    assert (archived["status"], archived["statusChangedBy"]) == ("ARCHIVED", lab.rest.get("/account")["userId"])
    assert lab.rest.get("/alerts", status="ACTIVE")["items"] == []
    assert lab.rest("PATCH", f"/alerts/{found['id']}/restore").json()["status"] == "ACTIVE"
    assert lab.rest.refusal("PATCH", "/alerts/x/archive") == (404, 40410)
    assert lab.rest.refusal("GET", "/alerts", params={"status": "NEW"}) == (422, 42200)


def test_tags_are_groups(lab):
    for name, tags in (("dev-1", ["b", "a"]), ("dev-2", ["b"])):
        device(lab, name)
        assert lab.rest("PUT", f"/devices/{name}/tags", json=tags).status_code == 202
    assert lab.rest.get("/devices/tags", pageLimit=10)["items"] == ["a", "b"]
    first = lab.rest.get("/devices/tags", pageLimit=1)
    assert lab.rest.get("/devices/tags", pageLimit=1, pageNextToken=first["pageNextToken"])["items"] == ["b"]
    assert lab.rest.get("/account/tags")["items"] == ["a", "b"] == lab.rest.get("/account")["tags"]
    assert [one["id"] for one in lab.rest.get("/devices", tags="a")["items"]] == ["dev-1"]


@pytest.mark.parametrize("name", ["tags", "certificates", "public-keys", "mqtt-team"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
def test_what_is_a_place_of_its_own_is_no_device(lab, name, method):
    body = {"certificate": Identity(name).certificate_pem}
    answer = lab.rest(method, f"/devices/{name}", json=body)
    assert answer.status_code in (200, 201, 404, 405, 422)
    assert lab.rest.get("/devices")["items"] == []


def test_usage(lab):
    device(lab)
    assert lab.rest("POST", "/devices/dev-1/messages", json={"message": "x"}).status_code == 202
    summary = lab.rest.get("/account/usage/summary")
    assert summary["currentDevices"] == {"generic": 1, "gateway": 0, "bluetoothLE": 0, "total": 1}
    assert summary["services"][0]["storedDeviceMessages"] == 1
    assert lab.rest.refusal("GET", "/account/usage") == (422, 42200)
    assert lab.rest.get("/account/invoices")["items"] == []


# shapes


def test_what_was_not_given(lab):
    device(lab)
    shown = lab.rest.get("/devices/dev-1")
    assert (shown["subType"], "firmware" in shown) == ("unknown", False)
    assert lab.rest("PUT", "/devices/dev-1/tags", json=["t"]).status_code == 202
    assert lab.rest.get("/account")["plan"]["currentMonthTotalCost"] == 0


@pytest.mark.parametrize(("size", "status"), [(131_072, 202), (131_073, 422)])
def test_the_longest_message(lab, size, status):
    device(lab)
    assert lab.rest("POST", "/devices/dev-1/messages", json={"message": "x" * size}).status_code == status


@pytest.mark.parametrize(
    "body", [b'{"reported":{"a":"\\ud800"}}', b'{"reported":{"\\udfff":1}}', b'{"reported":{"a":NaN}}']
)
def test_what_is_no_json_text_is_refused(lab, body):
    device(lab)
    assert lab.rest.refusal("PATCH", "/devices/dev-1/state", data=body) == (422, 42200)


# what is not built


def test_what_is_not_built_says_so_to_everyone(lab):
    document = lab.rest.get("/openapi.json")
    missing = [
        (method, path, operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation["x-simulated"]
    ]
    assert {"UpdateDeviceImage", "StartScanForBLEDevices", "FetchBinaryLogsUrl"} <= {name for *_, name in missing}
    for method, path, name in missing:
        path = re.sub(r"{\w+}", "x", path)
        for headers in ({}, {"Authorization": None}, {"Authorization": "Bearer wrong"}):
            answer = lab.rest(method.upper(), path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (501, 50100)
            assert answer.json()["message"].startswith(f"{name} is not simulated")


def test_the_document_declares_parameters_and_bodies(lab):
    paths = lab.rest.get("/openapi.json")["paths"]
    assert {one["name"] for one in paths["/messages"]["get"]["parameters"]} >= {"deviceId", "pageLimit"}
    assert paths["/devices/{deviceId}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert sum(operation["x-simulated"] for methods in paths.values() for operation in methods.values()) == 63

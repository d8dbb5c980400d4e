"""REST as a device sees it: its JWT accepted where the API says so, and refused in every other way.

Requests carry tokens that PyJWT or this suite made; the device's own requests go without the API key.
"""

import base64
import json
import socket
import ssl
import time
from types import SimpleNamespace
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.integration.cloud_lab import DEADLINE, Identity
from tests.unit.virtual import jwt_makers as make
from tests.unit.virtual.cloud_makers import make_archive, make_manifest, rsa_certificate_pem

CURRENT = "/fota-job-executions/dev-1/current"
FIX = {"lte": [{"mcc": 242, "mnc": 1, "eci": 33703712, "tac": 2305}]}
UUID = "50363154-3930-4d96-80f9-13121cf35adc"
ACCESS_POINTS = [{"macAddress": "40:01:7a:c5:6a:01"}, {"macAddress": "00-0e-38-bb-69-30", "signalStrength": -60}]


def bearer(token):
    return {"headers": {"Authorization": f"Bearer {token}"}}


def load(identity):
    return serialization.load_pem_private_key(identity.private_key_pem.encode(), None)


def token_for(identity, device_id="dev-1", **claims):
    return jwt.encode({"sub": device_id, "exp": int(time.time()) + 600, **claims}, load(identity), algorithm="ES256")


def onboard(lab, name="dev-1", identity=None, **members):
    identity = identity or Identity(name)
    body = {"certificate": identity.certificate_pem, "supportedFirmwareTypes": ["APP"], **members}
    assert lab.rest("POST", f"/devices/{name}", json=body).status_code == 202
    return identity


def upload(lab, path, rows):
    """Send CSV rows of two columns; return the operation when it is done, and its errors."""
    body = "".join(f'{name},"{pem}"\n' for name, pem in rows)
    answer = lab.rest("POST", path, data=body.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        details = lab.rest.get(f"/bulk-ops-requests/{answer.json()['bulkOpsRequestId']}")
        if details["status"] in ("SUCCEEDED", "FAILED"):
            errors = lab.rest.get(details["errorSummaryUrl"])["errors"] if "errorSummaryUrl" in details else []
            return SimpleNamespace(endpoint=details["endpoint"], status=details["status"], errors=errors)
    raise AssertionError(details)


# what a token is good for


def test_a_device_with_its_token(lab):
    own = bearer(token_for(onboard(lab)))
    assert lab.rest("GET", "/devices/dev-1", **own).json()["id"] == "dev-1"
    assert lab.rest("PATCH", "/devices/dev-1/state", json={"reported": {"a": 1}}, **own).status_code == 202
    assert lab.rest("POST", "/devices/dev-1/messages", json={"message": "hello"}, **own).status_code == 202
    assert lab.rest("POST", "/location/ground-fix", json=FIX, **own).status_code == 200
    assert lab.rest.refusal("GET", CURRENT, **own) == (404, 40499)
    (stored,) = lab.rest.get("/messages", deviceId="dev-1")["items"]
    assert stored["message"] == {"data": "hello"}
    assert lab.rest.get("/devices/dev-1")["state"]["reported"] == {"a": 1}
    assert lab.journal.wait("rest", path="/v1/location/ground-fix")["caller"] == "dev-1"


def test_a_modem_names_itself_by_its_issuer(lab):
    token = make.modem_token(load(onboard(lab, UUID)), {"iss": f"nRF9151.{UUID}", "jti": "nRF9151.x.y"})
    assert lab.rest("GET", f"/devices/{UUID}", **bearer(token)).status_code == 200


def test_a_modem_signs_for_a_device_id(lab):
    now = int(time.time())
    claims = {"iss": f"nRF9151.{UUID}", "jti": "nRF9151.x.y", "sub": "dev-1", "iat": now, "exp": now + 600}
    token = make.modem_token(load(onboard(lab)), claims)
    assert lab.rest.refusal("GET", CURRENT, **bearer(token)) == (404, 40499)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account"),
        ("GET", "/devices"),
        ("POST", "/devices"),
        ("POST", "/devices/dev-1"),
        ("DELETE", "/devices/dev-1"),
        ("HEAD", "/devices/dev-1"),
        ("PUT", "/association/dev-1"),
        ("DELETE", "/association/dev-1"),
        ("POST", "/devices/mqtt-team"),
        ("POST", "/devices/public-keys"),
        ("POST", "/devices/certificates"),
        ("GET", "/messages"),
        ("GET", "/bulk-ops-requests"),
        ("POST", "/firmwares"),
        ("GET", "/firmwares"),
        ("DELETE", "/firmwares/some-bundle"),
        ("POST", "/fota-jobs"),
        ("GET", "/fota-jobs"),
        ("GET", "/fota-job-executions/dev-1"),
        ("GET", "/fota-job-executions/dev-1/some-job"),
        ("GET", "/nothing"),
    ],
)
def test_what_is_the_teams_alone(lab, method, path):
    answer = lab.rest(method, path, **bearer(token_for(onboard(lab))))
    assert answer.status_code == 401
    assert method == "HEAD" or answer.json()["code"] == 40100


# tokens that are refused, each where the right one is accepted


def refused_everywhere(lab, token, expected=(401, 40100)):
    assert lab.rest.refusal("GET", CURRENT, **bearer(token)) == expected
    assert lab.rest.refusal("GET", "/devices/dev-1", **bearer(token)) == expected
    if expected[0] == 401:
        assert lab.rest.refusal("POST", "/location/ground-fix", json=FIX, **bearer(token)) == expected


NOW = int(time.time())


@pytest.mark.parametrize(
    ("name", "forge"),
    [
        ("wrong key", lambda key: make.signed(load(Identity("dev-1")), {"sub": "dev-1"})),
        ("expired", lambda key: make.signed(key, {"sub": "dev-1", "exp": NOW - 60})),
        ("not before", lambda key: make.signed(key, {"sub": "dev-1", "nbf": NOW + 3600, "exp": NOW + 7200})),
        ("issued later", lambda key: make.signed(key, {"sub": "dev-1", "iat": NOW + 3600, "exp": NOW + 7200})),
        ("alg none", lambda key: make.unsigned({"sub": "dev-1"})),
        ("alg none, with a signature", lambda key: make.unsigned({"sub": "dev-1"}) + "AAAA"),
        ("HS256 with the public key", lambda key: make.hs256(make.public_pem(key).encode(), {"sub": "dev-1"})),
        ("RS256", lambda key: make.rs256(rsa.generate_private_key(65537, 2048), {"sub": "dev-1"})),
        ("RS256 in the header", lambda key: make.signed(key, {"sub": "dev-1"}, {"typ": "JWT", "alg": "RS256"})),
        ("tampered", lambda key: make.tampered(make.signed(key, {"sub": "dev-2"}), {"sub": "dev-1"})),
        ("unknown device", lambda key: make.signed(key, {"sub": "dev-9"})),
        ("no device", lambda key: make.signed(key, {"exp": NOW + 600})),
        ("padded base64", lambda key: make.padded(key, {"sub": "dev-1"})),
        ("two parts", lambda key: make.signing_input(make.HEADER, {"sub": "dev-1"})),
        ("four parts", lambda key: make.signed(key, {"sub": "dev-1"}) + ".AAAA"),
        ("no JSON", lambda key: "AAAA.AAAA.AAAA"),
    ],
)
def test_bad_tokens(lab, name, forge):
    identity = onboard(lab)
    refused_everywhere(lab, forge(load(identity)))
    assert lab.rest("GET", "/devices/dev-1", **bearer(token_for(identity))).status_code == 200


def test_the_token_of_another_device(lab):
    onboard(lab)
    refused_everywhere(lab, token_for(onboard(lab, "dev-2"), "dev-2"), (403, 40100))


def test_another_device_cannot_claim_to_be_the_first(lab):
    onboard(lab)
    refused_everywhere(lab, token_for(onboard(lab, "dev-2"), "dev-1"))


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic {token}", "{token}", "Token {token}"])
def test_no_token(lab, header):
    token = token_for(onboard(lab))
    headers = {"Authorization": None if header is None else header.format(token=token)}
    assert lab.rest.refusal("GET", CURRENT, headers=headers) == (401, 40100)


def test_a_header_that_is_no_text(lab):
    """Raw bytes, as requests would not send them."""
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    plain = socket.create_connection(lab.cloud.rest_address, DEADLINE)
    with context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(b"GET /v1/account HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
        assert tls.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_the_api_key_is_no_devices_token(lab):
    onboard(lab)
    assert lab.rest.refusal("POST", "/location/ground-fix", json=FIX) == (401, 40100)


def test_a_device_that_left_the_team_is_unknown(lab):
    identity = onboard(lab)
    lab.rest("DELETE", "/association/dev-1")
    refused_everywhere(lab, token_for(identity))
    onboard(lab, identity=identity)
    assert lab.rest("GET", "/devices/dev-1", **bearer(token_for(identity))).status_code == 200
    lab.rest("DELETE", "/devices/dev-1")
    refused_everywhere(lab, token_for(identity))


def test_no_token_is_written_down(lab):
    identity = onboard(lab)
    tokens = [token_for(identity), token_for(identity, "dev-9"), token_for(identity, exp=1)]
    for token in tokens:
        lab.rest("GET", CURRENT, **bearer(token))
    text = json.dumps(lab.journal.events)
    assert lab.journal.wait("rest", status=401)["caller"] is None
    assert not any(part in text for token in tokens for part in token.split("."))


# keys


def refused_by_mqtt(lab, name, identity):
    peer = lab.peer(name, identity.certificate_pem, identity.private_key_pem).connect()
    assert peer.ended.wait(DEADLINE)
    assert "is not registered" in lab.journal.wait("connect_refused", client_id=name)["detail"]


def test_a_device_with_a_registered_key_only(lab):
    identity = Identity("loc-1")
    done = upload(lab, "/devices/public-keys", [("loc-1", make.public_pem(load(identity)))])
    assert (done.endpoint, done.status) == ("REGISTER_PUBLIC_KEYS", "SUCCEEDED")
    own = bearer(token_for(identity, "loc-1"))
    fix = lab.rest("POST", "/location/ground-fix", json=FIX, **own)
    assert fix.status_code == 200
    assert lab.rest.refusal("GET", "/fota-job-executions/loc-1/current", **own) == (404, 40410)
    assert lab.rest.refusal("GET", "/fota-job-executions/loc-1/current") == (404, 40410)
    assert lab.rest.refusal("GET", "/devices/loc-1", **own) == (404, 40410)
    refused_by_mqtt(lab, "loc-1", identity)


def test_a_device_onboarded_with_a_public_key(lab):
    identity = Identity("dev-1")
    onboard(lab, certificate=make.public_pem(load(identity)))
    own = bearer(token_for(identity))
    assert lab.rest("GET", "/devices/dev-1", **own).status_code == 200
    assert lab.rest("POST", "/location/ground-fix", json=FIX, **own).status_code == 200
    assert lab.rest.refusal("GET", CURRENT, **own) == (404, 40410)
    refused_by_mqtt(lab, "dev-1", identity)


def test_of_several_keys_the_last_counts(lab):
    first, second, third = onboard(lab), Identity("dev-1"), Identity("dev-1")

    def accepted():
        answers = [lab.rest("GET", "/devices/dev-1", **bearer(token_for(one))) for one in (first, second, third)]
        return [answer.status_code == 200 for answer in answers]

    assert accepted() == [True, False, False]
    upload(lab, "/devices/public-keys", [("dev-1", make.public_pem(load(second)))])
    assert accepted() == [False, True, False]
    done = upload(lab, "/devices/certificates", [("dev-1", third.certificate_pem)])
    assert (done.endpoint, done.status) == ("REGISTER_CERTIFICATES", "SUCCEEDED")
    assert accepted() == [False, False, True]
    upload(lab, "/devices/public-keys", [("dev-1", make.public_pem(load(first)))])
    assert accepted() == [True, False, False]
    lab.peer("dev-1", third.certificate_pem, third.private_key_pem).ready()
    refused_by_mqtt(lab, "dev-1", first)


def test_a_certificate_registered_again_gives_its_key_back(lab):
    identity, other = onboard(lab), Identity("dev-1")
    upload(lab, "/devices/public-keys", [("dev-1", make.public_pem(load(other)))])
    assert upload(lab, "/devices/certificates", [("dev-1", identity.certificate_pem)]).status == "SUCCEEDED"
    assert lab.rest("GET", "/devices/dev-1", **bearer(token_for(identity))).status_code == 200


def test_keys_are_refused_by_row(lab):
    one = onboard(lab)
    onboard(lab, "gone")
    lab.rest("DELETE", "/association/gone")
    rsa_key = serialization.load_pem_private_key(_rsa_key_pem(), None)
    good = Identity("loc-1")
    done = upload(
        lab,
        "/devices/public-keys",
        [
            ("loc-1", make.public_pem(load(good))),
            ("loc-2", _public_pem(rsa_key)),
            ("gone", make.public_pem(load(good))),
        ],
    )
    assert done.status == "FAILED"
    assert [error[:3] for error in done.errors] == ["[1]", "[2]"]
    assert "P-256" in done.errors[0]
    assert "not one of this team" in done.errors[1]
    assert lab.rest("POST", "/location/ground-fix", json=FIX, **bearer(token_for(good, "loc-1"))).status_code == 200
    done = upload(
        lab,
        "/devices/certificates",
        [
            ("dev-9", Identity("dev-9").certificate_pem),
            ("dev-1", rsa_certificate_pem("dev-1")),
            ("loc-1", one.certificate_pem),
        ],
    )
    assert [error[:3] for error in done.errors] == ["[0]", "[1]", "[2]"]
    assert lab.rest("GET", "/devices/dev-1", **bearer(token_for(one))).status_code == 200


def test_a_certificate_of_another_device_is_refused(lab):
    one, two = onboard(lab), onboard(lab, "dev-2")
    done = upload(lab, "/devices/certificates", [("dev-2", one.certificate_pem)])
    assert done.errors == ["[0]: this certificate belongs to another device"]
    lab.peer("dev-2", two.certificate_pem, two.private_key_pem).ready()


@pytest.mark.parametrize("path", ["/devices/public-keys", "/devices/certificates"])
def test_malformed_uploads_of_keys(lab, path):
    wrong_kind = {
        "/devices/public-keys": Identity("a").certificate_pem,
        "/devices/certificates": make.public_pem(load(Identity("a"))),
    }[path]
    for body in (b"a\n", b"a,b,c\n", b"", f'a,"{wrong_kind}"\n'.encode(), b'a b,"x"\n'):
        assert lab.rest.refusal("POST", path, data=body, headers={"Content-Type": "text/csv"}) == (422, 42200)
    assert lab.rest.get("/bulk-ops-requests")["items"] == []


def _public_pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _rsa_key_pem():
    key = rsa.generate_private_key(65537, 2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


# firmware updates


def test_firmware_bundles_from_upload_to_deletion(lab):
    archive = make_archive(make_manifest(name="first"))
    uploads = [
        (base64.b64encode(archive), "text/plain"),
        (base64.b64encode(archive), "text/plain;charset=UTF8"),
        (archive, "application/octet-stream"),
        (archive, "application/zip"),
    ]
    for body, form in uploads:
        answer = lab.rest("POST", "/firmwares", data=body, headers={"Content-Type": form})
        assert answer.status_code == 202, answer.text
    first = lab.rest.get("/firmwares", pageLimit=3)
    rest = lab.rest.get("/firmwares", pageLimit=3, pageNextToken=first["pageNextToken"])
    found = [*first["items"], *rest["items"]]
    assert (len(first["items"]), len(found), rest.keys()) == (3, 4, {"items", "total"})
    assert found[0].keys() == {*("bundleId", "type", "version", "filenames", "size", "lastModified", "name")}
    uri = f"https://firmware.nrfcloud.com/{lab.cloud.team.tenant_id}/{found[0]['bundleId']}/app.bin"
    assert answer.json() == {"uris": [uri]}
    assert lab.rest.get("/firmwares", modemOnly="true")["items"] == []

    onboard(lab)
    used, unused = found[0]["bundleId"], found[1]["bundleId"]
    job_id = lab.make_job(bundleId=used)
    assert lab.rest.refusal("DELETE", f"/firmwares/{used}") == (400, 40000)
    assert lab.rest("DELETE", f"/firmwares/{quote(unused)}").status_code == 202
    assert lab.rest("PUT", f"/fota-jobs/{job_id}/cancel").status_code == 202
    assert lab.rest("DELETE", f"/firmwares/{used}").status_code == 202
    assert lab.rest.refusal("DELETE", f"/firmwares/{used}") == (404, 40410)
    assert lab.rest.get("/firmwares")["items"] == found[2:]


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (make_archive(), "application/json"),
        (make_archive(), "text/plain; charset=utf-16"),
        (make_archive(), None),
        (make_archive(), "text/plain"),
        (base64.b64encode(make_archive()), "application/zip"),
        (b"", "application/zip"),
        (b"A" * 1_333_336, "text/plain"),
        (make_archive(make_manifest(fwversion=None)), "application/zip"),
    ],
)
def test_refused_bundles(lab, body, form):
    assert lab.rest.refusal("POST", "/firmwares", data=body, headers={"Content-Type": form}) == (422, 42200)
    assert lab.rest.get("/firmwares")["items"] == []


def test_no_update_of_a_bundle_that_is_not_in_the_account(lab):
    onboard(lab)
    for unknown in ("APP*1a2b3c4d*2.0.1", "MODEM*1a2b3c4d*1"):
        body = {"bundleId": unknown, "deviceIds": ["dev-1"]}
        assert lab.rest.refusal("POST", "/fota-jobs", json=body) == (404, 40410)


def test_no_update_of_a_type_that_the_device_does_not_list(lab):
    onboard(lab)
    file = {"file": "app.bin", "type": "mcuboot", "size": 4}
    body = {"bundleId": lab.upload_bundle(make_archive(make_manifest(files=[file]))), "deviceIds": ["dev-1"]}
    assert lab.rest.refusal("POST", "/fota-jobs", json=body) == (422, 42200)


def test_a_firmware_update_from_job_to_success(lab):
    own = bearer(token_for(onboard(lab)))
    bundle_id = lab.upload_bundle()
    job_id = lab.make_job(name="first", bundleId=bundle_id)
    current = lab.rest("GET", CURRENT, **own).json()
    assert current.keys() == {
        *("tenantId", "status", "executionId", "jobId", "jobDocument", "createdAt", "deviceId", "lastUpdatedAt")
    }
    assert (current["jobId"], current["deviceId"], current["status"]) == (job_id, "dev-1", "QUEUED")
    document = current["jobDocument"]
    assert document.keys() == {"firmwareType", "fileSize", "host", "path", "version", "bundleId"}
    assert (document["firmwareType"], document["version"], document["bundleId"]) == ("APP", "2.0.1", bundle_id)
    assert document["fileSize"] == 4
    assert document["path"] == f"{lab.cloud.team.tenant_id}/{bundle_id}/app.bin"

    path = f"/fota-job-executions/dev-1/{job_id}"
    assert lab.rest("PATCH", path, json={"status": "IN_PROGRESS"}, **own).status_code == 202
    assert lab.rest("GET", CURRENT, **own).json()["status"] == "IN_PROGRESS"
    assert lab.rest.get(f"/fota-jobs/{job_id}")["executionStats"]["inProgress"] == 1
    answer = lab.rest("PATCH", path, json={"status": "SUCCEEDED", "details": "done"}, **own)
    assert (answer.status_code, answer.content) == (202, b"")
    assert lab.rest.refusal("GET", CURRENT, **own) == (404, 40499)
    execution = lab.rest.get(path)
    assert (execution["status"], execution["statusDetail"]) == ("SUCCEEDED", "done")
    job = lab.rest.get(f"/fota-jobs/{job_id}")
    assert (job["status"], job["name"], job["target"]) == ("COMPLETED", "first", {"deviceIds": ["dev-1"], "tags": []})
    assert job["executionStats"]["succeeded"] == job["executionStats"]["completedExecutions"] == 1
    assert lab.rest.refusal("PATCH", path, json={"status": "QUEUED"}, **own) == (400, 40000)


def test_the_oldest_pending_update_comes_first(lab):
    own = bearer(token_for(onboard(lab)))
    first, second = lab.make_job(), lab.make_job()
    assert [item["jobId"] for item in lab.rest.get("/fota-job-executions/dev-1")["items"]] == [second, first]
    assert lab.rest("GET", CURRENT, **own).json()["jobId"] == first
    lab.rest("PATCH", f"/fota-job-executions/dev-1/{first}", json={"status": "FAILED"}, **own)
    assert lab.rest("GET", CURRENT, **own).json()["jobId"] == second


def test_another_device_sees_and_ends_no_update(lab):
    onboard(lab)
    other = bearer(token_for(onboard(lab, "dev-2"), "dev-2"))
    job_id = lab.make_job()
    body = {"status": "SUCCEEDED"}
    assert lab.rest.refusal("GET", CURRENT, **other) == (403, 40100)
    assert lab.rest.refusal("PATCH", f"/fota-job-executions/dev-1/{job_id}", json=body, **other) == (403, 40100)
    assert lab.rest.refusal("PATCH", f"/fota-job-executions/dev-2/{job_id}", json=body, **other) == (404, 40410)
    assert lab.rest.get(f"/fota-jobs/{job_id}")["executionStats"]["queued"] == 1


def test_deferred_jobs_wait_for_apply(lab):
    own = bearer(token_for(onboard(lab)))
    job_id = lab.make_job(autoApply="false")  # as nRF Cloud Utils spells it
    assert lab.rest.refusal("GET", CURRENT, **own) == (404, 40499)
    assert lab.rest.get(f"/fota-jobs/{job_id}")["status"] == "CREATED"
    assert lab.rest("POST", f"/fota-jobs/{job_id}/apply").status_code == 202
    assert lab.rest("GET", CURRENT, **own).json()["jobId"] == job_id
    assert lab.rest.refusal("POST", f"/fota-jobs/{job_id}/apply") == (400, 40000)


def test_cancelled_and_deleted_jobs(lab):
    own = bearer(token_for(onboard(lab, tags=["batch"])))
    one, two = lab.make_job(), lab.make_job(deviceIds=[], tags=["batch"])
    assert lab.rest("PUT", f"/fota-jobs/{one}/cancel").status_code == 202
    assert lab.rest("GET", CURRENT, **own).json()["jobId"] == two
    statuses = lab.rest.get(f"/fota-job-execution-statuses/{one}")["items"]
    assert [(item["deviceId"], item["status"]) for item in statuses] == [("dev-1", "CANCELLED")]
    assert lab.rest("DELETE", f"/fota-jobs/{two}").status_code == 202
    assert lab.rest.refusal("GET", CURRENT, **own) == (404, 40499)
    assert [item["jobId"] for item in lab.rest.get("/fota-jobs")["items"]] == [one]
    assert lab.rest.refusal("GET", f"/fota-jobs/{two}") == (404, 40410)
    assert lab.rest.refusal("PUT", f"/fota-jobs/{one}/cancel") == (400, 40000)


def test_a_device_that_reports_the_type_is_eligible(lab):
    onboard(lab, supportedFirmwareTypes=[])
    body = {"bundleId": lab.upload_bundle(), "deviceIds": ["dev-1"]}
    refused = lab.rest.refusal("POST", "/fota-jobs", json=body)
    assert refused == (422, 42200)
    state = {"reported": {"device": {"serviceInfo": {"fota_v2": ["APP", "MODEM"]}}}}
    assert lab.rest("PATCH", "/devices/dev-1/state", json=state).status_code == 202
    lab.make_job()


@pytest.mark.parametrize(
    "change",
    [
        {"bundleId": None},
        {"bundleId": "APP*short*1"},
        {"bundleId": "XYZ*1a2b3c4d*1"},
        {"autoApply": "yes"},
        {"autoApply": 1},
        {"deviceIds": []},
        {"deviceIds": "dev-1"},
        {"deviceIds": ["dev-9"]},
        {"deviceIds": ["dev-1"] * 101},
        {"name": 5},
        {"device": "dev-1"},
    ],
)
def test_refused_jobs(lab, change):
    onboard(lab)
    body = {"bundleId": lab.upload_bundle(), "deviceIds": ["dev-1"], **change}
    assert lab.rest.refusal("POST", "/fota-jobs", json=body) == (422, 42200)
    assert lab.rest.get("/fota-jobs")["items"] == []


@pytest.mark.parametrize(
    "body", [{}, {"status": "DONE"}, {"status": None}, {"status": "FAILED", "details": 5}, {"x": 1}]
)
def test_refused_status_updates(lab, body):
    own = bearer(token_for(onboard(lab)))
    path = f"/fota-job-executions/dev-1/{lab.make_job()}"
    assert lab.rest.refusal("PATCH", path, json=body, **own) == (422, 42200)
    assert lab.rest.refusal("PATCH", "/fota-job-executions/dev-1/none", json={"status": "FAILED"}, **own) == (
        404,
        40410,
    )
    assert lab.rest("GET", CURRENT, **own).json()["status"] == "QUEUED"


def test_a_device_made_anew_has_no_updates_of_its_predecessor(lab):
    identity = onboard(lab)
    lab.make_job()
    assert lab.rest("DELETE", "/devices/dev-1").status_code == 202
    onboard(lab, identity=identity)
    assert lab.rest.refusal("GET", CURRENT, **bearer(token_for(identity))) == (404, 40499)


# location


def fix_of(lab, body, **query):
    own = bearer(token_for(onboard(lab)))
    return lab.rest("POST", "/location/ground-fix", json=body, params=query, **own)


@pytest.mark.parametrize(
    ("body", "service"),
    [
        (FIX, "SCELL"),
        ({"lte": [{**FIX["lte"][0], "mnc": "01", "nmr": [{"earfcn": 6300, "pci": 1}]}]}, "MCELL"),
        ({"lte": FIX["lte"] * 2}, "MCELL"),
        ({"ltecatm": FIX["lte"]}, "SCELL"),
        ({"wifi": {"accessPoints": ACCESS_POINTS}}, "WIFI"),
        ({"wifi": ACCESS_POINTS, **FIX}, "WIFI"),
        ({"wifi": ACCESS_POINTS[:1], **FIX}, "SCELL"),
    ],
)
def test_a_ground_fix(lab, body, service):
    answer = fix_of(lab, body).json()
    assert answer.keys() == {"lat", "lon", "uncertainty", "fulfilledWith"}
    assert answer["fulfilledWith"] == service
    assert isinstance(answer["lat"], float)
    assert isinstance(answer["uncertainty"], int)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lte": []},
        {"lte": {}},
        {"lte": [5]},
        {"lte": [{"mcc": 242, "mnc": 1, "eci": 1}]},
        {"lte": [{"mcc": "242", "mnc": 1, "eci": 1, "tac": 1}]},
        {"lte": [{"mcc": 242, "mnc": "x", "eci": 1, "tac": 1}]},
        {"lte": [{**FIX["lte"][0], "nmr": [{"pci": 1}]}]},
        {"wifi": ACCESS_POINTS[:1]},
        {"wifi": [*ACCESS_POINTS, {"macAddress": "42:01:7a:c5:6a:01"}]},
        {"wifi": [*ACCESS_POINTS, {"macAddress": "40:01"}]},
        {"wifi": [*ACCESS_POINTS, 5]},
        {"wifi": {"points": ACCESS_POINTS}},
        {"gnss": []},
        [],
    ],
)
def test_refused_ground_fixes(lab, body):
    answer = fix_of(lab, body)
    assert (answer.status_code, answer.json()["code"]) == (422, 42200)


def test_a_ground_fix_without_fallback(lab):
    assert fix_of(lab, {"wifi": ACCESS_POINTS[:1], **FIX}, fallback="false").status_code == 422

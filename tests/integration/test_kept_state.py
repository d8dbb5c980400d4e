"""``--state FILE``: what a cloud that was stopped, or killed, knows at its next start."""

import json
import os
import stat
from pathlib import Path

import pytest
from cryptography import x509

from harness.settings import CloudSettings
from tests.integration.cloud_lab import DEADLINE, Identity, Rest, running_cloud
from tests.integration.test_device_rest import FIX, bearer, load, onboard, token_for, upload
from tests.integration.test_virtual_process import refused, stand_ins
from tests.unit.virtual.jwt_makers import public_pem

TENANT = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a cloud on the same state each time."""
    (tmp_path / "state").mkdir()

    def start(**settings):
        state = str(tmp_path / "state" / "cloud")
        return running_cloud(tmp_path, CloudSettings(bulk_step=0.01, state=state, **settings))

    return start


def test_devices_are_onboarded_still(start):
    with start() as lab:
        root, prefix, key = lab.cloud.root_pem, lab.prefix, lab.cloud.api_key
        identity, located = onboard(lab, tags=["t"]), Identity("loc-1")
        upload(lab, "/devices/public-keys", [("loc-1", public_pem(load(located)))])
        assert lab.rest("PATCH", "/devices/dev-1/state", json={"reported": {"a": 1}}).status_code == 202
        team = lab.rest("POST", "/devices/mqtt-team").json()
        before = lab.rest.get("/devices/dev-1")
    with start() as lab:
        assert (lab.cloud.root_pem, lab.prefix) == (root, prefix)
        assert lab.cloud.api_key != key
        assert lab.rest.get("/devices/dev-1") == before
        assert lab.rest("GET", "/devices/dev-1", **bearer(token_for(identity))).status_code == 200
        fix = lab.rest("POST", "/location/ground-fix", json=FIX, **bearer(token_for(located, "loc-1")))
        assert fix.status_code == 200
        observer = lab.peer(team["clientId"], team["clientCert"], team["privateKey"]).ready()
        observer.subscribe(f"{prefix}#")
        device = lab.peer("dev-1", identity.certificate_pem, identity.private_key_pem).ready()
        device.publish(f"{prefix}m/d/dev-1/d2c", b'"here again"')
        assert observer.json(f"{prefix}m/d/dev-1/d2c") == "here again"
        device.subscribe("$aws/things/dev-1/shadow/get/+")
        device.publish("$aws/things/dev-1/shadow/get")
        assert device.json("$aws/things/dev-1/shadow/get/accepted")["state"]["reported"]["a"] == 1


def test_what_is_deleted_stays_deleted(start):
    with start() as lab:
        onboard(lab)
        onboard(lab, "dev-2")
        lab.rest("DELETE", "/devices/dev-1")
    with start() as lab:
        assert [item["id"] for item in lab.rest.get("/devices")["items"]] == ["dev-2"]
        onboard(lab)
        assert [item["id"] for item in lab.rest.get("/devices")["items"]] == ["dev-1", "dev-2"]


def test_firmware_bundles_are_kept(start):
    with start() as lab:
        kept, deleted = lab.upload_bundle(), lab.upload_bundle()
        lab.rest("DELETE", f"/firmwares/{deleted}")
        before = lab.rest.get("/firmwares")
    with start() as lab:
        assert lab.rest.get("/firmwares") == before
        onboard(lab)
        lab.make_job(bundleId=kept)


def test_what_a_device_reports_over_mqtt_is_kept(start):
    with start() as lab:
        device = lab.device().ready()
        device.subscribe("$aws/things/dev-1/shadow/update/accepted")
        device.publish("$aws/things/dev-1/shadow/update", b'{"state":{"reported":{"b":[1,2]}}}')
        device.message("$aws/things/dev-1/shadow/update/accepted")
    with start() as lab:
        assert lab.rest.get("/devices/dev-1")["state"]["reported"]["b"] == [1, 2]


def test_the_jitp_ca_is_kept(start):
    def chain(lab, device_id):
        answer = lab.rest("POST", f"/devices/{device_id}/certificates", data="123456")
        return x509.load_pem_x509_certificates(answer.json()["clientCert"].encode())

    with start() as lab:
        _, before = chain(lab, "jit-1")
    with start() as lab:
        leaf, after = chain(lab, "jit-1")
    assert after == before
    leaf.verify_directly_issued_by(before)


def test_it_holds_no_key_of_anybody(start, tmp_path):
    with start() as lab:
        onboard(lab)
        team = lab.rest("POST", "/devices/mqtt-team").json()
        key = lab.cloud.api_key
        files = {path.name: path.read_bytes() for path in (tmp_path / "state").iterdir()}
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert modes == {0o600}
    assert {name for name, content in files.items() if b"PRIVATE KEY" in content} == {
        "cloud.root-ca.pem",
        "cloud.jitp-ca.pem",
    }
    everything = b"".join(files.values())
    assert team["clientId"].encode() in everything
    assert key.encode() not in everything
    assert team["privateKey"].splitlines()[1].encode() not in everything


# the process


def rest_of(ready):
    cloud = ready["cloud"]
    return Rest(cloud["rest"], cloud["ca"], Path(cloud["api_key_file"]).read_text())


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_the_process_forgets_nothing_that_it_answered(tmp_path, how):
    state, identity = tmp_path / "state", Identity("dev-1")
    arguments = ("--boards", "0", "--state", str(state))
    with stand_ins(*arguments, "--tenant", TENANT) as (process, ready):
        root = Path(ready["cloud"]["ca"]).read_text()
        answer = rest_of(ready)("POST", "/devices/dev-1", json={"certificate": identity.certificate_pem})
        assert answer.status_code == 202
        getattr(process, how)()
        process.wait(DEADLINE)
    with stand_ins(*arguments) as (process, ready):
        assert Path(ready["cloud"]["ca"]).read_text() == root
        rest = rest_of(ready)
        assert rest.get("/devices/dev-1")["tenantId"] == TENANT
        assert rest("GET", "/devices/dev-1", **bearer(token_for(identity))).status_code == 200
        code, text = refused(*arguments)
        assert (code, text.count("\n")) == (2, 1)
        assert "is in use by another process" in text
    code, text = refused(*arguments, "--tenant", TENANT.replace("1", "9"))
    assert (code, text.count("\n")) == (2, 1)
    assert f"belongs to the team {TENANT}" in text


def test_files_that_cannot_be_a_state(tmp_path):
    other = tmp_path / "boards.yaml"
    other.write_text("boards: {}\n" * 20)
    code, text = refused("--boards", "0", "--state", str(other))
    assert (code, text) == (
        2,
        f"python -m harness.virtual: {other} is not a state file of the local cloud; give another --state\n",
    )
    code, text = refused("--boards", "0", "--state", str(tmp_path / "missing" / "state"))
    assert (code, text.count("\n")) == (2, 1)
    assert json.dumps(os.listdir(tmp_path)) == '["boards.yaml"]'

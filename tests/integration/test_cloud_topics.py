"""What the local cloud answers behind its policies: shadows in every firmware's form, firmware updates, gateways.

paho-mqtt plays the device and the team's observer, requests the account.
"""

import json

import pytest

from harness.policy import profile_folder
from tests.integration.cloud_lab import DEADLINE, running_cloud

AWS_JOBS = "$aws/things/dev-1/jobs"


@pytest.fixture
def current_lab(tmp_path):
    with running_cloud(tmp_path, policies=profile_folder("current")) as lab:
        yield lab


def say(device, topic, content):
    device.publish(topic, json.dumps(content).encode())


# shadows


def test_the_shadow_as_firmware_of_today_asks_for_it(current_lab):
    device = current_lab.device().ready()
    own = "dev-1/shadow"
    device.subscribe(f"{own}/get/accepted/tf", f"{own}/get/accepted/trim", f"{own}/get/rejected")
    device.subscribe(f"{own}/update/delta/full", f"{own}/update/delta/trim")
    pairing = {"state": "paired", "topics": {leaf: f"{current_lab.prefix}m/d/dev-1/{leaf}" for leaf in ("d2c", "c2d")}}
    expression = (
        '{"nrfcloud_mqtt_topic_prefix":state.desired.nrfcloud_mqtt_topic_prefix,"pairing":state.desired.pairing}'
    )
    desired = {"nrfcloud_mqtt_topic_prefix": current_lab.prefix, "pairing": pairing}

    say(device, f"{own}/get/tf", {"t": expression})
    assert device.json(f"{own}/get/accepted/tf") == {"tf": desired}
    say(device, f"{own}/get/tf", {"t": "$keys(state)"})
    assert device.json(f"{own}/get/accepted/tf").keys() == {"message", "position"}
    device.publish(f"{own}/get/trim")
    assert device.json(f"{own}/get/accepted/trim") == {
        "desired": desired,
        "reported": {"connection": {"status": "connected"}},
    }

    say(device, f"{own}/update", {"state": {"reported": {**desired, "led": "red"}}})
    body = {"desired": {"led": "green"}}
    assert current_lab.rest("PATCH", "/devices/dev-1/state", json=body).status_code == 202
    full = device.json(f"{own}/update/delta/full")
    assert (full["state"], full["version"]) == ({"led": "green"}, 4)
    assert device.json(f"{own}/update/delta/trim") == {
        "state": {"led": "green"},
        "version": 4,
        "timestamp": full["timestamp"],
    }


@pytest.mark.parametrize("leaf", ["get/trim", "get/tf", "update"])
def test_the_pages_policies_forbid_that(lab, leaf):
    device = lab.device().ready()
    device.client.publish(f"dev-1/shadow/{leaf}", b"{}", 0)
    assert device.ended.wait(DEADLINE)
    assert lab.journal.wait("close", client_id="dev-1", reason="AUTH_ERROR")


def test_refused_gets_are_told_on_both_topics(lab):
    device = lab.device().ready()
    device.subscribe("dev-1/shadow/get/#", "$aws/things/dev-1/shadow/get/#")
    lab.call(lab.cloud.services.forget_shadow, "dev-1")
    device.publish("$aws/things/dev-1/shadow/get", b'{"clientToken":"t"}')
    told = dict(device.message() for _ in range(2))
    assert told.keys() == {"$aws/things/dev-1/shadow/get/rejected", "dev-1/shadow/get/rejected"}
    assert {(json.loads(payload)["code"], json.loads(payload)["clientToken"]) for payload in told.values()} == {
        (404, "t")
    }


# firmware updates


def test_a_firmware_update_over_mqtt(lab):
    device = lab.device(supportedFirmwareTypes=["APP"]).ready()
    jobs = f"{lab.prefix}dev-1/jobs"
    say(device, f"{jobs}/req", [""])
    job_id = lab.make_job()
    device.subscribe(f"{jobs}/rcv")
    (bundle,) = lab.rest.get("/firmwares")["items"]
    path = f"{lab.cloud.team.tenant_id}/{bundle['bundleId']}/app.bin"
    sent = [job_id, 0, 4, "firmware.nrfcloud.com", path]
    assert device.json(f"{jobs}/rcv") == sent
    for status, detail, shown in ((7, 42, "DOWNLOADING"), (1, "", "IN_PROGRESS")):
        say(device, f"{jobs}/req", [job_id])
        say(device, f"{jobs}/update", [job_id, status, detail])
        assert device.json(f"{jobs}/rcv") == sent
        assert lab.rest.get("/fota-job-executions/dev-1/current")["status"] == shown
    say(device, f"{jobs}/update", [job_id, 3, ""])
    lab.journal.wait("fota_status", job_id=job_id, status="SUCCEEDED")
    assert lab.rest.get(f"/fota-jobs/{job_id}")["status"] == "COMPLETED"
    assert device.messages.empty()


def test_an_update_made_later_is_sent_to_whoever_listens(lab):
    observer, device = lab.observer(), lab.device(supportedFirmwareTypes=["APP"]).ready()
    topic = f"{lab.prefix}dev-1/jobs/rcv"
    device.subscribe(topic)
    job_id = lab.make_job()
    assert device.json(topic)[0] == observer.json(topic)[0] == job_id
    say(device, f"{lab.prefix}dev-1/jobs/update", [job_id, 6, "FOTA type not supported"])
    lab.journal.wait("fota_status", job_id=job_id, status="REJECTED")
    shown = lab.rest.get(f"/fota-job-executions/dev-1/{job_id}")
    assert (shown["status"], shown["statusDetail"]) == ("REJECTED", "FOTA type not supported")


def test_an_observer_that_subscribes_gets_nobodys_update(lab):
    lab.device(supportedFirmwareTypes=["APP"])
    lab.make_job()
    observer = lab.observer()
    observer.publish(f"{lab.prefix}m/fence", b"fence")
    assert observer.message()[1] == b"fence"


def test_no_peripherals_update_is_known(lab):
    device = lab.device(supportedFirmwareTypes=["APP"]).ready()
    ble = f"{lab.prefix}dev-1/jobs/ble"
    lab.make_job()
    device.subscribe(f"{ble}/rcv")
    say(device, f"{ble}/req", ["12:AB:34:CD:56:EF"])
    lab.journal.wait("fota_ignored", device_id="dev-1")
    say(device, f"{ble}/rcv", "fence")
    assert device.json(f"{ble}/rcv") == "fence"


def test_aws_jobs(lab):
    device = lab.device(supportedFirmwareTypes=["APP"]).ready()
    device.subscribe(f"{AWS_JOBS}/notify", f"{AWS_JOBS}/notify-next")
    job_id = lab.make_job()
    assert device.json(f"{AWS_JOBS}/notify")["jobs"]["QUEUED"][0]["jobId"] == job_id
    assert device.json(f"{AWS_JOBS}/notify-next")["execution"]["jobId"] == job_id
    device.publish(f"{AWS_JOBS}/get")
    assert device.json(f"{AWS_JOBS}/get/accepted")["queuedJobs"][0]["jobId"] == job_id
    say(device, f"{AWS_JOBS}/start-next", {"clientToken": "t"})
    started = device.json(f"{AWS_JOBS}/start-next/accepted")
    assert (started["execution"]["status"], started["clientToken"]) == ("IN_PROGRESS", "t")
    device.publish(f"{AWS_JOBS}/{job_id}/get")
    document = device.json(f"{AWS_JOBS}/{job_id}/get/accepted")["execution"]["jobDocument"]
    assert document["path"].endswith("/app.bin")
    say(device, f"{AWS_JOBS}/{job_id}/update", {"status": "SUCCEEDED", "expectedVersion": 1})
    assert device.json(f"{AWS_JOBS}/{job_id}/update/rejected")["code"] == "VersionMismatch"
    say(device, f"{AWS_JOBS}/{job_id}/update", {"status": "SUCCEEDED", "expectedVersion": 2})
    device.json(f"{AWS_JOBS}/{job_id}/update/accepted")
    assert "execution" not in device.json(f"{AWS_JOBS}/notify-next")
    assert lab.rest.get(f"/fota-jobs/{job_id}")["status"] == "COMPLETED"


def test_aws_jobs_tell_of_removal(lab):
    device = lab.device(supportedFirmwareTypes=["APP"]).ready()
    job_id = lab.make_job()
    device.subscribe(f"{AWS_JOBS}/notify", f"{AWS_JOBS}/notify-next")
    assert lab.rest("DELETE", f"/fota-jobs/{job_id}").status_code == 202
    assert device.json(f"{AWS_JOBS}/notify")["jobs"] == {}
    assert device.json(f"{AWS_JOBS}/notify-next").keys() == {"timestamp"}


def test_topics_of_no_operation_are_answered_so(lab):
    device = lab.device().ready()
    say(device, f"{AWS_JOBS}/harness", {"clientToken": "t"})
    answer = device.json(f"{AWS_JOBS}/harness/rejected")
    assert (answer["code"], answer["clientToken"]) == ("InvalidTopic", "t")


# gateways


def test_messages_of_a_gateway_flow_both_ways(lab):
    observer, gateway = lab.observer(), lab.device("gw-1", subType="lte-gateway").ready()
    c2g, g2c = (f"{lab.prefix}gateways/gw-1/{leaf}" for leaf in ("c2g", "g2c"))
    gateway.subscribe(c2g)
    operation = {"type": "operation", "id": "1", "operation": {"type": "get_gateway_status"}}
    say(observer, c2g, operation)
    assert gateway.json(c2g) == operation
    event = {"type": "event", "gatewayId": "gw-1", "event": {"type": "gateway_status"}, "messageId": 1}
    say(gateway, g2c, event)
    assert observer.json(g2c) == event
    assert lab.journal.wait("authorize", client_id="gw-1", action="iot:Publish")["document"] == "gateway"
    assert lab.cloud.registry.thing("gw-1").attributes["teamId"] in lab.prefix


@pytest.mark.parametrize("sub_type", ["", "gateway"])
@pytest.mark.parametrize("leaf", ["gateways/{own}/g2c", "gateways/gw-2/g2c", "gateways/{own}/c2g"])
def test_gateway_topics_that_are_not_ones_own(lab, sub_type, leaf):
    device = lab.device(subType=sub_type).ready()
    topic = lab.prefix + leaf.format(own="dev-1")
    device.client.publish(topic, b"{}", 0)
    allowed = sub_type == "gateway" and leaf == "gateways/{own}/g2c"
    if allowed:
        lab.journal.wait("publish", client_id="dev-1", topic=topic)
    else:
        assert device.ended.wait(DEADLINE)
        assert lab.journal.wait("close", client_id="dev-1", reason="AUTH_ERROR")

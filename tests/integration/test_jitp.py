"""JITP from outside: by MQTT and by HTTPS, from the certificate that nRF Cloud makes to the associated device."""

import json
import shutil
import ssl
import subprocess

import pytest

from harness.settings import CloudSettings
from harness.virtual.cloud.tls.ca import LocalCa
from tests.integration.cloud_clients import https_answer, proxy_of, tool
from tests.integration.cloud_lab import DEADLINE, Identity, running_cloud

CODE = "123456"
# As the nRF Cloud library sends it.
JITP = (
    b"POST /topics/jitp?qos=1 HTTP/1.1\r\nHost: mqtt.nrfcloud.com:8443\r\nAccept: */*\r\nContent-Type: */*\r\n"
    b"Connection: close\r\n\r\n"
)


@pytest.fixture
def lab(tmp_path):
    with running_cloud(tmp_path, CloudSettings(bulk_step=0.01, jitp_delay=0.01)) as lab:
        yield lab


def certificate(lab, name="dev-1", code=CODE):
    """CreateDeviceCertificate, with the body that nRF Cloud's device simulator sends."""
    headers = {"Content-Type": "application/json"}
    answer = lab.rest("POST", f"/devices/{name}/certificates", data=code, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def files(lab, made):
    """Write chain and key of a device into one file; return it."""
    path = lab.folder / f"{made['clientId']}-jitp.pem"
    path.write_text(made["clientCert"] + made["privateKey"])
    return path


def peer_of(lab, made):
    return lab.peer(made["clientId"], made["clientCert"], made["privateKey"])


def reconnect(peer):
    peer.client.loop_stop()
    return peer.connect()


def dropped(peer):
    assert peer.ended.wait(DEADLINE)
    return not peer.connected.is_set()


def provisioned(lab, name="dev-1"):
    lab.journal.wait("jitp", outcome="provisioned", device_id=name)


# CreateDeviceCertificate


def test_the_certificate_set(lab):
    made = certificate(lab)
    assert made.keys() == {"clientId", "caCert", "clientCert", "privateKey"}
    assert (made["clientId"], made["caCert"]) == ("dev-1", lab.cloud.root_pem)
    assert made["clientCert"].count("BEGIN CERTIFICATE") == 2
    assert made["clientCert"].endswith(lab.cloud.jitp_ca.certificate_pem)
    assert lab.rest.refusal("GET", "/devices/dev-1") == (404, 40410)
    assert made["privateKey"] not in json.dumps(lab.journal.events)
    assert CODE not in json.dumps(lab.journal.events)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("dev-1", ""),
        ("dev-1", '""'),
        ("dev-1", "a\nb"),
        ("dev-1", "x" * 65),
        ("dev-1", b"\xff"),
        ("nrf-351358811234567", CODE),
        ("NRF-x", CODE),
        ("d" * 65, CODE),
        ("dev%201", CODE),
    ],
)
def test_refused_certificates(lab, name, body):
    assert lab.rest.refusal("POST", f"/devices/{name}/certificates", data=body) == (422, 42200)


def test_no_certificate_for_a_device_that_exists(lab):
    lab.device("dev-1")
    assert lab.rest.refusal("POST", "/devices/dev-1/certificates", data=CODE) == (422, 42200)


def test_certificates_need_the_key(lab):
    refusal = lab.rest.refusal("POST", "/devices/dev-1/certificates", data=CODE, headers={"Authorization": None})
    assert refusal == (401, 40100)


# MQTT


def test_from_the_first_connection_to_the_team(lab):
    observer, peer = lab.observer(), peer_of(lab, certificate(lab))
    assert lab.rest.refusal("PUT", "/association/dev-1", data=CODE) == (404, 40412)
    assert dropped(peer.connect())
    provisioned(lab)
    assert lab.journal.wait("connect_refused", client_id="dev-1")["detail"].startswith("JITP: ")
    assert reconnect(peer).connected.wait(DEADLINE)
    peer.subscribe("$aws/things/dev-1/shadow/get/accepted")
    peer.publish("$aws/things/dev-1/shadow/get")
    state = peer.json("$aws/things/dev-1/shadow/get/accepted")["state"]
    assert state["desired"] == {"pairing": {"state": "not_associated"}}

    assert lab.rest.refusal("PUT", "/association/dev-1", data="654321") == (401, 40102)
    assert lab.rest.refusal("GET", "/devices/dev-1") == (404, 40410)
    assert lab.rest("PUT", "/association/dev-1", data=f'"{CODE}"').status_code == 202
    assert lab.rest.get("/devices/dev-1")["subType"] == "jitp-generic"
    topic = f"{lab.prefix}m/d/dev-1/d2c"
    peer.client.publish(topic, b"{}", 0)  # rights are those of the CONNECT
    assert peer.ended.wait(DEADLINE)
    assert reconnect(peer).connected.wait(DEADLINE)
    peer.publish(topic, b'{"appId":"TEMP","messageType":"DATA","data":"1"}')
    assert observer.json(topic)["data"] == "1"
    assert lab.rest("DELETE", "/association/dev-1").status_code == 202
    assert lab.rest("PUT", "/association/dev-1?subType=x", data=CODE).status_code == 202


def test_connections_are_dropped_until_the_device_exists(tmp_path):
    with running_cloud(tmp_path, CloudSettings(jitp_delay=3600)) as lab:
        peer = peer_of(lab, certificate(lab))
        assert dropped(peer.connect())
        assert dropped(reconnect(peer))
        assert [entry["outcome"] for entry in lab.journal.of("jitp")] == ["started"]
        assert lab.rest.refusal("PUT", "/association/dev-1", data=CODE) == (404, 40412)


def test_a_provisioned_device_connects_under_its_own_name_only(lab):
    made = certificate(lab)
    assert dropped(peer_of(lab, made).connect())
    provisioned(lab)
    impostor = lab.peer("dev-2", made["clientCert"], made["privateKey"])
    assert dropped(impostor.connect())
    lab.journal.wait("connect_refused", client_id="dev-2", reason="AUTH_ERROR")


def test_without_its_ca_a_certificate_makes_nothing(lab):
    made = certificate(lab)
    leaf = made["clientCert"].removesuffix(lab.cloud.jitp_ca.certificate_pem)
    peer = lab.peer("dev-1", leaf, made["privateKey"])
    assert dropped(peer.connect())
    assert "lacks the certificate of the JITP CA" in lab.journal.wait("jitp", outcome="refused")["reason"]
    assert dropped(reconnect(peer))
    assert lab.rest.refusal("PUT", "/association/dev-1", data=CODE) == (404, 40412)


def test_the_certificate_of_another_ca_makes_nothing(lab):
    other = LocalCa("nRF91 harness local cloud JITP CA")  # the same name
    identity = other.issue_client("dev-1", dn_qualifier=CODE)
    peer = lab.peer("dev-1", identity.certificate_pem + other.certificate_pem, identity.private_key_pem)
    assert peer.connect().ended.wait(DEADLINE)
    assert "is not registered" in lab.journal.wait("connect_refused")["detail"]
    assert lab.journal.of("jitp") == []


def test_where_refusals_are_alerts_the_first_connection_gets_one(tmp_path):
    with running_cloud(tmp_path, CloudSettings(cert_refusal="alert", jitp_delay=0.01)) as lab:
        peer = peer_of(lab, certificate(lab))
        with pytest.raises(ssl.SSLError, match="ALERT_CERTIFICATE_UNKNOWN"):
            peer.connect()
        provisioned(lab)
        peer.ready()


def test_what_is_kept_from_one_start_to_the_next(tmp_path):
    """The CA, so that certificates made before still work, and the ownership codes."""
    settings = CloudSettings(state=str(tmp_path / "state"), jitp_delay=0.01)
    with running_cloud(tmp_path, settings) as lab:
        one, two = certificate(lab, "dev-1"), certificate(lab, "dev-2")
        assert dropped(peer_of(lab, one).connect())
        provisioned(lab, "dev-1")
    with running_cloud(tmp_path, settings) as lab:
        peer_of(lab, one).ready()
        assert lab.rest.refusal("PUT", "/association/dev-1", data="654321") == (401, 40102)
        assert lab.rest("PUT", "/association/dev-1", data=CODE).status_code == 202
        assert dropped(peer_of(lab, two).connect())
        provisioned(lab, "dev-2")


# HTTPS


def test_the_three_results(lab):
    made = certificate(lab)
    pem = files(lab, made)
    assert https_answer(lab, pem, JITP) == b""  # provisioning has started
    provisioned(lab)
    head, _, body = https_answer(lab, pem, JITP).partition(b"\r\n\r\n")  # provisioned, and may not publish there
    assert head.startswith(b"HTTP/1.1 403 ")
    assert b'"message":null' in body
    stranger = lab.folder / "stranger.pem"
    identity = Identity("dev-2")
    stranger.write_text(identity.certificate_pem + identity.private_key_pem)
    head, _, body = https_answer(lab, stranger, JITP).partition(b"\r\n\r\n")  # anything else
    assert head.startswith(b"HTTP/1.1 403 ")
    assert b'"message":null' not in body
    assert lab.rest("PUT", "/association/dev-1", data=CODE).status_code == 202
    peer_of(lab, made).ready()


def test_a_chain_without_the_ca_is_not_taken_for_a_start(lab):
    made = certificate(lab)
    pem = lab.folder / "leaf.pem"
    pem.write_text(made["clientCert"].removesuffix(lab.cloud.jitp_ca.certificate_pem) + made["privateKey"])
    head, _, body = https_answer(lab, pem, JITP).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 ")
    assert json.loads(body)["message"] == "Forbidden"


def test_no_certificate_no_handshake(lab):
    with pytest.raises(ssl.SSLError, match="ALERT_CERTIFICATE_REQUIRED"):
        https_answer(lab, None, JITP)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /topics/x HTTP/1.1\r\nConnection: close\r\n\r\n", b"405"),
        (b"POST /other HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"POST /topics/ HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"POST /topics/x?qos=2 HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"POST /topics/%23 HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"POST /topics/%ff HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"POST /topics/a%00 HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST //[x HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"POST /topics/x HTTP/1.1\r\nContent-Length: 131073\r\n\r\n", b"400"),
        (b"POST /topics/x?qos=1 HTTP/1.1\r\nConnection: close\r\n\r\n", b"403"),
    ],
)
def test_other_requests(lab, request_, status):
    device = lab.device("dev-1")
    answer = https_answer(lab, lab.folder / f"{device.client._client_id.decode()}.pem", request_)
    assert answer.split()[1] == status


def test_publishing_by_https_where_policies_allow_it(tmp_path):
    """A policy without thing variables, which nRF Cloud has none of, lets a device publish."""
    policies = tmp_path / "policies"
    policies.mkdir()
    statement = {"Effect": "Allow", "Action": ["iot:*"], "Resource": ["*"]}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    (policies / "provisioned.json").write_text(json.dumps(document))
    with running_cloud(tmp_path, policies=policies) as lab:
        observer = lab.observer()
        lab.device("dev-1")
        topic = f"{lab.prefix}m/d/dev-1/d2c"
        one = f"POST /topics/{topic.replace('/', '%2F')}?qos=1 HTTP/1.1\r\nContent-Length: 2\r\n"
        request = f"{one}\r\n[]{one}Connection: close\r\n\r\n{{}}".encode()
        answers = https_answer(lab, lab.folder / "dev-1.pem", request)
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert answers.count(b'"message":"OK"') == 2
        assert [observer.message(topic)[1], observer.message(topic)[1]] == [b"[]", b"{}"]
        assert len(lab.rest.get("/messages", deviceId="dev-1")["items"]) == 2


def test_requests_through_the_proxy(lab, monkeypatch):
    pem = str(files(lab, certificate(lab)))
    with proxy_of(lab) as port:
        call = tool(lab, port, monkeypatch)
        url = "https://mqtt.nrfcloud.com:8443/topics/jitp?qos=1"
        with pytest.raises(OSError, match=r"(?i)closed connection without response|aborted"):
            call("POST", url, cert=pem)
        provisioned(lab)
        answer = call("POST", url, cert=pem)
    assert answer.status_code == 403
    assert answer.json().keys() == {"message", "traceId"}
    assert answer.json()["message"] is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_starts_provisioning(lab):
    pem = str(files(lab, certificate(lab)))
    host, port = lab.cloud.jitp_address
    connect = ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "mqtt.nrfcloud.com", "-quiet"]
    trust = ["-CAfile", str(lab.ca_file), "-verify_return_error", "-cert", pem, "-cert_chain", pem, "-key", pem]
    for expected in (b"", b'"message":null'):
        done = subprocess.run([*connect, *trust], input=JITP, capture_output=True, timeout=DEADLINE, check=False)
        assert expected in done.stdout, done.stderr.decode()
        assert bool(expected) is bool(done.stdout)
        provisioned(lab)

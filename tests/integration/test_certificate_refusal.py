"""Certificates that may not be used: refused before CONNACK or by a TLS alert, as the profile says, and told apart."""

import json
import shutil
import socket
import ssl
import subprocess

import pytest

from harness.settings import CloudSettings
from harness.virtual.cloud.broker.interfaces import (
    CERTIFICATE_EXPIRED,
    CERTIFICATE_REVOKED,
    CERTIFICATE_UNKNOWN,
    Objection,
)
from harness.virtual.cloud.registry.registry import CertificateState
from harness.virtual.mqtt import Connect
from tests.integration.broker_lab import RawClient, context_for, identity, lab
from tests.integration.cloud_lab import DEADLINE, Identity, running_cloud

ALERT = CloudSettings(cert_refusal="alert")
ALERTS = {
    CERTIFICATE_UNKNOWN: "ALERT_CERTIFICATE_UNKNOWN",
    CERTIFICATE_EXPIRED: "ALERT_CERTIFICATE_EXPIRED",
    CERTIFICATE_REVOKED: "ALERT_CERTIFICATE_REVOKED",
}


def onboarded(lab, device, name="dev-1"):
    answer = lab.rest("POST", f"/devices/{name}", json={"certificate": device.certificate_pem})
    assert answer.status_code == 202, answer.text
    return lab.peer(name, device.certificate_pem, device.private_key_pem)


# the broker by itself


@pytest.mark.parametrize("provisioning", [True, False])
def test_close_ends_the_connection_before_connack(provisioning):
    with lab("dev-1") as running:
        running.directory.objections[identity("dev-1").der] = Objection("unfit", provisioning=provisioning)
        with RawClient(running.port, "dev-1") as client:
            client.send(Connect("dev-1"))
            assert client.rest() == ["notify"]
        refused = running.journal.wait("connect_refused", client_id="dev-1")
        assert (refused["reason"], refused["detail"]) == ("AUTH_ERROR", "unfit")
        assert running.journal.of("authorize") == []


@pytest.mark.parametrize(("alert", "seen"), ALERTS.items())
def test_alert_ends_the_handshake(alert, seen):
    with lab("dev-1", "dev-2", profile=ALERT) as running:
        running.directory.objections[identity("dev-1").der] = Objection("unfit", alert)
        with pytest.raises(ssl.SSLError, match=seen):
            RawClient(running.port, "dev-1")
        assert running.journal.wait("tls_refused")["reason"] == "unfit"
        with running.raw("dev-2"):
            pass


def test_where_refusals_are_alerts_there_is_no_tls_1_3():
    with lab("dev-1", profile=ALERT) as running:
        context = context_for(identity("dev-1"), ssl.TLSVersion.TLSv1_3)
        with RawClient(running.port, None, context=context) as client:
            assert client.socket.version() == "TLSv1.2"


def test_tolerance_does_not_reach_a_certificate():
    with lab("dev-1", profile=CloudSettings(on_violation="tolerate")) as running:
        running.directory.objections[identity("dev-1").der] = Objection("unfit")
        with RawClient(running.port, "dev-1") as client:
            client.send(Connect("dev-1"))
            assert client.rest() == ["notify"]


# the whole cloud: state and time of registered certificates


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        (Identity("dev-1", start=-3, end=-1), "expired at"),
        (Identity("dev-1", start=1, end=3), "is not valid before"),
    ],
)
def test_the_time_is_judged_in_both_ways(tmp_path, device, reason):
    with running_cloud(tmp_path) as lab:
        peer = onboarded(lab, device).connect()
        assert peer.ended.wait(DEADLINE)
        assert not peer.connected.is_set()
        assert reason in lab.journal.wait("connect_refused", client_id="dev-1")["detail"]
    with running_cloud(tmp_path, ALERT) as lab:
        peer = onboarded(lab, device)
        with pytest.raises(ssl.SSLError, match="ALERT_CERTIFICATE_EXPIRED"):
            peer.connect()
        assert reason in lab.journal.wait("tls_refused")["reason"]


@pytest.mark.parametrize(
    ("state", "seen"),
    [(CertificateState.INACTIVE, "ALERT_CERTIFICATE_UNKNOWN"), (CertificateState.REVOKED, "ALERT_CERTIFICATE_REVOKED")],
)
def test_the_state_is_judged_by_alert(tmp_path, state, seen):
    with running_cloud(tmp_path, ALERT) as lab:
        device = lab.device()
        registry = lab.cloud.registry
        key = lab.call(registry.certificate_of, "dev-1").certificate_id
        lab.call(registry.set_certificate_state, key, state)
        with pytest.raises(ssl.SSLError, match=seen):
            device.connect()
        assert f"is {state}" in lab.journal.wait("tls_refused")["reason"]
        lab.call(registry.set_certificate_state, key, CertificateState.ACTIVE)
        device.ready()


@pytest.mark.parametrize("tls_1_3", [False, True])
def test_what_is_registered_nowhere_is_judged_in_both_ways(tmp_path, tls_1_3):
    stranger = Identity("dev-1")
    with running_cloud(tmp_path) as lab:
        peer = lab.peer("dev-1", stranger.certificate_pem, stranger.private_key_pem)
        if not tls_1_3:
            peer.client._ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
        peer.connect()
        assert peer.ended.wait(DEADLINE)
        assert not peer.connected.is_set()
        assert "is not registered" in lab.journal.wait("connect_refused", client_id="dev-1")["detail"]
    with running_cloud(tmp_path, ALERT) as lab:
        with pytest.raises(ssl.SSLError, match="ALERT_CERTIFICATE_UNKNOWN"):
            lab.peer("dev-1", stranger.certificate_pem, stranger.private_key_pem).connect()
        assert "is not registered" in lab.journal.wait("tls_refused")["reason"]


def test_no_certificate_gets_an_alert(tmp_path):
    with running_cloud(tmp_path) as lab:
        context = ssl.create_default_context(cafile=str(lab.ca_file))
        with pytest.raises(ssl.SSLError, match="ALERT_CERTIFICATE_REQUIRED"):
            RawClient(lab.cloud.mqtt_address[1], None, context=context).socket.recv(1)
        assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in json.dumps(lab.journal.wait("tls_refused"))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(("profile", "alerts"), [(CloudSettings(), []), (ALERT, ["45"])])
def test_openssl_sees_the_same(tmp_path, profile, alerts):
    device = Identity("dev-1", start=-3, end=-1)
    pem = tmp_path / "expired.pem"
    pem.write_text(device.certificate_pem + device.private_key_pem)
    with running_cloud(tmp_path, profile) as lab:
        onboarded(lab, device)
        host, port = lab.cloud.mqtt_address
        connect = ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "mqtt.nrfcloud.com"]
        trust = ["-CAfile", str(lab.ca_file), "-verify_return_error", "-cert", str(pem), "-key", str(pem)]
        done = subprocess.run([*connect, *trust], input=b"", capture_output=True, timeout=DEADLINE, check=False)
    told = [line.rpartition("alert number ")[2] for line in done.stderr.decode().splitlines() if "alert number" in line]
    assert told == [f"{number}" for number in alerts], done.stderr.decode()
    assert (done.returncode == 0) is (alerts == []), done.stderr.decode()


def test_a_session_of_before_does_not_get_around_it():
    with lab("dev-1", profile=ALERT) as running:
        context = context_for(identity("dev-1"))
        with RawClient(running.port, None, context=context) as client:
            session = client.socket.session
        running.directory.objections[identity("dev-1").der] = Objection("unfit")
        with (
            socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE) as tcp,
            pytest.raises(ssl.SSLError, match="ALERT_CERTIFICATE_UNKNOWN"),
        ):
            context.wrap_socket(tcp, server_hostname="localhost", session=session)
        assert running.journal.wait("tls_refused")["reason"] == "unfit"

"""Broken packets, broken clients, broken handshakes; and that nothing is left of a thousand violations."""

import asyncio
import gc
import os
import random
import socket
import ssl
import struct
import threading
import time

import pytest

from harness.settings import CloudSettings, Limits
from harness.virtual.mqtt import Connack, Connect, Pingreq, Pingresp, Puback, Publish, Subscribe
from tests.integration.broker_lab import DEADLINE, RawClient, context_for, identity, lab
from tests.unit.virtual.test_mqtt_decoder import BROKEN

IMPATIENT = CloudSettings(limits=Limits(handshake=0.2, first_packet=0.2))
AFTER_CONNECT = {
    **{name: bytes.fromhex(octets) for name, octets in BROKEN.items() if "CONNECT" not in name},
    "second CONNECT": Connect("dev-1").encode(),
    "CONNACK": Connack().encode(),
    "PUBREC": b"\x50\x02\x00\x01",
    "200 MB announced": b"\x30\x80\x80\x80\x64",
}


@pytest.mark.parametrize("octets", AFTER_CONNECT.values(), ids=AFTER_CONNECT.keys())
def test_malformed_packets_end_the_connection_at_once(aws, octets):
    with aws.raw("dev-1") as client:
        client.send(Pingreq(), octets, Pingreq())
        assert client.rest() == [Pingresp(), "notify"]
    assert aws.journal.wait("close")["reason"] == "CLIENT_ERROR"


BEFORE_CONNECT = {
    "first byte is no CONNECT": (b"G", []),
    "PUBLISH first": (Publish("ok/x").encode(), []),
    "PINGREQ first": (Pingreq().encode(), []),
    "CONNECT with reserved flag": (bytes.fromhex(BROKEN["CONNECT reserved flag"]), []),
    "CONNECT of 200 MB": (b"\x10\x80\x80\x80\x64", []),
    "MQTT 3.1": (bytes.fromhex("10 0f 0006 4d5149736470 03 02 003c 0001 61"), [Connack(1)]),
    "MQTT 5": (bytes.fromhex("10 0e 0004 4d515454 05 02 003c 00 0001 61"), [Connack(1)]),
}


@pytest.mark.parametrize(("octets", "answers"), BEFORE_CONNECT.values(), ids=BEFORE_CONNECT.keys())
def test_bad_first_packets(aws, octets, answers):
    with RawClient(aws.port, "dev-1") as client:
        client.send(octets)
        assert client.rest() == [*answers, "notify"]
    assert not aws.journal.of("connect")


def test_silence_after_the_handshake_ends():
    with lab("dev-1", profile=IMPATIENT) as running, RawClient(running.port, "dev-1") as client:
        client.send(b"\x10\x20\x00")
        assert client.rest() == ["notify"]
        assert "no CONNECT in time" in running.journal.wait("close")["detail"]


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_half_a_handshake_ends(hello):
    with lab("dev-1", profile=IMPATIENT) as running:
        with socket.create_connection(("127.0.0.1", running.port), DEADLINE) as tcp:
            tcp.sendall(hello)
            assert tcp.recv(100) == b""
        assert "in time" in running.journal.wait("tls_refused")["reason"]


@pytest.mark.parametrize("connected", [False, True])
def test_close_notify_of_the_client_is_answered(aws, connected):
    client = aws.raw("dev-1") if connected else RawClient(aws.port, "dev-1")
    tcp = client.socket.unwrap()
    assert tcp.recv(1) == b""
    tcp.close()
    assert aws.journal.wait("close")["reason"] == "CONNECTION_LOST"


def test_a_broken_record_ends_the_connection(aws):
    with aws.raw("dev-1") as client:
        socket.socket.sendall(client.socket, b"\x17\x03\x03\x00\x20" + b"x" * 32)
        with pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):
            client.read()
    assert aws.journal.wait("close")["reason"] == "CONNECTION_LOST"


def test_a_broken_record_right_behind_a_packet_that_has_an_answer_ends_the_connection(aws):
    """Both are read at once, so the answer is still to be sent when the session is broken."""
    arrived = threading.Event()
    with aws.raw("dev-1") as client:
        held = threading.Thread(target=aws.call, args=(arrived.wait, DEADLINE))
        held.start()  # the broker reads nothing until both have arrived
        client.send(Pingreq())
        socket.socket.sendall(client.socket, b"\x17\x03\x03\x00\x20" + b"x" * 32)
        arrived.set()
        held.join(DEADLINE)
        assert aws.journal.wait("close")["reason"] == "CONNECTION_LOST"


def test_a_reset_in_the_handshake_is_journalled(aws):
    tcp = socket.create_connection(("127.0.0.1", aws.port), DEADLINE)
    tcp.sendall(b"\x16\x03\x01")
    reset(tcp)
    assert aws.journal.wait("tls_refused")["reason"] == "the client hung up during the handshake"


def test_http_on_the_tls_port_is_refused(aws):
    with socket.create_connection(("127.0.0.1", aws.port), DEADLINE) as tcp:
        tcp.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert tcp.recv(1) in (b"", b"\x15")
    assert aws.journal.wait("tls_refused")["reason"] == "HTTP_REQUEST"


VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@pytest.mark.parametrize("maximum", VERSIONS)
def test_no_certificate_gets_an_alert(maximum):
    with lab("dev-1", profile=CloudSettings(maximum_tls=maximum)) as running:
        with pytest.raises(ssl.SSLError) as caught:
            # With TLS 1.3 the client's handshake is over before the server has looked at the certificate.
            RawClient(running.port, None, context=context_for(None, VERSIONS[maximum])).socket.recv(1)
        alert = "HANDSHAKE_FAILURE" if maximum == "1.2" else "CERTIFICATE_REQUIRED"
        assert alert in caught.value.reason
        assert running.journal.wait("tls_refused")["reason"] == "PEER_DID_NOT_RETURN_A_CERTIFICATE"


@pytest.mark.parametrize("maximum", VERSIONS)
def test_a_certificate_that_is_registered_nowhere_ends_before_connack(maximum):
    with lab("dev-1", profile=CloudSettings(maximum_tls=maximum)) as running:
        with RawClient(running.port, None, context=context_for(identity("stranger"), VERSIONS[maximum])) as client:
            client.send(Connect("dev-1"))
            assert client.rest() == ["notify"]
        assert "not registered" in running.journal.wait("connect_refused", client_id="dev-1")["detail"]


@pytest.mark.parametrize("maximum", VERSIONS)
def test_versions_and_no_resumption(maximum):
    context = context_for(identity("dev-1"), ssl.TLSVersion.TLSv1_3)
    with lab("dev-1", profile=CloudSettings(maximum_tls=maximum)) as running:
        session = None
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", running.port), DEADLINE) as tcp,
                context.wrap_socket(tcp, server_hostname="localhost", session=session) as tls,
            ):
                assert tls.version() == f"TLSv{maximum}"
                assert not tls.session_reused
                tls.sendall(Connect("dev-1").encode())
                assert tls.recv(4) == Connack().encode()
                session = tls.session


@pytest.mark.parametrize(
    "suite",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-SHA384",
        "ECDHE-ECDSA-AES256-SHA",
    ],
)
def test_the_suites_that_aws_iot_offers(aws, suite):
    context = context_for(identity("dev-1"))
    context.set_ciphers(suite)
    with RawClient(aws.port, None, context=context) as client:
        assert client.socket.cipher()[0] == suite


def test_who_offers_everything_gets_what_a_modem_gets(aws):
    with RawClient(aws.port, None, context=context_for(identity("dev-1"))) as client:
        assert client.socket.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"


def test_other_cipher_suites_are_not_offered(aws):
    context = context_for(identity("dev-1"))
    context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        RawClient(aws.port, None, context=context)
    assert aws.journal.wait("tls_refused")["reason"] == "NO_SHARED_CIPHER"


@pytest.mark.parametrize("maximum", VERSIONS)
def test_the_wrong_host_name_is_refused(aws, maximum):
    context = context_for(identity("dev-1"), VERSIONS[maximum])
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        RawClient(aws.port, None, context=context, server_name="mqtt.example.com")
    assert "mqtt.example.com" in aws.journal.wait("tls_refused")["reason"]


def test_no_host_name_is_taken(aws):
    context = context_for(identity("dev-1"))
    context.check_hostname = False
    with RawClient(aws.port, None, context=context, server_name=None) as client:
        client.send(Connect("dev-1"))
        assert client.read() == Connack()
    assert aws.journal.wait("connect")["server_name"] is None


def test_trust_follows_the_directory(aws):
    def refused():
        with RawClient(aws.port, "late") as client:
            client.send(Connect("late"))
            return client.rest() == ["notify"]

    assert refused()
    aws.directory.register(identity("late"), "late")
    with aws.raw("late") as client:
        client.send(Pingreq())
        assert client.read() == Pingresp()
    aws.directory.registered = {key: had for key, had in aws.directory.registered.items() if had[0] != "late"}
    assert refused()


def test_half_open_handshakes_do_not_hold_up_others(aws):
    half_open = [socket.create_connection(("127.0.0.1", aws.port), DEADLINE) for _ in range(100)]
    with aws.raw("dev-1") as client:
        client.send(Pingreq())
        assert client.read() == Pingresp()
    for tcp in half_open:
        tcp.close()


def test_random_bytes_and_resets_leave_nothing(aws):
    noise = random.Random(1)  # noqa: S311 - noise, not secrets
    before = remains(aws)
    for turn in range(100):
        with RawClient(aws.port, "dev-1") as client:
            client.send(noise.randbytes(noise.randrange(1, 200)))
            if turn % 2:
                reset(client.socket)
    for _ in range(50):
        with aws.raw("dev-2") as client:
            client.send(Subscribe(1, (("ok/#", 1),)), Publish("ok/x", b"x" * 500, 1, packet_id=2))
            reset(client.socket)
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", aws.port), DEADLINE) as tcp:
            tcp.sendall(noise.randbytes(300))
            reset(tcp)
    settle(aws, before)
    with aws.raw("dev-1") as client:
        client.send(Pingreq())
        assert client.read() == Pingresp()


def test_nothing_is_left_of_a_thousand_violations(aws):
    subscribe = Subscribe(1, (("ok/+/x", 1), ("ok/#", 0)))
    with aws.raw("dev-2") as bystander:
        before = remains(aws)
        for turn in range(1000):
            with aws.raw("dev-1", clean_session=True) as client:
                forbidden = Subscribe(3, (("no", 0),)) if turn % 2 else Publish("no", b"", 1, packet_id=3)
                client.send(subscribe, Publish("ok/1", b"", 1, packet_id=2), forbidden)
                ending = client.rest()
                assert (ending[1], ending[-1]) == (Puback(2), "notify")
        settle(aws, before)
        bystander.send(Pingreq())
        assert bystander.read() == Pingresp()


def reset(tcp):
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    tcp.close()


def remains(running):
    """What a connection could leave behind: tasks, file descriptors, sessions, streams, subscriptions, timers."""

    def count():
        gc.collect()
        timers = sum(not handle.cancelled() for handle in running.loop._scheduled)
        tasks = len(asyncio.all_tasks())
        return (
            tasks,
            len(os.listdir("/proc/self/fd")),
            sorted(running.broker.sessions),
            len(running.broker._listener._streams),
            running.broker.subscriptions.empty,
            timers,
        )

    return running.call(count)


def settle(running, before):
    """Assert that what remains is what was before, once the last sockets are released."""
    deadline = time.monotonic() + DEADLINE
    while (now := remains(running)) != before:
        assert time.monotonic() < deadline, f"before {before}, now {now}"

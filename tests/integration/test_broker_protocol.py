"""Ordinary MQTT through the broker: sessions, retained messages, wills, limits, and what the service itself sends."""

import time

import pytest

from harness.settings import CloudSettings, Limits
from harness.virtual.mqtt import (
    Connect,
    Disconnect,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from tests.integration.broker_lab import RawClient, lab

AWS_IOT = CloudSettings()
PLAIN_MQTT = CloudSettings(on_violation="suback80", hash_matches_parent=True, retained_by_wildcard=True)
"""The rules of the OASIS standard where they differ. There is no QoS 2 here either."""


def limited(**limits):
    return CloudSettings(limits=Limits(**limits))


def subscribed(running, name, *filters, **connect):
    client = running.raw(name, **connect)
    client.send(Subscribe(1, filters))
    assert client.read() == Suback(1, tuple(qos for _, qos in filters))
    return client


def left(client, running):
    """Disconnect and wait until the broker has seen it."""
    client.send(Disconnect())
    assert client.rest()[-1] == "notify"
    running.journal.wait("close", reason="CLIENT_INITIATED_DISCONNECT")
    client.socket.close()


@pytest.mark.parametrize(("published", "granted", "delivered"), [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 1)])
def test_delivery_has_the_lower_qos(aws, published, granted, delivered):
    with subscribed(aws, "dev-1", ("ok/+", granted)) as receiver, aws.raw("dev-2") as sender:
        sender.send(Publish("ok/x", b"hello", published, packet_id=5 if published else None))
        assert receiver.read() == Publish("ok/x", b"hello", delivered, packet_id=1 if delivered else None)
        if published:
            assert sender.read() == Puback(5)


def test_unsubscribe_and_ping(aws):
    with subscribed(aws, "dev-1", ("ok/+", 0)) as client:
        client.send(Unsubscribe(2, ("ok/+", "never/subscribed")), Publish("ok/x"), Pingreq())
        assert [client.read(), client.read()] == [Unsuback(2), Pingresp()]
        assert aws.broker.subscriptions.empty
        assert aws.broker.sessions["dev-1"].subscriptions == {}


def test_disconnect(aws):
    client = aws.raw("dev-1", will=Will("ok/gone"))
    left(client, aws)
    assert aws.services.heard == []
    assert not aws.broker.sessions


@pytest.mark.parametrize("profile", [AWS_IOT, PLAIN_MQTT])
def test_hash_and_the_level_above(profile):
    with lab("dev-1", profile=profile) as running, subscribed(running, "dev-1", ("ok/#", 0)) as client:
        running.call(running.broker.publish, "ok", b"parent", 0)
        running.call(running.broker.publish, "ok/", b"child", 0)
        expected = [b"child"] if profile is AWS_IOT else [b"parent", b"child"]
        assert [client.read().payload for _ in expected] == expected


@pytest.mark.parametrize("profile", [AWS_IOT, PLAIN_MQTT])
def test_retained_messages(profile):
    with lab("dev-1", "dev-2", profile=profile) as running:
        with running.raw("dev-1") as sender:
            sender.send(Publish("ok/keep", b"kept", 1, retain=True, packet_id=1))
            assert sender.read() == Puback(1)
        with subscribed(running, "dev-2", ("ok/keep", 0)) as exact:
            assert exact.read() == Publish("ok/keep", b"kept", 0, retain=True)
        with subscribed(running, "dev-2", ("ok/#", 1)) as wild:
            wild.send(Pingreq())
            first = wild.read()
            assert first == (
                Pingresp() if profile is AWS_IOT else Publish("ok/keep", b"kept", 1, retain=True, packet_id=1)
            )
        with running.raw("dev-1") as sender:
            sender.send(Publish("ok/keep", b"", 1, retain=True, packet_id=2))
            assert sender.read() == Puback(2)
        with subscribed(running, "dev-2", ("ok/keep", 1)) as exact:
            exact.send(Pingreq())
            assert exact.read() == Pingresp()


def test_live_delivery_of_a_retained_message_has_no_retain_flag(aws):
    with subscribed(aws, "dev-2", ("ok/keep", 0)) as receiver, aws.raw("dev-1") as sender:
        sender.send(Publish("ok/keep", b"kept", retain=True))
        assert receiver.read() == Publish("ok/keep", b"kept")


WILL = Will("ok/gone", b"farewell", 1)
ENDINGS = {
    "AUTH_ERROR": lambda running, client: client.send(Publish("forbidden")),
    "CLIENT_ERROR": lambda running, client: client.send(b"\xf0\x00"),
    "CONNECTION_LOST": lambda running, client: client.socket.close(),
    "DUPLICATE_CLIENTID": lambda running, client: running.raw("dev-1").socket.close(),
    "SERVER_INITIATED_DISCONNECT": lambda running, client: running.call(running.broker.disconnect, "dev-1"),
    "MQTT_KEEP_ALIVE_TIMEOUT": lambda running, client: None,
}


@pytest.mark.parametrize("reason", ENDINGS)
def test_the_will_is_published_on_every_end_but_disconnect(reason):
    silence = {"keepalive_shortest": 0.05, "keepalive_longest": 0.1} if reason == "MQTT_KEEP_ALIVE_TIMEOUT" else {}
    with lab("dev-1", "dev-2", profile=limited(**silence)) as running:
        with running.raw("dev-1", will=WILL) as client:
            ENDINGS[reason](running, client)
            assert running.journal.wait("close", reason=reason)["client_id"] == "dev-1"
            running.journal.wait("publish", client_id="dev-1", topic="ok/gone")
        assert running.services.heard == [("dev-1", "ok/gone", b"farewell", 1, False)]


def test_the_will_reaches_subscribers(aws):
    with subscribed(aws, "dev-2", ("ok/gone", 1)) as watcher:
        aws.raw("dev-1", will=WILL).socket.close()
        assert watcher.read() == Publish("ok/gone", b"farewell", 1, packet_id=1)


def test_a_second_connection_takes_over(aws):
    with aws.raw("dev-1") as older, aws.raw("dev-1") as newer:
        assert older.rest() == ["notify"]
        newer.send(Pingreq())
        assert newer.read() == Pingresp()
        assert list(aws.broker.sessions) == ["dev-1"]


def test_a_persistent_session_keeps_subscriptions_and_messages(aws):
    client = subscribed(aws, "dev-1", ("ok/#", 1), clean_session=False)
    assert not client.session_present
    aws.call(aws.broker.publish, "ok/1", b"unacknowledged")
    assert client.read() == Publish("ok/1", b"unacknowledged", 1, packet_id=1)
    left(client, aws)
    assert aws.call(aws.broker.publish, "ok/2", b"while away") == 1
    assert aws.call(aws.broker.publish, "ok/3", b"QoS 0 is not kept", 0) == 0
    with aws.raw("dev-1", clean_session=False) as client:
        assert client.session_present
        assert client.read() == Publish("ok/1", b"unacknowledged", 1, dup=True, packet_id=1)
        assert client.read() == Publish("ok/2", b"while away", 1, packet_id=2)
        client.send(Puback(1), Puback(2), Pingreq())
        assert client.read() == Pingresp()
        assert aws.broker.sessions["dev-1"].pending == 0
        left(client, aws)
    with aws.raw("dev-1") as client:
        assert not client.session_present
        assert aws.broker.subscriptions.empty


def test_a_persistent_session_expires():
    with lab("dev-1", profile=limited(session_expiry=0)) as running:
        left(subscribed(running, "dev-1", ("ok/#", 1), clean_session=False), running)
        running.journal.wait("session_expired", client_id="dev-1")
        with running.raw("dev-1", clean_session=False) as client:
            assert not client.session_present
            assert running.broker.subscriptions.empty


def test_a_session_that_is_in_use_again_does_not_expire():
    with lab("dev-1", "dev-2", profile=limited(session_expiry=0.1)) as running:
        left(running.raw("dev-1", clean_session=False), running)
        with running.raw("dev-1", clean_session=False):
            running.raw("dev-2", clean_session=False).socket.close()
            running.journal.wait("session_expired", client_id="dev-2")  # later than that of dev-1 would have been
            assert list(running.broker.sessions) == ["dev-1"]


def test_the_window_of_unacknowledged_messages():
    with lab("dev-1", profile=limited(in_flight=2)) as running, subscribed(running, "dev-1", ("ok/x", 1)) as client:
        for n in range(3):
            assert running.call(running.broker.publish, "ok/x", b"%d" % n) == 1
        assert [client.read().packet_id for _ in range(2)] == [1, 2]
        client.send(Pingreq())
        assert client.read() == Pingresp()
        client.send(Puback(1))
        assert client.read() == Publish("ok/x", b"2", 1, packet_id=3)


def test_keepalive_counts_from_the_last_packet():
    with lab("dev-1", profile=limited(keepalive_shortest=0.2, keepalive_longest=0.2)) as running:
        started = time.monotonic()
        with running.raw("dev-1", keepalive=600) as client:
            client.send(Pingreq())
            assert client.rest() == [Pingresp(), "notify"]
        assert time.monotonic() - started >= 0.3
        assert running.journal.wait("close")["reason"] == "MQTT_KEEP_ALIVE_TIMEOUT"


def test_bytes_of_a_packet_that_never_comes_do_not_keep_a_connection():
    with lab("dev-1", profile=limited(keepalive_shortest=0.2, keepalive_longest=0.2)) as running:
        client = running.raw("dev-1", keepalive=600)
        client.send(bytes([0x30, 0xFF, 0x01, 0x00, 0x04]) + b"ok/x")  # 248 of 255 bytes are missing
        client.socket.settimeout(0.02)
        with client:
            for _ in range(240):
                client.send(b"x")
                try:
                    if client.socket.recv(1) == b"":
                        break
                except TimeoutError:
                    continue
        assert running.journal.wait("close")["reason"] == "MQTT_KEEP_ALIVE_TIMEOUT"
        assert running.services.heard == []


def test_a_will_on_a_reserved_topic_is_not_heard_by_the_service(aws):
    topic = "$aws/things/dev-1/shadow/update"
    with subscribed(aws, "dev-2", (topic, 1)) as watcher:
        aws.raw("dev-1", will=Will(topic, b'{"state":{}}', 1)).socket.close()
        assert watcher.read() == Publish(topic, b'{"state":{}}', 1, packet_id=1)
    assert aws.services.heard == []


def test_who_gives_up_too_many_filters_at_once_gives_up_none(aws):
    with subscribed(aws, "dev-1", ("ok/1", 1), clean_session=False) as client:
        client.send(Unsubscribe(2, tuple(f"ok/{n}" for n in range(8))))
        assert client.read() == Unsuback(2)
        client.send(Subscribe(3, (("ok/1", 1),)))
        assert client.read() == Suback(3, (1,))
        client.send(Unsubscribe(4, tuple(f"ok/{n}" for n in range(9))))
        assert client.rest() == ["notify"]
    assert "9 filters in one UNSUBSCRIBE" in aws.journal.wait("close", client_id="dev-1")["detail"]
    assert aws.call(aws.broker.sessions.get, "dev-1").subscriptions == {"ok/1": 1}


BREACHES = {
    "QoS 2 publish": Publish("ok/x", b"", 2, packet_id=1),
    "QoS 2 subscribe": Subscribe(1, (("ok/x", 2),)),
    "nine filters": Subscribe(1, tuple((f"ok/{n}", 0) for n in range(9))),
    "long topic": Publish("ok/" + "x" * 254),
    "deep topic": Publish("ok/1/2/3/4/5/6/7/8"),
    "large payload": Publish("ok/x", b"x" * 131_073),
    "second CONNECT": Connect("dev-1"),
    "shared subscription": Subscribe(1, (("$share/g/ok/x", 0),)),
}


@pytest.mark.parametrize("packet", BREACHES.values(), ids=BREACHES.keys())
def test_breaches_end_the_connection(aws, packet):
    with aws.raw("dev-1") as client:
        client.send(Pingreq(), packet, Pingreq())
        assert client.rest() == [Pingresp(), "notify"]
    assert aws.journal.wait("close")["reason"] == "CLIENT_ERROR"
    assert aws.services.heard == []


def test_the_largest_message_passes(aws):
    with subscribed(aws, "dev-1", ("ok/#", 0)) as client:
        client.send(Publish("ok/" + "x" * 253, b"x" * 131_072, 1, packet_id=1))
        assert client.read() == Puback(1)
        assert len(client.read().payload) == 131_072


def test_subscriptions_are_counted(aws):
    with aws.raw("dev-1") as client:
        for n in range(50):
            client.send(Subscribe(n + 1, ((f"ok/{n}", 0),)))
            assert client.read() == Suback(n + 1, (0,))
        client.send(Subscribe(60, (("ok/7", 1),)))
        assert client.read() == Suback(60, (1,))
        client.send(Subscribe(61, (("ok/50", 0),)))
        assert client.rest() == ["notify"]
        assert aws.journal.wait("close")["detail"] == "more than 50 subscriptions"


@pytest.mark.parametrize(
    "connect",
    [
        Connect(""),
        Connect("$dev-1"),
        Connect("x" * 129),
        Connect("dev-1", will=Will("$SYS/x")),
        Connect("dev-1", will=Will("ok/x", qos=2)),
    ],
    ids=["empty id", "id with $", "long id", "will not offered", "will QoS 2"],
)
def test_connects_that_are_not_taken(aws, connect):
    with RawClient(aws.port, "dev-1") as client:
        client.send(connect)
        assert client.rest() == ["notify"]
    assert aws.journal.wait("connect_refused")["reason"] == "CLIENT_ERROR"


def test_the_service_answers_one_client(aws):
    topic = "$aws/things/dev-1/jobs/get/accepted"
    with aws.raw("dev-1") as asker, aws.raw("dev-2") as other:
        assert aws.call(aws.broker.send_to, "dev-1", topic, b"{}") is True
        assert asker.read() == Publish(topic, b"{}", 1, packet_id=1)
        other.send(Pingreq())
        assert other.read() == Pingresp()
        assert aws.call(aws.broker.send_to, "nobody", topic, b"{}") is False


def test_shadow_requests_reach_the_services(aws):
    with aws.raw("dev-1") as client:
        client.send(Publish("$aws/things/dev-1/shadow/update", b"{}", 1, packet_id=3))
        assert client.read() == Puback(3)
    assert aws.services.heard == [("dev-1", "$aws/things/dev-1/shadow/update", b"{}", 1, False)]


def test_disconnect_by_the_service(aws):
    with aws.raw("dev-1") as client:
        assert aws.call(aws.broker.connected, "dev-1")
        assert aws.call(aws.broker.disconnect, "dev-1") is True
        assert client.rest() == ["notify"]
        assert aws.call(aws.broker.disconnect, "dev-1") is False


def test_stop_ends_every_connection():
    with lab("dev-1", "dev-2") as running:
        clients = [running.raw("dev-1"), running.raw("dev-2")]
        running.run(running.broker.stop())
        assert [client.rest() for client in clients] == [["notify"], ["notify"]]
        assert {had["reason"] for had in running.journal.of("close")} == {"SERVER_INITIATED_DISCONNECT"}
        for client in clients:
            client.socket.close()


def test_a_client_that_does_not_read_is_not_written_to_without_bound():
    with lab("dev-1", profile=limited(queued=5)) as running, subscribed(running, "dev-1", ("ok/x", 1)) as client:
        block = b"x" * 100_000
        sent = 0
        while running.broker.sessions["dev-1"].dropped == 0:
            running.call(running.broker.publish, "ok/x", block)
            sent += 1
            assert sent < 500
        assert running.call(running.broker.publish, "ok/x", b"", 0) == 0
        kept = sent - 1
        for number in range(1, kept + 1):
            assert client.read().packet_id == number
            client.send(Puback(number))
        client.send(Pingreq())
        assert client.read() == Pingresp()


def test_connect_is_passed_on_and_journalled(aws):
    with RawClient(aws.port, "dev-1", server_name="mqtt.nrfcloud.com") as client:
        client.send(Connect("dev-1", False, 90, WILL))
        client.read()
    assert aws.directory.asked == ("dev-1", "127.0.0.1", "mqtt.nrfcloud.com", "ok/gone", True)
    connect = aws.journal.wait("connect")
    assert connect == {
        "client_id": "dev-1",
        "thing": "dev-1",
        "source_ip": "127.0.0.1",
        "server_name": "mqtt.nrfcloud.com",
        "clean_session": False,
        "session_present": False,
        "keepalive": 90,
    }

"""The broker with a client that this project did not write: paho-mqtt, on its own thread."""

import queue
import time
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.broker_lab import DEADLINE, client_context, identity


class Heard:
    """A paho client whose callbacks arrive in one queue, in order."""

    def __init__(self, running, name, client_id=None, **options):
        self._calls = queue.Queue()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id or name,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
            **options,
        )
        self.client.tls_set_context(client_context(name))
        self.client.on_connect = lambda *args: self._calls.put(("connect", args[3].value))
        self.client.on_subscribe = lambda *args: self._calls.put(("subscribe", [code.value for code in args[3]]))
        self.client.on_publish = lambda *args: self._calls.put(("publish", args[2]))
        self.client.on_message = lambda *args: self._calls.put(("message", args[2].topic, args[2].payload, args[2].qos))
        self.client.on_disconnect = lambda *args: self._calls.put(("disconnect", args[3].getName()))
        self._port = running.port

    def next(self):
        return self._calls.get(timeout=DEADLINE)


@contextmanager
def paho_client(running, name, **options):
    heard = Heard(running, name, **options)
    heard.client.connect("localhost", running.port, keepalive=60)
    heard.client.loop_start()
    try:
        yield heard
    finally:
        heard.client.disconnect()
        heard.client.loop_stop()


def test_connect_subscribe_publish_and_leave(aws):
    with paho_client(aws, "dev-1") as one:
        assert one.next() == ("connect", 0)
        one.client.subscribe([("ok/+", 1), ("ok/quiet/#", 0)])
        assert one.next() == ("subscribe", [1, 0])
        mid = one.client.publish("ok/x", b"hello", qos=1).mid
        assert sorted([one.next(), one.next()]) == [("message", "ok/x", b"hello", 1), ("publish", mid)]
        one.client.publish("ok/quiet/y", b"psst", qos=0)
        assert sorted([one.next()[0], one.next()[0]]) == ["message", "publish"]
    assert one.next() == ("disconnect", "Normal disconnection")
    aws.journal.wait("close", reason="CLIENT_INITIATED_DISCONNECT")


@pytest.mark.parametrize("qos", [0, 1])
def test_a_forbidden_publish_disconnects(aws, qos):
    with paho_client(aws, "dev-1") as one:
        assert one.next() == ("connect", 0)
        info = one.client.publish("forbidden", b"", qos=qos)
        heard = one.next()
        if qos == 0:  # paho calls it published once it is written
            assert heard == ("publish", info.mid)
            heard = one.next()
        assert heard == ("disconnect", "Unspecified error")
        assert info.is_published() == (qos == 0)
    assert aws.journal.wait("close", client_id="dev-1")["reason"] == "AUTH_ERROR"


def test_a_forbidden_subscribe_disconnects(aws):
    with paho_client(aws, "dev-1") as one:
        assert one.next() == ("connect", 0)
        one.client.subscribe("forbidden/#", 1)
        assert one.next() == ("disconnect", "Unspecified error")


def test_a_refused_connect_is_a_hang_up(aws):
    with paho_client(aws, "dev-1", client_id="dev-2") as one:
        assert one.next() == ("disconnect", "Unspecified error")


def test_a_client_without_nodelay_is_not_held_up(aws):
    """paho leaves Nagle's algorithm on; against delayed ACKs each round trip would take 40 ms."""
    with paho_client(aws, "dev-1") as one:
        assert one.next() == ("connect", 0)
        one.client.subscribe("ok/x", 1)
        assert one.next() == ("subscribe", [1])
        took = []
        for _ in range(15):
            started = time.monotonic()
            one.client.publish("ok/x", b"", qos=1)
            assert sorted([one.next()[0], one.next()[0]]) == ["message", "publish"]
            took.append(time.monotonic() - started)
    assert min(took) < 0.02  # not the median: other work on the computer may hold up some, Nagle would hold up all


def test_mqtt_5_is_answered_as_unsupported(aws):
    client = paho.Client(CallbackAPIVersion.VERSION2, "dev-1", protocol=paho.MQTTv5)
    client.tls_set_context(client_context("dev-1"))
    client.connect("localhost", aws.port)
    assert aws.journal.wait("close")["detail"] == "CONNECT of protocol 'MQTT' level 5"
    client.disconnect()


def test_an_unregistered_certificate_does_not_get_through(aws):
    stranger = identity("stranger")
    client = paho.Client(CallbackAPIVersion.VERSION2, stranger.name, protocol=paho.MQTTv311)
    client.tls_set_context(client_context("stranger"))
    client.connect("localhost", aws.port)
    assert client.loop(DEADLINE) in (paho.MQTT_ERR_SUCCESS, paho.MQTT_ERR_CONN_LOST)
    assert not client.is_connected()
    assert "not registered" in aws.journal.wait("connect_refused", client_id=stranger.name)["detail"]


def test_a_persistent_session_gets_what_it_missed(aws):
    with paho_client(aws, "dev-1", clean_session=False) as one:
        assert one.next() == ("connect", 0)
        one.client.subscribe("ok/#", 1)
        assert one.next() == ("subscribe", [1])
    aws.journal.wait("close", client_id="dev-1")
    with paho_client(aws, "dev-2") as two:
        assert two.next() == ("connect", 0)
        for n in range(150):
            two.client.publish("ok/x", b"%d" % n, qos=1)
        assert {two.next()[0] for _ in range(150)} == {"publish"}
    with paho_client(aws, "dev-1", clean_session=False) as one:
        assert one.next() == ("connect", 0)
        assert [one.next() for _ in range(150)] == [("message", "ok/x", b"%d" % n, 1) for n in range(150)]

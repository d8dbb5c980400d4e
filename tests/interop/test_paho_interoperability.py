"""What Eclipse Paho's interoperability suite asks of an MQTT 3.1.1 broker, asked of the local cloud by paho-mqtt.

The suite itself (eclipse/paho.mqtt.testing) is in no package registry, so its checks are written anew. QoS 2 is left
out, which AWS IoT does not have; where AWS IoT is otherwise, the check is for what AWS IoT does and says so. The policy
folder allows everything to every certificate, under any client id, whichever order its files are read in.
"""

import json
import queue
import ssl
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from harness.settings import CloudSettings, Limits
from tests.integration.cloud_lab import DEADLINE, Identity, running_cloud

TOPICS = ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")
NOT_ALLOWED = "test/nosubscribe"


def statement(effect, action, resource):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}
    )


EVERYTHING = statement("Allow", "iot:*", "*")
BUT_ONE = statement("Deny", "iot:Subscribe", f"arn:aws:iot:*:*:topicfilter/{NOT_ALLOWED}")


@pytest.fixture(params=[("everything", "less"), ("z-everything", "a-less")], ids=["allowed-first", "denied-first"])
def lab(tmp_path, request):
    folder = tmp_path / "policies"
    folder.mkdir()
    for name, text in zip(request.param, (EVERYTHING, BUT_ONE), strict=True):
        (folder / f"{name}.json").write_text(text)
    # AWS IoT's shortest keep-alive of 30 s would make a long test.
    shortest = 0.2 if request.function is test_keepalive else 30
    settings = CloudSettings(limits=Limits(keepalive_shortest=shortest))
    with running_cloud(tmp_path, settings, policies=folder) as lab:
        identity = Identity("dev-1")
        body = {"certificate": identity.certificate_pem}
        assert lab.rest("POST", "/devices/dev-1", json=body).status_code == 202
        lab.pem = tmp_path / "dev-1.pem"
        lab.pem.write_text(identity.certificate_pem + identity.private_key_pem)
        yield lab


class Client:
    """A paho client with any id and the device's certificate; its callbacks arrive in one queue, in order."""

    def __init__(self, lab, client_id, *, clean=True, acknowledge=True, will=None, keepalive=60, loop=True):
        self._calls = queue.Queue()
        self.client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=clean,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=not acknowledge,
        )
        context = ssl.create_default_context(cafile=str(lab.ca_file))
        context.load_cert_chain(lab.pem)
        client.tls_set_context(context)
        if will:
            client.will_set(*will)
        client.on_connect = lambda *args: self._calls.put(("connect", args[3].value, args[2].session_present))
        client.on_subscribe = lambda *args: self._calls.put(("subscribe", [code.value for code in args[3]]))
        client.on_unsubscribe = lambda *args: self._calls.put(("unsubscribe",))
        client.on_message = lambda *args: self._calls.put(args[2])
        client.on_disconnect = lambda *args: self._calls.put(("disconnect",))
        host, port = lab.cloud.mqtt_address
        client.connect(host, port, keepalive=keepalive)
        if loop:
            client.loop_start()

    def next(self):
        return self._calls.get(timeout=DEADLINE)

    def connected(self, session_present=False):
        assert self.next() == ("connect", 0, session_present)
        return self

    def subscribe(self, *filters):
        self.client.subscribe(list(filters))
        assert self.next() == ("subscribe", [qos for _, qos in filters])

    def messages(self):
        """Return the messages up to a last one of its own: (topic, payload, QoS, retained)."""
        self.client.subscribe("end", 1)
        self.client.publish("end", b"", 1)
        found = []
        while True:
            call = self.next()
            if isinstance(call, tuple):
                assert call == ("subscribe", [1])
            elif call.topic == "end":
                return found
            else:
                found.append((call.topic, call.payload, call.qos, call.retain))


@contextmanager
def client(lab, client_id="myclientid", **options):
    one = Client(lab, client_id, **options)
    try:
        yield one
    finally:
        one.client.disconnect()
        one.client.loop_stop()


def test_basic(lab):
    with client(lab) as one:
        one.connected().subscribe((TOPICS[0], 1))
        for qos in (0, 1):
            one.client.publish(TOPICS[0], f"qos {qos}", qos)
        assert one.messages() == [(TOPICS[0], b"qos 0", 0, False), (TOPICS[0], b"qos 1", 1, False)]


def test_retained_messages(lab):
    with client(lab) as one:
        one.connected()
        for qos, topic in enumerate(TOPICS[1:3]):
            one.client.publish(topic, f"qos {qos}", qos, retain=True).wait_for_publish(DEADLINE)
    with client(lab) as one:
        one.connected().subscribe(*((topic, 1) for topic in TOPICS[1:3]))
        assert one.messages() == [(TOPICS[1], b"qos 0", 0, True), (TOPICS[2], b"qos 1", 1, True)]
    with client(lab) as one:
        one.connected().subscribe(("+/+", 1))
        assert one.messages() == []  # AWS IoT: not by wildcards
        for topic in TOPICS[1:3]:
            one.client.publish(topic, b"", 1, retain=True).wait_for_publish(DEADLINE)
    with client(lab) as one:
        one.connected().subscribe(*((topic, 1) for topic in TOPICS[1:3]))
        assert one.messages() == []


def test_will_message(lab):
    with client(lab, "watcher") as watcher:
        watcher.connected().subscribe((TOPICS[2], 1))
        with client(lab, will=(TOPICS[2], b"client not disconnected", 1)) as one:
            one.connected()
            one.client.socket().shutdown(2)
        assert (TOPICS[2], b"client not disconnected", 1, False) in watcher.messages()


@pytest.mark.parametrize("clean", [True, False])
def test_zero_length_client_id(lab, clean):
    """AWS IoT takes none, clean session or not; paho-mqtt does not send one with clean session 0."""
    if not clean:
        with pytest.raises(ValueError, match="client id"):
            Client(lab, "", clean=False)
        return
    with client(lab, "") as one:
        assert one.next() == ("disconnect",)


def test_offline_message_queueing(lab):
    with client(lab, clean=False) as one:
        one.connected().subscribe(("+/+", 1))
    lab.journal.wait("close", client_id="myclientid")
    with client(lab, "other") as other:
        other.connected()
        for qos, topic in ((0, TOPICS[1]), (1, TOPICS[2]), (1, TOPICS[3])):
            other.client.publish(topic, f"qos {qos}", qos).wait_for_publish(DEADLINE)
    with client(lab, clean=False) as one:
        one.connected(session_present=True)
        assert one.messages() == [(TOPICS[2], b"qos 1", 1, False), (TOPICS[3], b"qos 1", 1, False)]


def test_overlapping_subscriptions(lab):
    with client(lab) as one:
        one.connected().subscribe(("+/C", 0), ("TopicA/#", 1))
        one.client.publish("TopicA/C", b"overlapping", 1)
        assert one.messages() == [("TopicA/C", b"overlapping", 1, False)]


def test_keepalive(lab):
    silent = Client(lab, "silent", will=(TOPICS[4], b"keepalive expiry", 1), keepalive=1, loop=False)
    assert lab.journal.wait("close", client_id="silent")["reason"] == "MQTT_KEEP_ALIVE_TIMEOUT"
    assert lab.journal.wait("publish", client_id="silent")["topic"] == TOPICS[4]
    silent.client.disconnect()


def test_redelivery_on_reconnect(lab):
    with client(lab, clean=False, acknowledge=False) as one:
        one.connected().subscribe((TOPICS[1], 1))
        one.client.publish(TOPICS[1], b"again", 1)
        assert not one.next().dup
        one.client.socket().shutdown(2)
    lab.journal.wait("close", client_id="myclientid")
    with client(lab, clean=False) as one:
        one.connected(session_present=True)
        message = one.next()
        assert (message.topic, message.payload, message.dup) == (TOPICS[1], b"again", True)


def test_dollar_topics(lab):
    with client(lab) as one:
        one.connected().subscribe(("+/rules/#", 1), ("#", 1))
        one.client.publish("$aws/rules/one/x", b"", 1)
        one.client.publish("x/rules/y", b"seen", 1)
        assert one.messages() == [("x/rules/y", b"seen", 1, False)]


def test_unsubscribe(lab):
    with client(lab) as one:
        one.connected().subscribe(*((topic, 1) for topic in TOPICS[:3]))
        one.client.unsubscribe([TOPICS[0]])
        assert one.next() == ("unsubscribe",)
        for topic in TOPICS[:3]:
            one.client.publish(topic, b"x", 1).wait_for_publish(DEADLINE)
        assert [message[0] for message in one.messages()] == list(TOPICS[1:3])


def test_subscribe_failure(lab):
    """The suite expects SUBACK 0x80; AWS IoT hangs up."""
    with client(lab) as one:
        one.connected().client.subscribe(NOT_ALLOWED, 1)
        assert one.next() == ("disconnect",)

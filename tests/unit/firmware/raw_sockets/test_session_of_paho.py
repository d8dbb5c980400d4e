"""One MQTT connection through a board's socket in memory, with a broker of a few bytes behind it."""

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from harness.errors import BoardLost, Misuse
from harness.firmware.bridge import SocketEnd
from harness.firmware.interface import Login, NoSession, Will
from harness.firmware.raw_sockets import mqtt_session as module
from harness.firmware.raw_sockets.mqtt_session import MqttSession
from harness.timeline import Kind, now, unpacked
from tests.unit.firmware.bridge.far_socket import FarSocket
from tests.unit.firmware.raw_sockets.broker_socket import CONNECT, DISCONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, Broker

WAIT = 10.0
LOGIN = Login("dev-1", "h", 8883, 42)


@pytest.fixture
def session():
    sessions = []

    def made(broker, login=LOGIN, timeout=33.0):
        sessions.append(MqttSession(broker, login, timeout=timeout))
        return sessions[-1]

    yield made
    for each in sessions:
        each.drop()


def heard(broker, text):
    """Return the event with this text, and wait for it."""
    event = broker.port.timeline.wait(lambda event: event.text == text, since=0, timeout=WAIT)
    assert event is not None, [event.text for event in broker.port.timeline.since()]
    return event


def texts(broker, kind):
    return [event.text for event in broker.port.timeline.since() if event.kind is kind]


# -- CONNECT


def test_a_connect_goes_through_the_boards_socket_as_the_login_says(session):
    broker = Broker()
    made = session(broker)
    assert broker.calls[0] == ("connect", "h", 8883, 42, 33.0)
    _, body = broker.wait(CONNECT)
    assert body == b"\0\4MQTT\4\2\x04\xb0\0\5dev-1"  # 3.1.1, clean session, keep-alive 1200 s
    sent = heard(broker, "MQTT CONNECT as dev-1 (keep-alive 1200 s)")
    assert (sent.kind, sent.source, sent.data) == (Kind.TX, "dk1", {})
    accepted = heard(broker, "accepted")
    assert (accepted.kind, accepted.source, accepted.data) == (Kind.MQTT, "dk1", {"kind": "accepted", "result": 0})
    assert made.running
    assert made.failure is None


def test_a_session_and_a_will_are_said_in_connect_and_on_the_timeline(session):
    broker = Broker()
    will = Will("w/t", b"gone", qos=1, retain=True)
    session(broker, Login("dev-1", "h", 8883, 42, keepalive=60, clean_session=False, will=will))
    _, body = broker.wait(CONNECT)
    assert body == b"\0\4MQTT\4\x2c\0\x3c\0\5dev-1\0\3w/t\0\4gone"
    heard(broker, "MQTT CONNECT as dev-1 (keep-alive 60 s, persistent session, will on w/t)")


def test_a_will_of_qos_0_that_is_not_retained(session):
    broker = Broker()
    session(broker, Login("dev-1", "h", 8883, 42, will=Will("w", b"x", qos=0, retain=False)))
    assert broker.wait(CONNECT)[1][7] == 0b0110
    heard(broker, "MQTT CONNECT as dev-1 (keep-alive 1200 s, will on w)")


@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_a_connack_that_says_no_has_its_return_code(session, code):
    broker = Broker(connack=code)
    session(broker)
    event = heard(broker, f"CONNACK return code {code}")
    assert event.data == {"kind": "refused", "result": code}


@pytest.mark.parametrize(("code", "result"), [(132, 1), (133, 2), (136, 3), (134, 4), (135, 5), (77, 77)])
def test_what_paho_makes_of_return_codes_is_turned_back(session, code, result):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    made._connected(None, None, None, SimpleNamespace(value=code), None)
    assert broker.port.timeline.since()[-1].text == f"CONNACK return code {result}"


def test_a_socket_that_cannot_connect_leaves_nothing_behind(monkeypatch):
    clients, closed = [], []

    class Nowhere(FarSocket):
        def connect(self, host, port, sec_tag, *, timeout):
            raise NoSession("dk1: no TLS session")

    made = Client

    def noted(*args, **options):
        clients.append(made(*args, **options))
        return clients[-1]

    local_end = module._local_end

    def local(client, login):
        closed.append(local_end(client, login))
        return closed[-1]

    monkeypatch.setattr(module, "Client", noted)
    monkeypatch.setattr(module, "_local_end", local)
    far = Nowhere()
    with pytest.raises(NoSession, match=r"^dk1: no TLS session$"):
        MqttSession(far, LOGIN, timeout=1.0)
    assert far.port.timeline.since() == []
    (client,) = clients
    assert client.on_disconnect is None
    assert client.socket() is None
    assert closed[0].fileno() == -1


def test_the_client_is_a_plain_one_that_never_connects_again(session, monkeypatch):
    made = []

    class Noted(Client):
        def __init__(self, *args, **options):
            made.append((args, options))
            super().__init__(*args, **options)

    monkeypatch.setattr(module, "Client", Noted)
    session(Broker(), Login("dev-1", "h", 1, 42, clean_session=False))
    ((args, options),) = made
    assert args == (CallbackAPIVersion.VERSION2, "dev-1")
    assert options == {
        "clean_session": False,
        "protocol": MQTTProtocolVersion.MQTTv311,
        "transport": "unix",
        "reconnect_on_failure": False,
    }


def test_paho_feels_soon_that_the_board_takes_no_more(session):
    made = session(Broker())
    size = made._client.socket().getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert size <= 64 * 1024


def test_pahos_own_address_is_gone_before_a_byte_of_it_is_read(session):
    made = session(Broker())
    folder = Path(made._client.host).parent
    assert folder.name.startswith("nrf91-mqtt-"), "if it is left behind, it is known whose it is"
    assert not folder.exists()


# -- requests and their answers


def test_a_message_its_acknowledgement_and_their_number(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    assert made.publish("a/b", b"\0x", qos=1, retain=True)
    flags, body = broker.wait(PUBLISH)
    assert flags == 0b0011
    assert body == b"\0\3a/b\0\1\0x"
    sent = heard(broker, "MQTT PUBLISH a/b (QoS 1, retain, id 1)")
    assert (sent.kind, sent.data["packet_id"], len(sent.data) > 1) == (Kind.TX, 1, True)
    puback = heard(broker, "puback")
    assert puback.data == {"kind": "puback", "result": 0, "packet_id": 1}


def test_a_message_of_qos_0_has_no_acknowledgement(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    assert made.publish("a/b", b"x", qos=0, retain=False)
    assert broker.wait(PUBLISH) == (0, b"\0\3a/bx")
    heard(broker, "MQTT PUBLISH a/b (QoS 0, id 1)")
    made.publish("a/b", b"x", qos=1, retain=False)
    heard(broker, "puback")
    assert texts(broker, Kind.MQTT) == ["accepted", "puback"]


def test_no_topic_of_mqtt_is_the_callers_mistake(session):
    broker = Broker()
    made = session(broker)
    with pytest.raises(Misuse, match=r"^dk1: cannot publish on 'a/\+': .+"):
        made.publish("a/+", b"x", qos=1, retain=False)
    with pytest.raises(Misuse, match=r"^dk1: cannot subscribe 'a/#/b': .+"):
        made.subscribe("a/#/b", qos=1)
    with pytest.raises(Misuse, match=r"^dk1: cannot unsubscribe '': .+"):
        made.unsubscribe("")


@pytest.mark.parametrize(("qos", "code", "text", "result"), [(0, 0, "suback", 0), (1, 1, "suback", 0)])
def test_a_subscription_is_asked_for_and_granted(session, qos, code, text, result):
    broker = Broker(suback=code)
    made = session(broker)
    heard(broker, "accepted")
    assert made.subscribe("a/+", qos=qos)
    assert broker.wait(SUBSCRIBE) == (2, b"\0\1\0\3a/+" + bytes((qos,)))
    sent = heard(broker, "MQTT SUBSCRIBE a/+ (id 1)")
    assert (sent.kind, sent.data) == (Kind.TX, {"packet_id": 1})
    assert heard(broker, text).data == {"kind": "suback", "result": result, "packet_id": 1}


def test_a_subscription_that_is_refused_shows_its_return_code(session):
    broker = Broker(suback=0x80)
    made = session(broker)
    heard(broker, "accepted")
    made.subscribe("a/+", qos=1)
    assert heard(broker, "suback with return code 0x80").data["result"] == 0x80


def test_a_suback_without_a_code_is_a_refusal(session):
    broker = Broker()
    made = session(broker)
    made._subscribed(None, None, 3, [], None)
    heard(broker, "suback with return code 0x80")


def test_a_subscription_is_ended(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    assert made.unsubscribe("a/+")
    assert broker.wait(UNSUBSCRIBE) == (2, b"\0\1\0\3a/+")
    assert heard(broker, "MQTT UNSUBSCRIBE a/+ (id 1)").data == {"packet_id": 1}
    assert heard(broker, "unsuback").data == {"kind": "unsuback", "result": 0, "packet_id": 1}


def test_a_message_from_the_broker_is_an_event_with_its_payload(session):
    broker = Broker()
    began = now()
    session(broker)
    accepted = heard(broker, "accepted")
    broker.arrive(b"\x30\7\0\3c/dhi")
    event = heard(broker, "message on c/d (2 bytes)")
    assert began <= accepted.t <= event.t <= now()
    assert (event.kind, event.source) == (Kind.MQTT, "dk1")
    assert event.data["topic"] == "c/d"
    assert event.data["result"] == 0
    assert unpacked(event.data) == b"hi"


def test_without_a_connection_nothing_is_asked_and_nothing_told(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    broker.hang_up()
    closed = broker.port.timeline.wait(
        lambda event: event.kind is Kind.MQTT and event.data["kind"] == "closed", since=0, timeout=WAIT
    )
    assert closed is not None
    made._client.loop_stop()
    before = len(texts(broker, Kind.TX))
    assert made.subscribe("a", qos=1) is False
    assert made.unsubscribe("a") is False
    assert made.publish("a", b"x", qos=1, retain=False) is False
    assert len(texts(broker, Kind.TX)) == before


# -- the end


def test_a_goodbye_is_said_and_the_boards_socket_closed(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    made.close()
    assert broker.closed.is_set()
    assert not made.running
    assert not made.stands()
    assert broker.wait(DISCONNECT) == (0, b"")
    assert texts(broker, Kind.TX)[-1] == "MQTT DISCONNECT"
    assert heard(broker, "disconnected as asked").data == {"kind": "closed", "result": 0}


def test_a_connection_that_is_over_is_closed_without_a_goodbye(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    broker.hang_up()
    assert broker.closed.wait(WAIT)
    made._client.loop_stop()
    made.close()
    assert "MQTT DISCONNECT" not in texts(broker, Kind.TX)


def test_a_connection_is_dropped_without_a_goodbye(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    made.drop()
    assert broker.closed.is_set()
    assert all(packet[0] != DISCONNECT for packet in broker.packets)
    assert made._asked_to_end is True


def test_whether_it_stands_is_the_boards_to_say(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    assert made.stands() is True
    broker.truth = 16
    broker._over = True
    assert made.stands() is False


@pytest.mark.parametrize(
    ("end", "result"),
    [
        (SocketEnd.PEER, -128),
        (SocketEnd.HUNG_UP, -104),
        (SocketEnd.RESET, -104),
        (SocketEnd.NETWORK, -115),
        (SocketEnd.INVALID, -128),
        (None, -128),
    ],
)
def test_how_the_boards_socket_ended_is_the_firmwares_errno(session, end, result):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    made._pump.end = end
    made._disconnected(None, None, None, None, None)
    event = broker.port.timeline.since()[-1]
    assert event.data["kind"] == "closed"
    assert event.data["result"] == result
    assert made._pump.failure is None


def test_a_bridge_that_could_not_go_on_says_why(session):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")
    port: Any = broker.port
    port.hang_up()
    fault = heard(broker, "the bridge has ended: dk1: hung up")
    assert (fault.kind, fault.source) == (Kind.FAULT, "dk1")
    event = broker.port.timeline.wait(lambda each: each.kind is Kind.MQTT, since=fault.seq, timeout=WAIT)
    assert event is not None
    assert event.data["result"] == -5
    assert isinstance(made.failure, BoardLost)
    made.close()


def test_a_board_that_goes_while_it_is_asked_to_hand_over_is_closed_too(session, monkeypatch):
    broker = Broker()
    made = session(broker)
    heard(broker, "accepted")

    def settle(_timeout):
        raise BoardLost("dk1: hung up")

    monkeypatch.setattr(made._pump, "settle", settle)
    made.close()
    assert not made.running
    assert texts(broker, Kind.TX)[-1] == "MQTT DISCONNECT"


def test_what_is_waited_for_at_the_end_has_its_time(session, monkeypatch):
    made = session(Broker())
    waits = []
    monkeypatch.setattr(made._pump, "settle", lambda timeout: waits.append(("settle", timeout)))
    monkeypatch.setattr(made._pump, "join", lambda timeout: waits.append(("join", timeout)))
    monkeypatch.setattr(made._pump, "ask", lambda timeout: waits.append(("ask", timeout)))
    made.stands()
    made.close()
    assert waits == [("ask", 60.0), ("settle", 5.0), ("join", 60.0)]


def test_requests_that_paho_refuses_are_no_requests(session, monkeypatch):
    broker = Broker()
    made = session(broker)
    refused = MQTTErrorCode.MQTT_ERR_NO_CONN
    monkeypatch.setattr(made._client, "subscribe", lambda topic, qos: (refused, None))
    assert made.subscribe("a", qos=1) is False
    assert not any("SUBSCRIBE" in text for text in texts(broker, Kind.TX))

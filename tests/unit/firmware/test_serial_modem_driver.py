"""What Serial Modem is told, and how long each command may take."""

import pytest

from harness.at import AtError
from harness.at.syntax import FinalResult
from harness.firmware import Login, MqttEventKind, NoSession
from harness.firmware.serial_modem.watcher import SerialModemWatcher
from harness.timeline import Kind
from tests.unit.firmware.test_serial_modem import CONNECT, LOGIN, ScriptedPort, device, error

PUBLISH = 'AT#XMQTTPUB="a/b",'


def test_a_connect_takes_as_long_as_it_is_given():
    port = ScriptedPort()
    device(port).connect(LOGIN, timeout=33.0)
    assert port.timeouts[CONNECT] == 33.0
    device(port).connect(Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753, clean_session=False))
    assert port.timeouts[CONNECT] == 60.0
    assert port.sent[-2:] == ['AT#XMQTTCFG="dev-1",1200,0', CONNECT]


def test_a_connect_without_a_session_says_all_that_the_board_said():
    modem = device(ScriptedPort({CONNECT: AtError(CONNECT, FinalResult("+CME ERROR", 60))}))
    with pytest.raises(NoSession) as caught:
        modem.connect(LOGIN)
    assert str(caught.value) == (
        "dk1: no TLS session with mqtt.nrfcloud.com:8883 using sec_tag 16842753 (the board says "
        f"{FinalResult('+CME ERROR', 60)}; name, network, trust and key all look alike to it)"
    )
    assert isinstance(caught.value.__cause__, AtError)


@pytest.mark.parametrize(
    ("payload", "inline"),
    [
        (b"x", True),
        (b" ~", True),
        (b"x" * 1024, True),
        (b"x" * 1025, False),
        (b"", False),
        (b"a\x7f", False),
        (b"a\x80", False),
        (b"a\x1f", False),
        (b'a"b', False),
        (b"a,b", False),
        (b"X", True),
    ],
)
def test_a_payload_goes_inline_where_it_can_be_quoted(payload, inline):
    port = ScriptedPort()
    assert device(port).publish("a/b", payload) is True
    if inline:
        (command,) = port.sent
        assert command == f'{PUBLISH}"{payload.decode()}",1,0'
        assert port.timeouts[command] == 15.0
    else:
        assert port.sent == [f'{PUBLISH}"",1,0']
        assert port.payloads == [payload]


def test_a_publish_says_its_qos_and_whether_it_is_retained():
    port = ScriptedPort()
    modem = device(port)
    modem.publish("a/b", b"x", qos=0, retain=True)
    modem.publish("a/b", b"\n", qos=2, retain=True)
    assert port.sent == [f'{PUBLISH}"x",0,1', f'{PUBLISH}"",2,1']


def test_a_publish_in_data_mode_that_was_cut_short_is_refused():
    port = ScriptedPort()
    port.send_payload = lambda command, payload, timeout=10.0: -1
    assert device(port).publish("a/b", b"\n") is False


@pytest.mark.parametrize(
    ("call", "command"),
    [
        (lambda modem: modem.publish("a/b", b"x"), f'{PUBLISH}"x",1,0'),
        (lambda modem: modem.publish("a/b", b"\n"), f'{PUBLISH}"",1,0'),
        (lambda modem: modem.subscribe("a/+"), 'AT#XMQTTSUB="a/+",1'),
        (lambda modem: modem.subscribe("a/+", qos=0), 'AT#XMQTTSUB="a/+",0'),
        (lambda modem: modem.unsubscribe("a/+"), 'AT#XMQTTUNSUB="a/+"'),
    ],
)
def test_the_board_takes_a_request_or_refuses_it(call, command):
    port = ScriptedPort()
    assert call(device(port)) is True
    assert port.sent == [command]
    if "PUB=" not in command:
        assert port.timeouts[command] == 15.0
    assert call(device(ScriptedPort({command: error(command)}))) is False


# -- what the lines say, with their stamps


def see(*lines):
    """Show lines to a watcher, a second apart, and return what it made of the last."""
    watcher = SerialModemWatcher()
    found = None
    for t, (kind, text, data) in enumerate(lines):
        found = watcher.see(float(t), kind, text, data)
    return found


def urc(text, **data):
    return Kind.URC, text, data


CONNECTING = (Kind.TX, 'AT#XMQTTCON=1,"","","host",8883,1', {})


@pytest.mark.parametrize(
    ("lines", "kind", "result"),
    [
        ([urc("#XMQTTEVT: 0,0")], MqttEventKind.CLOSED, 0),
        ([CONNECTING, urc("#XMQTTEVT: 0,0")], MqttEventKind.ACCEPTED, 0),
        ([CONNECTING, urc("#XMQTTEVT: 0,5")], MqttEventKind.REFUSED, 5),
        ([CONNECTING, urc("#XMQTTEVT: 0,-111")], MqttEventKind.CLOSED, -111),
        ([CONNECTING, urc("#XMQTTEVT: 0,0"), urc("#XMQTTEVT: 0,-111")], MqttEventKind.CLOSED, -111),
        ([CONNECTING, urc("#XMQTTEVT: 0,-111"), urc("#XMQTTEVT: 0,0")], MqttEventKind.CLOSED, 0),
        ([CONNECTING, urc("#XMQTTEVT: 1,-128"), urc("#XMQTTEVT: 0,0")], MqttEventKind.CLOSED, 0),
        ([CONNECTING, urc("#XMQTTEVT: 9,0"), urc("#XMQTTEVT: 0,0")], MqttEventKind.ACCEPTED, 0),
        ([urc("#XMQTTEVT: 3,0")], MqttEventKind.PUBACK, 0),
        ([urc("#XMQTTEVT: 7,0")], MqttEventKind.SUBACK, 0),
        ([urc("#XMQTTEVT: 8,0")], MqttEventKind.UNSUBACK, 0),
        ([urc("#XMQTTEVT: 9,0")], MqttEventKind.OTHER, 0),
        # Only a command that is sent is one: the same text in the board's log begins nothing.
        ([(Kind.RX, CONNECTING[1], {}), urc("#XMQTTEVT: 0,0")], MqttEventKind.CLOSED, 0),
        ([(Kind.TX, "AT#XMQTTCON?", {}), urc("#XMQTTEVT: 0,0")], MqttEventKind.CLOSED, 0),
        (
            [CONNECTING, (Kind.RESULT, "ERROR", {"command": CONNECTING[1], "ok": False}), urc("#XMQTTEVT: 0,0")],
            MqttEventKind.CLOSED,
            0,
        ),
        (
            [CONNECTING, (Kind.RESULT, "OK", {"command": CONNECTING[1], "ok": True}), urc("#XMQTTEVT: 0,0")],
            MqttEventKind.ACCEPTED,
            0,
        ),
        (
            [CONNECTING, (Kind.RESULT, "ERROR", {"command": "AT+CFUN?", "ok": False}), urc("#XMQTTEVT: 0,0")],
            MqttEventKind.ACCEPTED,
            0,
        ),
    ],
)
def test_an_event_of_the_board_is_read_with_its_number_and_stamp(lines, kind, result):
    event = see(*lines)
    assert (event.kind, event.result, event.t) == (kind, result, len(lines) - 1.0)


def test_a_message_is_read_with_its_topic_its_payload_and_its_stamp():
    blobs = [{"payload": "YS//Yg==", "encoding": "base64"}, {"payload": "x"}]
    event = see(urc("#XMQTTEVT: 9,0"), urc("#XMQTTMSG: 4,1", blobs=blobs))
    assert (event.kind, event.result, event.t) == (MqttEventKind.MESSAGE, 0, 1.0)
    assert (event.topic, event.payload) == ("a/�b", b"x")


@pytest.mark.parametrize("text", ["+CEREG: 1", "Ready"])
def test_a_line_that_says_nothing_of_mqtt_is_no_event(text):
    assert see(urc(text)) is None
    assert see((Kind.RX, text, {})) is None


def test_an_event_of_another_port_ends_no_wait():
    port = ScriptedPort()
    modem = device(port)
    mark = modem.mark()
    port.timeline.add(Kind.MQTT, "another", "puback", result=0)
    port.urc("#XMQTTEVT: 3,0")
    event = modem.wait(lambda event: True, since=mark, timeout=1.0)
    assert event is not None
    assert event.kind is MqttEventKind.PUBACK

"""What Serial Modem is told, how long each command may take, and what an earlier user left on the board."""

import pytest

from harness.at import AtError
from harness.at.syntax import FinalResult
from harness.errors import LabError, NoAnswer
from harness.firmware import Login, MqttEventKind, NoSession, StillConnected, to_known_state
from harness.firmware.serial_modem.watcher import SerialModemWatcher
from harness.timeline import Kind
from tests.unit.firmware.test_serial_modem import CONNECT, LOGIN, ScriptedPort, device, error

PUBLISH = 'AT#XMQTTPUB="a/b",'
END = "AT#XMQTTCON=0"
ASK = "AT#XMQTTCON?"


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


def test_a_disconnect_waits_for_the_end_of_the_connection():
    port = ScriptedPort({END: ["#XMQTTEVT: 1,0"]})
    device(port).disconnect()
    assert port.timeouts[END] == 15.0
    assert port.timeline.waited == []
    port.answers = {}
    device(port).disconnect()  # the end that was reported before is of another connection
    assert port.timeline.waited == [10.0]


def test_a_disconnect_that_is_refused_has_nothing_to_wait_for():
    port = ScriptedPort({END: error(END)})
    device(port).disconnect()
    assert port.timeline.waited == []


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


# -- a board that an earlier user left connected


def known_state(port):
    to_known_state(port, "serial-modem")
    return [event.text for event in port.timeline.since() if event.kind is Kind.STEP]


class Asked(ScriptedPort):
    """A board that is connected for the first ``connected`` times that it is asked."""

    def __init__(self, connected, answers=None):
        super().__init__(answers)
        self.connected = connected
        self.lines = []

    def command(self, text, timeout=None):
        if text == ASK:
            self.connected -= 1
            self.answers[ASK] = f"#XMQTTCON: {int(self.connected >= 0)}" + ',"dev-1","host",8883'
        return super().command(text, timeout)

    def wait_line(self, pattern, timeout, *, since=None):
        self.lines.append((pattern, timeout, since))
        raise NoAnswer("nothing came")


def test_a_board_that_is_not_connected_is_left_as_it_is():
    port = Asked(0)
    assert known_state(port) == []
    assert port.sent == [ASK]


def test_a_board_whose_firmware_does_not_know_the_question_is_left_as_it_is():
    port = ScriptedPort({ASK: error(ASK)})
    assert known_state(port) == []
    assert port.sent == [ASK]


def test_a_connection_that_was_left_open_is_ended_and_its_end_waited_for():
    port = Asked(1)
    assert known_state(port) == ["an earlier user left an MQTT connection open: it is ended"]
    assert port.sent == [ASK, END, ASK]
    step = next(event for event in port.timeline.since() if event.kind is Kind.STEP)
    assert step.source == "dk1"
    assert port.lines == [(r"#XMQTTEVT: \d", 5.0, step.seq + 1)]


def test_a_connection_that_refuses_to_be_ended_is_asked_for_again():
    port = Asked(2, {END: error(END)})
    assert len(known_state(port)) == 2
    assert port.sent == [ASK, END, ASK, END, ASK]
    assert port.lines == []


def test_a_connection_that_ends_with_the_last_try_is_ended():
    port = Asked(3)
    assert len(known_state(port)) == 3
    assert port.sent == [ASK, END] * 3 + [ASK]


def test_a_connection_that_does_not_end_is_the_labs_trouble():
    port = Asked(9)
    with pytest.raises(StillConnected) as caught:
        known_state(port)
    assert str(caught.value) == (
        "dk1: an MQTT connection of an earlier user is still open after 3 AT#XMQTTCON=0; reset the board"
    )
    assert isinstance(caught.value, LabError)
    assert port.sent == [ASK, END] * 3 + [ASK]


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


@pytest.mark.parametrize("text", ["#XMQTTEVT: 2,0", "+CEREG: 1", "Ready"])
def test_a_line_that_says_nothing_of_mqtt_is_no_event(text):
    assert see(urc(text)) is None
    assert see((Kind.RX, text, {})) is None

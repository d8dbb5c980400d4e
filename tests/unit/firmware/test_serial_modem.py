"""Serial Modem's commands and URCs, on a scripted port."""

from __future__ import annotations

import time
from collections import deque

import pytest

from harness.at import Answer, AtError, Urc
from harness.at.syntax import FinalResult
from harness.errors import LabError, Misuse, NoAnswer
from harness.firmware import Login, MqttEventKind, NoSession, WrongFirmware, framed_urcs, open_firmware
from harness.firmware.serial_modem import SerialModem
from harness.timeline import Kind, Timeline

LOGIN = Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753, keepalive=120)
CONNECT = 'AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,16842753'


class ScriptedPort:
    """``answers``: command to URCs that follow its OK; an exception is raised instead."""

    name = "dk1"

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.sent: list[str] = []
        self.payloads: list[bytes] = []
        self.timeline = Timeline()
        self.queue: deque[Urc] = deque()
        self.closed = False

    def listen(self, *names):
        self.names = names
        return self

    def urc(self, text, *blobs):
        name, _, args = text.partition(": ")
        self.queue.append(Urc(name=name, args=args, text=text, blobs=blobs, t=time.monotonic()))

    def poll(self):
        return self.queue.popleft() if self.queue else None

    def next(self, timeout, *, what=""):
        if self.queue:
            return self.queue.popleft()
        raise NoAnswer(f"no {what} within {timeout:g} s")

    def close(self):
        self.closed = True

    def command(self, text, timeout=None):
        self.sent.append(text)
        found = self.answers.get(text, ())
        if isinstance(found, Exception):
            raise found
        if isinstance(found, str):
            return Answer(text, (found,), 0.0)
        for urc in found:
            self.urc(urc)
        return Answer(text, (), 0.0)

    def send_payload(self, command, payload, timeout=10.0):
        self.command(command)
        self.payloads.append(payload)
        return 0


def error(command):
    return AtError(command, FinalResult("ERROR"))


def device(port):
    return SerialModem(port, product="Serial Modem 1.0.0")


def heard(modem, since=0):
    return [(event.kind, event.result) for event in modem.events(since)]


def test_connect_configures_and_reports_connack():
    port = ScriptedPort({CONNECT: ["#XMQTTEVT: 0,0"]})
    modem = device(port)
    modem.connect(LOGIN)
    assert port.sent == ['AT#XMQTTCFG="dev-1",120,1', CONNECT]
    assert heard(modem) == [(MqttEventKind.ACCEPTED, 0)]


def test_connect_without_session_names_what_is_known():
    modem = device(ScriptedPort({CONNECT: error(CONNECT)}))
    with pytest.raises(NoSession, match=r"dk1: no TLS session with mqtt.nrfcloud.com:8883 using sec_tag 16842753"):
        modem.connect(LOGIN)


@pytest.mark.parametrize(
    ("urcs", "expected"),
    [
        (["#XMQTTEVT: 0,5", "#XMQTTEVT: 1,-111"], [(MqttEventKind.REFUSED, 5), (MqttEventKind.CLOSED, -111)]),
        (["#XMQTTEVT: 0,5", "#XMQTTEVT: 0,-111"], [(MqttEventKind.REFUSED, 5), (MqttEventKind.CLOSED, -111)]),
        (["#XMQTTEVT: 1,-128"], [(MqttEventKind.CLOSED, -128)]),
        (["#XMQTTEVT: 0,-111"], [(MqttEventKind.CLOSED, -111)]),
    ],
    ids=["refused-new", "refused-old", "hung-up-new", "hung-up-old"],
)
def test_every_form_of_a_refused_connect(urcs, expected):
    modem = device(ScriptedPort({CONNECT: urcs}))
    modem.connect(LOGIN)
    assert heard(modem) == expected


def test_plain_payload_goes_inline():
    port = ScriptedPort()
    assert device(port).publish("a/b", b"hello", qos=1)
    assert port.sent == ['AT#XMQTTPUB="a/b","hello",1,0']


@pytest.mark.parametrize("payload", [b'{"a":1}', b"a,b", b"two\r\nlines", b"x" * 1025, b"", "ø".encode()])
def test_other_payloads_go_through_data_mode(payload):
    port = ScriptedPort()
    assert device(port).publish("a/b", payload, qos=0, retain=True)
    assert port.sent == ['AT#XMQTTPUB="a/b","",0,1']
    assert port.payloads == [payload]


def test_refused_requests_are_no_exceptions():
    publish, subscribe, unsubscribe = 'AT#XMQTTPUB="t","m",1,0', 'AT#XMQTTSUB="t",1', 'AT#XMQTTUNSUB="t"'
    port = ScriptedPort({text: error(text) for text in (publish, subscribe, unsubscribe)})
    modem = device(port)
    assert not modem.publish("t", b"m")
    assert not modem.subscribe("t")
    assert not modem.unsubscribe("t")


def test_message_is_read_by_its_lengths():
    port = ScriptedPort()
    modem = device(port)
    port.urc("#XMQTTMSG: 3,8", b"a/b", b"two\r\nlin")
    port.urc("#XMQTTEVT: 2,0")
    (event,) = modem.events(0)
    assert (event.kind, event.topic, event.payload) == (MqttEventKind.MESSAGE, "a/b", b"two\r\nlin")
    assert framed_urcs("serial-modem")["#XMQTTMSG"]("3,8") == (3, 8)


def test_events_are_told_apart_and_put_on_the_timeline():
    port = ScriptedPort()
    modem = device(port)
    for number in (3, 7, 8, 9, 4):
        port.urc(f"#XMQTTEVT: {number},0")
    port.urc("#XMQTTEVT: 1,-128")
    assert heard(modem) == [
        (MqttEventKind.PUBACK, 0),
        (MqttEventKind.SUBACK, 0),
        (MqttEventKind.UNSUBACK, 0),
        (MqttEventKind.OTHER, 0),
        (MqttEventKind.OTHER, 0),
        (MqttEventKind.CLOSED, -128),
    ]
    assert [event.text for event in port.timeline.since() if event.kind is Kind.MQTT][-1] == "hung up: ENOTCONN (128)"
    assert modem.events(0)[-1].by_remote


def test_wait_sees_each_event_once_and_ends_at_the_deadline():
    port = ScriptedPort()
    modem = device(port)
    port.urc("#XMQTTEVT: 3,0")
    mark = modem.mark()
    seen = []
    assert modem.wait(lambda event: seen.append(event), since=mark, timeout=0.0) is None
    assert seen == []
    port.urc("#XMQTTEVT: 1,0")
    event = modem.wait(lambda event: event.kind is MqttEventKind.CLOSED, since=mark, timeout=1.0)
    assert event is not None
    assert not event.by_remote


def test_garbled_event_is_noted_and_skipped():
    port = ScriptedPort()
    modem = device(port)
    port.urc("#XMQTTEVT: 3,0#XMQ")
    port.urc("#XMQTTEVT: 3,0")
    assert heard(modem) == [(MqttEventKind.PUBACK, 0)]
    (fault,) = [event for event in port.timeline.since() if event.kind is Kind.FAULT]
    assert "#XMQTTEVT: 3,0#XMQ" in fault.text


@pytest.mark.parametrize("line", ["Ready", "INIT ERROR", "#XMODEM: FAULT,0x1,0x2"])
def test_restart_is_noticed_from_its_mark_on(line):
    port = ScriptedPort()
    modem = device(port)
    before = modem.mark()
    port.urc(line)
    assert modem.restarted(before) == line
    port.urc("#XMQTTEVT: 3,0")
    assert modem.restarted(modem.mark()) is None


def test_disconnect_waits_for_its_event_and_minds_nothing_when_not_connected():
    port = ScriptedPort({"AT#XMQTTCON=0": ["#XMQTTEVT: 1,0"]})
    modem = device(port)
    modem.disconnect()
    assert heard(modem) == [(MqttEventKind.CLOSED, 0)]
    port.answers["AT#XMQTTCON=0"] = error("AT#XMQTTCON=0")
    modem.disconnect()


@pytest.mark.parametrize(
    ("answers", "product"),
    [
        ({"AT#XSMVER": '#XSMVER: "1.0.0","3.2.1"'}, "Serial Modem 1.0.0"),
        ({"AT#XSMVER": error("x"), "AT#XSLMVER": '#XSLMVER: "2.9.0","2.7.0"'}, "Serial LTE Modem of NCS 2.9.0"),
    ],
)
def test_product_is_detected(answers, product):
    assert open_firmware(ScriptedPort(answers), "serial-modem").product == product


def test_other_firmware_is_the_labs_trouble():
    port = ScriptedPort({"AT#XSMVER": error("x"), "AT#XSLMVER": error("x")})
    with pytest.raises(WrongFirmware, match="dk1: neither AT#XSMVER nor AT#XSLMVER") as caught:
        open_firmware(port, "serial-modem")
    assert isinstance(caught.value, LabError)


def test_unknown_firmware_is_the_callers_mistake():
    with pytest.raises(Misuse, match="serial-modem"):
        framed_urcs("slm")

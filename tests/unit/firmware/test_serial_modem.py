"""Serial Modem's commands and lines, on a scripted port whose timeline has a clock of its own."""

from __future__ import annotations

import re

import pytest

from harness.at import Answer, AtError, PortSettings
from harness.at.syntax import FinalResult
from harness.errors import BoardLost, LabError, NoAnswer
from harness.firmware import (
    FIRMWARES,
    Capability,
    Login,
    MqttEventKind,
    NoSession,
    WrongFirmware,
    open_firmware,
    restart,
)
from harness.timeline import Kind, Timeline, packed
from tests.fake import Fake

LOGIN = Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753, keepalive=120)
CONNECT = 'AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,16842753'
VERSION = {"AT#XSMVER": '#XSMVER: "1.0.0","3.2.1"'}


class ClockedTimeline(Timeline):
    """Nothing is waited for in vain: ``waited`` are the seconds that such waits would have taken."""

    def __init__(self):
        super().__init__()
        self.waited: list[float] = []

    def wait(self, match, *, since, timeout):
        found = super().wait(match, since=since, timeout=0.0)
        if found is None:
            self.waited.append(timeout)
        return found


class ScriptedPort(Fake):
    """``answers``: command to URCs that follow its OK; an exception is raised instead, a text is its answer."""

    name = "dk1"
    settings = PortSettings()

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.sent: list[str] = []
        self.timeouts: dict[str, float | None] = {}
        self.payloads: list[bytes] = []
        self.timeline = ClockedTimeline()
        self.failure = None
        self._watch = lambda drafts: drafts

    def watch(self, watch):
        self._watch = watch

    def _enter(self, kind, text, **data):
        self.timeline.extend(self._watch([(1.0, kind, self.name, text, data)]))

    def urc(self, text, *blobs):
        self._enter(Kind.URC, text, **({"blobs": [packed(blob) for blob in blobs]} if blobs else {}))

    def log(self, text):
        self._enter(Kind.RX, text)

    def command(self, text, timeout=None):
        self.sent.append(text)
        self.timeouts[text] = timeout
        found = self.answers.get(text, ())
        self._enter(Kind.TX, text)
        ok = not isinstance(found, Exception)
        self._enter(Kind.RESULT, "OK" if ok else "ERROR", command=text, ok=ok, seconds=0.0)
        if not ok:
            raise found
        if isinstance(found, str):
            return Answer(text, (found,), 0.0)
        for urc in found:
            self.urc(urc)
        return Answer(text, (), 0.0)

    def wait(self, match, *, since, timeout):
        return self.timeline.wait(match, since=since, timeout=timeout)

    def wait_line(self, pattern, timeout, *, since):
        found = self.timeline.wait(lambda event: re.search(pattern, event.text), since=since, timeout=timeout)
        if found is None:
            raise NoAnswer(f"no line with {pattern!r}")
        return found

    def send_payload(self, command, payload, timeout=10.0):
        self.command(command)
        self.payloads.append(payload)
        return 0


def error(command):
    return AtError(command, FinalResult("ERROR"))


def steps(port):
    return [(event.source, event.text) for event in port.timeline.since() if event.kind is Kind.STEP]


def device(port):
    answers, port.answers = port.answers, VERSION
    modem = open_firmware(port, "serial-modem")
    port.answers = answers
    port.sent.clear()
    return modem


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


@pytest.mark.parametrize(
    ("name", "args", "lengths"),
    [("#XMQTTMSG", "3,8", (3, 8)), ("#XHTTPCDATA", "3,0,5", (5,)), ("#XHTTPCDATA", "3,5,0", ()), ("#XRECV", "7", (7,))],
)
def test_the_bytes_that_follow_a_line(name, args, lengths):
    assert FIRMWARES["serial-modem"].framed[name](args) == lengths


@pytest.mark.parametrize("args", ["3", "3,", ",8", "3,8,1", "a,b"])
def test_a_messages_header_has_two_numbers(args):
    with pytest.raises(ValueError, match=r"invalid literal|unpack"):
        FIRMWARES["serial-modem"].framed["#XMQTTMSG"](args)


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
    assert modem.wait(lambda event: seen.append(event), since=mark, timeout=7.0) is None
    assert (seen, port.timeline.waited) == ([], [7.0])
    port.urc("#XMQTTEVT: 1,0")
    event = modem.wait(lambda event: event.kind is MqttEventKind.CLOSED, since=mark, timeout=1.0)
    assert event is not None
    assert not event.by_remote


def test_what_does_not_come_in_time_is_the_labs_error_with_what_was_last_heard():
    port = ScriptedPort()
    modem = device(port)
    mark = modem.mark()
    with pytest.raises(NoAnswer, match=r"expected an answer, got nothing within 7 s; no MQTT event came; see"):
        modem.hear(lambda event: True, "an answer", since=mark, timeout=7.0)
    port.urc("#XMQTTEVT: 3,0")
    assert modem.hear(lambda event: True, "an answer", since=mark, timeout=7.0).kind is MqttEventKind.PUBACK
    port.urc("#XMQTTEVT: 7,0")
    port.urc("#XMQTTEVT: 1,0")
    with pytest.raises(NoAnswer) as caught:
        modem.hear(lambda event: False, "an answer", since=mark, timeout=7.0)
    assert str(caught.value) == (
        "dk1: expected an answer, got nothing within 7 s; last heard: disconnected as asked; see its transcript and the"
        " radio network"
    )
    assert port.timeline.waited == [7.0, 7.0]


def test_garbled_event_is_noted_and_skipped():
    port = ScriptedPort()
    modem = device(port)
    port.urc("#XMQTTEVT: 3,0#XMQ")
    port.urc("#XMQTTEVT: 3,0")
    assert heard(modem) == [(MqttEventKind.PUBACK, 0)]
    (fault,) = [event for event in port.timeline.since() if event.kind is Kind.FAULT]
    assert "#XMQTTEVT: 3,0#XMQ" in fault.text


@pytest.mark.parametrize("line", ["Ready", "INIT ERROR", "#XMODEM: FAULT,0x1,0x2"])
def test_a_restart_is_told_from_what_looks_like_one(line):
    port = ScriptedPort()
    port.log("Ready for more")
    port._enter(Kind.RX, "Ready", role="answer")
    port._enter(Kind.TX, "Ready")
    port.urc("#XMODEMUUID: 1")
    assert restart(port.timeline.since()) is None
    mark = port.timeline.mark()
    (port.urc if line[0] == "#" else port.log)(line)
    assert restart(port.timeline.since()).seq == mark


@pytest.mark.parametrize("line", ["Ready", "\ufffdReady", "\ufffdeady", "eady", "INIT ERROR", "\ufffdNIT ERROR"])
def test_a_boot_line_with_a_garbled_first_byte_is_a_restart(line):
    port = ScriptedPort()
    port.log(line)
    assert restart(port.timeline.since()) is not None


@pytest.mark.parametrize("line", ["Already", "Bootloader mode ready", "steady", "Ready now"])
def test_other_lines_are_none(line):
    port = ScriptedPort()
    port.log(line)
    assert restart(port.timeline.since()) is None


@pytest.mark.parametrize(
    ("answers", "product"),
    [
        ({"AT#XSMVER": '#XSMVER: "1.0.0","3.2.1"'}, "Serial Modem 1.0.0"),
        ({"AT#XSMVER": '#XSMVER: "X2.0.0-X","3.2.1"'}, "Serial Modem X2.0.0-X"),
        ({"AT#XSMVER": error("x"), "AT#XSLMVER": '#XSLMVER: "2.9.0","2.7.0"'}, "Serial LTE Modem of NCS 2.9.0"),
    ],
)
def test_product_is_detected(answers, product):
    assert str(open_firmware(ScriptedPort(answers), "serial-modem").firmware) == product


def test_other_firmware_is_the_labs_trouble():
    port = ScriptedPort({"AT#XSMVER": error("x"), "AT#XSLMVER": error("x")})
    with pytest.raises(WrongFirmware, match="dk1: neither AT#XSMVER nor AT#XSLMVER") as caught:
        open_firmware(port, "serial-modem")
    assert isinstance(caught.value, LabError)


class TestConnecting:
    """Event 0 is the CONNACK while a CONNECT is under way, and the end of a connection at any other time."""

    @pytest.mark.parametrize("ended", ["#XMQTTEVT: 0,0", "#XMQTTEVT: 0,5", "#XMQTTEVT: 0,-111", "#XMQTTEVT: 1,-128"])
    def test_is_over_with_its_first_event(self, ended):
        port = ScriptedPort({CONNECT: [ended]})
        modem = device(port)
        modem.connect(LOGIN)
        mark = modem.mark()
        port.urc("#XMQTTEVT: 0,0")
        assert heard(modem, mark) == [(MqttEventKind.CLOSED, 0)]

    def test_is_over_when_the_command_is_refused(self):
        port = ScriptedPort({CONNECT: error(CONNECT)})
        modem = device(port)
        with pytest.raises(NoSession):
            modem.connect(LOGIN)
        port.urc("#XMQTTEVT: 0,0")
        assert heard(modem) == [(MqttEventKind.CLOSED, 0)]

    def test_is_not_over_with_another_command(self):
        port = ScriptedPort({"AT+CEREG?": error("AT+CEREG?")})
        modem = device(port)
        modem.connect(LOGIN)
        with pytest.raises(AtError):
            port.command("AT+CEREG?")
        port.urc("#XMQTTEVT: 9,0")
        port.urc("#XMQTTEVT: 0,5")
        assert heard(modem) == [(MqttEventKind.OTHER, 0), (MqttEventKind.REFUSED, 5)]

    def test_begins_with_the_command_and_not_with_its_end(self):
        port = ScriptedPort()
        modem = device(port)
        port._enter(Kind.TX, CONNECT)
        port.urc("#XMQTTEVT: 0,0")
        assert heard(modem) == [(MqttEventKind.ACCEPTED, 0)]


def test_waiting_ends_with_the_board():
    port = ScriptedPort()
    modem = device(port)
    port.failure = BoardLost("dk1: the port went away")
    port.timeline.add(Kind.FAULT, "dk1", "gone")
    with pytest.raises(BoardLost, match="went away"):
        modem.wait(lambda event: True, since=0, timeout=30.0)
    assert port.timeline.waited == []
    with pytest.raises(BoardLost, match="went away"):
        modem.wait(lambda event: True, since=modem.mark(), timeout=30.0)
    assert port.timeline.waited == [0.0]


def test_the_timeline_tells_all_that_is_known_of_a_message_and_of_an_end():
    port = ScriptedPort()
    modem = device(port)
    port.urc("#XMQTTMSG: 1,2", b"t", b"\xff\x00")
    port.urc("#XMQTTEVT: 1,-104")
    port.urc("#XMQTTEVT: 1,0")
    assert [event.data for event in port.timeline.since() if event.kind is Kind.MQTT] == [
        {"kind": "message", "result": 0, "topic": "t", "payload": "/wA=", "encoding": "base64"},
        {"kind": "closed", "result": -104, "errno": "ECONNRESET"},
        {"kind": "closed", "result": 0},
    ]
    assert modem.events(0)[0].payload == b"\xff\x00"


def test_what_it_can_and_cannot():
    firmware = device(ScriptedPort()).firmware
    assert firmware.lacks(Capability.MQTT, Capability.BINARY_PAYLOAD, Capability.SOCKETS) is None
    assert firmware.lacks(Capability.MQTT, Capability.WILL) == "Serial Modem 1.0.0 has no MQTT will"
    assert firmware.topic_fault("a" * 128) is None
    assert firmware.topic_fault("a" * 129) == "Serial Modem 1.0.0 takes topics of up to 128 bytes, and this one has 129"
    assert "quotes or control characters" in firmware.topic_fault('a"')


def test_a_message_that_could_not_be_read_is_told_by_the_event_behind_it():
    """Its header was lost: the board says that a message came, and there is none."""
    port = ScriptedPort()
    modem = device(port)
    port.urc("#XMQTTMSG: 1,5", b"t", b"hello")
    port.urc("#XMQTTEVT: 2,0")
    assert [event.kind for event in port.timeline.since() if event.kind is Kind.FAULT] == []
    port.urc("#XMQTTEVT: 2,0")
    assert [event.data for event in port.timeline.since() if event.kind is Kind.FAULT] == [{"garbled": True}]
    assert [kind for kind, _ in heard(modem)] == [MqttEventKind.MESSAGE]

"""What diagnosers see of a timeline: sessions with what was sent and answered, the end in question, and its scope."""

import pytest

from harness.timeline import Event, Kind
from harness.trial.diagnosis.record import SeenConnection, errno_of
from tests.unit.trial.diagnosis.made import Record


class Told:
    """Events a second apart."""

    def __init__(self):
        self.events = []

    def add(self, event_kind, text="", /, **data):
        number = len(self.events)
        self.events.append(Event(number, float(number), event_kind, "b", text, data))
        return self.events[-1]

    def mqtt(self, kind, **data):
        return self.add(Kind.MQTT, kind, **{"kind": kind, **data})

    def record(self, run=()):
        return Record(self.events, run)


@pytest.fixture
def told():
    return Told()


@pytest.mark.parametrize(
    ("kind", "text", "data", "number"),
    [
        (Kind.MQTT, "", {"result": -128}, 128),
        (Kind.MQTT, "", {"result": 0}, 0),
        (Kind.MQTT, "MQTT input error: -5", {}, 0),
        (Kind.RX, "<err> x: MQTT input error: -104", {"result": -1}, 104),
        (Kind.RX, "MQTT input error: 7", {}, 7),
        (Kind.RX, "something else", {}, 0),
    ],
)
def test_the_errno_of_an_end(told, kind, text, data, number):
    assert errno_of(told.add(kind, text, **data)) == number


def test_a_sessions_age_and_what_is_outstanding(told):
    one, other = told.add(Kind.MQTT), told.add(Kind.MQTT)
    assert SeenConnection(opened=one, closed=other).age == 1.0
    assert SeenConnection(opened=one).age is None
    assert SeenConnection(closed=one).age is None
    assert SeenConnection(sent=[one, other], answers=[one]).outstanding == [other]
    assert SeenConnection().outstanding == []


def test_nothing_is_no_session(told):
    assert told.record().sessions == []
    told.add(Kind.RX, "a line")
    assert told.record().sessions == []
    assert told.record().ended is None
    assert told.record().hang_up is None
    assert told.record().reason is None


def test_a_session_from_its_command_to_its_end(told):
    asked = told.add(Kind.TX, 'AT#XMQTTCON=1,"a"')
    opened = told.mqtt("accepted")
    sent = [
        told.add(Kind.TX, text)
        for text in (
            'AT#XMQTTPUB="t","x",1,0',
            'at#xmqttsub="t",1',
            'AT#XMQTTUNSUB="t"',
            "MQTT PUBLISH t (QoS 1, id 1)",
            "MQTT SUBSCRIBE t (id 2)",
            "MQTT UNSUBSCRIBE t (id 3)",
        )
    ]
    for text in ('AT#XMQTTPUB="t","x",0,0', "MQTT PUBLISH t (QoS 0, id 4)", "AT+CFUN?", "MQTT DISCONNECT"):
        told.add(Kind.TX, text)
    told.add(Kind.RX, 'AT#XMQTTPUB="t","x",1,0')
    answers = [told.mqtt(kind) for kind in ("puback", "suback", "unsuback")]
    told.mqtt("message")
    closed = told.mqtt("closed", result=-128)
    (session,) = told.record().sessions
    assert session == SeenConnection(asked, opened, closed, sent, answers)
    assert session.outstanding == sent[3:]
    assert told.record().ended == session
    assert told.record().hang_up is closed


def test_a_packet_of_paho_begins_its_session(told):
    asked = told.add(Kind.TX, "MQTT CONNECT as dev-1 (keep-alive 1200 s)")
    (session,) = told.record().sessions
    assert session.asked is asked


@pytest.mark.parametrize(
    ("data", "left"),
    [
        ({"ok": False, "command": 'AT#XMQTTPUB="t"'}, 0),
        ({"ok": True, "command": 'AT#XMQTTPUB="t"'}, 1),
        ({"command": 'AT#XMQTTPUB="t"'}, 1),
        ({"ok": False, "command": 'AT#XMQTTPUB="t","x",0,0'}, 1),
        ({"ok": False, "command": "AT+CFUN?"}, 1),
        ({"ok": False}, 1),
    ],
)
def test_what_the_board_refused_was_not_sent(told, data, left):
    told.mqtt("accepted")
    told.add(Kind.TX, 'AT#XMQTTPUB="t","x",1,0')
    told.add(Kind.RESULT, "ERROR", **data)
    (session,) = told.record().sessions
    assert len(session.sent) == left


def test_a_refusal_before_anything_was_sent_takes_nothing_back(told):
    told.mqtt("accepted")
    told.add(Kind.RESULT, "ERROR", ok=False, command='AT#XMQTTPUB="t"')
    assert len(told.record().sessions) == 1


def test_a_new_begin_ends_a_session_whose_end_nobody_saw(told):
    asked = told.add(Kind.TX, "AT#XMQTTCON=1")
    first = told.mqtt("accepted")
    sent = told.add(Kind.TX, "MQTT SUBSCRIBE t (id 2)")
    second = told.mqtt("accepted")
    third = told.add(Kind.RX, "Connection to nRF Cloud ready")
    assert told.record().sessions == [
        SeenConnection(asked, first, None, [sent]),
        SeenConnection(asked, second),
        SeenConnection(asked, third),
    ]


def test_a_log_tells_of_ends_too(told):
    opened = told.add(Kind.RX, "Connection to nRF Cloud ready")
    closed = told.add(Kind.RX, "<err> nrf_cloud_transport: MQTT input error: -128")
    told.add(Kind.RX, "not: Connection to nRF Cloud ready")
    assert told.record().sessions == [SeenConnection(None, opened, closed)]


def test_the_last_end_that_was_not_asked_for_is_the_one_in_question(told):
    told.mqtt("accepted")
    first = told.mqtt("closed", result=-128)
    told.mqtt("accepted")
    told.mqtt("closed", result=0)
    told.mqtt("accepted")
    assert told.record().hang_up is first
    assert len(told.record().all_sessions) == 3


def test_sessions_of_the_run_where_it_is_known(told):
    other = Told()
    other.mqtt("accepted")
    assert [one.opened for one in told.record(other.events).all_sessions] == other.events
    assert told.record(other.events).sessions == []


def test_only_what_may_have_caused_the_end_is_in_its_scope(told):
    before = told.add(Kind.RX, "before")
    told.mqtt("closed", result=-128)
    opened = told.mqtt("accepted")
    told.add(Kind.RX, "in it")
    closed = told.mqtt("closed", result=-128)
    for number in range(12):
        told.add(Kind.URC, f"{number} s")
    scope = told.record().scope
    assert scope == told.events[opened.seq : closed.seq + 11]
    assert before not in scope
    assert Record(told.events[:1]).scope == [before]


def test_an_end_without_a_begin_has_all_that_came_before_in_its_scope(told):
    told.add(Kind.RX, "before")
    told.mqtt("closed", result=-128)
    assert told.record().scope == told.events


def test_lines_are_the_boards_unless_others_are_named(told):
    for kind in (Kind.RX, Kind.TX, Kind.URC, Kind.STEP):
        told.add(kind, f"{kind.value} line")
    record = told.record()
    assert [event.text for event in record.lines()] == ["rx line", "urc line"]
    assert [event.text for event in record.lines(Kind.TX, Kind.STEP)] == ["tx line", "step line"]
    found = record.first("u.c")
    assert found is not None
    assert found.text == "urc line"
    assert record.first("line") is None
    assert record.first("tx") is None
    assert record.first("tx", Kind.TX) is told.events[1]


@pytest.mark.parametrize(
    ("text", "data", "reason"),
    [
        ("disconnectReason: AUTH_ERROR", {}, "AUTH_ERROR"),
        ('"disconnectReason":"CLIENT_ERROR"', {}, "CLIENT_ERROR"),
        ("state", {"disconnectReason": "SERVER_ERROR"}, "SERVER_ERROR"),
        ("disconnectReason = ABC", {}, None),
        ("disconnected", {}, None),
    ],
)
def test_the_clouds_own_word(told, text, data, reason):
    told.add(Kind.RX, "disconnectReason: FROM_ELSEWHERE")
    event = told.add(Kind.CLOUD, text, **data)
    assert told.record().reason == (None if reason is None else (reason, event))


def test_the_clouds_last_word_counts(told):
    told.add(Kind.CLOUD, "disconnectReason: FIRST_WORD")
    last = told.add(Kind.CLOUD, "disconnectReason: LAST_WORD")
    told.add(Kind.CLOUD, "nothing")
    assert told.record().reason == ("LAST_WORD", last)

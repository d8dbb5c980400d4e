"""What a trial leaves on the timeline, line by line: everything that judging it again rests on, with its time.

A line: seconds, trial.attempt, phase, whether it begins or ends, and what it says; or kind and text of any other event.
"""

import json
import re
from dataclasses import replace

import pytest

from harness.errors import BoardLost, CloudUnreachable, HarnessError, LabError, Misuse, NoAnswer, NotRegistered
from harness.firmware import MqttEventKind
from harness.timeline import Event, Kind
from harness.trial import NotConnected, Outcome, ServiceAnswer
from harness.trial.judge import VERSION
from harness.trial.phases import Phase, PhaseLog, TroubleSource, spans
from tests.unit.trial.fakes import LOGIN, Clock, ClockedTimeline, FakeRegistration, Stage, through_json

NONCE = re.compile(r"\bn[0-9a-f]{16}\b")
WRONG = replace(LOGIN, client_id="wrong")


def line(event):
    if event.kind is not Kind.PHASE:
        return f"{event.t:.3f} {event.kind.value}: {event.text}"
    numbers = f"{event.data['trial']}.{event.data['attempt']}"
    said = {key: value for key, value in event.data.items() if key not in ("trial", "attempt", "name", "on")}
    return (
        f"{event.t:.3f} {numbers} {event.data['name']} {event.data['on']} {json.dumps(said) if said else ''}".rstrip()
    )


def record(stage):
    return [NONCE.sub("<nonce>", line(event)) for event in stage.timeline.since()]


def lost(*_arguments, **_options):
    raise NoAnswer("fake: no answer to AT#XMQTTPUB")


def test_the_record_of_an_own_connect_that_is_refused():
    stage = Stage()
    stage.device.refuse_connects_after = 0
    stage.trials.verify_connection()
    assert record(stage)[:13] == [
        '0.000 0.1 attempt begin {"action": "connect as dev-1", "sort": "own connect", "policy": "Policy: '
        'iot:Connect dev-1.", "difference": ""}',
        "0.000 0.1 action begin",
        "0.125 mqtt: hung up: ENOTCONN (128)",
        "0.125 step: connect as dev-1: closed instead of a CONNACK (hung up: ENOTCONN (128))",
        '0.125 0.1 action end {"stage": "closed instead of a CONNACK", "detail": "hung up: ENOTCONN (128)", '
        '"seconds": 0.125}',
        "0.125 0.1 action begin",
        "0.250 mqtt: hung up: ENOTCONN (128)",
        "0.250 step: connect as dev-1: closed instead of a CONNACK (hung up: ENOTCONN (128))",
        '0.250 0.1 action end {"stage": "closed instead of a CONNACK", "detail": "hung up: ENOTCONN (128)", '
        '"seconds": 0.125}',
        "0.250 0.1 questions begin",
        '0.250 0.1 questions end {"registered": true, "registration": "+CEREG: 5,1"}',
        "0.250 0.1 attempt end",
        "0.250 facts: verdict: inconclusive. Policy: iot:Connect dev-1. The own login came through TLS and no further, "
        "twice: closed instead of a CONNACK (hung up: ENOTCONN (128)); closed instead of a CONNACK (hung up: ENOTCONN "
        "(128)). A cut looks the same, and there is nothing to compare it with: this firmware cannot send a CONNECT "
        "without its end.",
    ]


def test_the_record_of_an_own_connect_that_works():
    stage = Stage()
    stage.trials.verify_connection()
    assert record(stage) == [
        '0.000 0.1 attempt begin {"action": "connect as dev-1", "sort": "own connect", "policy": "Policy: '
        'iot:Connect dev-1.", "difference": ""}',
        "0.000 0.1 action begin",
        "0.125 mqtt: accepted",
        "0.125 step: connect as dev-1: accepted",
        '0.125 0.1 action end {"stage": "accepted", "detail": "", "seconds": 0.125}',
        "0.125 0.1 questions begin",
        '0.125 0.1 questions end {"registered": true, "registration": "+CEREG: 5,1"}',
        "0.125 0.1 connect begin",
        "0.250 mqtt: puback",
        '0.250 0.1 connect end {"control": "a QoS 1 publish on allowed"}',
        "0.250 0.1 attempt end",
        "0.250 facts: verdict: tolerated. Mutual TLS and CONNECT were accepted, and a QoS 1 publish on allowed worked.",
    ]


def test_the_record_of_a_board_that_goes_away_twice_is_two_attempts():
    stage = Stage()
    stage.link.ensure()
    stage.device.publish = lost
    stage.trials.publish("other", witness=None)
    lines = [one for one in record(stage) if " attempt " in one or "fault" in one or "facts" in one]
    assert [one[:60].rstrip(chr(34)) for one in lines] == [
        '0.375 6.1 attempt begin {"action": "publish on other (QoS 1)',
        "0.375 fault: fake: no answer to AT#XMQTTPUB",
        "0.375 6.1 attempt end",
        "0.375 facts: verdict: inconclusive. fake: no answer to AT#XM",
        '0.375 6.2 attempt begin {"action": "publish on other (QoS 1)',
        "0.500 fault: fake: no answer to AT#XMQTTPUB",
        "0.500 6.2 attempt end",
        "0.500 facts: verdict: inconclusive. fake: no answer to AT#XM",
    ]


def test_trouble_after_something_was_staked_is_not_followed_by_another_attempt():
    """Who may begin anew each time that the lab gets into trouble has more than one chance."""
    stage = Stage()
    stage.during("other", lost)
    verdict = stage.trials.publish("other", witness=None)
    assert (verdict.outcome, verdict.attempts) == (Outcome.INCONCLUSIVE, 1)


def test_everything_that_a_trial_says_of_itself_has_its_source_and_its_name():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=None).expect(Outcome.POLICY_DISCONNECT, Outcome.TOLERATED)
    events = [event for event in stage.timeline.since() if event.kind is not Kind.MQTT]
    assert {event.source for event in events} == {"trial"}
    texts = [event.text for event in events if event.kind is Kind.PHASE]
    assert texts[0] == "attempt 1: publish on other (QoS 1)"
    assert texts[1:7] == ["baseline", "connect", "connect ends", "baseline", "baseline ends", "plan ends"]
    assert events[-1].text == "expected policy disconnect or tolerated, got policy disconnect"


def test_the_record_of_an_experiment_has_what_is_needed_to_carry_it_out_again():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=None)
    begun = [event.data for event in through_json(stage.timeline.since()) if event.data.get("on") == "begin"]
    attempt, arms = begun[0]["experiment"], [data for data in begun if data.get("plan") == "arm"]
    assert attempt["kind"] == "action"
    assert attempt["rule"] == {"confidence": 1e-4, "hold": 0.5, "group": 10, "budget": None}
    assert attempt["subject"]["sham"] == "publish on team/h (QoS 1)"
    assert attempt["subject"]["differs"].startswith("topic")
    assert attempt["night"]["shams"] == 0
    assert [arm["arm"] for arm in arms] == [1, 2, 3, 4]
    assert all(arm["draws"] == [arm["place"] - 1] for arm in arms)
    assert all(arm["steps"][arm["place"] - 1] == {"do": "action", "chased": True} for arm in arms)
    (facts,) = [event.data for event in through_json(stage.timeline.since()) if event.kind is Kind.FACTS]
    assert facts["judge"] == VERSION == 7
    assert facts["one_in"] > 10_000
    assert [(arm["place"], arm["meaning"]) for arm in facts["tally"]["arms"]] == [(arm["place"], "hit") for arm in arms]


def test_the_record_of_a_verdict_is_complete():
    stage = Stage()
    verdict = stage.trials.verify_connection()
    (event,) = [event for event in stage.timeline.since() if event.kind is Kind.FACTS]
    (event,) = through_json([event])
    assert event.text == f"verdict: tolerated. {verdict.evidence}"
    assert sorted(event.data) == ["attempt", "facts", "judge", "outcome", "sentences", "trial"]
    assert (event.data["trial"], event.data["attempt"], event.data["judge"]) == (0, 1, VERSION)
    assert event.data["outcome"] == "tolerated"
    assert [sentence["code"] for sentence in event.data["sentences"]] == ["connected"]
    facts = {name: value for name, value in event.data["facts"].items() if value}
    assert facts == {
        "action": "connect as dev-1",
        "control": "a QoS 1 publish on allowed",
        "policy": "Policy: iot:Connect dev-1.",
        "registered": "+CEREG: 5,1",
        "sort": "own connect",
        "tries": [{"stage": "accepted", "detail": "", "seconds": 0.125}],
        "refs": {"registered": [6], "tries": [4]},
    }


def test_the_verdict_carries_what_was_tried_how_often_and_its_effect():
    stage = Stage({"other"})
    verdict = stage.trials.publish("other", witness=stage.delivered)
    assert (verdict.action, verdict.attempts, verdict.effect) == ("publish on other (QoS 1)", 1, None)
    assert stage.recorded == [verdict]


# -- which party's trouble an error is


@pytest.mark.parametrize(
    ("error", "party"),
    [
        (NotRegistered("x"), TroubleSource.NETWORK),
        (BoardLost("x"), TroubleSource.BOARD),
        (CloudUnreachable("x"), TroubleSource.CLOUD),
        (LabError("x"), TroubleSource.LAB),
        (NoAnswer("x"), TroubleSource.LAB),
    ],
)
def test_trouble_is_written_with_whose_it_is(error, party):
    log = PhaseLog(ClockedTimeline(Clock()), trial=7, attempt=2)
    log.trouble(error)
    log.trouble(error, dead=True)
    first, second = log.events()
    assert (first.kind, first.source, first.text) == (Kind.FAULT, "trial", "x")
    assert first.data == {"party": party, "dead": False, "trial": 7, "attempt": 2}
    assert second.data == {"party": party, "dead": True, "trial": 7, "attempt": 2}


def test_what_is_no_error_of_the_lab_ends_the_trial():
    """A mistake in a scenario is no trouble that another attempt would cure."""
    stage = Stage()

    def mistaken(*_arguments, **_options):
        raise Misuse("no such topic")

    stage.during("other", mistaken)
    with pytest.raises(HarnessError, match="no such topic"):
        stage.trials.publish("other", witness=None)
    assert [event.text for event in stage.timeline.since()][-1] == "attempt ends"
    assert stage.recorded == []


# -- phases


def phase(seq, name, on):
    return Event(seq, 0.0, Kind.PHASE, "trial", name, {"name": name, "on": on})


def test_a_phase_is_what_lies_between_its_beginning_and_its_next_end():
    line = Event(2, 0.0, Kind.RX, "fake", "x", {})
    step = Event(3, 0.0, Kind.STEP, "trial", "hold", {"name": "hold", "on": "end"})
    events = [
        phase(0, "hold", "begin"),
        phase(1, "fence", "end"),
        line,
        step,
        phase(4, "hold", "end"),
        phase(5, "hold", "begin"),
        phase(6, "unheard of", "begin"),
        phase(7, "effect", "begin"),
    ]
    found = spans(events)
    assert sorted(found) == [Phase.EFFECT, Phase.HOLD]
    first, second = found[Phase.HOLD]
    assert (first.begin, first.inside, first.end) == (events[0], events[1:4], events[4])
    assert (second.begin, second.inside, second.end) == (events[5], events[6:], None)
    assert second.found == {}
    assert first.found == events[4].data


def test_a_log_returns_what_happened_since_its_attempt_began():
    timeline = ClockedTimeline(Clock(), keep=3)
    timeline.add(Kind.RX, "fake", "before")
    log = PhaseLog(timeline, trial=1, attempt=1)
    assert log.events() == []
    with log.phase(Phase.ATTEMPT, "attempt 1"):
        timeline.add(Kind.RX, "fake", "1")
        assert [event.text for event in log.events()] == ["attempt 1", "1"]
        timeline.add(Kind.RX, "fake", "2")
        timeline.add(Kind.RX, "fake", "3")
        assert [event.text for event in log.events()] == ["attempt 1", "1", "2", "3"]  # the first is kept apart
        timeline.add(Kind.RX, "fake", "4")
        assert [event.text for event in log.events()] == ["attempt 1", "2", "3", "4"]
    assert [event.text for event in log.events()] == ["attempt 1", "3", "4", "attempt ends"]


# -- what a packet says of itself, and what is sent


def sent(stage):
    """Note what the board is told to publish, with its options."""
    calls = []
    publish = stage.device.publish

    def noted(topic, payload, **options):
        calls.append((topic, NONCE.sub("<nonce>", payload.decode()), options))
        return publish(topic, payload, **options)

    stage.device.publish = noted
    return calls


def test_a_publish_is_sent_as_it_was_asked_for():
    stage = Stage()
    stage.link.ensure()
    calls = sent(stage)
    stage.trials.publish("a", witness=None)
    stage.trials.publish("b", b"%NONCE%-%NONCE%", qos=0, retain=True, witness=stage.delivered)
    assert [call for call in calls if call[0] in ("a", "b")] == [
        ("a", '{"appId":"HARNESS","messageType":"DATA","data":"<nonce>"}', {"qos": 1, "retain": False}),
        ("b", "<nonce>-<nonce>", {"qos": 0, "retain": True}),
    ]
    first, second = stage.recorded
    assert (first.action, first.effect) == ("publish on a (QoS 1)", None)
    assert first.evidence.startswith("Policy: iot:Publish a. Just before")
    assert (second.action, second.effect) == ("publish on b (QoS 0, retain)", True)
    assert second.evidence.startswith("Policy: iot:Publish b. Policy: iot:RetainPublish b. Just before")


def test_a_witness_is_waited_for_until_it_settles_and_then_rounds_decide():
    stage = Stage()
    asked = []
    verdict = stage.trials.publish("b", witness=lambda *both: bool(asked.append(both)))
    assert (verdict.outcome, verdict.effect) == (Outcome.IGNORED, False)
    assert {timeout for _, timeout in asked} == {stage.link.settle}
    assert len({token for token, _ in asked}) == len(asked) == 6, "once alone, and in five rounds"
    assert "(the message was seen nowhere)" in verdict.evidence


def test_a_witness_is_not_waited_for_after_a_hang_up():
    stage = Stage({"other"})
    asked = []
    stage.trials.publish("other", witness=lambda *both: bool(asked.append(both)))
    assert {timeout for _, timeout in asked} == {0.0}
    assert len(asked) == 4
    assert stage.recorded[0].outcome is Outcome.POLICY_DISCONNECT


def test_where_nobody_can_look_nobody_says_that_it_reached_nobody():
    stage = Stage({"other", "t"})
    assert "reached nobody" not in stage.trials.publish("other", witness=None).evidence
    assert "reached nobody" not in stage.trials.subscribe("t", trigger=None).evidence


ASKED = ServiceAnswer(b'{"clientToken":"%NONCE%"}', "get/+", "get/")


def test_a_request_is_subscribed_to_and_sent():
    stage = Stage()
    calls = sent(stage)
    verdict = stage.trials.request("get", ASKED)
    assert verdict.action == "publish on get (QoS 1)"
    assert ("get", '{"clientToken":"<nonce>"}', {}) in calls
    assert "Policy: iot:Publish get." in verdict.evidence
    assert "it was not answered within 0.5 s" in verdict.evidence


def test_a_request_whose_answer_comes_without_a_subscription():
    stage = Stage()
    subscribed = []
    stage.device.subscribe = lambda topic_filter, *, qos=1: bool(subscribed.append(topic_filter)) or True
    verdict = stage.trials.request("get", ASKED._replace(listen=None))
    assert verdict.outcome is Outcome.IGNORED
    assert subscribed == []


def test_a_request_whose_answers_could_not_be_subscribed_to_says_so():
    verdict = Stage({"get/+"}).trials.request("get", ASKED)
    assert "Effect: an answer could not be awaited, as get/+ could not be subscribed to." in verdict.evidence


def test_what_a_test_listens_to_is_subscribed_to_on_every_connection():
    stage = Stage({"other"})
    subscribed = []
    stage.trials.listen("answers")
    subscribe = stage.device.subscribe
    stage.device.subscribe = lambda topic_filter, *, qos=1: (subscribed.append(topic_filter), subscribe(topic_filter))[
        1
    ]
    stage.trials.publish("other", witness=None)
    assert subscribed == ["answers"] * 5


def test_what_cannot_be_listened_to_is_the_labs_trouble():
    with pytest.raises(NotConnected, match="answers could not be subscribed to"):
        Stage({"answers"}).trials.listen("answers")


@pytest.mark.parametrize(
    ("kind", "topic", "quotes", "shown"),
    [
        (MqttEventKind.MESSAGE, "get/accepted", True, True),
        (MqttEventKind.MESSAGE, "got/accepted", True, False),
        (MqttEventKind.MESSAGE, "get/accepted", False, False),
        (MqttEventKind.PUBACK, "get/accepted", True, False),
    ],
)
def test_an_answer_is_a_message_below_its_topic_that_quotes_the_nonce(kind, topic, quotes, shown):
    stage = Stage()

    def answer(payload):
        stage.device.event(kind, topic=topic, payload=payload if quotes else b"{}")

    publish = stage.device.publish
    stage.device.publish = lambda on, payload, **options: (
        (on == "get" and answer(payload)) or publish(on, payload, **options)
    )
    assert (stage.trials.request("get", ASKED).effect is True) is shown


def test_a_subscription_says_what_it_is_and_what_it_rests_on():
    verdict = Stage().trials.subscribe("t/+", trigger=None)
    assert verdict.action == "subscribe to t/+ (QoS 1)"
    assert "Policy: iot:Subscribe t/+." in verdict.evidence
    assert "Effect: nothing can be sent there from outside, so the fence alone shows it." in verdict.evidence


# -- the modem before a trial


def test_a_modem_that_is_not_registered_is_prepared_registered_and_connected_anew():
    stage = Stage()
    stage.link.ensure()
    done = []
    register = stage.modem.register

    def registering(timeout=120.0):
        done.append("register")
        register(timeout)

    stage.modem.prepare = lambda: done.append("prepare")
    stage.modem.register = registering
    stage.modem.present = FakeRegistration(registered=False)
    assert stage.trials.publish("other", witness=None).outcome is Outcome.TOLERATED
    assert done == ["prepare", "register"]
    assert stage.device.connects == 2
    (fault,) = [event for event in stage.timeline.since() if event.kind is Kind.FAULT]
    assert (fault.source, fault.text) == ("trial", "the modem is not registered: registering it before the trial")


def test_a_connect_that_is_the_right_one_is_a_mistake():
    expected = r"^a connect trial needs another login than the link's own, or other circumstances$"
    with pytest.raises(Misuse, match=expected):
        Stage().trials.connect(LOGIN, difference="none")


def test_set_up_of_a_trial_is_connected():
    stage = Stage()
    stage.trials.ensure_connected()
    assert stage.link.connected


def test_an_account_that_is_locked_out_is_recorded_with_how_far_the_connect_came():
    stage = Stage({"other"})
    stage.device.refuse_connects_after = 1
    verdict = stage.trials.publish("other", witness=None)
    ends = [event.data for event in stage.timeline.since() if event.text == "connect ends"]
    said = "dev-1 could not connect: closed instead of a CONNACK (hung up: ENOTCONN (128))"
    assert ends[1]["error"] == said
    assert said in verdict.evidence


def test_the_nonce_of_a_control_is_the_one_that_is_published():
    stage = Stage()
    calls = []
    publish = stage.device.publish
    stage.device.publish = lambda topic, payload, **options: (
        calls.append((topic, payload.decode())) or publish(topic, payload, **options)
    )
    stage.trials.publish("other", witness=None)
    begun = {event.text: event.data["nonce"] for event in stage.timeline.since() if "nonce" in event.data}
    assert {"action", "baseline", "fence"} <= begun.keys()
    assert [payload for topic, payload in calls if topic == "allowed"][-2:] == [begun["baseline"], begun["fence"]]
    assert begun["action"] in next(payload for topic, payload in calls if topic == "other")


def test_a_publish_in_the_harness_own_words_has_its_qos_and_flag_too():
    stage = Stage()
    stage.link.ensure()
    calls = sent(stage)
    verdict = stage.trials.publish("a", qos=0, retain=True, witness=None)
    assert verdict.action == "publish on a (QoS 0, retain)"
    assert [options for topic, _, options in calls if topic == "a"] == [{"qos": 0, "retain": True}]


def test_what_is_found_dead_is_recorded_as_that():
    stage = Stage({"other"})
    stage.link.ensure()
    stage.device.refuse_connects_after = 1

    def dead():
        raise CloudUnreachable("the local cloud died")

    stage.dead = dead
    stage.trials.publish("other", witness=None)
    faults = [event for event in stage.timeline.since() if event.kind is Kind.FAULT]
    assert [(event.text, event.data["dead"], event.data["party"]) for event in faults] == [
        ("the local cloud died", True, "cloud")
    ]

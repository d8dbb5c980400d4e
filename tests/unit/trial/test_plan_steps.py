"""What the steps of a plan do on a connection, and what they write: flights, stand-ins, ends and what is asked then."""

import pytest

from harness.firmware import MqttEventKind
from harness.timeline import Kind
from harness.trial.actions import PublishAction, SubscribeAction
from harness.trial.experiment import Do, Plan, Step, StepConnection
from harness.trial.phases import LATE, PhaseLog
from harness.trial.wire.plan_runner import PlanRunner
from harness.trial.wire.step_context import Tried
from tests.unit.trial.fakes import LATENCY, Stage

SEEN = PublishAction("other", lambda token, timeout: True)
UNSEEN = PublishAction("other", lambda token, timeout: False)


@pytest.fixture
def stage():
    stage = Stage()
    stage.link.ensure()
    return stage


def runner(stage, action=SEEN, *, sham=None, delivery=None, witnesses=None):
    log = PhaseLog(stage.timeline, trial=1, attempt=1)
    tried = Tried([action], sham, (), delivery)
    return PlanRunner(stage.link, stage.modem, log, tried, stage.night, witnesses or {})


def do(made, *steps, patience=2.0):
    return made.do(Plan("round", StepConnection.SAME, steps, patience), {})


def ends(stage, name):
    """Return the data that the phases with this name ended with, without what every event has."""
    usual = {"trial", "attempt", "name", "on"}
    return [
        {key: value for key, value in event.data.items() if key not in usual}
        for event in stage.timeline.since()
        if event.kind is Kind.PHASE and event.data["name"] == name and event.data["on"] == "end"
    ]


def begins(stage, name):
    return [
        event.data
        for event in stage.timeline.since()
        if event.kind is Kind.PHASE and event.data["name"] == name and event.data["on"] == "begin"
    ]


# -- flights


def flight(stage, action, *, place=1, of=3, delivery=None):
    do(runner(stage, action, delivery=delivery), Step(Do.FLIGHT, place=place, of=of))
    (found,) = ends(stage, "flight")
    return found


def test_a_flight_is_sent_at_once_with_the_action_at_its_place(stage):
    before, packets = stage.clock.now, stage.link.packets
    found = flight(stage, SEEN)
    assert found == {
        "acked": True,
        "sent": True,
        "packets": 3,
        "missing": 0,
        "action_missing": False,
        "detail": "the message was seen where it belongs",
    }
    (begin,) = begins(stage, "flight")
    sent = stage.device.published[-3:]
    assert [topic for topic, _ in sent] == ["allowed", "other", "allowed"]
    assert begin["nonce"].encode() in sent[1][1]
    assert len({payload for _, payload in sent}) == 3
    assert begin["step"] == 0
    assert stage.clock.now - before == LATENCY
    assert stage.link.clean is False
    assert stage.link.packets >= packets


@pytest.mark.parametrize(
    ("seen", "swallowed", "missing"),
    [(True, set(), 0), (False, set(), 1), (True, {"allowed"}, 2), (False, {"allowed"}, 3)],
)
def test_what_does_not_arrive_is_counted(stage, seen, swallowed, missing):
    stage.device.swallow = swallowed
    found = flight(stage, SEEN if seen else UNSEEN)
    assert (found["missing"], found["action_missing"], found["sent"]) == (missing, not seen, True)


def test_a_flight_that_is_not_acknowledged_is_no_flight(stage):
    stage.device.silent_for = {"other"}
    before = stage.clock.now
    assert flight(stage, SEEN) == {"acked": False, "sent": False, "packets": 3}
    assert stage.clock.now - before >= 8.0


def test_a_flight_needs_as_many_acknowledgements_as_it_has_messages(stage):
    stage.device.event(MqttEventKind.PUBACK, after=0.0)
    stage.device.mark()
    assert flight(stage, SEEN)["acked"] is True
    quiet = Stage()
    quiet.link.ensure()
    found = flight(quiet, PublishAction("other", lambda token, timeout: True, qos=0))
    assert (found["acked"], found["packets"]) == (True, 3)


def test_a_flight_that_the_board_refuses_is_none(stage):
    stage.device.publish = lambda topic, payload, **options: topic != "other"
    before = stage.clock.now
    assert flight(stage, SEEN) == {"acked": False, "sent": False, "packets": 3}
    assert stage.clock.now == before


def test_beside_a_subscription_without_an_allowed_message_nothing_is_sent(stage):
    published = len(stage.device.published)
    found = flight(stage, SubscribeAction("other", None))
    assert found == {"acked": True, "sent": False, "missing": 0, "action_missing": True}
    assert len(stage.device.published) == published


def test_a_flight_of_messages_to_the_board(stage):
    armed = []
    stage.delivery.arm = lambda *, timeout: armed.append(timeout) or True
    found = flight(stage, SubscribeAction("other", None), delivery=stage.delivery)
    assert armed == [8.0]
    assert (found["acked"], found["missing"], found["action_missing"], found["sent"]) == (True, 1, True, False)
    assert found["detail"] == "no message arrived within 0.5 s, and nothing shows that one was sent"


@pytest.mark.parametrize("fails", ["open", "arm"])
def test_a_flight_that_cannot_be_prepared_is_none(stage, fails):
    if fails == "open":
        stage.device.subscribe = lambda topic_filter, *, qos=1: False
    else:
        stage.delivery.arm = lambda *, timeout: False
    assert flight(stage, SubscribeAction("other", None), delivery=stage.delivery) == {
        "acked": False,
        "sent": False,
        "packets": 3,
    }


# -- stand-ins for a sham


def test_an_allowed_action_stands_in_where_there_is_no_sham(stage):
    do(runner(stage), Step(Do.SHAM))
    (begin,), (end,) = begins(stage, "sham"), ends(stage, "sham")
    assert (begin["step"], begin["answer"]) == (0, "puback")
    assert begin["nonce"].encode() in stage.device.published[-1][1]
    assert (end["acked"], end["seen"], end["seconds"]) == (True, True, LATENCY)
    assert begins(stage, "chaser") == []


def test_an_allowed_action_that_stands_in_is_chased_as_the_action_is(stage):
    packets = stage.link.packets
    do(runner(stage), Step(Do.FENCE), Step(Do.SHAM, chased=True))
    (begin,), (end,), (chaser,) = begins(stage, "sham"), ends(stage, "sham"), begins(stage, "chaser")
    assert (begin["step"], begin["answer"], end["sent"]) == (1, "puback", True)
    assert begin["nonce"].encode() in stage.device.published[-1][1]
    assert (chaser["step"], chaser["behind"], ends(stage, "chaser")) == (1, True, [{"sent": True}])
    assert stage.link.packets == packets + 3


def test_a_stand_in_that_the_board_refuses_is_not_chased(stage):
    stage.device.publish = lambda *_, **__: False
    do(runner(stage), Step(Do.SHAM, chased=True))
    assert ends(stage, "sham")[0]["sent"] is False
    assert begins(stage, "chaser") == []


# -- the end of a connection


def ended(stage, action=SEEN, step=Do.ACTION, **more):
    stage.device.forbidden = {"other", "allowed"}
    made = runner(stage, action, **more)
    do(made, Step(step))
    return made


def test_after_a_hang_up_at_the_action_everybody_is_asked(stage):
    said = {"one": {"reason": "AUTH_ERROR"}, "two": {"reason": None}}
    ended(stage, witnesses={name: (lambda data=data: data) for name, data in said.items()})
    assert [(event["witness"], event["name"]) for event in begins(stage, "witness")] == [
        ("one", "witness"),
        ("two", "witness"),
    ]
    assert ends(stage, "witness") == list(said.values())
    texts = [event.text for event in stage.timeline.since() if event.kind is Kind.PHASE]
    assert "asking one" in texts
    assert "asking two" in texts
    assert ends(stage, "delivery") == [{"reached": True}]
    assert len(begins(stage, "questions")) == 1


@pytest.mark.parametrize("step", [Do.BASELINE, Do.FENCE])
def test_after_another_end_only_the_modem_is_asked(stage, step):
    ended(stage, step=step, witnesses={"one": dict})
    assert begins(stage, "witness") == begins(stage, "delivery") == []
    assert len(begins(stage, "questions")) == 1


def test_where_nothing_comes_back_the_board_is_asked_too(stage):
    stage.device.silent_for = {"other", "allowed"}
    stage.device.unsubscribe = lambda topic_filter: True
    stage.link._doubted = False
    do(runner(stage, witnesses={"one": dict}), Step(Do.ACTION))
    assert begins(stage, "witness") == []
    (asked,) = ends(stage, "questions")
    assert asked["connected"] is True
    assert stage.link._doubted is True
    over = Stage()
    over.link.ensure()
    ended(over)
    assert "connected" not in ends(over, "questions")[0]


def test_messages_that_reached_nobody_are_looked_for_once_more(stage):
    made = runner(stage)
    assert made.delivered_later(dict) is False
    assert begins(stage, "delivery") == []
    tokens, late = [], []
    action = PublishAction("other", lambda token, timeout: tokens.append(token) or token in late)
    made = ended(stage, action)
    assert ends(stage, "delivery") == [{"reached": False}]
    for known, count in ((False, 0), (True, 1)):
        if known:
            late.append(tokens[0])
        assert made.delivered_later(lambda: {"settled": 15.0, "watched": True}) is known
        assert ends(stage, "delivery")[-1] == {"settled": 15.0, "watched": True, LATE: count}
    assert [event.text for event in stage.timeline.since() if event.text == "looking once more"]


def test_an_effect_that_was_looked_for_last_is_the_runners(stage):
    made = runner(stage)
    assert made.effect is None
    do(made, Step(Do.ACTION), Step(Do.EFFECT))
    assert made.effect is True
    assert made.effect_of(1).seen is None
    (end,) = ends(stage, "effect")
    assert (end["seen"], end["packets"]) == (True, 0)


# -- effects, chasers and fences


def test_an_effect_that_nobody_saw_is_looked_for_again_so_nothing_is_quietened(stage):
    made = runner(stage, UNSEEN)
    do(made, Step(Do.ACTION), Step(Do.EFFECT))
    (begin,), (end,) = begins(stage, "effect"), ends(stage, "effect")
    assert begin["nonce"] == begins(stage, "action")[0]["nonce"]
    assert end == {"seen": False, "detail": "the message was seen nowhere", "message_sent": True}
    assert made.effect is False


def test_a_subscription_that_was_seen_is_quietened(stage):
    action = SubscribeAction(
        "a/+", lambda token: stage.device.event(MqttEventKind.MESSAGE, topic="a/x", payload=token.encode())
    )
    do(runner(stage, action), Step(Do.ACTION), Step(Do.EFFECT))
    assert ends(stage, "effect") == [
        {"seen": True, "detail": "a message arrived on a/x", "message_sent": None, "packets": 1}
    ]
    assert stage.device.unsubscribed == ["a/+"]


def test_an_end_before_the_effect_is_said(stage):
    action = SubscribeAction("a", lambda token: stage.device.hang_up())
    made = runner(stage, action)
    do(made, Step(Do.ACTION), Step(Do.EFFECT))
    assert ends(stage, "effect")[0]["detail"] == "the connection ended before the effect was seen"
    assert made.effect is None


def test_a_chased_action_ends_with_the_answers_to_both(stage):
    before, packets = stage.clock.now, stage.link.packets
    do(runner(stage), Step(Do.ACTION, chased=True))
    assert stage.clock.now - before == LATENCY
    assert (ends(stage, "action")[0]["sent"], ends(stage, "chaser")) == (True, [{"sent": True}])
    assert begins(stage, "chaser")[0]["behind"] is True
    assert stage.link.packets == packets + 2
    assert begins(stage, "fence") == []


def test_an_action_that_is_passed_over_ends_by_its_chaser_and_has_a_fence_behind_it(stage):
    stage.device.silent_for = {"other"}
    do(runner(stage), Step(Do.ACTION, chased=True))
    (fence,) = begins(stage, "fence")
    assert (fence["step"], fence["behind"]) == (0, True)
    assert ends(stage, "fence")[0]["acked"] is True


def test_a_silent_action_without_a_chaser_has_its_patience(stage):
    stage.device.silent_for = {"other"}
    before = stage.clock.now
    do(runner(stage), Step(Do.ACTION), patience=3.0)
    assert stage.clock.now - before == 3.0 + LATENCY + 3.0  # the fence's answer may be its own: is there a second?
    assert len(begins(stage, "fence")) == 1
    assert begins(stage, "chaser") == []


def test_a_silent_sham_has_the_links_patience_and_no_fence(stage):
    stage.device.silent_for = {"sham"}
    before = stage.clock.now
    do(runner(stage, sham=PublishAction("sham", None)), Step(Do.SHAM), patience=3.0)
    assert stage.clock.now - before >= 8.0
    assert begins(stage, "fence") == []


def test_a_packet_without_an_answer_has_a_fence_behind_it(stage):
    before = stage.clock.now
    do(runner(stage, PublishAction("other", None, qos=0)), Step(Do.ACTION, chased=True))
    assert stage.clock.now - before == LATENCY  # the fence's; no round trip is known that the action would be given
    (begin,) = begins(stage, "action")
    assert begin["answer"] == "fence"
    assert len(begins(stage, "fence")) == 1
    assert begins(stage, "chaser") == []


def test_an_action_that_the_board_refuses_is_waited_for_by_nobody(stage):
    stage.device.publish = lambda *_, **__: False
    before = stage.clock.now
    do(runner(stage), Step(Do.ACTION))
    assert ends(stage, "action")[0]["sent"] is False
    assert begins(stage, "fence") == []
    assert stage.clock.now == before

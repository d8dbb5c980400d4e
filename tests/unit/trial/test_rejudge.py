"""Recorded trials, judged anew. That every trial of a test is found again: tests/unit/trial/fakes.py, Stage."""

from dataclasses import replace

import pytest

from harness.timeline import Kind
from harness.trial import How, Outcome, facts_of, judge
from harness.trial.rejudge import rejudge, verdicts
from tests.unit.trial.fakes import LOGIN, Stage, through_json


def sentences(stage):
    events = {event.seq: event for event in stage.timeline.since()}
    facts = [event for event in events.values() if event.kind is Kind.FACTS][-1]
    return {one["code"]: one for one in facts.data["sentences"]}, events


def test_each_sentence_names_the_events_that_show_it():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=stage.delivered)
    found, events = sentences(stage)
    assert found["policy"]["how"] == How.DOCUMENTS
    assert found["reached nobody"]["how"] == How.ABSENCE
    assert [events[ref].text for ref in found["hang-up"]["refs"]] == ["hung up: ENOTCONN (128)"]
    baseline = [events[ref] for ref in found["baseline"]["refs"]]
    assert [(event.kind, event.text) for event in baseline] == [(Kind.MQTT, "puback"), (Kind.PHASE, "baseline ends")]
    assert all(one["refs"] for code, one in found.items() if code != "policy")


def test_loss_of_the_network_is_shown_by_its_line():
    stage = Stage({"other"})
    stage.during("other", lambda: stage.urc("+CGEV: NW PDN DEACT 0"))
    stage.trials.publish("other", witness=None)
    found, events = sentences(stage)
    assert [events[ref].text for ref in found["network lost"]["refs"]] == ["+CGEV: NW PDN DEACT 0"]


def test_every_attempt_is_judged_and_the_last_of_a_trial_is_its_verdict():
    stage = Stage()
    stage.trials.publish("one", witness=None)
    lost = iter(["+CEREG: 2"])
    stage.during("two", lambda: stage.urc(next(lost, "+CEREG: 1")))
    stage.trials.publish("two", witness=None)
    judged = rejudge(through_json(stage.timeline.since()))
    assert [(one.action.split()[2], one.attempt, one.outcome) for one in judged] == [
        ("one", 1, Outcome.TOLERATED),
        ("two", 1, Outcome.NETWORK_LOST),
        ("two", 2, Outcome.TOLERATED),
    ]
    assert verdicts(judged) == [judged[0], judged[2]]


@pytest.mark.parametrize(
    ("kind", "text", "change", "outcome"),
    [
        (Kind.MQTT, "hung up: ENOTCONN (128)", {"result": -116}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "questions ends", {"registered": False}, Outcome.NETWORK_LOST),
        (Kind.PHASE, "delivery ends", {"reached": True}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "after ends", {"seen": False}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "reconnect ends", {"error": "no TLS session"}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "baseline ends", {"acked": False}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "fence ends", {"acked": True}, Outcome.POLICY_DISCONNECT),
    ],
)
def test_the_verdict_follows_from_the_events(kind, text, change, outcome):
    """A changed record gets the verdict that it deserves, and the difference shows."""
    stage = Stage({"other"})
    stage.trials.publish("other", witness=stage.delivered)
    events = [
        event._replace(data=event.data | change) if (event.kind, event.text) == (kind, text) else event
        for event in through_json(stage.timeline.since())
    ]
    (judged,) = rejudge(events)
    assert judged.outcome is Outcome.POLICY_DISCONNECT
    assert judged.anew.outcome is outcome
    assert judged.same is (outcome is Outcome.POLICY_DISCONNECT)


def connect(stage):
    return stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")


@pytest.mark.parametrize(
    "act",
    [
        lambda stage: stage.trials.publish("other", witness=stage.delivered),
        lambda stage: stage.trials.publish("fine", witness=stage.delivered),
        lambda stage: stage.trials.subscribe("t", trigger=None),
        connect,
        lambda stage: stage.trials.verify_connection(),
    ],
)
def test_a_trial_can_be_read_wherever_it_was_cut(act):
    """The next step of an attempt depends on what was read so far, so every part of one must be readable."""
    stage = Stage({"other", "wrong"})
    verdict = act(stage)
    events = stage.timeline.since()
    begin = next(i for i, event in enumerate(events) if event.kind is Kind.PHASE)
    for end in range(begin + 1, len(events) + 1):
        assert judge(facts_of(events[begin:end])).evidence
    assert judge(facts_of(events[begin:])).outcome is verdict.outcome


def test_a_board_that_talks_so_much_that_the_trial_is_forgotten_proves_nothing():
    """Memory is bounded; the file still has everything."""
    stage = Stage(keep=50)
    stage.during("other", lambda: [stage.timeline.add(Kind.RX, "fake", "log") for _ in range(60)])
    verdict = stage.trials.publish("other", witness=None)
    assert (verdict.outcome, verdict.attempts) == (Outcome.INCONCLUSIVE, 2)


def test_a_timeline_without_trials_has_nothing_to_judge():
    stage = Stage()
    stage.link.ensure()
    assert rejudge(stage.timeline.since()) == []


def test_what_was_expected_stands_behind_what_was_found():
    stage = Stage()
    stage.trials.publish("other", witness=None).expect(Outcome.TOLERATED, Outcome.IGNORED)
    last = stage.timeline.since()[-1]
    assert (last.kind, last.data) == (Kind.EXPECT, {"wanted": ["tolerated", "ignored"], "got": "tolerated"})

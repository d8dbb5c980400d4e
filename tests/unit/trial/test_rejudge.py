"""Recorded trials, judged anew. That every trial of a test is found again: tests/unit/trial/fakes.py, Stage."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import LabError
from harness.timeline import Event, Kind
from harness.trial import How, Outcome, Sentence, facts_of
from harness.trial.judge import VERSION
from harness.trial.rejudge import rejudge, verdicts
from harness.trial.wire.plan_observation import observation_of
from tests.unit.trial.fakes import LOGIN, Stage, through_json

DATA = Path(__file__).parents[2] / "data"


def older():
    """Return timelines of logins, by name, from before a coin gave up and before the CONNECT of MQTT 5."""
    lines = gzip.decompress((DATA / "logins-judge-6.jsonl.gz").read_bytes()).splitlines()
    files = map(json.loads, lines)
    return {one["name"]: [Event(n, t, Kind(k), *more) for n, t, k, *more in one["events"]] for one in files}


@pytest.mark.parametrize("name", older())
def test_older_files_are_judged_as_they_were(name):
    judged = rejudge(older()[name])
    assert judged
    assert all(one.same for one in judged), judged[-1].anew.evidence
    assert not any(one.kept for one in judged)


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
    hits = [events[ref].text for ref in found["hits"]["refs"]]
    assert hits == ["action", "hung up: ENOTCONN (128)"] * 4
    after = [(events[ref].kind, events[ref].text) for ref in found["after"]["refs"]]
    assert after == [(Kind.MQTT, "puback")]
    assert {events[ref].text for ref in found["reached nobody"]["refs"]} == {"delivery ends"}


def test_a_tolerated_action_is_shown_by_its_answer_and_its_effect():
    stage = Stage()
    stage.trials.publish("other", witness=stage.delivered)
    found, events = sentences(stage)
    assert [events[ref].text for ref in found["stayed"]["refs"]] == ["action", "puback", "puback"]
    assert [events[ref].text for ref in found["effect"]["refs"]] == ["effect ends"]
    assert [events[ref].text for ref in found["baseline"]["refs"]] == ["puback"]


def test_what_makes_everything_worthless_is_shown_by_its_line():
    stage = Stage({"other"})
    stage.during("other", lambda: stage.urc("+CGEV: NW PDN DEACT 0"))
    stage.trials.publish("other", witness=None)
    found, events = sentences(stage)
    assert [events[ref].text for ref in found["suspect"]["refs"]] == ["+CGEV: NW PDN DEACT 0"]


def test_every_attempt_is_judged_and_the_last_of_a_trial_is_its_verdict():
    stage = Stage()
    stage.trials.publish("one", witness=None)
    fails = iter([True])
    ensure = stage.link.fresh

    def fresh():
        if next(fails, False):
            raise LabError("the board is busy")
        ensure()

    stage.link.fresh = fresh
    stage.trials.publish("two", witness=None)
    judged = rejudge(through_json(stage.timeline.since()))
    assert [(one.action.split()[2], one.attempt, one.outcome) for one in judged] == [
        ("one", 1, Outcome.TOLERATED),
        ("two", 1, Outcome.INCONCLUSIVE),
        ("two", 2, Outcome.TOLERATED),
    ]
    assert verdicts(judged) == [judged[0], judged[2]]


@pytest.mark.parametrize(
    ("kind", "text", "change", "outcome"),
    [
        (Kind.MQTT, "hung up: ENOTCONN (128)", {"result": -116}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "questions ends", {"registered": False}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "delivery ends", {"reached": True}, Outcome.INCONCLUSIVE),
        (Kind.PHASE, "connect ends", {"control": "another publish"}, Outcome.POLICY_DISCONNECT),
        (Kind.PHASE, "baseline ends", {"seen": False}, Outcome.INCONCLUSIVE),
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
    assert not judged.same


def changed(stage, name, **data):
    """The recorded events with other data in each PLAN of this name."""
    return [
        event._replace(data=event.data | data) if event.data.get("plan") == name else event
        for event in through_json(stage.timeline.since())
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("arm", {"draws": [0], "steps": [{"do": "action"}]}, "ask for 'arm' where 'arm' was carried out."),
        ("baseline", {"patience": 1.0}, "ask for 'baseline' where 'baseline' was carried out."),
        ("arm", {"draws": []}, "draw more numbers than were drawn then."),
    ],
)
def test_rules_that_ask_for_something_else_than_was_done_say_so(name, data, said):
    stage = Stage({"other"})
    stage.trials.publish("other", witness=None)
    (judged,) = rejudge(changed(stage, name, **data))
    assert judged.anew.outcome is Outcome.INCONCLUSIVE
    assert judged.anew.sentences == (Sentence("changed", f"Today's rules {said}"),)


def test_a_version_that_no_judge_has_is_refused():
    events = older()[next(iter(older()))]
    facts = next(i for i, event in enumerate(events) if event.kind is Kind.FACTS)
    events[facts] = events[facts]._replace(data={**events[facts].data, "judge": 0})
    with pytest.raises(ValueError, match=r"^0 is not a valid version of the judge$"):
        rejudge(events)


def test_a_record_that_ends_too_early_says_so():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=None)
    events = through_json(stage.timeline.since())
    last = [i for i, event in enumerate(events) if event.data.get("plan") == "baseline"][-1]
    end = next(i for i, event in enumerate(events) if event.text == "attempt ends")
    (judged,) = rejudge([*events[:last], *events[end:]])
    assert judged.anew.evidence == "Today's rules go on with 'baseline' where the trial ended."
    first = next(i for i, event in enumerate(events) if event.data.get("name") == "plan")
    (judged,) = rejudge([*events[:first], *events[end:]])
    assert judged.anew.evidence == "Today's rules go on with 'baseline' where the trial ended."


def test_a_record_that_goes_on_too_long_says_so():
    stage = Stage()
    stage.trials.publish("other", witness=None)
    events = through_json(stage.timeline.since())
    begin = next(i for i, event in enumerate(events) if event.data.get("plan") == "baseline")
    end = next(i for i, event in enumerate(events) if event.text == "attempt ends")
    again = next(i for i, event in enumerate(events) if event.text == "plan ends") + 1
    (judged,) = rejudge([*events[:end], *events[begin:again], *events[end:]])
    assert judged.anew.evidence == "Today's rules ask for an end where 'baseline' was carried out."


def test_a_last_plan_whose_end_is_missing_is_read_as_far_as_it_came():
    stage = Stage()
    stage.trials.publish("other", witness=None)
    events = through_json(stage.timeline.since())
    last = [i for i, event in enumerate(events) if event.text == "plan ends"][-1]
    (judged,) = rejudge([*events[:last], *events[last + 1 :]])
    assert judged.anew.outcome is Outcome.TOLERATED


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6, VERSION + 1])
def test_a_verdict_from_before_or_after_these_experiments_stays_as_it_was_recorded(version):
    sentence = {"code": "fence", "text": "The fence worked.", "refs": [2], "how": "events"}
    begin = {"trial": 1, "attempt": 1, "name": "attempt", "action": "publish on x", "sort": "packet", "policy": ""}
    found = {"judge": version, "outcome": "tolerated", "facts": {}, "sentences": [sentence]}
    events = [
        Event(1, 0.0, Kind.PHASE, "trial", "attempt 1", {**begin, "on": "begin", "difference": ""}),
        Event(2, 0.1, Kind.PHASE, "trial", "attempt ends", {**begin, "on": "end"}),
        Event(3, 0.2, Kind.FACTS, "trial", "verdict", {"trial": 1, "attempt": 1, **found}),
    ]
    (judged,) = rejudge(events)
    assert judged.same
    assert (judged.action, judged.anew.outcome) == ("publish on x", Outcome.TOLERATED)
    assert judged.evidence == "The fence worked."
    assert judged.kept == version


def test_an_attempt_whose_numbers_were_taken_away_is_judged_all_the_same():
    stage = Stage()
    stage.trials.publish("other", witness=None)
    unnumbered = [
        event._replace(data={key: value for key, value in event.data.items() if key not in ("trial", "attempt")})
        for event in through_json(stage.timeline.since())
    ]
    (judged,) = rejudge(unnumbered)
    assert (judged.trial, judged.attempt, judged.same, judged.outcome) == (-1, -1, True, Outcome.TOLERATED)


def test_what_comes_behind_the_attempt_is_not_part_of_it():
    """A line that arrives between the end of the attempt and its verdict: live and later the same is judged."""
    stage = Stage()
    look = stage.timeline.extend

    def late(drafts):
        drafts = list(drafts)
        found = look(drafts)
        if drafts[0][3] == "attempt ends":
            look([(stage.clock(), Kind.RX, "fake", "Ready", {})])
        return found

    stage.timeline.extend = late
    stage.device.silent_for = {"allowed"}
    assert stage.trials.publish("other", witness=None).outcome is Outcome.INCONCLUSIVE


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
    """The next step of a plan depends on what was read so far, so every part of one must be readable."""
    stage = Stage({"other", "wrong"})
    act(stage)
    events = stage.timeline.since()
    plans = [i for i, event in enumerate(events) if event.data.get("name") == "plan" and event.data["on"] == "begin"]
    for begin in plans[:3]:
        last = next(i for i in range(begin, len(events)) if events[i].text == "plan ends")
        for end in range(begin + 1, last + 2):
            observation_of(events[begin:end])
    begin = next(i for i, event in enumerate(events) if event.kind is Kind.PHASE)
    for end in range(begin + 1, len(events) + 1, 7):
        assert facts_of(events[begin:end]).action


def test_a_board_that_talks_so_much_that_the_trial_is_forgotten_proves_nothing():
    """Memory is bounded; the file still has everything."""
    stage = Stage(keep=50)
    stage.during("other", lambda: [stage.timeline.add(Kind.RX, "fake", "log") for _ in range(60)])
    verdict = stage.trials.publish("other", witness=None)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the board said so much" in verdict.evidence


def test_a_timeline_without_trials_has_nothing_to_judge():
    stage = Stage()
    stage.link.ensure()
    assert rejudge(stage.timeline.since()) == []


def test_what_was_expected_stands_behind_what_was_found():
    stage = Stage()
    stage.trials.publish("other", witness=None).expect(Outcome.TOLERATED, Outcome.IGNORED)
    last = stage.timeline.since()[-1]
    assert (last.kind, last.data) == (Kind.EXPECT, {"wanted": ["tolerated", "ignored"], "got": "tolerated"})

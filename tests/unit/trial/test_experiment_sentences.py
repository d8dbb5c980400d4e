"""A verdict from an experiment: its outcome, its sentences, and which connection's end is diagnosed."""

import pytest

from harness.firmware import WORDS
from harness.timeline import Event, Kind
from harness.trial import Outcome, Sentence
from harness.trial.diagnosis import Cause, Diagnosis, Finding, Weight
from harness.trial.experiment import Conclusion, ExperimentResult, Grouping, Plan, Saw, StepConnection, Suspect, Tally
from harness.trial.facts import Sort, Stage
from harness.trial.judgement import How
from harness.trial.wire import experiment_verdict as module
from harness.trial.wire.carried_experiment import CarriedOut
from harness.trial.wire.citations import Shown
from harness.trial.wire.experiment_verdict import CONTROL, _diagnosed, _last_end, judged, numbers
from harness.trial.wire.group_verdict import control_of, judged_group


class Story:
    """The events of an attempt of this sort."""

    def __init__(self, sort=Sort.PACKET, **begin):
        self.events = []
        self.add(Kind.PHASE, "attempt 1", name="attempt", on="begin", sort=sort, **begin)

    def add(self, kind, text="", source="trial", **data):
        number = len(self.events)
        self.events.append(Event(number, float(number), kind, source, text, data))
        return number

    def phase(self, name, **found):
        self.add(Kind.PHASE, name, name=name, on="begin")
        return self.add(Kind.PHASE, f"{name} ends", name=name, on="end", **found)

    def mqtt(self, kind, result=0):
        number = len(self.events)
        data = {"kind": kind, "result": result}
        self.events.append(Event(number, float(number), Kind.MQTT, "b", kind, data))
        return number


def found(story, conclusion=Conclusion.REFUSED, *sentences, suspect=None, shown=()):
    result = ExperimentResult(conclusion, sentences, Tally(), suspect)
    return judged(CarriedOut(result, list(shown)), story.events)


@pytest.fixture(autouse=True)
def diagnosed(monkeypatch):
    """Have nothing diagnosed; returns the windows and runs that were asked about."""
    asked = []

    def diagnose(events, run, *, words):
        assert words is WORDS
        asked.append(([event.seq for event in events], len(run)))
        return Diagnosis(Cause.INCONCLUSIVE, (), ())

    monkeypatch.setattr(module, "diagnose", diagnose)
    return asked


def plan(name):
    return Plan(name, StepConnection.SAME, (), 1.0)


# -- the outcome


@pytest.mark.parametrize(
    ("conclusion", "outcome"),
    [
        (Conclusion.TOLERATED, Outcome.TOLERATED),
        (Conclusion.IGNORED, Outcome.IGNORED),
        (Conclusion.POLICY_DISCONNECT, Outcome.POLICY_DISCONNECT),
        (Conclusion.LATE_DISCONNECT, Outcome.LATE_DISCONNECT),
        (Conclusion.ACKNOWLEDGED_THEN_CLOSED, Outcome.ACKNOWLEDGED_THEN_CLOSED),
        (Conclusion.REFUSED_IN_SUBACK, Outcome.REFUSED_IN_SUBACK),
        (Conclusion.INCONCLUSIVE, Outcome.INCONCLUSIVE),
    ],
)
def test_each_conclusion_has_its_outcome(conclusion, outcome):
    assert found(Story(), conclusion).outcome is outcome


@pytest.mark.parametrize(
    ("suspect", "outcome"),
    [
        (Suspect.NETWORK_LOST, Outcome.NETWORK_LOST),
        (Suspect.MODEM_RESET, Outcome.MODEM_RESET),
        (Suspect.NETWORK, Outcome.INCONCLUSIVE),
    ],
)
def test_a_suspect_that_was_seen_is_the_outcome(suspect, outcome):
    assert found(Story(), Conclusion.INCONCLUSIVE, suspect=suspect).outcome is outcome


def test_only_a_call_is_authorised():
    assert found(Story(Sort.CALL), Conclusion.TOLERATED).outcome is Outcome.AUTHORISED
    assert found(Story(Sort.CALL), Conclusion.INCONCLUSIVE).outcome is Outcome.INCONCLUSIVE
    assert found(Story(Sort.CONNECT), Conclusion.TOLERATED).outcome is Outcome.TOLERATED


def refused(sort, *actions, **begin):
    story = Story(sort, **begin)
    for action in actions:
        story.phase("action", **action)
    return found(story)


def ended(stage, saw=Saw.CLOSED):
    return {"saw": saw, "stage": stage}


def call(status, saw=Saw.CLOSED):
    return {"saw": saw, "status": status}


@pytest.mark.parametrize(
    ("calls", "outcome"),
    [
        ([call(401), call(0)], Outcome.INCONCLUSIVE),  # half of them is not most
        ([call(401), call(401), call(0)], Outcome.DENIED),
        ([call(401), call(0), call(0)], Outcome.INCONCLUSIVE),
        ([call(200, Saw.ANSWERED), call(503, Saw.LATER), call(403)], Outcome.DENIED),
        ([call(404, Saw.REFUSED), call(0), call(0)], Outcome.DENIED),
        ([], Outcome.INCONCLUSIVE),
    ],
)
def test_a_call_is_denied_by_most_of_its_answers(calls, outcome):
    assert refused(Sort.CALL, *calls).outcome is outcome


OWN = {"experiment": {"subject": {"sham": CONTROL}}}


@pytest.mark.parametrize(
    ("sort", "stages", "outcome"),
    [
        (Sort.CONNECT, [Stage.NO_SESSION], Outcome.REFUSED_IN_TLS),
        (Sort.CONNECT, [Stage.NO_SESSION, Stage.NO_CONNACK, Stage.NO_CONNACK], Outcome.REFUSED_AT_CONNECT),
        (Sort.CONNECT, [Stage.SILENT], Outcome.INCONCLUSIVE),
        (Sort.CONNECT, [], Outcome.REFUSED_AT_CONNECT),
        (Sort.OWN_CONNECT, [Stage.NO_SESSION], Outcome.INCONCLUSIVE),
        (Sort.OWN_CONNECT, [Stage.NO_CONNACK], Outcome.REFUSED_AT_CONNECT),
        (Sort.OWN_CONNECT, [Stage.SILENT, Stage.SILENT, Stage.REFUSED], Outcome.INCONCLUSIVE),
        (Sort.NRF_CLOUD, [], Outcome.POLICY_DISCONNECT),
    ],
)
def test_a_login_is_refused_where_most_of_its_attempts_ended(sort, stages, outcome):
    assert refused(sort, *map(ended, stages), **OWN).outcome is outcome


def test_attempts_that_were_answered_or_put_off_do_not_count():
    attempts = [ended(Stage.NO_SESSION, Saw.ANSWERED)] * 3 + [ended(Stage.NO_SESSION, Saw.LATER)] * 3
    assert refused(Sort.CONNECT, *attempts, ended(Stage.NO_CONNACK)).outcome is Outcome.REFUSED_AT_CONNECT


# -- the sentences


def test_what_the_documents_say_stands_first_unless_nobody_came_to_a_decision():
    said = Sentence("hits", "Four times.", (3,))
    assert found(Story(policy="Policy: no."), Conclusion.POLICY_DISCONNECT, said).sentences == (
        Sentence("policy", "Policy: no.", how=How.DOCUMENTS),
        said,
    )
    assert found(Story(), Conclusion.POLICY_DISCONNECT, said).sentences == (said,)
    story = Story(Sort.CONNECT, policy="Policy: no.")
    story.phase("action", **ended(Stage.NO_SESSION))
    assert found(story, Conclusion.REFUSED, said).sentences == (said,)


def test_a_sentence_names_the_events_behind_it_and_absence_has_none():
    shown = [Shown(plan("baseline"), {"baseline": (4, 2)})]
    said = (
        Sentence("baseline", "It worked."),
        Sentence("reached nobody", "Nobody."),
        Sentence("rounds", "None."),
        Sentence("ignored", "It was passed over."),
        Sentence("unknown", "Something."),
        Sentence("baseline", "Its own.", (9,)),
    )
    assert found(Story(), Conclusion.TOLERATED, *said, shown=shown).sentences == (
        Sentence("baseline", "It worked.", (2, 4)),
        Sentence("reached nobody", "Nobody.", (), How.ABSENCE),
        Sentence("rounds", "None.", (), How.ABSENCE),
        Sentence("ignored", "It was passed over.", (), How.ABSENCE),
        Sentence("unknown", "Something.", (), How.EVENTS),
        Sentence("baseline", "Its own.", (9,)),
    )


def test_the_firmwares_own_command_never_says_why():
    assert found(Story(Sort.NRF_CLOUD), Conclusion.TOLERATED).sentences == (
        Sentence(
            "no reason",
            "The firmware says that its connection ended (#XNRFCLOUD: 0), and never why.",
            how=How.ABSENCE,
        ),
    )


def test_what_a_firmwares_log_showed_stands_behind_what_was_proved():
    said = Sentence("coin", "Seven of seven.", (3,))
    assert found(Story(Sort.FIRMWARE), Conclusion.INCONCLUSIVE, said).sentences == (
        said,
        Sentence(
            "own",
            "0 of 0 connections with the provocation were hung up on, 0 of 0 without it stayed.",
        ),
        Sentence("chain", "No hang-up.", how=How.ABSENCE),
    )


COMPARED = (
    "The right one was a CONNECT of MQTT 5 with the same credentials, its end held back until its session was older"
    " than any attempt of the login. Any CONNACK counts: it shows that the cloud's answers come through. There came: "
)


def test_the_own_login_is_compared_with_a_connect_of_mqtt_5():
    story = Story(Sort.OWN_CONNECT, **OWN)
    assert found(story, Conclusion.TOLERATED).sentences == (Sentence("compared", f"{COMPARED}none.", (), How.ABSENCE),)
    first = story.phase("right", saw=Saw.ANSWERED, detail="CONNACK 1")
    story.phase("right", saw=Saw.CLOSED, detail="hung up")
    story.phase("right")
    second = story.phase("right", saw=Saw.ANSWERED, detail="CONNACK 135")
    third = story.phase("right", saw=Saw.ANSWERED, detail="CONNACK 1")
    assert found(story, Conclusion.TOLERATED).sentences == (
        Sentence("compared", f"{COMPARED}CONNACK 1 (2 times), CONNACK 135 (1 times).", (first, second, third)),
    )


def test_older_files_compared_it_with_a_torn_connect():
    story = Story(Sort.OWN_CONNECT, experiment={"subject": {"sham": "a torn CONNECT"}})
    (said,) = found(story, Conclusion.TOLERATED).sentences
    assert said == Sentence(
        "compared",
        "The right one was a session of the board with the same credentials, on which a CONNECT without its end was"
        " sent: a good link lets that stand, whatever the cloud thinks of the login.",
    )


def test_the_numbers_of_an_experiment_are_ready_for_json():
    said = numbers(ExperimentResult(Conclusion.INCONCLUSIVE, (), Tally(hits=3), Suspect.MIXED, 20_000))
    assert (said["one_in"], said["suspect"], said["tally"]["hits"]) == (20_000, "mixed", 3)
    assert numbers(ExperimentResult(Conclusion.TOLERATED, (), Tally()))["suspect"] is None


# -- which end is diagnosed


@pytest.mark.parametrize(
    ("conclusion", "asked"),
    [
        (Conclusion.POLICY_DISCONNECT, True),
        (Conclusion.LATE_DISCONNECT, True),
        (Conclusion.INCONCLUSIVE, True),
        (Conclusion.TOLERATED, False),
        (Conclusion.IGNORED, False),
        (Conclusion.REFUSED_IN_SUBACK, False),
    ],
)
def test_an_end_is_diagnosed_where_it_may_be_of_something_else(diagnosed, conclusion, asked):
    found(Story(), conclusion)
    assert diagnosed == ([([0], 1)] if asked else [])


def test_the_connection_that_ended_last_and_not_as_asked_is_looked_at():
    story = Story()
    story.mqtt("accepted")
    story.mqtt("closed", -128)
    story.add(Kind.PHASE, "plan ends")
    opened = story.mqtt("accepted")
    story.add(Kind.RX, "a line", "b")
    story.mqtt("closed", -128)
    story.add(Kind.RX, "plan begins", "b")
    plan = story.add(Kind.PHASE, "plan ends")
    story.mqtt("accepted")
    story.mqtt("closed", 0)
    story.add(Kind.PHASE, "plan ends")
    assert [event.seq for event in _last_end(story.events)] == list(range(opened, plan + 1))


def test_without_an_end_or_a_begin_everything_is_looked_at():
    story = Story()
    story.mqtt("closed", 0)
    assert _last_end(story.events) == story.events
    story.mqtt("closed", -128)
    story.add(Kind.RX, "behind", "b")
    assert list(_last_end(story.events)) == story.events


def finding(cause, weight, text, *refs):
    return Finding(cause, weight, text, refs)


def test_what_speaks_for_and_against_a_refusal_is_said():
    findings = (
        finding(Cause.POLICY, Weight.CERTAIN, "proved", 1),
        finding(Cause.KEEP_ALIVE, Weight.LIKELY, "silence", 2, 3),
        finding(Cause.NETWORK_LOST, Weight.POSSIBLE, "perhaps", 4),
    )
    said = _diagnosed(Diagnosis(Cause.POLICY, findings, ()), Outcome.POLICY_DISCONNECT)
    assert said == [
        Sentence("speaks for", "For it speaks (policy): proved.", (1,)),
        Sentence("speaks against", "Against it speaks (keep-alive): silence.", (2, 3)),
    ]


def test_what_speaks_for_a_cause_of_the_labs_is_said_three_times_at_most():
    findings = tuple(finding(Cause.KEEP_ALIVE, Weight.LIKELY, f"silence {n}", n) for n in range(4))
    other = finding(Cause.NETWORK_LOST, Weight.POSSIBLE, "perhaps", 9)
    said = _diagnosed(Diagnosis(Cause.KEEP_ALIVE, (*findings, other), ()), Outcome.INCONCLUSIVE)
    assert said == [Sentence("speaks for", f"keep-alive is likely: silence {n}.", (n,)) for n in range(3)]
    said = _diagnosed(Diagnosis(Cause.INCONCLUSIVE, (other,), ()), Outcome.INCONCLUSIVE)
    assert said == [Sentence("speaks for", "network lost is possible: perhaps.", (9,))]


@pytest.mark.parametrize(
    ("conclusion", "said"),
    [
        (Conclusion.INCONCLUSIVE, Sentence("speaks for", "keep-alive is likely: silence.", (3,))),
        (Conclusion.POLICY_DISCONNECT, Sentence("speaks against", "Against it speaks (keep-alive): silence.", (3,))),
    ],
)
def test_a_diagnosis_is_told_as_its_verdict_needs_it(monkeypatch, conclusion, said):
    findings = (finding(Cause.KEEP_ALIVE, Weight.LIKELY, "silence", 3),)
    monkeypatch.setattr(module, "diagnose", lambda _events, _run, words: Diagnosis(Cause.KEEP_ALIVE, findings, ()))
    assert found(Story(), conclusion).sentences == (said,)


def test_what_nobody_looked_at_is_said():
    said = _diagnosed(Diagnosis(Cause.INCONCLUSIVE, (), ("the radio", "the address")), Outcome.POLICY_DISCONNECT)
    assert said == [Sentence("missing", "Not looked at: the radio; the address.", (), How.ABSENCE)]


# -- groups


def group(grouping, *shown):
    return judged_group(CarriedOut(grouping, list(shown)), Story(Sort.GROUP).events)


def test_a_group_is_tolerated_if_any_of_its_actions_was():
    shown = [
        Shown(plan("group"), {"answered": (3, 4)}),
        Shown(plan("group"), {}),
        Shown(plan("x"), {"answered": (7,)}),
    ]
    said = group(Grouping(tolerated=[0, 1]), *shown)
    assert said.outcome is Outcome.TOLERATED
    assert said.sentences == (Sentence("group", "2 actions were answered and stayed unharmed for a hold.", (3, 4, 7)),)


def test_who_must_be_tried_alone_and_who_was_not_tried_is_said():
    grouping = Grouping(alone=[0], untried=[1, 2], suspect=Suspect.BUDGET, text="It took too long")
    said = group(grouping)
    assert said.outcome is Outcome.INCONCLUSIVE
    assert said.sentences == (
        Sentence("group", "0 actions were answered and stayed unharmed for a hold."),
        Sentence("alone", "1 are tried alone: the connection ended, or no effect was seen."),
        Sentence("suspect", "2 were not tried. Suspected: budget. It took too long."),
    )


def test_the_allowed_action_that_worked_last_is_the_groups():
    story = Story(Sort.GROUP)
    assert control_of(story.events) == "the allowed action"
    story.phase("connect", control="a publish")
    story.phase("connect", control="a shadow update")
    story.phase("connect")
    assert control_of(story.events) == "a shadow update"

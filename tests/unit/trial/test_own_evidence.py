"""What plans on a firmware's own connection showed, and the sentences of it: from a few reconnects."""

import pytest

from harness.timeline import Event, Kind
from harness.trial import Outcome, Sentence
from harness.trial.experiment import Done, Saw, VoidedBy
from harness.trial.judgement import How
from harness.trial.own_attempt import own_attempts
from harness.trial.wire.own_evidence import hung_up_on, own_sentences
from harness.trial.wire.own_observation import own_observation_of
from tests.unit.trial.test_own_attempt import KICK, LOST, READY, Reconnect

CRASH = "Modem has crashed, reason 0x11, PC: 0x688de"


def plan(*reconnects, ended=True):
    """Return the events of a plan with these reconnects: (phase, line of the board)."""
    events = [Event(0, 5.0, Kind.PHASE, "trial", "", {"name": "plan", "on": "begin"})]
    for phase, *lines in reconnects:
        made = Reconnect(phase)
        for line in lines:
            made.line(line)
        for event in made.end().events:
            number = len(events)
            events.append(event._replace(seq=number, t=5.0 + number))
    if ended:
        events.append(Event(len(events), 5.0 + len(events), Kind.PHASE, "trial", "", {"name": "plan", "on": "end"}))
    return events


def observed(*reconnects, **more):
    return own_observation_of(plan(*reconnects, **more))


def test_each_reconnect_is_a_step():
    seen = observed(("right", READY), ("action", KICK))
    observation = seen.observation
    assert observation.done == (Done(Saw.ANSWERED, 2.0), Done(Saw.CLOSED, 2.0))
    assert (observation.seconds, observation.void) == (9.0, "")
    assert seen.refs == {"login": (3, 7), "void": ()}


def test_a_plan_that_was_cut_is_as_long_as_it_came():
    assert observed(("right", READY), ended=False).observation.seconds == 4.0
    assert observed(ended=False).observation.seconds == 0.0
    assert observed().observation.done == ()


@pytest.mark.parametrize(
    ("line", "by"), [(LOST, VoidedBy.NETWORK), (CRASH, VoidedBy.RESTART), ("nothing", VoidedBy.NETWORK)]
)
def test_what_is_no_hang_up_makes_it_worthless(line, by):
    lines = (READY, LOST) if line == LOST else (line,)
    events = plan(("right", READY), ("action", *lines))
    seen = own_observation_of(events)
    (_, attempt) = own_attempts(events)[1]
    assert (seen.observation.void, seen.observation.voided_by) == (str(attempt.cause), by)
    assert seen.refs["void"] == seen.refs["login"] != ()


def test_how_often_it_was_hung_up_on_and_stayed_is_said():
    events = plan(("right", READY), ("action", READY, KICK), ("action", KICK), ("right", LOST), ("action", READY))
    own, chain = own_sentences(events)
    hits = [attempt for on, attempt in own_attempts(events) if on and not attempt.connected]
    stays = [attempt for on, attempt in own_attempts(events) if not on and attempt.connected]
    assert own == Sentence(
        "own",
        "2 of 3 connections with the provocation were hung up on, 1 of 2 without it stayed.",
        tuple(sorted(seq for attempt in (*hits, *stays) for seq in attempt.refs)),
    )
    assert chain == Sentence("chain", f"{hits[0].chain}.", hits[0].refs)
    assert len(own.refs) == 3


def test_without_a_hang_up_there_is_no_chain():
    assert own_sentences(plan(("right", READY), ("action", READY))) == [
        Sentence("own", "0 of 1 connections with the provocation were hung up on, 1 of 1 without it stayed.", (3,)),
        Sentence("chain", "No hang-up.", (), How.ABSENCE),
    ]


@pytest.mark.parametrize(
    ("reconnects", "outcome"),
    [
        ([("action", KICK)], Outcome.POLICY_DISCONNECT),
        ([("action", KICK), ("action", READY, LOST), ("action", "nothing")], Outcome.POLICY_DISCONNECT),
        ([("action", KICK), ("action", CRASH)], Outcome.INCONCLUSIVE),
        ([("action", READY, LOST)], Outcome.INCONCLUSIVE),
        ([("right", KICK), ("action", READY)], Outcome.INCONCLUSIVE),
        ([("action", KICK), ("right", CRASH)], Outcome.POLICY_DISCONNECT),
        ([], Outcome.INCONCLUSIVE),
    ],
)
def test_a_refusal_is_a_hang_up_with_the_provocation_and_nothing_else(reconnects, outcome):
    assert hung_up_on(plan(*reconnects)) is outcome

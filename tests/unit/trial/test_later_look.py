"""A proved refusal after the last look for the messages of its hang-ups."""

import pytest

from harness.timeline import Event, Kind
from harness.trial import Outcome, Sentence
from harness.trial.experiment import Conclusion, ExperimentResult, Suspect, Tally
from harness.trial.facts import Sort
from harness.trial.judgement import How
from harness.trial.phases import LATE
from harness.trial.wire.later_look import looked_later
from harness.trial.wire.own_evidence import hung_up_on, own_sentences
from tests.unit.run.test_own_trials import KICK, READY, Board
from tests.unit.trial.fakes import through_json

SAID = (
    Sentence("hits", "Four times."),
    Sentence("refused", "So it is refused."),
    Sentence("reached nobody", "The message reached nobody."),
    Sentence("chance", "1 in 10."),
)
PROVED = ExperimentResult(Conclusion.POLICY_DISCONNECT, SAID, Tally(hits=4), one_in=20_000)


def looks(*found):
    """The events of an attempt in which the observer was asked so often."""
    events = [Event(0, 0.0, Kind.PHASE, "trial", "attempt", {"name": "attempt", "on": "begin", "sort": Sort.PACKET})]
    for data in found:
        for on in ("begin", "end"):
            more = data if on == "end" else {}
            events.append(Event(len(events), 0.0, Kind.PHASE, "trial", "", {"name": "delivery", "on": on} | more))
    return events


def late(count, *, watched=True):
    return {LATE: count, "settled": 15.0, "watched": watched}


@pytest.mark.parametrize("conclusion", [each for each in Conclusion if each is not Conclusion.POLICY_DISCONNECT])
def test_only_a_proved_refusal_is_reconsidered(conclusion):
    result = ExperimentResult(conclusion, SAID, Tally())
    assert looked_later(result, looks(late(1))) is result


def test_where_nobody_looked_later_it_stands():
    assert looked_later(PROVED, looks()) is PROVED
    assert looked_later(PROVED, looks({"seen": False})) is PROVED
    assert looked_later(PROVED, looks(late(1))[:-1]) is PROVED


def test_a_message_that_came_all_the_same_was_not_refused():
    found = looked_later(PROVED, looks(late(0), late(2)))
    assert (found.conclusion, found.suspect, found.one_in, found.tally) == (
        *(Conclusion.INCONCLUSIVE, Suspect.DELIVERED, 0, PROVED.tally),
    )
    assert found.sentences == (
        SAID[0],
        Sentence(
            "suspect",
            "Suspected: delivered before the hang-up. Of 4 messages that the board was hung up on at, 2 had come to the"
            " observer 15 s after the last.",
            (4,),
        ),
    )


def test_a_message_that_never_came_is_said_with_how_long_was_looked_for_it():
    found = looked_later(PROVED, looks(late(0)))
    assert found.conclusion is Conclusion.POLICY_DISCONNECT
    assert found.one_in == 20_000
    assert found.sentences == (
        *SAID[:2],
        Sentence(
            "reached nobody",
            "The message reached nobody, looked for until 15 s after the last hang-up.",
            (2,),
            How.ABSENCE,
        ),
        SAID[3],
    )


def test_an_observer_that_was_away_saw_nothing():
    found = looked_later(PROVED, looks(late(0, watched=False)))
    assert found.sentences[2] == Sentence(
        "not watched",
        "Whether the message came later is not known: the observer's connection was made anew meanwhile.",
        (2,),
        How.ABSENCE,
    )


# -- the same of a firmware's own connection


def events_of(says):
    board = Board(says)
    board.experiment()
    return through_json(board.timeline.since())


LOST = "Network connectivity lost!"
REFUSED = "NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -9"


@pytest.mark.parametrize(
    ("provoked", "left", "outcome"),
    [
        ([[KICK]], [READY], Outcome.POLICY_DISCONNECT),
        ([[KICK], [REFUSED]], [READY], Outcome.INCONCLUSIVE),
        ([[LOST]], [KICK], Outcome.INCONCLUSIVE),
        ([[READY]], [READY], Outcome.INCONCLUSIVE),
    ],
)
def test_only_hang_ups_with_the_provocation_are_a_refusal(provoked, left, outcome):
    turn = [0]

    def says(on):
        turn[0] += on
        return provoked[turn[0] % len(provoked)] if on else left

    assert hung_up_on(events_of(says)) is outcome


def test_what_the_log_showed_is_counted():
    said = own_sentences(events_of(lambda on: [KICK] if on else [READY]))
    assert [one.code for one in said] == ["own", "chain"]
    text = said[0].text
    assert "connections with the provocation were hung up on, " in text
    assert text.endswith(" without it stayed.")
    assert list(said[0].refs) == sorted(said[0].refs)
    assert said[1].refs
    assert said[1].how is How.EVENTS
    quiet = own_sentences(events_of(lambda on: [READY]))
    assert quiet[1] == Sentence("chain", "No hang-up.", how=How.ABSENCE)
    assert quiet[0].text.startswith("0 of ")

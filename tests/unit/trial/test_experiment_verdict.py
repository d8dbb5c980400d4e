"""Where a login or a call was refused is read from its attempts."""

import pytest

from harness.timeline import Event, Kind
from harness.trial.experiment import Conclusion, ExperimentResult, Saw, Tally
from harness.trial.facts import Sort, Stage
from harness.trial.verdict import Outcome
from harness.trial.wire.carried_experiment import CarriedOut
from harness.trial.wire.experiment_verdict import judged

CUT = {"saw": Saw.CLOSED, "stage": Stage.NO_SESSION, "status": 0}
IN_WORDS = {"saw": Saw.REFUSED, "stage": Stage.REFUSED, "status": 401}


def outcome_of(sort, attempts):
    events = [Event(1, 0.0, Kind.PHASE, "trial", "attempt 1", {"sort": sort, "name": "attempt", "on": "begin"})]
    for found in attempts:
        for on, data in (("begin", {}), ("end", found)):
            number = len(events) + 1
            data = {"name": "action", "on": on, "step": 0, **data}
            events.append(Event(number, float(number), Kind.PHASE, "trial", "action", data))
    result = ExperimentResult(Conclusion.REFUSED, (), Tally())
    return judged(CarriedOut(result, []), events).outcome


@pytest.mark.parametrize(("sort", "outcome"), [(Sort.CONNECT, Outcome.REFUSED_AT_CONNECT), (Sort.CALL, Outcome.DENIED)])
def test_attempts_that_were_cut_do_not_outvote_those_that_were_refused_in_words(sort, outcome):
    assert outcome_of(sort, [CUT] * 3 + [IN_WORDS] * 2) is outcome


def test_attempts_without_a_word_are_refused_where_most_of_them_ended():
    closed = CUT | {"stage": Stage.NO_CONNACK}
    assert outcome_of(Sort.CONNECT, [CUT] * 3 + [closed] * 2) is Outcome.REFUSED_IN_TLS
    assert outcome_of(Sort.CONNECT, [CUT] * 2 + [closed] * 3) is Outcome.REFUSED_AT_CONNECT
    assert outcome_of(Sort.CALL, [CUT] * 3) is Outcome.INCONCLUSIVE

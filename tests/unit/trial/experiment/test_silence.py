"""How long connections must have stayed until hang-ups cannot be cuts that fell on a silent cloud."""

import random
from math import exp

import pytest

from harness.trial.experiment import (
    Do,
    Done,
    ExperimentRule,
    Night,
    Observation,
    Saw,
    Step,
    StepConnection,
    Subject,
)
from harness.trial.experiment.context import ExperimentContext
from harness.trial.experiment.silence import coincidence, one_age, quiet_wanted, share, watched_idle
from tests.simulation.faults import MODELS
from tests.simulation.world import LINKS, Cloud
from tests.unit.trial.experiment.test_simulation import verdicts

CHANCE = 1 / ExperimentRule().wanted
REFUSES = Cloud("refuses", refuses=1.0)


def test_four_hits_want_sixteen_quiet_slots_and_an_end_elsewhere_more():
    assert 16 < quiet_wanted(4, 0, CHANCE * share(0)) < 17
    assert 33 < quiet_wanted(4, 1, CHANCE * share(1)) < 36
    assert 11 < quiet_wanted(5, 0, CHANCE * share(0)) < 12


def test_all_numbers_of_ends_elsewhere_share_one_bound():
    assert 0.999 < sum(map(share, range(10_000))) <= 1


@pytest.mark.parametrize(("hits", "ends"), [(4, 0), (5, 1), (6, 3), (14, 2)])
def test_what_is_wanted_is_just_enough_whatever_the_rate_of_cuts(hits, ends):
    quiet = quiet_wanted(hits, ends, CHANCE)
    assert coincidence(hits, ends, quiet) <= CHANCE < coincidence(hits, ends, 0.99 * quiet)


def test_the_chance_is_that_of_cuts_without_memory():
    """By brute force, for one rate: slots of 1 s and 3 quiet ones, cuts 2 s apart."""
    chance, tries, met = random.Random(1), 40_000, 0
    for _ in range(tries):
        met += all(chance.expovariate(0.5) <= 1 for _ in range(2)) and chance.expovariate(0.5) > 3
    expected = (1 - exp(-0.5)) ** 2 * exp(-1.5)
    assert met / tries == pytest.approx(expected, abs=0.003)
    assert coincidence(2, 0, 3.0) >= expected


def test_no_quiet_second_is_wanted_where_hits_may_be_a_coincidence_anyway():
    assert quiet_wanted(1, 0, 1.0) < 1e-5


def test_ages_of_one_clock():
    assert one_age([5.0, 5.2, 4.9, 5.0])
    assert not one_age([2.0, 5.2, 4.9, 5.0])


def test_what_comes_behind_an_end_is_no_time_in_which_a_connection_stayed():
    """Witnesses are asked for seconds behind each hang-up: cuts are no rarer for that."""

    def idled(behind):
        return [result.tally.idled for result in verdicts(LINKS[3], MODELS[0], REFUSES, 60, behind=behind)]

    assert any(idled(0.0))
    assert idled(20.0) == pytest.approx(idled(0.0))


def context_that_saw(plan_steps, *done, **seen):
    context = ExperimentContext(Subject("x"), ExperimentRule(), Night(), random.Random(1))
    script = context.run("arm", StepConnection.SAME, *plan_steps)
    next(script)
    with pytest.raises(StopIteration):
        script.send(Observation(tuple(done), 100.0, **seen))
    return context


STEPS = (Step(Do.SHAM), Step(Do.SHAM), Step(Do.ACTION), Step(Do.IDLE, seconds=9.0))


@pytest.mark.parametrize(
    ("saws", "seen", "quiet"),
    [
        ((Saw.ANSWERED, Saw.ANSWERED, Saw.CLOSED), {"connecting": 4.0}, 6.0),
        ((Saw.ANSWERED, Saw.ANSWERED, Saw.ANSWERED, Saw.ANSWERED), {}, 2.0),
        ((Saw.ANSWERED, Saw.CLOSED), {}, 2.0),
        ((Saw.ANSWERED, Saw.NOTHING), {}, 1.0),
        ((Saw.ANSWERED, Saw.CLOSED), {"connecting": 4.0, "void": "+CEREG: 2"}, 0.0),
        ((), {"connecting": 4.0}, 0.0),
    ],
)
def test_quiet_are_connecting_and_the_steps_before_the_action_up_to_the_end(saws, seen, quiet):
    assert context_that_saw(STEPS, *(Done(saw, 1.0) for saw in saws), **seen).quiet == quiet


@pytest.mark.parametrize("stays", [True, False])
def test_an_idle_connection_counts_as_watched_only_if_it_stayed(stays):
    context = ExperimentContext(Subject("x"), ExperimentRule(), Night(), random.Random(1))
    context.tally.hits, context.tally.delays, context.tally.ages = 4, [1.0] * 4, [2.0, 5.0, 3.0, 8.0]
    script = watched_idle(context)
    (step,) = next(script).steps
    with pytest.raises(StopIteration) as found:
        script.send(Observation((Done(Saw.ANSWERED if stays else Saw.CLOSED, step.seconds),)))
    assert (found.value.value, context.tally.idled) == (stays, step.seconds if stays else 0.0)

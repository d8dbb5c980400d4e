"""How long connections must have stayed until hang-ups cannot be cuts that fell on a silent cloud."""

import random
from math import exp

import pytest

from harness.trial.experiment import ExperimentRule
from harness.trial.experiment.silence import coincidence, one_age, quiet_wanted

CHANCE = 1 / ExperimentRule().wanted


def test_four_hits_want_thirteen_quiet_slots_and_an_end_elsewhere_more():
    assert 13 < quiet_wanted(4, 0, CHANCE) < 14
    assert 20 < quiet_wanted(4, 1, CHANCE) < 22
    assert 9 < quiet_wanted(5, 0, CHANCE) < 10


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

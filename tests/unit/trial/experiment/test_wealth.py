"""The bound itself: fair bets, and what any adversary that cannot see the action may reach. Exact, by fractions."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.trial.experiment import ExperimentRule
from harness.trial.experiment.rule import (
    ARMS,
    LATE_ARMS,
    LATE_STAKE,
    LATE_WINDOWS,
    PLACES,
    ROUND_STAKE,
    ROUNDS,
    STAKES,
)
from harness.trial.experiment.wealth import bet, kelly, one_in

PARTS = st.fractions(min_value=Fraction(1, 100), max_value=Fraction(99, 100), max_denominator=1000)


@given(PARTS, st.integers(0, PLACES - 1), st.fractions(min_value=Fraction(1, 1000), max_value=1000))
def test_the_wealth_is_a_martingale_where_the_action_has_no_influence(stake, victim, wealth):
    """Whichever slot dies, the expectation over the twelve places is what it was."""
    after = [bet(wealth, place == victim, stake=stake, odds=Fraction(PLACES)) for place in range(PLACES)]
    assert sum(after, Fraction(0)) / PLACES == wealth


@given(PARTS, st.sets(st.integers(0, PLACES - 1), max_size=1))
def test_it_shrinks_where_some_connections_live(stake, victims):
    after = [bet(Fraction(1), place in victims, stake=stake, odds=Fraction(PLACES)) for place in range(PLACES)]
    assert sum(after, Fraction(0)) / PLACES <= 1


@given(PARTS, st.integers(1, PLACES))
def test_a_round_with_lost_messages_is_fair_too(stake, missing):
    """``missing`` of twelve messages are lost, whichever they are: the action is among them with missing/12."""
    odds = Fraction(PLACES, missing)
    after = [bet(Fraction(1), place < missing, stake=stake, odds=odds) for place in range(PLACES)]
    assert sum(after, Fraction(0)) / PLACES == 1


@given(st.fractions(0, 1), PARTS)
def test_a_coin_is_fair_on_a_link_that_fails_by_itself(fails, stake):
    win = bet(Fraction(1), True, stake=stake, odds=Fraction(2))
    lose = bet(Fraction(1), False, stake=stake, odds=Fraction(2))
    right = fails / 2 + (1 - fails) / 2  # wrong login refused, right login accepted
    assert right * win + (1 - right) * lose == 1


def ever_reaches(wanted, *, odds, stake, bets):
    """Return the exact chance that wealth reaches ``wanted`` within ``bets``, with hits of 1/odds."""
    living, reached = {Fraction(1): Fraction(1)}, Fraction(0)
    for _ in range(bets):
        following = {}
        for wealth, chance in living.items():
            for hit, share in ((True, Fraction(1, odds)), (False, 1 - Fraction(1, odds))):
                after = bet(wealth, hit, stake=stake, odds=Fraction(odds))
                if after >= wanted:
                    reached += chance * share
                else:
                    following[after] = following.get(after, Fraction(0)) + chance * share
        living = following
    return reached


@settings(max_examples=25)
@given(PARTS, st.integers(2, 5000))
def test_ville_holds_however_one_stops(stake, wanted):
    assert ever_reaches(Fraction(wanted), odds=PLACES, stake=stake, bets=ARMS) <= Fraction(1, wanted)


def test_the_numbers_of_the_rule_keep_the_bound_together():
    rule = ExperimentRule()
    prompt = ever_reaches(Fraction(rule.wanted), odds=PLACES, stake=Fraction(kelly(0, 0)), bets=ARMS)
    late = ever_reaches(Fraction(rule.wanted_late), odds=LATE_WINDOWS, stake=Fraction(LATE_STAKE), bets=LATE_ARMS)
    assert prompt > 4e-5  # the bound is not won by never deciding
    rounds = ever_reaches(Fraction(rule.wanted_ignored), odds=PLACES, stake=Fraction(ROUND_STAKE), bets=ROUNDS)
    assert rounds > 1e-6
    assert prompt + late + rounds <= rule.confidence


@given(st.floats(2e-7, 0.5))
def test_a_smaller_bound_asks_for_more(confidence):
    rule, stricter = ExperimentRule(confidence=confidence), ExperimentRule(confidence=confidence / 2)
    assert stricter.wanted > rule.wanted
    assert 1 / rule.wanted + 1 / rule.wanted_late + 1 / rule.wanted_ignored <= confidence * (1 + 1e-9)


def test_five_rounds_and_five_late_hang_ups_suffice_and_a_fifth_hit_makes_up_for_a_miss():
    """Their shares of the bound are chosen so."""
    rule = ExperimentRule()
    assert (1 + (PLACES - 1) * ROUND_STAKE) ** 4 < rule.wanted_ignored <= (1 + (PLACES - 1) * ROUND_STAKE) ** 5
    late = min(LATE_STAKE, kelly(0, 0, LATE_WINDOWS))
    assert (1 + (LATE_WINDOWS - 1) * late) ** 4 < rule.wanted_late <= (1 + (LATE_WINDOWS - 1) * late) ** 5
    stake = kelly(0, 0)
    assert (1 + (PLACES - 1) * stake) ** 5 * (1 - stake) >= rule.wanted


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_stake_stays_in_its_limits_and_falls_with_losses(lost, answered):
    shams = lost + answered
    assert STAKES[0] <= kelly(lost + 1, shams + 1) <= kelly(lost, shams) <= STAKES[1]


def test_four_hits_suffice_at_first_and_up_to_two_lost_shams_in_a_hundred():
    rule = ExperimentRule()
    assert (1 + 11 * kelly(0, 0)) ** 3 < rule.wanted <= (1 + 11 * kelly(0, 0)) ** 4
    assert (1 + 11 * kelly(22, 1000)) ** 4 >= rule.wanted
    assert (1 + 11 * kelly(40, 1000)) ** 4 < rule.wanted <= (1 + 11 * kelly(40, 1000)) ** 5
    assert 0.930 < kelly(0, 0) < 0.932


def test_what_a_reader_is_told_is_never_more_than_the_bound():
    assert one_in(15_970.9, 0.9) == 14_373

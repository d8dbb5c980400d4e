"""The coin on logins: how likely a wrong "refused" is at most, exactly, and on simulated links."""

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.trial.experiment import (
    Conclusion,
    Do,
    Done,
    Experiment,
    ExperimentRule,
    Night,
    Observation,
    Plan,
    Saw,
    Subject,
    Suspect,
)
from harness.trial.experiment.rule import COIN_ATTEMPTS
from harness.trial.wire.draws import RecordedDraws
from tests.simulation import logins
from tests.simulation.logins import FAULTS, ControlLogin, OwnLogin, answers_cut
from tests.simulation.play import play

RIGHT, WRONG = 0, 1
SUBJECT = Subject("connect as x")


class Choice:
    """What a link does with the attempt to come: the login in question, if it is right, and the one beside it."""

    def __init__(self, wrong, right, void=""):
        self.wrong, self.right, self.void = wrong, right, void
        saw = {True: Saw.ANSWERED, False: Saw.CLOSED}
        self.seen = {
            coin: Observation((Done(saw[works], 0.1),), 0.1, void=void)
            for coin, works in ((WRONG, wrong), (RIGHT, right))
        }


BOTH_FAIL, BOTH_WORK, LOST = Choice(False, False), Choice(True, True), Choice(False, False, "+CEREG: 0")
ONLY_THE_CONTROL_FAILS, ONLY_THE_LOGIN_FAILS = Choice(True, False), Choice(False, True)


def worst(choices, rule=None):
    """Return the highest chance that a login that the cloud accepts is called refused.

    A link that knows everything but the coin chooses before each attempt. Exact: over all draws, with the code that
    decides. What follows depends on what was counted so far alone, so one history stands for all with the same counts.
    """
    rule = rule or ExperimentRule()
    histories = {}

    def after(history):
        draws = RecordedDraws(coin for coin, _ in (*history, (RIGHT, None)))
        experiment = Experiment.of_login(SUBJECT, rule, Night(), draws)
        for coin, choice in history:
            experiment.take(choice.seen[coin])
        return experiment

    def counts(history):
        won = sum(not c.void and (coin == RIGHT) == (c.right if coin == RIGHT else c.wrong) for coin, c in history)
        refused = sum(coin == WRONG and not c.wrong and not c.void for coin, c in history)
        let_in = any(coin == RIGHT and c.right and not c.void for coin, c in history)
        return len(history), won, min(refused, 3), let_in, sum(bool(c.void) for _, c in history)

    @cache
    def chance(_counts):
        history = histories[_counts]
        experiment = after(history)
        if not isinstance(experiment.next(), Plan):
            return float(experiment.result().conclusion is Conclusion.REFUSED)
        return max(sum(reached((*history, (coin, choice))) for coin in (RIGHT, WRONG)) / 2 for choice in choices)

    def reached(history):
        coin, choice = history[-1]
        if coin == WRONG and choice.wrong:
            return 0.0  # let in: that ends it
        histories.setdefault(counts(history), history)
        return chance(counts(history))

    histories[counts(())] = ()
    return chance(counts(()))


@pytest.mark.parametrize("confidence", [0.1, 1e-2, 1e-4, 1e-7])
def test_no_link_that_cannot_see_the_login_reaches_the_bound(confidence):
    """Nor one that fails the control more often than the login: with a CONNECT of MQTT 5 that is the most it can do."""
    found = worst((BOTH_FAIL, BOTH_WORK, LOST, ONLY_THE_CONTROL_FAILS), ExperimentRule(confidence))
    assert 0.2 * confidence < found <= confidence


def test_a_link_that_lets_a_control_without_an_answer_live_deceives_it_each_time():
    """What a CONNECT without its end was worth where the cloud's answers were cut."""
    assert worst((BOTH_FAIL, BOTH_WORK, ONLY_THE_LOGIN_FAILS)) > 0.99


def own(ends, seed, *, accepts, control=ControlLogin.MQTT5, tells=True):
    chance = random.Random(seed)
    world = OwnLogin(ends, accepts, control, logins.Night(chance, now=chance.uniform(0, 120)), tells)
    return play(Experiment.of_login(SUBJECT, ExperimentRule(), Night(), chance), world.do)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_login_that_is_let_in_is_not_refused_whatever_disturbs_the_link(fault):
    found = {own(FAULTS[fault], seed, accepts=True).conclusion for seed in range(200)}
    assert Conclusion.REFUSED not in found


@pytest.mark.parametrize("part", [0.8, 1.0])
def test_the_control_without_an_answer_called_it_refused_where_the_answers_were_cut(part):
    found = [own(answers_cut(part), seed, accepts=True, control=ControlLogin.TORN).conclusion for seed in range(50)]
    assert found.count(Conclusion.REFUSED) > 5


def test_a_login_that_is_refused_is_found():
    result = own(FAULTS["none"], 1, accepts=False)
    assert (result.conclusion, result.tally.attempts) == (Conclusion.REFUSED, 14)


def test_a_cloud_that_answers_neither_proves_nothing():
    result = own(FAULTS["none"], 1, accepts=False, tells=False)
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, Suspect.CONNECT)


def test_it_gives_up_when_the_bound_is_out_of_reach():
    """After the third loss: 0.05^3 * 1.95^23 is less than 10,000. Four more wrong logins may be let in."""
    experiment = Experiment.of_login(SUBJECT, ExperimentRule(), Night(), RecordedDraws([RIGHT] * 3))
    result = play(experiment, lambda _plan: BOTH_FAIL.seen[RIGHT])
    assert (result.conclusion, result.tally.attempts) == (Conclusion.INCONCLUSIVE, 3 + 4)
    assert result.tally.right_refused == 3


@pytest.mark.parametrize("tries", range(4))
def test_a_login_that_is_let_in_at_last_is_accepted(tries):
    experiment = Experiment.of_login(SUBJECT, ExperimentRule(), Night(), RecordedDraws([RIGHT] * 3))
    left = [False] * (3 + tries) + [True]
    result = play(experiment, lambda _plan: Choice(left.pop(0), False).seen[WRONG])
    assert (result.conclusion, result.tally.attempts, left) == (Conclusion.TOLERATED, 3 + tries + 1, [])


@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(1e-7, 0.5))
def test_it_takes_no_more_attempts_than_one_verdict_may(seed, works, confidence):
    chance = random.Random(seed)

    def do(_plan):
        return Observation((Done(Saw.ANSWERED if chance.random() < works else Saw.CLOSED, 0.1),), 0.1)

    result = play(Experiment.of_login(SUBJECT, ExperimentRule(confidence), Night(), chance), do)
    assert 1 <= result.tally.attempts <= COIN_ATTEMPTS


def test_two_losses_can_still_be_made_good():
    losses, attempts = [True, True], 0

    def do(plan):
        nonlocal attempts
        attempts += 1
        right = plan.steps[0].do is Do.RIGHT_LOGIN
        return Choice(False, not (right and losses and losses.pop())).seen[RIGHT if right else WRONG]

    coins = [RIGHT, RIGHT, WRONG, RIGHT] * 7
    result = play(Experiment.of_login(SUBJECT, ExperimentRule(), Night(), RecordedDraws(coins)), do)
    assert (result.conclusion, result.tally.attempts, attempts) == (Conclusion.REFUSED, 25, 25)

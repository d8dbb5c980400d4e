"""How an experiment is driven: its plans are well formed whatever is seen, and each rule that is not about chance."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import Misuse
from harness.trial.experiment import (
    Breaker,
    Conclusion,
    Do,
    Done,
    Experiment,
    ExperimentResult,
    ExperimentRule,
    Night,
    Observation,
    Plan,
    Saw,
    Step,
    StepConnection,
    Stop,
    Subject,
    Suspect,
    Tally,
    VoidedBy,
)
from tests.simulation.play import play

SUBJECT = Subject("publish on prod/x/y (QoS 1)", differs="topic")


def action(rule=None, night=None, draws=None):
    return Experiment.of_action(SUBJECT, rule or ExperimentRule(), night or Night(), draws or random.Random(1))


def login(draws):
    return Experiment.of_login(Subject("connect as x"), ExperimentRule(), Night(), draws)


def answered(plan, **more):
    return Observation(tuple(Done(Saw.ANSWERED, 0.1) for _ in plan.steps), 1.0, **more)


def ends_at(plan, index, saw=Saw.CLOSED, seconds=0.1, **more):
    done = (*(Done(Saw.ANSWERED, 0.1) for _ in plan.steps[:index]), Done(saw, seconds))
    return Observation(done, 1.0, age=5.0, packets=index + 2, **more)


def at_action(do):
    """Let everything work, and the action be what ``do(plan, index)`` says."""

    def world(plan):
        kinds = [step.do for step in plan.steps]
        return do(plan, kinds.index(Do.ACTION)) if Do.ACTION in kinds else answered(plan)

    return world


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.floats(0, 1), st.sampled_from(["action", "login", "group"]))
def test_it_ends_with_a_result_and_well_formed_plans_whatever_is_seen(seed, works, which):
    chance = random.Random(seed)
    draws, rule, night = random.Random(1), ExperimentRule(), Night()
    experiment = {
        "action": lambda: Experiment.of_action(SUBJECT, rule, night, draws),
        "login": lambda: Experiment.of_login(SUBJECT, rule, night, draws),
        "group": lambda: Experiment.of_group(12, rule, night, draws),
    }[which]()
    before = None

    def do(plan):
        nonlocal before
        well_formed(plan, before, rule)
        before = plan
        good = chance.random() < works
        done = [Done(Saw.ANSWERED if good else chance.choice(list(Saw)), chance.uniform(0, 20)) for _ in plan.steps]
        return Observation(
            tuple(done[: len(done) if good else chance.randrange(len(done) + 1)]),
            chance.uniform(0, 100),
            age=chance.uniform(0, 100),
            packets=chance.randrange(30),
            reached=chance.choice([None, True, False]),
            as_remote=chance.random() < 0.5,
            missing=chance.randrange(13),
            action_missing=chance.random() < 0.5,
            void=chance.choice(["", "", "", "a line"]),
            voided_by=chance.choice(list(VoidedBy)),
        )

    result = play(experiment, do)
    if isinstance(result, ExperimentResult):
        assert (result.suspect is None) == (result.conclusion is not Conclusion.INCONCLUSIVE)
        assert result.evidence


def well_formed(plan, before, rule):
    assert plan.steps
    assert plan.patience >= 0
    kinds = [step.do for step in plan.steps]
    if plan.connection is StepConnection.SAME:
        assert before.name == "baseline", "a place is drawn on a connection whose baseline has just worked"
    if Do.ACTION in kinds:
        assert kinds.count(Do.SHAM) <= 11
        assert Do.BASELINE not in kinds, "the baseline comes before the draw"
        assert set(kinds[: kinds.index(Do.ACTION)]) <= {Do.SHAM, Do.IDLE}
        behind = plan.steps[kinds.index(Do.ACTION) :]
        assert any(step.do is Do.IDLE and step.seconds >= rule.hold for step in behind), "nobody holds"
    for step in plan.steps:
        assert step.seconds >= 0
        assert 0 <= step.place < 12


def test_the_place_is_drawn_after_the_baseline_worked_and_anew_each_time():
    class Watched(random.Random):
        drawn = 0

        def randrange(self, *arguments):
            Watched.drawn += 1
            return super().randrange(*arguments)

    experiment = action(draws=Watched(1))
    for expected in range(3):
        baseline = experiment.next()
        assert [step.do for step in baseline.steps] == [Do.BASELINE]
        assert Watched.drawn == expected
        experiment.take(ends_at(baseline, 0))  # a dead baseline: no draw, no loss
        pause = experiment.next()
        assert [(step.do, step.seconds) for step in pause.steps] == [(Do.PAUSE, 1.0)]
        experiment.take(answered(pause))
        assert Watched.drawn == expected
        experiment.take(answered(experiment.next()))
        assert Watched.drawn == expected + 1
        experiment.take(ends_at(experiment.next(), 0))


def test_the_evidence_of_a_refusal_says_what_was_done_how_often_and_how_likely_chance_is():
    result = play(action(draws=random.Random(3)), at_action(ends_at))
    assert result.conclusion is Conclusion.POLICY_DISCONNECT
    assert "publish on prod/x/y (QoS 1) was refused: policy disconnect. On 4 of 4 fresh connections" in result.evidence
    assert "Chance of a coincidence below 1 in 14," in result.evidence
    assert "The sham differs from the action in: topic." in result.evidence
    places = ", ".join(map(str, result.tally.places))
    assert f"drawn at random each time ({places}); {result.tally.shams_answered} allowed actions" in result.evidence
    assert sum(result.tally.places) - 4 == result.tally.shams_answered


def test_credentials_that_fail_afterwards_are_no_policy_disconnect():
    actions = 0

    def do(plan):
        nonlocal actions
        kinds = [step.do for step in plan.steps]
        if Do.ACTION in kinds:
            actions += 1
            return ends_at(plan, kinds.index(Do.ACTION))
        return Observation(()) if actions == 4 else answered(plan)

    result = play(action(), do)
    assert result.conclusion is Conclusion.INCONCLUSIVE
    assert result.suspect is Suspect.NETWORK


GARBLED = "bytes were lost on the way from the board: '#XMQTTEV'"


@pytest.mark.parametrize(
    ("garbled", "suspect", "words"),
    [
        (
            False,
            Suspect.UNANSWERED,
            ": the lines of their answers got lost, or the cloud passed them over (throttled?).",
        ),
        (True, Suspect.UART_TROUBLE, f'; lines of the board get lost, which this shows too: "{GARBLED}".'),
    ],
)
def test_answer_after_answer_that_is_missing_ends_the_verdict(garbled, suspect, words):
    """A cloud that throttles sends no PUBACK either, and keeps the connection. Bytes that were lost are the line's."""
    plans = []

    def world(plan):
        plans.append(plan.name)
        if plan.name != "arm":
            return answered(plan)
        more = {"void": GARBLED, "voided_by": VoidedBy.LINE} if garbled and plans.count("arm") == 1 else {}
        return ends_at(plan, 0, Saw.NOTHING, unheard=True, **more)

    result = play(action(), world)
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, suspect)
    assert plans.count("arm") == 4
    assert f"4 allowed packets had no answer, and what was sent behind them had one{words}" in result.evidence


@pytest.mark.parametrize(("lost", "suspect"), [(1, Suspect.BURST), (2, Suspect.UNANSWERED)])
def test_answers_that_are_missing_are_named_where_nothing_was_cut(lost, suspect):
    """Nothing hung up on what is allowed: whoever looks for a cut there looks in vain."""
    unheard = iter([True] * lost)

    def world(plan):
        if plan.name != "arm":
            return answered(plan)
        if next(unheard, False):
            return ends_at(plan, 0, Saw.NOTHING, unheard=True)
        return ends_at(plan, len(plan.steps) - 4, seconds=0.01, as_remote=False)

    result = play(action(), world)
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, suspect)
    said = "2 allowed packets had no answer, and what was sent behind them had one: the lines of their answers got lost"
    assert (said in result.evidence) is (suspect is Suspect.UNANSWERED)


@pytest.mark.parametrize(
    ("more", "suspect", "words"),
    [
        ({"as_remote": False}, Suspect.BURST, "not how a hang-up by the other side shows"),
        ({"reached": True}, Suspect.DELIVERED, "the message was delivered"),
        ({"seconds": 0.01}, Suspect.BURST, "sooner than a round trip can be"),
    ],
)
def test_a_hang_up_that_is_no_refusal_is_no_hit(more, suspect, words):
    night = Night()
    for _ in range(10):
        night.learn(action().next(), Observation((Done(Saw.ANSWERED, 0.1),)))
    result = play(action(night=night), at_action(lambda plan, index: ends_at(plan, index, **more)))
    assert result.tally.hits == 0
    assert result.conclusion is Conclusion.INCONCLUSIVE
    assert result.suspect is suspect
    assert words in result.evidence


def test_one_hang_up_by_accident_at_a_tolerated_action_changes_nothing():
    accidents = iter([True])
    result = play(
        action(),
        at_action(lambda plan, index: ends_at(plan, index) if next(accidents, False) else answered(plan)),
    )
    assert result.conclusion is Conclusion.TOLERATED
    assert result.tally.stays == 2
    assert "Hung up on at it once in 3: that was something else." in result.evidence


def test_hung_up_on_twice_and_then_answered_is_mixed():
    times = iter([True, True])
    result = play(
        action(), at_action(lambda plan, index: ends_at(plan, index) if next(times, False) else answered(plan))
    )
    assert result.suspect is Suspect.MIXED


def test_a_subscription_is_not_refused_where_allowed_ones_are_too():
    """A full server answers each SUBSCRIBE with 0x80."""

    def do(plan):
        no = {Do.SHAM, Do.ACTION}
        return Observation(tuple(Done(Saw.REFUSED if s.do in no else Saw.ANSWERED, 0.1) for s in plan.steps), 1.0)

    found = {play(action(draws=random.Random(seed)), do).conclusion for seed in range(200)}
    assert found == {Conclusion.INCONCLUSIVE}
    assert "llowed actions of its shape were refused too" in play(action(draws=random.Random(1)), do).evidence


def test_a_subscription_refused_once_and_granted_once_is_mixed():
    times = iter([True])

    def do(plan, index):
        if not next(times, False):
            return answered(plan)
        saws = [Saw.REFUSED if i == index else Saw.ANSWERED for i in range(len(plan.steps))]
        return Observation(tuple(Done(saw, 0.1) for saw in saws), 1.0)

    result = play(action(), at_action(do))
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, Suspect.MIXED)
    assert "granted another time" in result.evidence


@pytest.mark.parametrize(
    ("by", "suspect"), [(VoidedBy.RESTART, Suspect.MODEM_RESET), (VoidedBy.OWN, Suspect.OWN_DISCONNECT)]
)
def test_what_makes_everything_worthless_ends_the_verdict_at_once(by, suspect):
    experiment = action()
    experiment.take(answered(experiment.next()))
    experiment.take(ends_at(experiment.next(), 0, void="a line", voided_by=by))
    assert isinstance(experiment.next(), Stop)
    assert (experiment.result().conclusion, experiment.result().suspect) == (Conclusion.INCONCLUSIVE, suspect)
    assert "a line" in experiment.result().evidence.lower()


@pytest.mark.parametrize(
    ("by", "said"),
    [(VoidedBy.NETWORK, "The radio network went away once"), (VoidedBy.LINE, "A line of the board was lost once")],
)
def test_what_was_lost_once_costs_the_stake_and_no_more(by, said):
    lost = iter([True])

    def do(plan, index):
        return ends_at(plan, index, **({"void": "this shows it", "voided_by": by} if next(lost, False) else {}))

    result = play(action(), at_action(do))
    assert (result.conclusion, result.tally.hits, result.tally.misses) == (Conclusion.POLICY_DISCONNECT, 5, 1)
    assert f"{said} ('this shows it'): what was staked then counts as lost." in result.evidence


def test_a_network_that_is_lost_twice_ends_it():
    result = play(action(), at_action(lambda plan, index: ends_at(plan, index, void="+CEREG: 2")))
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, Suspect.NETWORK_LOST)
    assert result.tally.misses == 1


def test_a_network_that_goes_away_during_the_controls_too_ends_it():
    def do(plan):
        void = "+CEREG: 2" if plan.name in ("idle control", "busy control") else ""
        return answered(plan, void=void) if void else Observation((), 1.0)

    result = play(action(), do)
    assert result.suspect is Suspect.NETWORK_LOST


def test_a_budget_ends_it_without_a_claim():
    result = play(action(rule=ExperimentRule(budget=3.5)), at_action(ends_at))
    assert result.suspect is Suspect.BUDGET
    assert result.tally.seconds == 4.0


def test_nothing_is_drawn_when_the_budget_is_used_up():
    """What is drawn is written down with the next plan: without one, nobody could judge the trial again."""

    class Watched(random.Random):
        unused = False

        def randrange(self, *arguments):
            self.unused = True
            return super().randrange(*arguments)

        def random(self):
            self.unused = True
            return super().random()

    def without_effect(plan):
        done = [Done(Saw.UNSEEN if step.do is Do.EFFECT else Saw.ANSWERED, 0.1) for step in plan.steps]
        return Observation(tuple(done), 1.0, missing=1, action_missing=plan.name == "round")

    late = at_action(lambda plan, index: ends_at(plan, index + 2, seconds=2.0))
    trials = [(Experiment.of_action, world) for world in (at_action(ends_at), late, without_effect)]
    for make, world in [*trials, (Experiment.of_login, Logins([Saw.CLOSED]).do)]:
        for budget in range(1, 12):
            draws = Watched(1)

            def do(plan, draws=draws, world=world):
                draws.unused = False
                return replace(world(plan), seconds=1.0)

            play(make(SUBJECT, ExperimentRule(budget=float(budget)), Night(), draws), do)
            assert not draws.unused


def test_a_late_hang_up_that_does_not_come_again_is_no_refusal():
    times = iter([True])
    result = play(
        action(),
        at_action(lambda plan, index: ends_at(plan, index + 3) if next(times, False) else answered(plan)),
    )
    assert result.conclusion is Conclusion.TOLERATED


def test_a_hit_a_late_hang_up_and_one_quiet_connection_are_not_tolerated():
    times = iter([0, 3])

    def do(plan, index):
        behind = next(times, None)
        return answered(plan) if behind is None else ends_at(plan, index + behind)

    result = play(action(), at_action(do))
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, Suspect.LATE_MIXED)


def test_a_trigger_that_shows_nothing_sent_is_no_refused_delivery():
    def do(plan):
        kinds = [step.do for step in plan.steps]
        if Do.EFFECT in kinds:
            done = [Done(Saw.UNSEEN if kind is Do.EFFECT else Saw.ANSWERED, 0.1) for kind in kinds]
            return Observation(tuple(done), 1.0)
        return answered(plan, missing=1, action_missing=True, sent=False)

    assert play(action(), do).suspect is Suspect.NO_PROOF_OF_SENDING


def test_a_round_without_allowed_messages_proves_nothing():
    """Nothing that is allowed could get lost beside the action: that its message did not come may be anything."""

    def do(plan):
        done = [Done(Saw.UNSEEN if step.do is Do.EFFECT else Saw.ANSWERED, 0.1) for step in plan.steps]
        return Observation(tuple(done), 1.0, missing=0, action_missing=plan.name == "round")

    result = play(action(), do)
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, Suspect.OBSERVER)
    assert "no allowed message could go along with it" in result.evidence.lower()


class Logins:
    """A far end for logins. ``wrong``, ``right``: how each ends, by turns; the last one stays."""

    def __init__(self, wrong, right=(Saw.ANSWERED,)):
        self.answers = {Do.WRONG_LOGIN: list(wrong), Do.RIGHT_LOGIN: list(right), Do.PAUSE: [Saw.ANSWERED]}
        self.asked = []

    def do(self, plan):
        (step,) = plan.steps
        self.asked.append(step.do)
        answers = self.answers[step.do]
        return Observation((Done(answers.pop(0) if len(answers) > 1 else answers[0], 0.1),), 0.1)


def test_a_login_closed_without_a_word_is_refused_by_a_coin():
    far_end = Logins([Saw.CLOSED])
    result = play(login(random.Random(1)), far_end.do)
    assert result.conclusion is Conclusion.REFUSED
    assert len(far_end.asked) == 14
    assert result.one_in > 10_000


def test_an_attempt_while_the_network_went_away_is_no_refused_login():
    far_end, away = Logins([Saw.CLOSED]), iter([True])

    def do(plan):
        seen = far_end.do(plan)
        lost = plan.steps[0].do is Do.WRONG_LOGIN and next(away, False)
        return replace(seen, void="+CEREG: 0") if lost else seen

    result = play(login(random.Random(1)), do)
    assert result.conclusion is Conclusion.REFUSED
    assert len(far_end.asked) > 14, "its stake was lost, and had to be won again"
    assert result.tally.wrong_refused == far_end.asked.count(Do.WRONG_LOGIN) - 1
    assert f"refused {result.tally.wrong_refused} of {result.tally.wrong_refused} times" in result.evidence
    assert f"the right one 0 of {far_end.asked.count(Do.RIGHT_LOGIN)} times" in result.evidence


def test_a_coin_that_shows_the_right_login_only_proves_nothing():
    class Heads(random.Random):
        def randrange(self, *_):
            return 0

    result = play(login(Heads()), Logins([Saw.CLOSED]).do)
    assert result.conclusion is Conclusion.INCONCLUSIVE


def test_a_login_that_works_ends_it():
    assert play(login(random.Random(1)), Logins([Saw.ANSWERED]).do).conclusion is Conclusion.TOLERATED


def test_a_refusal_in_words_needs_two_of_them_between_three_right_ones():
    far_end = Logins([Saw.REFUSED])
    result = play(login(random.Random(5)), far_end.do)
    assert result.conclusion is Conclusion.REFUSED
    asked = "".join("A" if do is Do.WRONG_LOGIN else "S" for do in far_end.asked)
    assert asked.endswith("SAS")
    assert "SAS" in asked[:-2]
    assert len(asked) < 14


def test_one_refusal_from_in_between_is_not_believed():
    """One 403 of a middlebox among answers that accept: the next wrong login is let in, and that is the conclusion."""
    result = play(login(random.Random(1)), Logins([Saw.REFUSED, Saw.ANSWERED]).do)
    assert result.conclusion in (Conclusion.TOLERATED, Conclusion.INCONCLUSIVE)


def test_a_login_that_is_let_in_once_is_accepted_whatever_comes_behind_it():
    class Tails(random.Random):
        def randrange(self, *_):
            return 1

    far_end = Logins([Saw.REFUSED, Saw.ANSWERED, Saw.REFUSED])
    assert play(login(Tails()), far_end.do).conclusion is Conclusion.TOLERATED


def test_try_later_is_waited_for_and_never_a_refusal():
    far_end = Logins([Saw.LATER, Saw.LATER, Saw.ANSWERED])
    assert play(login(random.Random(1)), far_end.do).conclusion is Conclusion.TOLERATED
    assert far_end.asked.count(Do.PAUSE) == 2
    assert play(login(random.Random(1)), Logins([Saw.LATER], [Saw.LATER]).do).suspect is Suspect.BUSY


@pytest.mark.parametrize("fails", [0.01, 0.1, 0.5])
def test_a_bad_link_is_no_refused_login(fails):
    chance, draws = random.Random(1), random.Random(2)

    def do(plan):
        return Observation((Done(Saw.CLOSED if chance.random() < fails else Saw.ANSWERED, 0.1),), 0.1)

    found = {play(login(draws), do).conclusion for _ in range(300)}
    assert Conclusion.REFUSED not in found


def grouped(do, count=12, **rule):
    return play(Experiment.of_group(count, ExperimentRule(**rule), Night(), random.Random(1)), do)


def test_a_quiet_group_shares_one_hold():
    plans = []

    def do(plan):
        plans.append(plan)
        return answered(plan)

    found = grouped(do)
    assert found.tolerated == list(range(12))
    assert found.alone == found.untried == []
    assert sum(step.do is Do.IDLE for plan in plans for step in plan.steps) == 2


def test_nobody_is_blamed_for_a_hang_up_in_a_group():
    """It comes behind the fourth of ten, 0.2 s after each answer: four may have caused it, six were not tried yet."""
    times = iter([True])

    def do(plan):
        kinds = [step.do for step in plan.steps]
        return ends_at(plan, 7) if Do.ACTION in kinds and next(times, False) else answered(plan)

    found = grouped(do)
    assert found.alone == [0, 1, 2, 3]
    assert found.tolerated == list(range(4, 12))


def test_a_refusal_later_than_the_hold_clears_nobody_in_its_group():
    """Steps take 0.1 s, the hold is 0.1 s too, and the second action is refused 1.1 s after its answer."""
    times = iter([True])

    def do(plan):
        group = any(step.do is Do.ACTION for step in plan.steps)
        return ends_at(plan, 13) if group and next(times, False) else answered(plan)

    found = grouped(do, hold=0.1)
    assert found.alone == [0, 1, 2, 3, 4, 5, 6]
    assert found.tolerated == [7, 8, 9, 10, 11]
    # Alone it is watched for longer than that, or it would be called tolerated there.
    assert found.watch[1] == pytest.approx(1.5 * 1.1)
    assert set(found.watch) == set(found.alone)


def test_who_was_lost_with_the_network_need_not_be_watched_for_longer():
    times = iter([True])

    def do(plan):
        group = any(step.do is Do.ACTION for step in plan.steps)
        return ends_at(plan, 13, void="+CEREG: 2") if group and next(times, False) else answered(plan)

    found = grouped(do)
    assert (found.alone, found.watch) == ([0, 1, 2, 3, 4, 5, 6], {})


def test_who_outlived_a_hold_in_a_group_is_proved():
    """Answered 7, 21 and 35 s after the begin, hung up on at 36 s: the hold is 12 s."""
    times = iter([True])

    def do(plan):
        if any(step.do is Do.ACTION for step in plan.steps) and next(times, False):
            return Observation((*[Done(Saw.ANSWERED, 7.0)] * 5, Done(Saw.CLOSED, 1.0)), 40.0)
        return answered(plan)

    found = grouped(do, 4)
    assert found.tolerated == [0, 1, 3]
    assert found.outlived == {0, 1}, "3 was on a connection of its own that stayed"
    assert found.alone == [2]


def test_an_action_without_effect_is_tried_alone():
    def do(plan):
        done = []
        for step in plan.steps:
            bad = step.do is Do.EFFECT and step.action == 3
            done.append(Done(Saw.UNSEEN if bad else Saw.ANSWERED, 0.1))
        return Observation(tuple(done), 1.0)

    assert grouped(do).alone == [3]


def test_a_link_that_carries_no_baseline_leaves_a_group_untried():
    found = grouped(lambda plan: Observation(()))
    assert found.untried == list(range(12))
    assert found.suspect is Suspect.NETWORK


def test_three_verdicts_with_the_same_suspect_end_the_run():
    breaker = Breaker()

    def of(suspect):
        conclusion = Conclusion.INCONCLUSIVE if suspect else Conclusion.TOLERATED
        return ExperimentResult(conclusion, (), Tally(), suspect)

    taken = [Suspect.NETWORK, Suspect.NETWORK, None, Suspect.NETWORK, Suspect.BURST, Suspect.NETWORK, Suspect.NETWORK]
    assert [breaker.take(of(suspect)) for suspect in taken] == [None] * 7
    assert breaker.take(of(Suspect.NETWORK)) is Suspect.NETWORK


def test_misuse_is_one_clear_line():
    experiment = action()
    with pytest.raises(ValueError, match="not over"):
        experiment.result()
    plan = experiment.next()
    assert isinstance(plan, Plan)
    assert experiment.next() is plan
    with pytest.raises(ValueError, match="2 steps were seen, 1 were asked for"):
        experiment.take(Observation((Done(Saw.ANSWERED, 0.1),) * 2))
    finished = login(random.Random(1))
    play(finished, Logins([Saw.ANSWERED]).do)
    with pytest.raises(ValueError, match="has stopped"):
        finished.take(Observation(()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"confidence": 0.0}, "confidence 0: give a bound from 1e-07 to 0.5, such as 1e-4"),
        ({"confidence": 1.0}, "confidence 1: "),
        ({"confidence": float("nan")}, "confidence nan: "),
        ({"hold": 0.0}, "hold 0: give the seconds"),
        ({"group": 0}, "group 0: give the number"),
        ({"budget": -1.0}, "budget -1: give the seconds"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_one_line(arguments, words):
    with pytest.raises(Misuse, match=words):
        ExperimentRule(**arguments)


def test_the_strictest_bound_can_still_be_reached():
    rule = ExperimentRule(confidence=1e-7)
    assert (
        play(action(rule=rule, draws=random.Random(3)), at_action(ends_at)).conclusion is Conclusion.POLICY_DISCONNECT
    )
    late = at_action(lambda plan, index: ends_at(plan, index + 2, seconds=2.0))
    assert play(action(rule=rule, draws=random.Random(3)), late).conclusion is Conclusion.ACKNOWLEDGED_THEN_CLOSED
    coin = Experiment.of_login(SUBJECT, rule, Night(), random.Random(1))
    assert play(coin, Logins([Saw.CLOSED]).do).conclusion is Conclusion.REFUSED


def test_round_trips_steer_patience_and_floor_only_when_enough_are_known():
    night, plan = Night(), action().next()
    assert night.patience == 30.0
    for _ in range(9):
        night.learn(plan, Observation((Done(Saw.ANSWERED, 0.5),)))
    assert night.floor == 0.0
    night.learn(plan, Observation((Done(Saw.ANSWERED, 1.5),)))
    assert night.floor == 0.4
    assert night.patience == pytest.approx(1.8)


def test_the_floor_is_about_the_time_behind_the_serial_line():
    """The allowed publish of 185 bytes takes 16 ms at 115200 baud, ``AT#XMQTTSUB="#",1`` less than 2."""
    night = Night()
    for _ in range(10):
        night.learn(action().next(), Observation((Done(Saw.ANSWERED, 0.021, line=0.016),)))
    assert night.floor == pytest.approx(0.004)
    result = play(action(night=night), at_action(lambda plan, index: ends_at(plan, index, seconds=0.0052)))
    assert (result.conclusion, result.tally.hits) == (Conclusion.POLICY_DISCONNECT, 4)
    night.learn(action().next(), Observation((Done(Saw.ANSWERED, 0.021, line=0.022),)))
    assert night.floor == 0.0


def test_a_hang_up_later_than_any_answer_is_no_hit():
    """A round trip is 0.1 s: at 0.2 s an answer may still come, at 5 s the connection is cut while nothing comes."""
    night = Night()
    for _ in range(10):
        night.learn(action().next(), Observation((Done(Saw.ANSWERED, 0.1),)))
    assert night.ceiling == pytest.approx(0.3)
    result = play(action(night=night), at_action(lambda plan, index: ends_at(plan, index, seconds=0.2)))
    assert (result.conclusion, result.tally.hits) == (Conclusion.POLICY_DISCONNECT, 4)
    times = iter([True])
    result = play(
        action(night=night), at_action(lambda plan, i: ends_at(plan, i, seconds=5.0 if next(times, False) else 0.2))
    )
    assert (result.conclusion, result.tally.misses) == (Conclusion.POLICY_DISCONNECT, 1)
    assert result.tally.reasons == ["5 s is later than any answer so far (0.3 s at most)"]
    # Again and again as late is a late refusal, which is proved otherwise.
    result = play(action(night=night), at_action(lambda plan, index: ends_at(plan, index, seconds=5.0)))
    assert (result.conclusion, result.tally.hits) == (Conclusion.LATE_DISCONNECT, 0)


def test_a_sham_as_slow_as_the_action_lengthens_its_slot():
    """A message of 4 kB takes 0.5 s, the baseline's 0.1 s."""
    night = Night()
    for _ in range(10):
        night.learn(action().next(), Observation((Done(Saw.ANSWERED, 0.1),)))

    def do(plan, index):
        return Observation((*[Done(Saw.ANSWERED, 0.5)] * index, Done(Saw.CLOSED, 0.55)), 1.0)

    class Last(random.Random):
        def randrange(self, *_):
            return 11

    result = play(action(night=night, draws=Last()), at_action(do))
    assert (result.conclusion, result.tally.misses) == (Conclusion.POLICY_DISCONNECT, 0)


def learn(night, do, seconds):
    night.learn(Plan("x", StepConnection.SAME, (Step(do),), 1.0), Observation((Done(Saw.ANSWERED, seconds),)))


def test_shams_without_an_answer_of_their_own_do_not_lengthen_the_round_trip():
    """A QoS 0 sham ends with the fence's answer, and the fence goes out after one round trip: two in all."""
    night = Night()
    for _ in range(10):
        learn(night, Do.BASELINE, 1.0)
        for _ in range(24):
            learn(night, Do.SHAM, night.round_trip + 1.0)
    assert (night.round_trip, night.patience) == (1.0, 3.0)


def test_one_slow_answer_is_forgotten():
    night = Night()
    learn(night, Do.BASELINE, 20.0)
    for _ in range(2000):
        learn(night, Do.BASELINE, 0.1)
    assert night.patience < 1.0


def test_patience_has_a_least_value():
    night = Night()
    night.learn(action().next(), Observation((Done(Saw.ANSWERED, 0.002),)))
    assert night.patience == 0.25


def test_a_coin_that_never_chooses_the_right_login_proves_nothing():
    """Fourteen refusals in a row are no coincidence, but nothing has shown that the right login is let in."""

    class Wrong(random.Random):
        def randrange(self, *_):
            return 1

    experiment = Experiment.of_login(SUBJECT, ExperimentRule(), Night(), Wrong())
    result = play(experiment, lambda plan: Observation((Done(Saw.CLOSED, 0.1),), 0.0, reached=True))
    assert isinstance(result, ExperimentResult)
    assert result.conclusion is Conclusion.INCONCLUSIVE

"""The rule against 25 faults on 5 links, and against an adversary that knows everything but the place.

Worlds are seeded, draws too, so that a failure here comes again. ``benchmarks/verdict_rules.py`` runs many more, with
draws from the operating system.
"""

import random
from collections import Counter
from functools import cache

import pytest

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
    Step,
    StepConnection,
    Subject,
    Suspect,
    prompt_refusal,
)
from harness.trial.experiment.arm import Arm, Meaning
from harness.trial.experiment.context import ExperimentContext
from harness.trial.experiment.late_refusal import late
from harness.trial.experiment.rule import PLACES
from tests.simulation.faults import MODELS, Age, Cuts, Duplicate, Model, PacketLimit
from tests.simulation.play import play
from tests.simulation.world import LINKS, Cloud, World

FIXED = LINKS[1]
QUIET_FAULT = MODELS[0]


def verdicts(link, model, cloud, count, *, seed=1, rule=None, behind=0.0):
    chance, draws = random.Random(seed), random.Random(seed + 1)
    world, night = World(link, cloud, model.make(chance), chance, behind=behind), Night()
    for _ in range(count):
        yield play(Experiment.of_action(Subject("x"), rule or ExperimentRule(), night, draws), world.do)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_no_fault_is_a_policy_disconnect_or_a_tolerated_refusal(link, model):
    allowed = {result.conclusion for result in verdicts(link, model, Cloud("tolerates"), 20)}
    assert allowed <= {Conclusion.TOLERATED, Conclusion.INCONCLUSIVE}
    forbidden = {result.conclusion for result in verdicts(link, model, Cloud("refuses", refuses=1.0), 20)}
    assert forbidden <= {Conclusion.POLICY_DISCONNECT, Conclusion.INCONCLUSIVE}


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
def test_without_faults_nothing_is_inconclusive_and_four_connections_suffice(link):
    results = list(verdicts(link, QUIET_FAULT, Cloud("refuses", refuses=1.0), 50))
    assert {result.conclusion for result in results} == {Conclusion.POLICY_DISCONNECT}
    assert sum(result.tally.connections for result in results) <= 4.1 * len(results)
    # Where round trips vary, an answer that is slower than all before it costs a bet.
    assert sum(result.tally.hits == 4 for result in results) >= (1.0 if link.fast == link.slow else 0.96) * len(results)
    assert all(result.one_in >= 10_000 for result in results)
    results = list(verdicts(link, QUIET_FAULT, Cloud("tolerates"), 50))
    assert {result.conclusion for result in results} == {Conclusion.TOLERATED}


ANSWERED, CLOSED = Done(Saw.ANSWERED, 0.1), Done(Saw.CLOSED, 0.1)


class Adversary:
    """Ends each connection at a place that it chooses, and knows all but the action's. Answers everything else."""

    def __init__(self, victims):
        self.victims = iter(victims)
        self.hits = []

    def do(self, plan):
        done = []
        kinds = [step.do for step in plan.steps]
        victim = next(self.victims) if Do.ACTION in kinds else None
        for index in range(len(kinds)):
            closed = index == victim
            done.append(CLOSED if closed else ANSWERED)
            if closed:
                break
        if victim is not None:
            self.hits.append(kinds[victim] is Do.ACTION)
        return Observation(tuple(done), seconds=1.0)


class Place(random.Random):
    """Draws what it is told."""

    def __init__(self, places):
        super().__init__(0)
        self.places = iter(places)

    def randrange(self, *_):
        return next(self.places)


class HitOrMiss(random.Random):
    """Draws the victim's slot or another: one behind it, if there is one, so that the action is never sent.

    As ``told``, and the victim's from then on. ``hits``: all that was drawn, ``chance``: how likely just this is.
    """

    def __init__(self, victim, told):
        super().__init__(0)
        self.victim, self.told, self.hits, self.chance = victim, iter(told), [], 1.0

    def randrange(self, *bounds):
        (count,), hit = bounds, next(self.told, True)
        self.hits.append(hit)
        self.chance *= 1 / count if hit else 1 - 1 / count
        return self.victim if hit else (self.victim + 1) % count


def chance_of_a_wrong_verdict(victim):
    """Return the exact chance that a cloud which ends every connection in slot ``victim`` is taken for a refusal.

    Every draw either meets the slot or stands behind it and is never sent. So two kinds of draws stand for all, and the
    tree of draws can be walked completely. Draws before the slot would be answered, and end the verdict.
    """
    wrong = 0.0
    waiting: list[tuple[bool, ...]] = [()]
    while waiting:
        told = waiting.pop()
        draws = HitOrMiss(victim, told)
        experiment = Experiment.of_action(Subject("x"), ExperimentRule(), Night(), draws)
        result = play(experiment, Adversary([victim] * 50).do)
        if result.conclusion is Conclusion.POLICY_DISCONNECT:
            wrong += draws.chance
        waiting += [(*draws.hits[:place], False) for place in range(len(told), len(draws.hits))]
    return wrong


def test_the_worst_broker_that_cannot_see_the_action_is_below_the_bound(monkeypatch):
    """The exact probability of the real code, over all draws: a broker that closes at the first slot, always.

    Over twelve connections, as the tree of draws doubles with each; ``ever_reaches`` in test_wealth goes through all.
    """
    monkeypatch.setattr(prompt_refusal, "ARMS", 12)
    wrong = chance_of_a_wrong_verdict(0)
    assert 2e-5 < wrong <= 1 / ExperimentRule().wanted


def test_so_is_one_behind_which_the_action_is_not_put_any_more(monkeypatch):
    """A limit in the fourth slot: after two lost bets the place is one of four, and a hit pays four."""
    monkeypatch.setattr(prompt_refusal, "ARMS", 9)  # two lost bets, and the seven hits that are needed
    assert 0 < chance_of_a_wrong_verdict(3) <= 1 / ExperimentRule().wanted


def test_a_looser_confidence_is_quicker_and_still_bounded():
    quick = list(verdicts(FIXED, QUIET_FAULT, Cloud("refuses", refuses=1.0), 30, rule=ExperimentRule(confidence=1e-2)))
    assert {result.tally.hits for result in quick} == {2}
    strict = list(verdicts(FIXED, QUIET_FAULT, Cloud("refuses", refuses=1.0), 30, rule=ExperimentRule(confidence=1e-6)))
    assert {result.tally.hits for result in strict} == {6}


OTHER_TRUTHS = [
    (Cloud("acknowledges, closes 2.5 s later", late=(2.5, 2.5)), Conclusion.ACKNOWLEDGED_THEN_CLOSED),
    (Cloud("acknowledges, closes 10 s later", late=(10, 10)), Conclusion.ACKNOWLEDGED_THEN_CLOSED),
    (Cloud("acknowledges, closes at once", late=(0.001, 0.001)), Conclusion.ACKNOWLEDGED_THEN_CLOSED),
    (Cloud("closes 5 s later without a word", late=(5, 5), answers=False), Conclusion.LATE_DISCONNECT),
    (Cloud("closes at any time later", late=(0, 11)), Conclusion.INCONCLUSIVE),
    (Cloud("answers 0x80", no=True), Conclusion.REFUSED_IN_SUBACK),
    (Cloud("ignores", effect=False), Conclusion.IGNORED),
    (Cloud("swallows", answers=False), Conclusion.INCONCLUSIVE),
    (Cloud("tolerates, the observer loses a third", loses=0.3), Conclusion.TOLERATED),
]


@pytest.mark.parametrize(("cloud", "conclusion"), OTHER_TRUTHS, ids=lambda value: getattr(value, "name", ""))
def test_other_truths_have_outcomes_of_their_own(cloud, conclusion):
    found = [result.conclusion for result in verdicts(FIXED, QUIET_FAULT, cloud, 25)]
    assert found.count(conclusion) >= 23, found
    assert set(found) <= {conclusion, Conclusion.INCONCLUSIVE}


def test_an_observer_that_loses_most_messages_proves_nothing():
    results = list(verdicts(FIXED, QUIET_FAULT, Cloud("ignores", effect=False, loses=0.6), 25))
    assert {result.conclusion for result in results} == {Conclusion.INCONCLUSIVE}
    assert Suspect.OBSERVER in {result.suspect for result in results}


@pytest.mark.parametrize(
    ("model", "suspects"),
    [
        ("packet 3", {Suspect.PACKET_LIMIT}),
        ("age 1 s", {Suspect.AGE_LIMIT}),
        ("duplicate, back-off 0.2 s", {Suspect.AGE_LIMIT}),
        ("cuts, mean 2 s", {Suspect.NETWORK}),
    ],
)
def test_the_suspect_of_what_cannot_be_proved_is_named(model, suspects):
    (model,) = [one for one in MODELS if one.name == model]
    results = [result for result in verdicts(LINKS[2], model, Cloud("tolerates"), 40) if result.suspect]
    right = sum(result.suspect in suspects for result in results)
    assert right >= 0.8 * len(results) > 0, [result.suspect for result in results]


SWALLOWS = Cloud("swallows", answers=False)
TOLERATES = Cloud("tolerates")


@cache
def round_trips(link):
    """What a night remembers of the link, ready for ``Night.of``."""
    night, chance = Night(), random.Random(0)
    plan = Plan("x", StepConnection.SAME, (Step(Do.BASELINE),), 1.0)
    for _ in range(40):
        night.learn(plan, Observation((Done(Saw.ANSWERED, link.round_trip(chance)),)))
    return night.as_data()


def places_hit(link, cloud, fault, seed):
    """Return the places, of all twelve, at which the first arm is a hit. The worlds differ in nothing but the place."""
    found, rule = [], ExperimentRule(budget=link.connect + 1.01 * link.slow)  # for one arm or two
    for place in range(12):
        world, draws = World(link, cloud, fault, random.Random(seed)), Place([place] * 100)
        result = play(Experiment.of_action(Subject("x"), rule, Night.of(round_trips(link)), draws), world.do)
        if result.tally.arms and result.tally.arms[0].meaning == "hit":
            found.append(place)
    return found


@pytest.mark.parametrize("link", [LINKS[0], LINKS[1], LINKS[3]], ids=lambda link: link.name)
@pytest.mark.parametrize("cloud", [SWALLOWS, TOLERATES], ids=lambda cloud: cloud.name)
def test_no_clock_finds_an_action_at_more_than_one_place(cloud, link):
    """The bound of 1/12 itself, for 80 periods from half a round trip to behind the last place."""
    met = 0
    for number in range(80):
        age = link.typical * (0.5 + number / 4)
        hit = places_hit(link, cloud, Age(random.Random(0), age, 0.0), number)
        assert len(hit) <= 1, (age, hit)
        met += len(hit)
    assert met > 5


@pytest.mark.parametrize("on_sight", [False, True], ids=["in order", "on sight"])
@pytest.mark.parametrize("cloud", [SWALLOWS, TOLERATES], ids=lambda cloud: cloud.name)
def test_no_packet_counter_finds_an_action_at_more_than_one_place(cloud, on_sight):
    met = 0
    for limit in range(2, 30):
        hit = places_hit(FIXED, cloud, PacketLimit(random.Random(0), limit, limit, on_sight=on_sight), 0)
        assert len(hit) <= 1, (limit, hit)
        met += len(hit)
    assert met > 5


@pytest.mark.parametrize("model", [*(Model("clock", Age, (p,)) for p in (2, 3, 4, 6)), Model("cuts", Cuts, (5,))])
def test_a_swallowed_action_behind_a_clock_is_no_refusal(model):
    """An answer may take seconds on LTE-M; of an action that is passed over, the slot must not last as long."""
    found = {result.conclusion for result in verdicts(LINKS[3], model, SWALLOWS, 60)}
    assert found == {Conclusion.INCONCLUSIVE}


@pytest.mark.parametrize("model", [*(Model("clock", Age, (p,)) for p in (2, 3, 4, 5)), Model("twin", Duplicate, (4,))])
def test_a_clock_behind_an_action_that_silences_the_connection_is_no_refusal(model):
    """The cloud hears nothing any more: the action's slot is as long as the slowest answer, and a clock meets it."""
    deaf = Cloud("deaf", answers=False, deaf=True)
    found = Counter(result.conclusion for result in verdicts(LINKS[3], model, deaf, 150))
    assert set(found) == {Conclusion.INCONCLUSIVE}, found


@pytest.mark.parametrize("mean", [4, 6])
def test_cuts_behind_an_action_that_silences_the_connection_are_no_refusal(mean):
    """The action's slot is as long as the slowest answer, so 2 % of these were called refused."""
    deaf = Cloud("deaf", answers=False, deaf=True)
    found = Counter(result.conclusion for result in verdicts(LINKS[3], Model("cuts", Cuts, (mean,)), deaf, 400))
    assert set(found) == {Conclusion.INCONCLUSIVE}, found


def test_a_watch_for_cuts_costs_the_ordinary_night_next_to_nothing():
    results = list(verdicts(LINKS[3], QUIET_FAULT, Cloud("refuses", refuses=1.0), 200))
    watched = [result for result in results if result.tally.idled and not result.tally.one_age]
    assert watched
    assert all("to hang up, so an idle one was watched: it stayed for" in result.evidence for result in watched)
    assert sum(result.tally.idled for result in watched) < 0.02 * sum(result.tally.seconds for result in results)


def test_a_cut_of_the_idle_connection_costs_some_more_hits_and_not_the_verdict():
    results = list(verdicts(LINKS[3], Model("cuts", Cuts, (10,)), Cloud("refuses", refuses=1.0), 150))
    proved = [result for result in results if result.conclusion is Conclusion.POLICY_DISCONNECT]
    assert len(proved) >= 0.93 * len(results)
    assert any(result.tally.wealth > 1e6 for result in proved), "the wealth was enough before, and then some"


@pytest.mark.parametrize("mean", [0.1, 0.3])
def test_cuts_while_a_silent_action_is_waited_for_are_no_refusal(mean):
    """The action's slot is the patience, 0.25 s; a sham's is a round trip, 2 ms. A cut falls into the longer one."""
    cuts = Model("cuts", Cuts, (mean,))
    found = {r.conclusion for r in verdicts(LINKS[0], cuts, Cloud("swallows", answers=False), 60)}
    assert found == {Conclusion.INCONCLUSIVE}


@pytest.mark.parametrize("limit", [3, 4, 5, 6])
@pytest.mark.parametrize("link", [LINKS[0], LINKS[3]], ids=lambda link: link.name)
@pytest.mark.parametrize("cloud", [Cloud("swallows", answers=False), Cloud("shows", looking=1)], ids=lambda c: c.name)
def test_a_packet_limit_behind_the_action_is_no_late_refusal(cloud, link, limit):
    """A packet behind the action (the fence, the look for its effect) meets the limit, each time as long after it."""
    model = Model("limit", PacketLimit, (limit, limit))
    found = {result.conclusion for result in verdicts(link, model, cloud, 100)}
    assert found <= {Conclusion.INCONCLUSIVE, Conclusion.TOLERATED}


def called_late(place, limit, looking):
    """What the experiment on a late refusal concludes if ``place`` shams are drawn each time."""
    world = World(FIXED, Cloud("shows", looking=looking), PacketLimit(random.Random(1), limit, limit), random.Random(1))
    context = ExperimentContext(Subject("x"), ExperimentRule(), Night(), Place([place] * 50))
    script = late(context, Arm(Meaning.LATE, 2 * FIXED.typical, answered=True))
    plan = next(script)
    while True:
        try:
            plan = script.send(world.do(plan))
        except StopIteration as end:
            return end.value.conclusion


@pytest.mark.parametrize("looking", [0, 1, 2])
@pytest.mark.parametrize("limit", [3, 5, 8])
def test_a_packet_limit_meets_the_window_behind_the_action_from_one_place_at_most(limit, looking):
    """However many packets follow the action: a wildcard's fence, its message of the device, its UNSUBSCRIBE."""
    found = [called_late(place, limit, looking) for place in range(PLACES)]
    assert found.count(Conclusion.ACKNOWLEDGED_THEN_CLOSED) <= 1

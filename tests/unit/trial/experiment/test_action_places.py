"""How many places the action may stand at, as connections end in the same slot again and again, or do not."""

import random
from collections import Counter

import pytest

from harness.trial.experiment import (
    Conclusion,
    Do,
    Done,
    Experiment,
    ExperimentRule,
    Night,
    Observation,
    Saw,
    Step,
    Subject,
    Suspect,
)
from harness.trial.experiment.action_places import ActionPlaces
from harness.trial.experiment.rule import PLACES, STAKES
from tests.simulation.faults import Model, PacketLimit
from tests.simulation.play import play
from tests.simulation.world import LINKS, Cloud, World
from tests.unit.trial.experiment.test_simulation import FIXED, verdicts

STEPS = (*[Step(Do.SHAM, chased=True)] * 11, Step(Do.ACTION, chased=True))


def ended_in(slot):
    return Observation((*[Done(Saw.ANSWERED, 0.1)] * slot, Done(Saw.CLOSED, 0.1)))


def places(*slots, night=None):
    found = ActionPlaces(night or Night())
    for slot in slots:
        found.take(STEPS, ended_in(slot))
    return found.count


@pytest.mark.parametrize(
    ("slots", "count"),
    [
        ((), PLACES),
        ((3,), PLACES),
        ((3, 3), 4),
        ((2, 3, 3), 4),  # the first connection had carried a packet more
        ((3, 2, 3), PLACES),
        ((1, 2, 3, 3), PLACES),  # by chance
        ((0, 0), PLACES),  # a single place would prove nothing
        ((3, 3, 1), PLACES),
        ((11, 11), PLACES),  # at the action itself
    ],
)
def test_two_ends_in_one_slot_are_a_limit(slots, count):
    assert places(*slots) == count


def test_a_limit_is_remembered_and_one_end_brings_it_back():
    night = Night()
    assert places(3, 3, night=night) == 4
    again = ActionPlaces(Night.of(night.as_data()))
    assert (again.count, again.stake) == (PLACES, STAKES[0]), "all places, for a small stake: it may be gone"
    again.take(STEPS, ended_in(3))
    assert again.count == 4
    assert again.stake > 0.95


def test_a_connection_that_lives_longer_shows_that_the_limit_is_gone():
    night = Night()
    places(3, 3, night=night)
    assert places(5, night=night) == PLACES
    assert night.limit == 0
    places(3, 3, night=night)
    ActionPlaces(night).take(STEPS[5:], ended_in(6))  # at the action, at the seventh place
    assert night.limit == 0


@pytest.mark.parametrize(("place", "limit"), [(1, 3), (3, 3), (4, 0)])
def test_what_follows_an_answered_action_does_not_show_that_the_limit_is_gone(place, limit):
    """A fence, the look for its effect and the hold are no slots of two packets."""
    night = Night()
    night.limit = 3
    steps = (*STEPS[:place], Step(Do.ACTION, chased=True), Step(Do.FENCE), Step(Do.EFFECT), Step(Do.IDLE, seconds=12))
    ActionPlaces(night).take(steps, Observation((Done(Saw.ANSWERED, 0.1),) * len(steps)))
    assert night.limit == limit


def test_what_was_lost_to_a_limit_does_not_lower_the_stake():
    night = Night()
    night.shams, night.lost = 100, 2
    places(3, 3, night=night)
    assert night.lost == 0


def test_a_worthless_observation_tells_of_no_limit():
    found = ActionPlaces(Night())
    for _ in range(2):
        found.take(STEPS, Observation((Done(Saw.CLOSED, 0.1),) * 4, void="+CEREG: 2"))
    found.take(STEPS, Observation(()))
    assert found.count == PLACES


@pytest.mark.parametrize(("limit", "most"), [(5, 17), (6, 14), (7, 12), (8, 12)])
def test_a_refusal_behind_a_limit_of_packets_is_proved(limit, most):
    model = Model("limit", PacketLimit, (limit, limit))
    results = list(verdicts(FIXED, model, Cloud("refuses", refuses=1.0), 40))
    assert sum(one.conclusion is Conclusion.POLICY_DISCONNECT for one in results) >= 38
    assert sum(one.tally.connections for one in results) <= most * len(results)
    assert f"among up to {PLACES}, then {limit // 2} was drawn" in results[0].evidence


@pytest.mark.parametrize("limit", [4, 5, 6, 8])
def test_a_limit_of_packets_alone_is_no_refusal(limit):
    model = Model("limit", PacketLimit, (limit, limit))
    found = Counter(one.conclusion for one in verdicts(LINKS[0], model, Cloud("tolerates"), 300))
    assert set(found) <= {Conclusion.TOLERATED, Conclusion.INCONCLUSIVE}, found


@pytest.mark.parametrize("limit", [6, 8])
def test_a_limit_that_met_the_action_too_is_named(limit):
    """It hits the action at the last of the places before it, and an action at the others is answered."""
    model = Model("limit", PacketLimit, (limit, limit))
    found = Counter(one.suspect for one in verdicts(LINKS[0], model, Cloud("tolerates"), 300) if one.suspect)
    assert found.total() > 20
    assert found[Suspect.PACKET_LIMIT] >= 0.95 * found.total(), found


def met(place, limit):
    """Whether a limit of packets hits an action at this place; each slot has two packets, behind a baseline."""
    return 2 + 2 * place <= limit <= 3 + 2 * place


def test_a_limit_meets_one_of_the_fewer_places_only():
    for limit in range(4, 24):
        slot = limit // 2 - 1
        assert sum(met(place, limit) for place in range(slot + 1)) == 1


def test_the_draw_is_from_the_fewer_places():
    drawn = []

    class Draws(random.Random):
        def randrange(self, *bounds):
            drawn.append(*bounds)
            return super().randrange(*bounds)

    chance = random.Random(1)
    world = World(FIXED, Cloud("refuses", refuses=1.0), PacketLimit(chance, 8, 8), chance)
    play(Experiment.of_action(Subject("x"), ExperimentRule(), Night(), Draws(1)), world.do)
    assert list(dict.fromkeys(drawn)) == [12, 4]

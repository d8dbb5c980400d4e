"""Which events a sentence of an experiment's evidence names, by the sentence's code."""

from harness.trial import Outcome
from harness.trial.experiment import Conclusion, ExperimentResult, Plan, StepConnection, Tally
from harness.trial.experiment.outcome import ArmRecord
from harness.trial.wire.citations import Shown, cited
from tests.unit.trial.fakes import Stage


def shown(name, **refs):
    return Shown(Plan(name, StepConnection.SAME, (), 1.0), refs)


def named(*plans, arms=()):
    """Return the events of each sentence that has some. ``arms``: what each arm meant."""
    tally = Tally(arms=[ArmRecord(1, meaning, 0.0, 0.5, 1.0) for meaning in arms])
    found = cited(ExperimentResult(Conclusion.INCONCLUSIVE, (), tally), plans)
    return {code: refs for code, refs in found.items() if refs}


def test_a_refusal_is_shown_by_the_hang_ups_at_the_action_and_what_was_asked_behind_them():
    hit, lost = {"sent": (2,), "closed": (3,), "registered": (4,), "reached": (5,)}, {"closed": (9,), "reached": (8,)}
    again = {"sent": (11,), "closed": (12,), "registered": (13,), "reached": (14,)}
    assert named(
        shown("baseline", baseline=(1,)),
        shown("arm", **hit),
        shown("baseline", baseline=(6, 7)),
        shown("arm", **lost),
        shown("baseline", baseline=(10,)),
        shown("arm", **again),
        shown("baseline", baseline=(15, 16)),
        arms=("hit", "lost", "hit"),
    ) == {
        "hits": (2, 3, 11, 12),
        "once": (2, 3, 11, 12),
        "refused": (3, 12),
        "registered": (4, 13),
        "reached nobody": (5, 14),
        "arms": (3, 9, 12),
        "no hit": (3, 5, 8, 9, 12, 14),
        "delays": (12,),
        "baseline": (15, 16),
        "after": (15, 16),
    }


def test_a_tolerated_action_is_shown_on_the_connection_that_stayed():
    hit, stayed = {"sent": (2,), "closed": (3,)}, {"sent": (5,), "answered": (6,), "fence": (7,), "effect": (8,)}
    second = {"sent": (10,), "answered": (11,), "fence": (12,), "effect": (13,)}
    plans = (
        shown("baseline", baseline=(1,)),
        shown("arm", **hit),
        shown("baseline", baseline=(4,)),
        shown("arm", **stayed),
        shown("baseline", baseline=(9,)),
        shown("arm", **second),
    )
    found = named(*plans[:4], arms=("hit", "quiet"))
    assert (found["baseline"], found["stayed"], found["effect"]) == ((4,), (5, 6, 7), (8,))
    found = named(*plans, arms=("hit", "quiet", "quiet"))
    assert (found["baseline"], found["stayed"], found["effect"]) == ((9,), (10, 11, 12), (13,))


def test_an_action_without_an_effect_is_shown_by_its_rounds_and_by_where_it_stayed():
    found = named(
        shown("baseline", baseline=(1,)),
        shown("arm", sent=(2,), answered=(3,), fence=(4,), effect=(5,)),
        shown("baseline", baseline=(6,)),
        shown("round", round=(7,)),
        shown("baseline", baseline=(8,)),
        shown("round", round=(9,)),
        arms=("no effect",),
    )
    assert (found["baseline"], found["stayed"], found["effect"]) == ((1,), (2, 3, 4), (5, 9))
    assert found["rounds"] == (7, 9)


def test_a_hang_up_behind_the_answer_is_shown_by_each_that_came_after_it():
    """The slow one before the last is none of them: it may have been a cut."""
    slow, last = {"sent": (1,), "closed": (2,)}, {"sent": (3,), "closed": (4,)}
    arms = (shown("arm", **slow), shown("arm", **last))
    late = (shown("late", sent=(5,), closed=(6,)), shown("baseline", baseline=(7,)), shown("late", closed=(8,)))
    assert named(*arms, *late, arms=("slow", "slow"))["delays"] == (4, 6, 8)


def test_a_refusal_in_words_is_shown_by_its_answers():
    found = named(shown("arm", answered=(2,)), shown("pause"), shown("arm", answered=(3, 4)), arms=("said no",) * 2)
    assert found == {"suback": (2, 3, 4)}


def test_logins_are_shown_by_their_ends():
    found = named(shown("attempt", login=(4,)), shown("attempt", login=(2, 3)))
    assert found == {"refused": (2, 3, 4), "coin": (2, 3, 4), "accepted": (2, 3)}


def test_what_makes_everything_worthless_is_shown_by_the_last_plan():
    """Its arm ended the experiment before anything was counted of it."""
    hit = {"sent": (1,), "closed": (2,)}
    found = named(shown("arm", **hit), shown("arm", void=(3,), closed=(4,)), arms=("hit",))
    assert (found["suspect"], found["hits"], found["arms"]) == ((3,), (1, 2), (2, 4))
    assert "suspect" not in named(shown("arm", void=(3,)), shown("baseline"))


def test_nothing_shows_what_was_not_carried_out():
    assert named() == {}


def test_an_action_that_was_hung_up_on_late_but_once_is_shown_where_it_stayed():
    stage = Stage({"other"})
    stage.device.refusal_delay["other"] = 0.25

    def hang_up_once():
        if stage.device.connects > 1:
            stage.device.forbidden = set()

    stage.during("other", hang_up_once)
    assert stage.trials.publish("other", witness=None).outcome is Outcome.TOLERATED
    events = stage.timeline.since()
    end = next(event.seq for event in events if event.text.startswith("hung up"))
    refs = {one["code"]: one["refs"] for one in events[-1].data["sentences"]}
    assert [events[ref].text for ref in refs["stayed"]] == ["action", "puback", "puback"]
    assert min(*refs["stayed"], *refs["baseline"]) > end

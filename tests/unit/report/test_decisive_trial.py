"""Which trial made a test fail."""

from harness.report.decisive_trial import decisive_facts, decisive_of
from harness.timeline import Kind, Timeline


def trial(timeline, action, wanted, got):
    facts = timeline.add(Kind.FACTS, "trial", "x", facts={"action": action, "policy": f"Policy: {action}"}, outcome=got)
    timeline.add(Kind.EXPECT, "trial", "x", wanted=wanted, got=got)
    return facts


def test_the_first_trial_that_was_not_as_expected():
    timeline = Timeline()
    trial(timeline, "a", ["tolerated"], "tolerated")
    wrong = trial(timeline, "b", ["denied", "ignored"], "tolerated")
    trial(timeline, "c", ["denied"], "tolerated")
    events = timeline.since()
    assert decisive_facts(events) == wrong
    assert decisive_of(events) == {
        "action": "b",
        "policy": "Policy: b",
        "wanted": ["denied", "ignored"],
        "got": "tolerated",
    }


def test_where_all_were_as_expected_no_trial_made_the_test_fail():
    timeline = Timeline()
    trial(timeline, "a", ["tolerated"], "tolerated")
    last = trial(timeline, "b", ["denied"], "denied")
    assert decisive_of(timeline.since()) == {}
    assert decisive_facts(timeline.since()) == last
    assert (decisive_facts([]), decisive_of([])) == (None, {})

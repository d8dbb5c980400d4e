"""Actions that share connections: what each of them showed, and what is remembered of those that are tried alone."""

import pytest

from harness.errors import LabError
from harness.firmware import MqttEventKind
from harness.timeline import Kind
from harness.trial import ActionEffect, Outcome, PublishAction, Shared
from harness.trial.phases import Phase
from tests.unit.trial.fakes import Stage

CONTROL = "a QoS 1 publish on allowed"
SEEN = ActionEffect(True, "the message was seen where it belongs")


def ends_after(stage, topic, seconds):
    """Have the connection end so many seconds after the device publishes on ``topic``; until then it works."""

    def end():
        stage.device.hang_up(after=seconds)
        stage.device._cut = False

    stage.during(topic, end)


def begins(stage):
    return [
        event
        for event in stage.timeline.since()
        if event.kind is Kind.PHASE and event.data["name"] == Phase.ATTEMPT and event.data["on"] == "begin"
    ]


def test_what_each_of_a_group_showed():
    """Also of one whose message nothing acknowledges: it is waited for as long as a round trip takes."""
    stage = Stage(hold=2.0)
    first, second = stage.trials.group(
        [PublishAction("a", stage.delivered), PublishAction("b", stage.delivered, qos=0)]
    )
    (begin,) = begins(stage)
    assert first == Shared(begin.data["trial"], 2, 2.0, CONTROL, SEEN, ended=False)
    assert second == first


def test_what_a_test_listens_to_is_subscribed_to_for_a_group_too():
    stage = Stage()
    stage.trials.listen("answers")
    subscribed = []
    stage.device.subscribe = lambda topic_filter, *, qos=1: (
        subscribed.append(topic_filter) or stage.device.event(MqttEventKind.SUBACK) or True
    )
    stage.trials.group([PublishAction("a", None), PublishAction("b", None)])
    assert subscribed == ["answers"]


def test_where_the_connection_ended_later_than_any_refusal_comes_it_stayed_until_then():
    """The hold is 2 s. "b" is looked for so long that "a" has outlived a late refusal when the connection ends."""
    stage = Stage(hold=2.0)
    ends_after(stage, "a", 12.1)

    def look(token, _timeout):
        stage.clock.pause(11.9)
        return stage.delivered(token, 0.0)

    a, b = PublishAction("a", stage.delivered), PublishAction("b", look)
    found, alone = stage.trials.group([a, b])
    (begin,) = begins(stage)
    assert found == Shared(begin.data["trial"], 2, 12.0, CONTROL, SEEN, ended=True)
    assert alone is None
    assert stage.night.watch == {str(b): pytest.approx(1.5 * 11.9)}
    assert "it was answered and the connection stayed for 12 s." in stage.trials.shared(a, found).evidence


def test_what_is_to_be_watched_alone_is_remembered_over_several_groups():
    stage = Stage(hold=0.5)
    ends_after(stage, "b", 0.5)
    ends_after(stage, "d", 0.5)
    for topics in ("ab", "cd"):
        stage.trials.group([PublishAction(topic, stage.delivered) for topic in topics])
    assert sorted(stage.night.watch) == [f"publish on {topic} (QoS 1)" for topic in "abcd"]


def test_a_group_that_trouble_ended_is_not_tried_again():
    """Each of its actions is tried alone then."""
    stage = Stage()

    def busy():
        raise LabError("the board is busy")

    stage.during("a", busy)
    assert stage.trials.group([PublishAction("a", None), PublishAction("b", None)]) == [None, None]
    assert len(begins(stage)) == 1
    (facts,) = [event.data for event in stage.timeline.since() if event.kind is Kind.FACTS]
    assert facts["outcome"] == Outcome.INCONCLUSIVE

"""Shams: as like the action as the policies let them be, and what is left is said."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.trial import AllowedTopics, PublishAction, ServiceAnswer, ServiceRequest, SubscribeAction
from harness.trial.filters import takes
from harness.trial.sham import FILL, shams_for
from harness.trial.wire.draws import NothingDrawn, RecordedDraws, RecordingDraws
from tests.unit.trial.fakes import Stage

SHADOW = "$aws/things/me/shadow"
TEAM = AllowedTopics(
    topics=(f"prod/t/m/d/me/{FILL}", f"prod/t/m/{FILL}", f"{SHADOW}/update"),
    filters=(f"prod/t/m/{FILL}", "prod/t/m/#", f"{SHADOW}/update/delta"),
    allows=lambda right, topic: right != "iot:RetainPublish",
)


def first(action, known=TEAM):
    return shams_for(action, known)[0]


def test_a_publish_is_matched_in_qos_length_levels_and_size():
    action = PublishAction("prod/x/m/d/other/d2c", None, b"x" * 80, qos=0)
    sham = first(action)
    assert isinstance(sham.action, PublishAction)
    assert (sham.action.qos, len(sham.action.payload)) == (0, 80)
    assert len(sham.action.topic) == len(action.topic)
    assert sham.action.topic.count("/") == action.topic.count("/")
    assert sham.differs == "topic"


def test_a_shadow_topic_is_matched_by_the_own_shadow_whose_payload_is_one():
    sham = first(PublishAction("$aws/things/it/shadow/update", None, b"{}"))
    assert sham.action.topic == f"{SHADOW}/update"
    assert json.loads(sham.action.payload) == {"state": {"reported": {"harness": {"sham": ""}}}}
    assert sham.differs == "topic, size (2 and 46 bytes)"


def test_a_flag_that_may_not_be_set_is_named():
    sham = first(PublishAction("prod/t/m/d/me/d2c", None, retain=True))
    assert not sham.action.retain
    assert sham.differs.endswith("retain flag")
    anything = TEAM._replace(allows=lambda right, topic: True)
    sham = first(PublishAction("prod/x/m/d/it/d2c", None, retain=True), anything)
    assert (sham.action.retain, sham.differs) == (True, "topic")


@pytest.mark.parametrize(
    ("template", "asked", "made"),
    [
        ("a/%FILL%", "x", "a/h"),
        ("a/%FILL%", "x/yzw", "a/har"),
        ("a/%FILL%", "/x/y", "a/ha"),  # no room for a level more
        ("a/%FILL%", "x/y/z", "a/h/r"),
        ("a/%FILL%", "x/yyy/z", "a/h/rne"),
        ("a/%FILL%", "x/yy/z/z/z", "a/h/r/e/s-"),
        ("a/%FILL%/#", "x/yyy/z", "a/har/#"),
        ("a/%FILL%/#", "x/yy/zz/z", "a/h/rne/#"),
    ],
)
def test_a_template_is_filled_up_to_length_and_levels(template, asked, made):
    (sham,) = shams_for(PublishAction(asked, None), TEAM._replace(topics=(template,)))
    assert isinstance(sham.action, PublishAction)
    assert sham.action.topic == made


def test_a_level_counts_like_four_letters():
    """So a level less lies between three letters more and five letters less."""
    known = TEAM._replace(topics=("$aws/x/b/c", "$aws/x/bcdefghi", "$aws/x/b/cdefghijk"))
    assert [str(sham.action) for sham in shams_for(PublishAction("$aws/a/b/cdefgh", None), known)] == [
        "publish on $aws/x/b/cdefghijk (QoS 1)",
        "publish on $aws/x/bcdefghi (QoS 1)",
        "publish on $aws/x/b/c (QoS 1)",
    ]


def test_a_payload_is_a_message_that_nrf_cloud_takes():
    """Of the shortest kind where the action's is shorter still."""
    message = {"appId": "HARNESS", "messageType": "DATA", "data": ""}
    for size, letters in ((0, 0), (50, 0), (51, 1), (80, 30)):
        sham = first(PublishAction("prod/x/m/d/other/d2c", None, b"y" * size))
        assert isinstance(sham.action, PublishAction)
        assert json.loads(sham.action.payload) == message | {"data": "x" * letters}
        assert sham.differs == ("topic" if size >= 50 else "topic, size (0 and 50 bytes)")


def test_the_policies_are_asked_for_what_the_sham_does():
    asked = []
    known = TEAM._replace(allows=lambda right, topic: asked.append((right, topic)) or True)
    shams_for(SubscribeAction("x/y", None), known._replace(filters=("a", "b")))
    assert asked == [("iot:Subscribe", "a"), ("iot:Subscribe", "b")]
    asked.clear()
    shams_for(PublishAction("x/y", None, retain=True), known._replace(topics=("c",)))
    assert asked == [("iot:Publish", "c"), ("iot:RetainPublish", "c")]


def test_what_a_sham_was_made_of_tells_apart_what_the_cloud_may_decide_differently():
    """Whether the cloud takes a sham is asked once for each of these."""
    known = TEAM._replace(topics=("a/%FILL%", "b"), filters=("a/%FILL%", "b"), allows=lambda right, topic: True)
    subscribed, published, longer, retained = (
        [sham.template for sham in shams_for(action, known)]
        for action in (
            SubscribeAction("x/y", None),
            PublishAction("x/y", None),
            PublishAction("x/y/longer", None),
            PublishAction("x/y", None, retain=True),
        )
    )
    assert len({*subscribed, *published, *retained}) == 6
    assert sorted(longer) == sorted(published)


def test_a_subscription_is_matched_by_a_subscription_and_a_wildcard_by_one():
    assert first(SubscribeAction("prod/x/m/#", None)).action == SubscribeAction("prod/t/m/#", None)
    plain = first(SubscribeAction("prod/x/m/abc", None))
    assert isinstance(plain.action, SubscribeAction)
    assert not set("#+") & set(plain.action.topic_filter)
    assert first(SubscribeAction("prod/X/m/#", None)).differs == "topic"
    assert first(SubscribeAction("prod/X/m/abc", None)).differs == "topic"


def test_a_request_is_matched_like_a_publish():
    sham = first(ServiceRequest(f"{SHADOW}/get", ServiceAnswer(b"y" * 80, None, "x")))
    assert isinstance(sham.action, PublishAction)
    assert (sham.action.qos, len(sham.action.payload)) == (1, 80)


def test_what_the_documents_refuse_is_no_sham():
    known = TEAM._replace(allows=lambda right, topic: topic.startswith("$aws"))
    shams = shams_for(PublishAction("prod/t/a/x", None), known)
    assert [str(one.action) for one in shams] == [f"publish on {SHADOW}/update (QoS 1)"]
    assert shams[0].differs == "topic, $ prefix, length of the topic (10 and 28), levels of the topic (4 and 5)"
    assert shams_for(PublishAction("prod/t/a/x", None), TEAM._replace(allows=lambda right, topic: False)) == []


@given(st.text(st.sampled_from("ab/"), min_size=1, max_size=60))
def test_a_sham_is_a_topic_that_mqtt_takes_and_comes_as_near_as_its_template_lets_it(topic):
    sham = first(PublishAction(topic, None))
    made = sham.action.topic
    assert "%" not in made
    assert "//" not in made
    assert len(made) in (len(topic), len(f"{SHADOW}/update")) or len(made) <= len("prod/t/m/d/me/x")


def test_a_sham_that_the_cloud_does_not_take_is_passed_over():
    """The documents may allow what the deployed policies refuse: then every connection would end before the action."""
    stage = Stage({"team/h", "other"})
    verdict = stage.trials.publish("other", witness=None)
    assert verdict.outcome == "policy disconnect"
    assert "an allowed action of the same shape" in verdict.evidence
    topics = [topic for topic, _ in stage.device.published]
    assert set(topics) == {"allowed"}


def test_a_sham_is_tried_once_for_all_trials():
    stage = Stage()
    stage.trials.publish("other", witness=None)
    before = stage.device.connects
    stage.trials.publish("other", witness=None)
    assert stage.device.connects == before + 1


@pytest.mark.parametrize("draw", [lambda draws: draws.randrange(12), lambda draws: draws.random()])
def test_what_was_drawn_is_drawn_again(draw):
    recording = RecordingDraws()
    numbers = [draw(recording) for _ in range(5)]
    taken = recording.taken()
    assert taken == numbers
    assert recording.taken() == []
    recorded = RecordedDraws(taken)
    assert [draw(recorded) for _ in range(5)] == numbers
    with pytest.raises(NothingDrawn):
        draw(recorded)


def test_two_recordings_draw_differently():
    first_draws, second = RecordingDraws(), RecordingDraws()
    assert [first_draws.randrange(1000) for _ in range(8)] != [second.randrange(1000) for _ in range(8)]


def test_a_quiet_filter_comes_before_one_that_other_traffic_goes_to():
    """Sixteen boards of a team send more on its topics than a UART of 115200 baud carries."""
    known = TEAM._replace(filters=(f"prod/t/m/{FILL}", f"prod/t/m/{FILL}/#"), loud=("prod/t/m/#",))
    quiet, plain, loud = shams_for(SubscribeAction("prod/x/m/#", None), known)
    assert (quiet.action, loud.action) == (SubscribeAction("prod/t/m/q/#", None), SubscribeAction("prod/t/m/#", None))
    assert quiet.differs == "topic, length of the topic (10 and 12), levels of the topic (4 and 5)"
    assert plain.differs == "topic, wildcard"
    refused = known._replace(allows=lambda right, topic: topic == "prod/t/m/#")
    (sham,) = shams_for(SubscribeAction("prod/x/m/#", None), refused)
    assert sham.action == SubscribeAction("prod/t/m/#", None)


TOPICS = st.text(st.sampled_from("ab/"), min_size=1, max_size=60)


@given(TOPICS, st.sampled_from(["", "/#", "/+"]), TOPICS)
def test_no_quiet_sham_gets_what_a_sham_of_another_board_sends(asked, wildcard, published):
    known = TEAM._replace(filters=(f"prod/t/m/d/me/{FILL}", f"prod/t/m/{FILL}", f"prod/t/m/{FILL}/#"))
    others = TEAM._replace(topics=(f"prod/t/m/d/other/{FILL}", f"prod/t/m/{FILL}"))
    made = [sham.action for sham in shams_for(PublishAction(published, None), others)]
    sent = [action.topic for action in made if isinstance(action, PublishAction)]
    traffic = [*sent, "prod/t/m/d/other/d2c", "prod/t/m/d/me/d2c", "prod/t/m/d/me/c2d", "prod/t/other/jobs/harness"]
    assert sent
    for sham in shams_for(SubscribeAction(f"x/{asked}{wildcard}", None), known):
        assert isinstance(sham.action, SubscribeAction)
        assert [topic for topic in traffic if takes(sham.action.topic_filter, topic)] == []

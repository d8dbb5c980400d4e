"""What shows that a packet had its effect: the words of each action, and how many acknowledgements a flight gets."""

from types import SimpleNamespace

import pytest

from harness.firmware import MqttEventKind
from harness.trial.actions import Acted, PublishAction, ServiceRequest, SubscribeAction
from harness.trial.facts import ActionEffect
from harness.trial.service_answer import ServiceAnswer
from harness.trial.verdict import Unproved
from tests.unit.trial.fakes import LATENCY, Stage

NONCE = "n1"


@pytest.fixture
def stage():
    stage = Stage()
    stage.link.ensure()
    return stage


def acted(stage, **more):
    return Acted(stage.link, NONCE, stage.device.mark(), True, **more)


class Sending:
    """A message that somebody was told to send. ``seen``: whether it can be shown."""

    shown_by = "the log of who sends"

    def __init__(self, seen):
        self._seen = seen
        self.asked = []

    def seen(self, timeout):
        self.asked.append(timeout)
        return self._seen


def arrives(stage, topic, payload=b"n1", after=LATENCY):
    stage.device.event(MqttEventKind.MESSAGE, topic=topic, payload=payload, after=after)


def test_a_message_on_the_filter_that_carries_the_nonce_is_the_effect(stage):
    action = SubscribeAction("a/+", None)
    one = acted(stage)
    arrives(stage, "a/x", b"n2")
    arrives(stage, "b/x")
    arrives(stage, "a/y")
    assert action.effect_of_message(one) == ActionEffect(True, "a message arrived on a/y")


def test_a_message_that_came_before_is_no_effect(stage):
    arrives(stage, "a/y", after=0.0)
    stage.device.mark()
    assert SubscribeAction("a/+", None).effect_of_message(acted(stage)).seen is False


def test_a_connection_that_ends_before_the_message_proves_nothing(stage):
    stage.device.hang_up()
    with pytest.raises(Unproved) as caught:
        SubscribeAction("a/+", None).effect_of_message(acted(stage))
    assert str(caught.value) == (
        "the action was tolerated, and the connection ended before its effect was seen: hung up: ENOTCONN (128)"
    )


@pytest.mark.parametrize(("armed", "known"), [(["a/#"], False), (["b/#", "a/y"], False), (["b/#"], True), ([], True)])
def test_where_the_connection_listened_already_a_message_proves_nothing(stage, armed, known):
    link = SimpleNamespace(device=stage.device, settle=0.5, armed=armed, patience=8.0)
    one = Acted(link, NONCE, stage.device.mark(), True)  # type: ignore[arg-type]
    arrives(stage, "a/y")
    said = "a message arrived on a/y"
    assert SubscribeAction("a/+", None).effect_of_message(one) == (
        ActionEffect(True, said) if known else ActionEffect(None, f"{said}, where the connection listened already")
    )


@pytest.mark.parametrize(
    ("shown", "effect"),
    [
        (None, ActionEffect(False, "no message arrived within 0.5 s, and nothing shows that one was sent")),
        (
            False,
            ActionEffect(
                False,
                "no message arrived within 0.5 s, and the log of who sends does not show that one was sent",
                False,
            ),
        ),
        (
            True,
            ActionEffect(
                False, "no message arrived within 0.5 s, although one was sent: the log of who sends shows it", True
            ),
        ),
    ],
)
def test_a_message_that_does_not_come_counts_where_one_was_sent(stage, shown, effect):
    one, sending = acted(stage), None if shown is None else Sending(shown)
    one.sending = sending
    assert SubscribeAction("a/+", None).effect_of_message(one) == effect
    if sending is not None:
        assert sending.asked == [0.5]


def test_without_a_trigger_the_fence_alone_shows_a_subscription(stage):
    assert SubscribeAction("a", None).effect(acted(stage)) == ActionEffect(
        detail="nothing can be sent there from outside, so the fence alone shows it"
    )
    sending = Sending(True)
    one = acted(stage)
    tokens = []
    action = SubscribeAction("a", lambda token: tokens.append(token) or sending)
    assert action.effect(one).message_sent is True
    assert (tokens, one.sending) == ([NONCE], sending)


def test_a_subscription_is_opened_by_suback(stage):
    assert SubscribeAction("a", None).open(acted(stage)) is True
    stage.device.forbidden = {"a"}
    assert SubscribeAction("a", None).open(acted(stage)) is False
    assert SubscribeAction("a", None).answer is MqttEventKind.SUBACK


@pytest.mark.parametrize(("topic_filter", "packets"), [("a/X", 0), ("a/+", 1), ("#", 1)])
def test_a_subscription_to_other_devices_topics_is_ended(stage, topic_filter, packets):
    begin = stage.clock.now
    assert SubscribeAction(topic_filter, None).quieten(acted(stage)) == packets
    assert stage.device.unsubscribed == [topic_filter] * packets
    assert stage.clock.now - begin == packets * LATENCY


def test_the_answer_to_an_earlier_unsubscribe_does_not_end_the_wait(stage):
    stage.device.event(MqttEventKind.UNSUBACK, after=0.0)
    begin = stage.clock.now
    SubscribeAction("#", None).quieten(acted(stage))
    assert stage.clock.now - begin == LATENCY


def test_an_end_that_nobody_answers_is_waited_for_with_the_links_patience(stage):
    stage.device.unsubscribe = lambda topic_filter: True
    begin = stage.clock.now
    SubscribeAction("#", None).quieten(acted(stage))
    assert stage.clock.now - begin == 8.0
    stage.device.unsubscribe = lambda topic_filter: False
    SubscribeAction("#", None).quieten(acted(stage))
    assert stage.clock.now - begin == 8.0


@pytest.mark.parametrize(
    ("action", "count"),
    [
        (PublishAction("t", None), 5),
        (PublishAction("t", None, qos=0), 4),
        (SubscribeAction("t", None), 0),
        (ServiceRequest("t", ServiceAnswer(b"", None, "a")), 5),
    ],
)
def test_how_many_acknowledgements_a_flight_gets(action, count):
    assert action.acknowledgements(5) == count


def test_a_publish_is_shown_by_its_witness(stage):
    asked = []

    def witness(token, timeout):
        asked.append((token, timeout))
        return seen

    action = PublishAction("t", witness)
    for seen in (True, False):
        effect = action.effect(acted(stage))
        assert (effect.seen, effect.detail) == (
            (True, "the message was seen where it belongs") if seen else (False, "the message was seen nowhere")
        )
        assert action.reached(NONCE) is seen
    assert asked == [(NONCE, 0.5), (NONCE, 0.0)] * 2
    nobody = PublishAction("t", None)
    assert (nobody.effect(acted(stage)), nobody.reached(NONCE)) == (ActionEffect(), None)
    assert nobody.quieten(acted(stage)) == 0


def test_a_service_is_shown_by_its_answer(stage):
    service = ServiceAnswer(b"ask %NONCE%", "answers/#", "answers/")
    action = ServiceRequest("t", service)
    one = acted(stage)
    arrives(stage, "answers/x")
    assert action.effect(one) == ActionEffect(True, "it was answered on answers/x")
    effect = action.effect(acted(stage))
    assert (effect.seen, effect.detail) == (False, "it was not answered within 0.5 s")
    deaf = Acted(stage.link, NONCE, stage.device.mark(), False)
    assert action.effect(deaf) == ActionEffect(
        detail="an answer could not be awaited, as answers/# could not be subscribed to"
    )
    assert action.act(stage.device, NONCE)
    assert stage.device.published[-1] == ("t", b"ask n1")
    assert action.prepare(stage.link) is True
    assert ServiceRequest("t", ServiceAnswer(b"", None, "a")).prepare(stage.link) is True
    stage.device.forbidden = {"answers/#"}
    assert action.prepare(stage.link) is False

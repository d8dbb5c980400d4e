"""The connection that trials use: how far an attempt came, what is waited for, and what is known of it afterwards."""

from dataclasses import replace

import pytest

from harness.errors import Party
from harness.firmware import MqttEventKind
from harness.timeline import Kind
from harness.trial import Attempt, Control, NotConnected, NothingAllowed, PublishAction, SubscribeAction
from harness.trial.connection import _pause, nonce
from harness.trial.controls import CHASER, LOST
from harness.trial.facts import Stage as Came
from harness.trial.sham import Sham
from tests.unit.trial.fakes import LATENCY, LOGIN, Stage

WRONG = replace(LOGIN, client_id="wrong")


def record(device, name):
    """Note the arguments of each call of ``name``."""
    calls = []
    original = getattr(device, name)

    def noted(*positional, **named):
        calls.append((*positional, *named.values()))
        return original(*positional, **named)

    setattr(device, name, noted)
    return calls


def steps(stage):
    return [event for event in stage.timeline.since() if event.kind is Kind.STEP]


def test_connect_may_take_twice_as_long_as_any_one_answer():
    """TCP and TLS are several answers, and the board reports them as one."""
    stage = Stage()
    calls = record(stage.device, "connect")
    stage.link.attempt(LOGIN)
    assert calls == [(LOGIN, 2 * stage.link.patience)]


def test_an_attempt_that_is_accepted():
    stage = Stage()
    assert stage.link.attempt(WRONG) == Attempt(Came.ACCEPTED, "", LATENCY)
    (step,) = steps(stage)
    assert (step.source, step.text, step.data) == ("trial", "connect as wrong: accepted", {"seconds": LATENCY})
    assert stage.link.connected


def test_an_attempt_that_the_network_ended_is_lost_not_refused():
    stage = Stage()
    stage.device.connect = lambda login, **options: stage.device.event(MqttEventKind.CLOSED, -116)
    assert stage.link.attempt(WRONG) == Attempt(Came.LOST, "hung up: ETIMEDOUT (116)", LATENCY)


def test_an_attempt_without_a_session_takes_what_the_board_needs_to_say_so():
    stage = Stage()
    stage.device.no_session_for = {"wrong"}
    connect = stage.device.connect

    def slow(login, **options):
        stage.clock.pause(1.5)
        connect(login, **options)

    stage.device.connect = slow
    attempt = stage.link.attempt(WRONG)
    assert attempt == Attempt(Came.NO_SESSION, "fake: no TLS session", 1.5)
    (step,) = steps(stage)
    assert step.text == "connect as wrong: no TLS session (fake: no TLS session)"
    assert step.data == {"seconds": 1.5}
    assert not stage.link.connected


@pytest.mark.parametrize(
    ("fault", "attempt"),
    [
        ("no_connack_for", Attempt(Came.SILENT, "within 8 s", 8.0)),
        ("connack_refused_for", Attempt(Came.REFUSED, "CONNACK return code 5", LATENCY)),
        ("forbidden", Attempt(Came.NO_CONNACK, "hung up: ENOTCONN (128)", LATENCY)),
    ],
)
def test_an_attempt_that_is_not_accepted(fault, attempt):
    stage = Stage()
    setattr(stage.device, fault, {"wrong"})
    assert stage.link.attempt(WRONG) == attempt
    assert [step.text for step in steps(stage)] == [f"connect as wrong: {attempt}"]
    assert not stage.link.connected


def test_what_came_before_an_attempt_says_nothing_of_it():
    stage = Stage()
    stage.device.event(MqttEventKind.ACCEPTED, after=0.0)
    stage.device.no_connack_for = {"wrong"}
    assert stage.link.attempt(WRONG).stage is Came.SILENT


def test_a_refusal_whose_connection_does_not_end_is_waited_for_with_patience():
    stage = Stage()
    stage.device.connect = lambda login, **options: stage.device.event(MqttEventKind.REFUSED, 5)
    assert stage.link.attempt(WRONG).seconds == LATENCY
    assert stage.clock.now == LATENCY + stage.link.patience


def test_a_connection_that_ended_stays_ended():
    """Looking at it does not make its end a thing of the past."""
    stage = Stage()
    stage.link.ensure()
    stage.device.hang_up(after=0.0)
    assert not stage.link.connected
    assert not stage.link.connected


def test_what_was_looked_at_is_not_looked_at_again():
    """A connection may last a night, with hundreds of thousands of lines."""
    stage = Stage()
    stage.link.ensure()
    calls = record(stage.device, "events")
    assert stage.link.connected
    mark = stage.device.mark()
    stage.device.event(MqttEventKind.PUBACK, after=0.0)
    assert stage.link.connected
    assert stage.link.connected
    assert calls[1:] == [(mark,), (mark + 1,)]


def test_a_connection_that_was_ended_is_over_whatever_the_board_says_of_it():
    """A board that restarted refuses to end what it does not have, and reports no end."""
    stage = Stage()
    stage.link.ensure()
    stage.device.disconnect = lambda: None
    stage.link.disconnect()
    assert not stage.link.connected


def test_an_attempt_after_a_connection_that_was_never_reported_to_end():
    stage = Stage()
    stage.link.ensure()
    stage.device.disconnect = lambda: None
    stage.device.no_session_for = {LOGIN.client_id}
    with pytest.raises(NotConnected):
        stage.link.reconnect()
    assert not stage.link.connected


def test_the_board_is_told_to_end_what_it_has_whatever_events_told():
    """The event of a connection may have been lost: the driver asks the board, and ends what is there."""
    stage = Stage()
    stage.device.connect(LOGIN)  # the link does not know of it
    stage.link.disconnect()
    assert not stage.device.connected


def test_an_end_that_no_event_told_is_asked_of_the_board():
    stage = Stage()
    stage.link.ensure()
    stage.device.connected = False  # the line "1,-128" was lost
    assert stage.link.connected
    stage.link.ensure()
    assert stage.device.connects == 2
    faults = [(event.source, event.text) for event in stage.timeline.since() if event.kind is Kind.FAULT]
    assert faults == [("trial", "the board says that its connection has ended, and no event told so")]


def test_a_connection_on_which_the_allowed_action_failed_is_made_anew():
    """A dead path looks alive to the board: what was not acknowledged puts the connection in doubt."""
    stage = Stage()
    stage.link.ensure()
    stage.device.silent_for = {"allowed"}
    assert not stage.link.run().ok
    stage.device.silent_for = set()
    assert stage.link.connected
    stage.link.ensure()
    assert stage.device.connects == 2
    stage.link.ensure()
    assert stage.device.connects == 2


def test_a_connack_that_comes_too_late_does_not_accept_the_next_connect():
    stage = Stage()
    stage.device.silent_connects = 1
    assert stage.link.attempt(LOGIN).stage is Came.SILENT
    assert stage.device.connected, "the board is still at it"
    assert stage.link.attempt(LOGIN).stage is Came.ACCEPTED
    assert stage.device.connects == 2


def test_connected_with_an_allowed_action_that_works():
    stage = Stage(actions=("first", "second"))
    with pytest.raises(NotConnected, match=r"^no allowed action is known yet: the link was never connected$") as caught:
        _ = stage.link.action
    assert caught.value.party is Party.UNCLEAR
    stage.link.ensure()
    assert stage.link.action is stage.actions[0]
    stage.link.ensure()
    assert stage.device.connects == 1
    assert [action.armed for action in stage.actions] == [1, 0]
    assert [topic for topic, _ in stage.device.published] == ["first"]


def test_an_action_that_fails_on_a_connection_that_stays_is_followed_by_the_next_on_it():
    stage = Stage(actions=("first", "second"))
    stage.device.silent_for = {"first"}
    stage.link.ensure()
    assert stage.link.action is stage.actions[1]
    assert stage.device.connects == 1


def test_the_action_that_worked_before_is_the_only_one_that_is_tried_again():
    stage = Stage(actions=("first", "second"))
    stage.link.ensure()
    stage.device.hang_up(after=0.0)
    stage.device.silent_for = {"first"}
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert str(caught.value) == (f"connected, but no allowed action works: a QoS 1 publish on first failed: {LOST}")
    stage.link.ensure()  # all of them, now that it is forgotten
    assert stage.link.action is stage.actions[1]


def test_every_action_that_failed_is_named():
    stage = Stage({"first"}, actions=("first", "second"))
    stage.actions[1].arm = lambda *, timeout: False
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert str(caught.value) == (
        "connected, but no allowed action works: a QoS 1 publish on first failed: hung up: ENOTCONN (128); "
        "a QoS 1 publish on second could not be prepared"
    )


def test_actions_are_armed_with_patience_first_and_after_a_reconnect():
    stage = Stage()
    armed = record(stage.actions[0], "arm")
    stage.link.ensure()
    attempt = stage.link.reconnect()
    assert attempt.stage is Came.ACCEPTED
    assert armed == [(8.0,), (8.0,)]
    assert stage.device.connects == 2


def test_a_reconnect_that_is_refused_says_how_far_it_came():
    stage = Stage()
    stage.device.connack_refused_for = {LOGIN.client_id}
    with pytest.raises(NotConnected) as caught:
        stage.link.reconnect()
    assert str(caught.value) == "dev-1 could not connect: CONNACK with a refusal (CONNACK return code 5)"


def test_what_is_forgotten_is_chosen_anew():
    stage = Stage()
    stage.link.ensure()
    stage.link.forget()
    assert not stage.link.connected
    assert not stage.device.connected
    with pytest.raises(NotConnected):
        _ = stage.link.action


def test_a_run_is_of_the_action_that_works_unless_told_otherwise():
    stage = Stage(actions=("first", "second"))
    stage.link.ensure()
    stage.device.published.clear()
    assert stage.link.run(token="n1") == Control(True, True, LATENCY, "")
    stage.link.run(stage.actions[1])
    (first, second) = stage.device.published
    assert first == ("first", b"n1")
    assert second[0] == "second"
    assert second[1].startswith(b"n")
    assert len(second[1]) == 17


def test_a_run_waits_for_the_acknowledgement_with_patience_and_for_the_arrival_until_it_settles():
    stage = Stage()
    stage.link.ensure()
    stage.device.swallow = {"allowed"}
    assert stage.link.run() == Control(True, False, LATENCY, "it did not arrive within 0.5 s")
    stage.device.silent_for = {"allowed"}
    assert stage.link.run() == Control(False, False, 0.5 + LATENCY, LOST, chased=True)
    stage.device.unsubscribe = lambda topic_filter: True  # a path that is dead
    assert stage.link.run() == Control(False, False, 8.0, "nothing came back within 8 s", chased=True)


def test_listening_waits_for_suback_with_patience():
    stage = Stage({"forbidden"})
    stage.link.ensure()
    assert stage.link.listen("t") is True
    stage.device.subscribe = lambda topic_filter, *, qos=1: True
    begin = stage.clock.now
    assert stage.link.listen("t") is False
    assert stage.clock.now - begin == 8.0


def test_a_subscription_that_suback_refuses_is_none():
    stage = Stage()
    stage.link.ensure()
    stage.device.subscribe = lambda topic_filter, *, qos=1: stage.device.event(MqttEventKind.SUBACK, 0x80) or True
    assert stage.link.listen("t") is False
    assert stage.link.takes(Sham(SubscribeAction("t", None), "topic", "subscribe t")) is False


@pytest.mark.parametrize(
    ("cuts", "silent", "taken", "asked"), [(1, 0, True, 2), (2, 0, False, 2), (0, 1, True, 2), (0, 2, False, 2)]
)
def test_a_sham_that_was_not_answered_is_asked_for_once_more(cuts, silent, taken, asked):
    """A cut says nothing of the policies."""
    stage, sham, sent = Stage(), Sham(PublishAction("team/x", None), "topic", "publish team"), []

    def happens():
        sent.append(None)
        stage.device.silent_for = {"team/x"} if len(sent) <= silent else set()
        if len(sent) <= cuts:
            stage.device.hang_up()

    stage.during("team/x", happens)
    assert stage.link.takes(sham) is taken
    assert stage.link.takes(sham) is taken
    assert len(sent) == asked


def test_a_sham_whose_answer_is_lost_does_not_cost_all_patience():
    """What is answered behind it shows that nothing more will come."""
    stage, sham = Stage(), Sham(PublishAction("team/x", None), "topic", "publish team")
    stage.link.fresh()
    stage.link.packets = 3
    stage.device.silent_for = {"team/x"}
    begin, connects = stage.clock.now, stage.device.connects
    assert stage.link._takes(sham) is None
    assert stage.clock.now - begin == stage.link.settle + LATENCY
    assert stage.device.unsubscribed == [CHASER]
    assert stage.link.packets == 3 + 2
    stage.device.silent_for = set()
    stage.link.ensure()
    assert stage.device.connects == connects + 1, "something was not answered on the one before"
    packets = stage.link.packets
    assert stage.link._takes(sham) is True
    assert stage.link.packets == packets + 1


def test_where_nothing_is_answered_a_sham_costs_all_patience_once():
    stage, sham = Stage(), Sham(PublishAction("team/x", None), "topic", "publish team")
    stage.link.fresh()
    stage.device.silent_for = {"team/x"}
    stage.device.unsubscribe = lambda topic_filter: True
    begin = stage.clock.now
    assert stage.link._takes(sham) is None
    assert stage.clock.now - begin == stage.link.settle + stage.link.patience


def test_an_unsubscribe_behind_a_sham_that_the_board_refuses_is_waited_for_by_nobody():
    stage, sham = Stage(), Sham(PublishAction("team/x", None), "topic", "publish team")
    stage.link.fresh()
    stage.device.latency = 2.0
    stage.device.unsubscribe = lambda topic_filter: False
    begin = stage.clock.now
    assert stage.link._takes(sham) is True
    assert stage.clock.now - begin == 2.0


def test_a_sham_whose_answer_takes_long_leaves_none_for_the_packet_behind():
    stage, sham = Stage(), Sham(PublishAction("team/x", None), "topic", "publish team")
    stage.link.ensure()
    stage.device.latency = 0.75
    assert stage.link._takes(sham) is True
    assert stage.device.coming == []
    unsubscribe, stage.device.unsubscribe = stage.device.unsubscribe, lambda topic_filter: True
    assert stage.link._takes(sham) is None, "nothing was answered any more"
    stage.device.unsubscribe = unsubscribe
    assert stage.link.takes(sham) is True


def test_a_sham_that_suback_refuses_is_asked_for_once():
    stage, asked = Stage(), []
    stage.link.ensure()

    def refuse(topic_filter, *, qos=1):
        asked.append(topic_filter)
        stage.device.event(MqttEventKind.SUBACK, 0x80)
        return True

    stage.device.subscribe = refuse
    assert stage.link.takes(Sham(SubscribeAction("t", None), "topic", "subscribe t")) is False
    assert asked == ["t"]


def test_a_connection_is_clean_until_something_else_was_sent_or_it_ended():
    stage = Stage()
    assert stage.link.clean is False
    stage.link.fresh()
    assert stage.link.clean
    assert (stage.link.since, stage.link.packets) == (LATENCY, 0)
    stage.link.spoil()
    assert not stage.link.clean
    stage.link.fresh()
    assert stage.link.clean
    assert stage.device.connects == 2
    stage.device.hang_up(after=0.0)
    assert not stage.link.clean


def test_a_connection_in_doubt_is_not_clean():
    stage = Stage()
    stage.link.fresh()
    stage.link.doubt()
    assert not stage.link.clean


def test_a_reconnect_whose_allowed_action_cannot_be_prepared_is_none():
    stage = Stage()
    stage.link.fresh()
    stage.actions[0].arm = lambda *, timeout: False
    with pytest.raises(NotConnected, match="a QoS 1 publish on allowed could not be prepared"):
        stage.link.fresh()
    assert not stage.link.clean
    del stage.actions[0].arm
    stage.link.ensure()
    assert stage.device.connects == 3, "the second was in doubt"


def test_an_allowed_action_that_need_not_be_seen_is_not_looked_for():
    stage = Stage()
    stage.link.ensure()
    stage.device.swallow = {"allowed"}
    assert stage.link.run(seek=False) == Control(True, True, LATENCY, "")


def test_the_gap_counts_from_one_connect_to_the_next():
    stage = Stage(gap=1.0)
    pauses = record(stage.link, "_pause")
    stage.link.attempt(LOGIN)
    stage.clock.pause(0.25)
    stage.link.attempt(LOGIN)
    stage.clock.pause(1.0 - LATENCY)
    stage.link.attempt(LOGIN)
    assert pauses == [(1.0 - 0.25 - LATENCY,)]


def test_nonces_differ():
    assert nonce() != nonce()


def test_a_cloud_that_hangs_up_on_all_that_is_allowed_is_to_blame():
    """Each was refused three times, on connections of their own, and three without any action stayed in between."""
    stage = Stage({"first", "second"}, actions=("first", "second"))
    with pytest.raises(
        NothingAllowed, match="hung up 3 times on every action that the policy documents allow"
    ) as caught:
        stage.link.ensure()
    assert caught.value.party is Party.CLOUD
    assert stage.device.connects == 9
    assert stage.device.connected


@pytest.mark.parametrize("cuts", [1, 2])
def test_a_cut_at_the_only_allowed_action_is_no_refusal(cuts):
    stage, left = Stage(), [None] * cuts
    stage.during("allowed", lambda: left and (left.pop(), stage.device.hang_up()))
    stage.link.ensure()
    assert not left
    assert stage.link.action is stage.actions[0]
    assert stage.link.clean is False
    assert stage.link.run().ok


@pytest.mark.parametrize("result", [0, -116, -110, -115])
def test_what_is_no_hang_up_by_the_other_side_is_no_refusal(result):
    """ETIMEDOUT, say: the network is gone."""
    stage = Stage()
    stage.during("allowed", lambda: stage.device.hang_up(-result))
    with pytest.raises(NotConnected, match="no allowed action works") as caught:
        stage.link.ensure()
    assert not isinstance(caught.value, NothingAllowed)


def test_a_hang_up_on_a_modem_that_lost_the_network_is_no_refusal():
    stage = Stage({"allowed"})
    stage.link._registered = lambda: False
    with pytest.raises(NotConnected, match="no allowed action works") as caught:
        stage.link.ensure()
    assert not isinstance(caught.value, NothingAllowed)


def test_an_action_that_is_refused_once_and_then_fails_otherwise_is_the_labs():
    stage, left = Stage(), [None]
    stage.during("allowed", lambda: stage.device.hang_up(128 if left and not left.pop() else 116))
    with pytest.raises(NotConnected, match="then otherwise") as caught:
        stage.link.ensure()
    assert not isinstance(caught.value, NothingAllowed)


def test_a_connection_that_ends_without_any_action_proves_nothing():
    """Somebody else connects with the same client id, say."""
    stage = Stage({"first"}, actions=("first",))
    connect = stage.device.connect

    def connect_and_be_evicted(login, *, timeout=60.0):
        connect(login, timeout=timeout)
        stage.device.hang_up(after=0.25)

    stage.device.connect = connect_and_be_evicted
    with pytest.raises(NotConnected, match="hung up on without any action: a duplicate client") as caught:
        stage.link.ensure()
    assert not isinstance(caught.value, NothingAllowed)


@pytest.mark.parametrize("allowed", [set(), {"first"}])
def test_what_the_documents_do_not_allow_does_not_count(allowed):
    """Of two actions one is not allowed, and refused, as it should be; the other fails for another reason, or too."""
    stage = Stage({"first", "second"}, actions=("first", "second"))
    stage.link._allows = lambda action: action.rights[0][1] in allowed
    expected = NothingAllowed if allowed else NotConnected
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert type(caught.value) is expected


def test_an_attempt_without_a_session_that_comes_later_is_measured_from_its_begin():
    stage = Stage()
    stage.device.no_session_for = {"wrong"}
    stage.clock.pause(100.0)
    assert stage.link.attempt(WRONG).seconds == 0.0


def test_the_gap_is_waited_for_in_real_time_where_nobody_has_a_clock_of_their_own(monkeypatch):
    waits = []
    monkeypatch.setattr("harness.trial.connection.threading.Event.wait", lambda self, seconds: waits.append(seconds))
    _pause(1.5)
    assert waits == [1.5]

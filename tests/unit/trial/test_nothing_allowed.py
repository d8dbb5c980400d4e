"""A cloud that hangs up on all that is allowed: what is asked in between, and the words of what is found."""

import pytest

from harness.trial import NotConnected, NothingAllowed
from tests.unit.trial.fakes import Stage

TWO = ("first", "second")
TRIED = "; ".join(f"a QoS 1 publish on {topic} failed: hung up: ENOTCONN (128)" for topic in TWO)


def unsubscribed(stage, happens):
    """Call ``happens(n)`` before the n-th packet that needs no right on each connection; True: nobody answers it."""
    unsubscribe, connect = stage.device.unsubscribe, stage.device.connect
    asked = [0]

    def connected(login, *, timeout=60.0):
        asked[0] = 0
        connect(login, timeout=timeout)

    def counted(topic_filter):
        asked[0] += 1
        return True if happens(asked[0]) else unsubscribe(topic_filter)

    stage.device.connect, stage.device.unsubscribe = connected, counted
    return asked


def test_the_clouds_refusal_is_told_with_all_that_was_tried():
    stage = Stage(set(TWO), actions=TWO)
    with pytest.raises(NothingAllowed) as caught:
        stage.link.ensure()
    assert str(caught.value) == (
        "The cloud accepted the CONNECT and hung up 3 times on every action that the policy documents allow"
        f" ({TRIED}); by turns with them 3 connections without any action stayed for 0.5 s each, and 4 packets that"
        " need no right were answered on each"
    )
    filters = stage.device.unsubscribed
    assert len(filters) == 12
    assert len(set(filters)) == 12
    assert all(each.startswith("harness/n") for each in filters)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_limit_of_packets_is_no_refusal(number):
    stage = Stage(set(TWO), actions=TWO)
    unsubscribed(stage, lambda n: n == number and stage.device.hang_up())
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert str(caught.value) == (
        f"connected, and hung up on at packet {number}, which needs no right: a packet limit? {TRIED}"
    )
    assert type(caught.value) is NotConnected


def test_a_fifth_packet_is_not_sent():
    stage = Stage(set(TWO), actions=TWO)
    unsubscribed(stage, lambda n: n == 5 and stage.device.hang_up())
    with pytest.raises(NothingAllowed):
        stage.link.ensure()


def test_a_packet_that_nobody_answers_is_waited_for_and_no_refusal():
    stage = Stage({"first"}, actions=("first",))
    unsubscribed(stage, lambda n: n == 2)
    begin = stage.clock.now
    with pytest.raises(NotConnected, match=r"hung up on at packet 2, which needs no right: a packet limit\? a QoS 1"):
        stage.link.ensure()
    assert 8.0 < stage.clock.now - begin < 12.0


def test_what_ends_without_any_action_is_told_with_all_that_was_tried():
    stage = Stage(set(TWO), actions=TWO)
    connect = stage.device.connect

    def connect_and_be_evicted(login, *, timeout=60.0):
        connect(login, timeout=timeout)
        stage.device.hang_up(after=0.25)

    stage.device.connect = connect_and_be_evicted
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert str(caught.value) == (f"connected, and hung up on without any action: a duplicate client? {TRIED}")


def test_what_then_fails_otherwise_is_told_with_all_that_was_tried():
    stage = Stage(actions=TWO)
    left = [None, None]
    for topic in TWO:
        stage.during(topic, lambda: stage.device.hang_up(128 if left and not left.pop() else 116))
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert str(caught.value) == (f"connected, but no allowed action works: {TRIED}; then otherwise")


def test_an_action_is_armed_with_the_links_patience():
    stage = Stage({"first"}, actions=("first",))
    armed = []
    stage.actions[0].arm = lambda *, timeout: armed.append(timeout) or True
    with pytest.raises(NothingAllowed):
        stage.link.ensure()
    assert armed == [8.0, 8.0, 8.0]

"""What the link of trials knows before its first connection, and which allowed actions it counts as refused."""

import pytest

from harness.trial import NotConnected, NothingAllowed
from harness.trial.controls import LOST
from tests.unit.trial.fakes import Stage


def arm_by_subscribing(stage):
    """Have each allowed action subscribe to its topic first, as those do that the board itself sees arrive."""
    for action in stage.actions:
        action.arm = lambda *, timeout, topic=action.topic: stage.link.listen(topic)


def test_of_a_link_that_was_never_connected_nothing_is_recorded():
    """A plan's begin says all of this, whatever came before it."""
    link = Stage().link
    assert (link.since, link.asked_at, link.packets, link.byte_seconds, link.used_by) == (0.0, 0.0, 0, 0.0, None)


def test_the_board_is_asked_once_for_the_connection_that_it_may_have():
    """An AT command takes its time on the line."""
    stage, asked = Stage(), []
    disconnect = stage.device.disconnect
    stage.device.disconnect = lambda: asked.append(disconnect())
    stage.link.ensure()
    assert len(asked) == 1


def test_actions_whose_preparation_is_refused_are_refused():
    stage = Stage({"first", "second"}, actions=("first", "second"))
    arm_by_subscribing(stage)
    with pytest.raises(NothingAllowed) as caught:
        stage.link.ensure()
    assert str(caught.value) == (
        "The cloud accepted the CONNECT and hung up 3 times on every action that the policy documents allow"
        " (a QoS 1 publish on first could not be prepared; a QoS 1 publish on second could not be prepared);"
        " by turns with them 3 connections without any action stayed for 0.5 s each, and 4 packets that need no right"
        " were answered on each"
    )


def test_a_hang_up_before_an_action_does_not_refuse_it():
    stage = Stage()
    stage.link.ensure()
    stage.device.hang_up(after=0.0)
    stage.device.silent_for = {"allowed"}
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert type(caught.value) is NotConnected
    assert str(caught.value) == f"connected, but no allowed action works: a QoS 1 publish on allowed failed: {LOST}"


@pytest.mark.parametrize("look", [1, 2, 3])
def test_whenever_an_idle_connection_ends_the_actions_that_were_refused_are_named(look):
    stage, idle = Stage({"allowed"}), []
    wait = stage.device.wait

    def cut(match, *, since, timeout):
        if timeout == stage.link.settle and stage.device.log[since:] == [] and not stage.device.coming:
            idle.append(1)
            if len(idle) == look:
                stage.device.hang_up()
        return wait(match, since=since, timeout=timeout)

    stage.device.wait = cut
    with pytest.raises(NotConnected) as caught:
        stage.link.ensure()
    assert str(caught.value) == (
        "connected, and hung up on without any action: a duplicate client?"
        " a QoS 1 publish on allowed failed: hung up: ENOTCONN (128)"
    )
    assert len(idle) == look

"""Allowed cases in groups: who shares a connection, and what each test takes from it."""

from types import SimpleNamespace

import pytest

from harness.policy_trials.groups import CaseGroups
from harness.trial import Outcome, Shared
from harness.trial.facts import ActionEffect
from tests.fake import Fake
from tests.unit.policy_trials.test_policy_trials import FULL, NAMES, board, case  # noqa: F401 - a fixture

MESSAGE = "associated-publish-prod/{tenant}/m/test"
GET = "associated-publish-$aws/things/{device}/shadow/get"
ANSWER = "associated-subscribe-$aws/things/{device}/shadow/get/accepted"
TEAM = "associated-subscribe-prod/{tenant}/m/#"
REFUSED = "associated-publish-prod/{other_tenant}/m/d/{device}/d2c"


class Trials(Fake):
    def __init__(self, *, proved=True):
        self.groups, self.alone, self.shown, self.proved = [], [], [], proved

    def group(self, actions):
        self.groups.append([str(action) for action in actions])
        return [Shared(7, len(actions), 0.2, "a publish", ActionEffect()) if self.proved else None for _ in actions]

    def shared(self, action, found):
        self.shown.append(str(action))

    def packet(self, action):
        self.alone.append(str(action))
        return SimpleNamespace(outcome=Outcome.TOLERATED)


def run(board, trials, *identifiers):  # noqa: F811
    groups = CaseGroups()
    board.opened.firmware.topic_fault = lambda topic: None
    for number, identifier in enumerate(identifiers):
        coming = [FULL[one] for one in identifiers[number + 1 :]]
        groups.run(board, trials, case(identifier), coming)


def test_the_first_tries_those_to_come_and_each_takes_its_own(board):  # noqa: F811
    trials = Trials()
    run(board, trials, MESSAGE, GET)
    ((first, second),) = trials.groups
    assert trials.shown == [first, second]
    assert trials.alone == []


def test_what_the_group_did_not_prove_is_tried_alone_and_not_in_another_group(board):  # noqa: F811
    trials = Trials(proved=False)
    run(board, trials, MESSAGE, GET)
    assert len(trials.groups) == 1
    assert len(trials.alone) == 2


@pytest.mark.parametrize("others", [(), (REFUSED,)])
def test_one_alone_is_no_group(board, others):  # noqa: F811
    trials = Trials()
    run(board, trials, MESSAGE, *others)
    assert trials.groups == []
    assert len(trials.alone) == 1 + len(others)


def test_a_subscription_whose_message_may_come_by_another_one_is_left_out(board):  # noqa: F811
    """The request subscribes to the same answer, so an answer would show nothing of the subscription."""
    trials = Trials()
    run(board, trials, GET, ANSWER, TEAM)
    (grouped,) = trials.groups
    assert [one.split()[0] for one in grouped] == ["publish", "subscribe"]
    assert trials.alone == [f"subscribe to $aws/things/{NAMES.device_id}/shadow/get/accepted (QoS 1)"]

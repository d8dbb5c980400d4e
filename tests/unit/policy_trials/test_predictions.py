"""Which trials a changed cloud would make go otherwise."""

import pytest

from harness.policy import load_profile
from harness.policy_trials.predictions import going_otherwise
from harness.policy_trials.trials import selection_for

PAGE = tuple(load_profile("page", account="123456789012").values())
BY_NAME = {document.name: document for document in PAGE}


def changed_by(words: str) -> set[str]:
    (mutant,) = [one for one in selection_for(PAGE).mutants if str(one) == words]
    return going_otherwise(PAGE, mutant.documents)


def test_the_documents_themselves_change_nothing():
    assert going_otherwise(PAGE, BY_NAME) == set()


def test_every_trial_that_notices_a_mutant_is_among_them():
    selection = selection_for(PAGE)
    for mutant in selection.mutants[::7]:
        noticing = {name for name, noticed in selection.noticed.items() if any(one is mutant for one in noticed)}
        assert noticing <= going_otherwise(PAGE, mutant.documents), str(mutant)


def test_what_cannot_notice_a_mutant_is_not():
    assert changed_by("gateway statement 2: action iot:* added") == {
        "gateway-publish-retained-prod/{tenant}/gateways/{device}/g2c"
    }


@pytest.mark.parametrize(
    ("words", "besides"),
    [
        # A subscription is proved by a message that arrives, which the device may have asked for.
        ("provisioned statement 4: dropped", "gateway-subscribe-prod/{tenant}/a/test"),
        (
            "provisioned statement 3: resource topic/$aws/things/${iot:ClientId}/shadow/get dropped",
            "gateway-subscribe-$aws/things/{device}/shadow/get/accepted",
        ),
        # A request is proved by its answer, which has to be subscribed to and received.
        ("provisioned statement 4: dropped", "gateway-publish-$aws/things/{device}/shadow/update"),
        (
            "provisioned statement 2: resource topicfilter/$aws/things/${iot:ClientId}/shadow/get/* dropped",
            "gateway-publish-$aws/things/{device}/shadow/get",
        ),
    ],
)
def test_what_a_trial_makes_use_of_counts(words, besides):
    assert besides in changed_by(words)


def test_a_refused_connect_changes_all_that_is_allowed():
    changed = changed_by("provisioned statement 1: dropped")
    assert {case.id for case in selection_for(PAGE).cases if case.allowed} <= changed
    assert "provisioned-connect-{device}" in changed or "gateway-connect-{device}" in changed

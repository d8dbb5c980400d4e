"""What trials with a known outcome say about deployed policies."""

from dataclasses import replace

import pytest

from harness.bench.policy_drift import Tried, compare
from harness.bench.policy_probe import trials_and_mutants
from harness.bench.policy_trials import as_shown, outcome_of_refusal
from harness.policy import Kind, Names, PolicyDocument, Verb, load_profile, refusals
from harness.trial import Outcome, Verdict

NAMES = Names("dev", "dev-2", "T", "T2")
PAGE = tuple(load_profile("page", account=NAMES.account).values())
TEAM = "prod/${iot:Connection.Thing.Attributes[tenantId]}"
CASES, MUTANTS, _ = trials_and_mutants(PAGE, NAMES, [Kind.ASSOCIATED])


def tried(documents):
    """The trials on a cloud that enforces ``documents``."""
    shown = [as_shown(case, PAGE, NAMES) for case in CASES]
    outcomes = map(outcome_of_refusal, shown, refusals(shown, documents))
    return [Tried(case, Verdict(outcome, case.id, "")) for case, outcome in zip(shown, outcomes, strict=True)]


def drift(documents):
    return compare(PAGE, MUTANTS, tried(documents), NAMES)


def mutant(text):
    (found,) = [one for one in MUTANTS if str(one).endswith(text)]
    return found


def test_no_drift():
    found = drift({document.name: document for document in PAGE})
    assert (found.differences, found.changes, found.unproved, found.not_run) == ([], [], [], [])
    assert (found.excluded, found.profiles) == (len(MUTANTS), ["page"])


def test_a_single_change_is_among_what_is_reported():
    for one in MUTANTS[::7]:
        found = drift(one.documents)
        assert found.differences, one
        assert any(one in group for group in found.changes), one
        assert len(found.changes) == 1, one


def test_what_is_lacking_is_named():
    dropped = mutant(f"associated statement 2: resource topic/{TEAM}/m/* dropped")
    found = drift(dropped.documents)
    (difference,) = found.differences
    assert (difference.gained, difference.statement) == (False, "associated statement 2")
    assert difference.text == (
        "iot:Publish on prod/T/m/test: allowed by associated statement 2 (topic/prod/T/m/*), yet policy disconnect"
    )
    assert found.profiles == []
    assert found.excluded < len(MUTANTS)


def test_what_was_gained_is_named():
    found = drift(load_profile("current", account=NAMES.account))
    assert {one.statement for one in found.differences} == {"provisioned statement 3"}
    assert all(one.gained and one.text.endswith(", yet tolerated") for one in found.differences)
    changes = [str(change) for (change,) in found.changes]
    assert sorted(changes) == [
        f"provisioned statement 3: resource topic/${{iot:ClientId}}/shadow/{name} added, as in profile current"
        for name in ("get/tf", "get/trim", "update")
    ]
    assert found.profiles == ["current"]


def test_two_changes_are_told_apart():
    lost = mutant(f"associated statement 2: resource topic/{TEAM}/m/* dropped")
    won = mutant("provisioned statement 2: action iot:Subscribe swapped for iot:Publish")
    found = drift({**lost.documents, "provisioned": won.documents["provisioned"]})
    assert len(found.changes) == 2
    assert any(lost in group for group in found.changes)
    assert any(won in group for group in found.changes)


@pytest.mark.parametrize(
    ("result", "statement"),
    [(Outcome.IGNORED, "provisioned statement 4"), (Outcome.POLICY_DISCONNECT, "associated statement 1")],
)
def test_a_silent_subscription_lacks_the_delivery(result, statement):
    identifier = "associated-subscribe-prod/{tenant}/m/test"
    results = [
        replace(one, verdict=Verdict(result, "", "")) if one.case.id == identifier else one
        for one in tried({document.name: document for document in PAGE})
    ]
    (difference,) = compare(PAGE, MUTANTS, results, NAMES).differences
    assert difference.statement == statement


def test_a_lost_delivery_is_one_change_wherever_it_shows():
    """Subscriptions stay silent too when their messages may not be received; that is no second change."""
    narrowed = mutant("provisioned statement 4: resource * narrowed to topic/$aws/*")
    found = drift(narrowed.documents)
    assert {one.statement for one in found.differences} == {"provisioned statement 4"}
    assert len(found.differences) > 1
    (group,) = found.changes
    assert narrowed in group
    assert {str(one).partition(":")[0] for one in group} == {"provisioned statement 4"}


def test_a_request_without_an_answer_is_nothing_about_policies():
    results = [
        replace(one, verdict=Verdict(Outcome.IGNORED, "", "")) if one.case.request.verb is Verb.PUBLISH else one
        for one in tried({document.name: document for document in PAGE})
    ]
    found = compare(PAGE, MUTANTS, results, NAMES)
    assert (found.differences, found.changes) == ([], [])
    assert {one.case.request.verb for one in found.unproved} == {Verb.PUBLISH}


def test_policies_of_ones_own_are_part_of_every_profile():
    own = PolicyDocument.parse(
        '{"Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:*:*:topic/lab"}}',
        name="own",
    )
    documents = {document.name: document for document in (*PAGE, own)}
    cases, changes, _ = trials_and_mutants((*PAGE, own), NAMES, [Kind.ASSOCIATED])
    outcomes = map(outcome_of_refusal, cases, refusals(cases, documents))
    results = [Tried(case, Verdict(outcome, case.id, "")) for case, outcome in zip(cases, outcomes, strict=True)]
    found = compare((*PAGE, own), changes, results, NAMES)
    assert (found.differences, found.profiles) == ([], ["page"])


def test_the_own_connect_comes_first():
    assert [case.id for case in CASES[:1]] == ["associated-connect-{device}"]


def test_what_proves_nothing_is_no_difference():
    results = [Tried(case, Verdict(Outcome.INCONCLUSIVE, case.id, "nothing came back")) for case in CASES]
    results[0] = Tried(CASES[0], reason="the board has no MQTT will")
    found = compare(PAGE, MUTANTS, results, NAMES)
    assert (found.differences, found.changes, found.excluded, found.profiles) == ([], [], 0, [])
    assert (found.not_run, found.unproved) == (results[:1], results[1:])

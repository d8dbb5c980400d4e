"""What trials with a known outcome say about deployed policies."""

from dataclasses import replace

import pytest

from harness.policy import Membership, Names, PolicyDocument, Verb, load_profile, refusals
from harness.policy.derivation.delivery import delivery
from harness.policy.evaluation.expectations import Expectations
from harness.policy_trials.answers import answer
from harness.policy_trials.discrepancies import Discrepancy, Packets, TriedCase
from harness.policy_trials.drift import compare
from harness.policy_trials.probe import trials_and_mutants
from harness.policy_trials.trials import as_shown, outcome_of_refusal
from harness.trial import Outcome, Verdict
from tests.unit.policy.build import ARN, deny, document

NAMES = Names("dev", "dev-2", "T", "T2")
PAGE = tuple(load_profile("page", account=NAMES.account).values())
TEAM = "prod/${iot:Connection.Thing.Attributes[tenantId]}"
CASES, MUTANTS, _ = trials_and_mutants(PAGE, NAMES, [Membership.ASSOCIATED])


def can_be_seen(case, documents=PAGE):
    """Whether the trial of this case looks at what came of it."""
    expectations = Expectations(documents, NAMES, case.membership)
    match case.request.verb:
        case Verb.CONNECT:
            return False
        case Verb.PUBLISH:
            topic = case.request.name
            return topic.startswith("prod/T/") or answer(topic, NAMES, expectations) is not None
        case Verb.SUBSCRIBE | Verb.RECEIVE:
            return delivery(case.request, case.membership, NAMES, expectations) is not None


def with_outcome(case, outcome, documents=PAGE):
    effect = outcome is Outcome.TOLERATED if can_be_seen(case, documents) else None
    return TriedCase(case, Verdict(outcome, case.id, "", effect=effect))


def tried(documents):
    """The trials on a cloud that enforces ``documents``."""
    shown = [as_shown(case, PAGE, NAMES) for case in CASES]
    outcomes = map(outcome_of_refusal, shown, refusals(shown, documents))
    return [with_outcome(case, outcome) for case, outcome in zip(shown, outcomes, strict=True)]


def drift(documents):
    return compare(PAGE, MUTANTS, tried(documents), NAMES)


def enforced():
    return {document.name: document for document in PAGE}


def refusing_without_a_hang_up():
    """The trials on a cloud that answers a refused SUBSCRIBE with 0x80 and loses a refused PUBLISH."""
    refused = Outcome.POLICY_DISCONNECT
    silent = lambda case: Outcome.IGNORED if can_be_seen(case) else Outcome.TOLERATED  # noqa: E731
    return [with_outcome(one.case, silent(one.case)) if one.proved is refused else one for one in tried(enforced())]


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
        assert found.found(Discrepancy.STAYED) == [], one
        assert any(one in group for group in found.changes), one
        assert len(found.changes) == 1, one


def test_what_is_lacking_is_named():
    dropped = mutant(f"associated statement 2: resource topic/{TEAM}/m/* dropped")
    found = drift(dropped.documents)
    (difference,) = found.differences
    assert (difference.discrepancy, difference.statement) == (Discrepancy.LACKS, "associated statement 2")
    assert difference.text == (
        "iot:Publish on prod/T/m/test: allowed by associated statement 2 (topic/prod/T/m/*), yet policy disconnect"
    )
    assert found.profiles == []
    assert found.excluded < len(MUTANTS)


def test_what_was_gained_is_named():
    found = drift(load_profile("current", account=NAMES.account))
    assert {one.statement for one in found.differences} == {"provisioned statement 3"}
    assert {one.discrepancy for one in found.differences} == {Discrepancy.GAINED}
    assert all(one.text.endswith(", yet tolerated") for one in found.differences)
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


def test_an_allowed_request_without_an_answer_is_nothing_about_policies():
    results = [
        with_outcome(one.case, Outcome.IGNORED) if one.case.request.verb is Verb.PUBLISH and one.case.allowed else one
        for one in tried(enforced())
    ]
    found = compare(PAGE, MUTANTS, results, NAMES)
    assert (found.differences, found.changes) == ([], [])
    assert {one.case.request.verb for one in found.unproved} == {Verb.PUBLISH}


def test_a_cloud_that_refuses_without_hanging_up_has_gained_and_lost_nothing():
    found = compare(PAGE, MUTANTS, refusing_without_a_hang_up(), NAMES)
    stayed = found.found(Discrepancy.STAYED)
    assert stayed == found.differences
    assert {one.tried.case.id for one in stayed} == {
        case.id for case in CASES if case.closes and case.request.verb is not Verb.CONNECT
    }
    assert {one.statement for one in stayed} == {None}
    assert {one.text.rpartition("; ")[2] for one in stayed} == {"nothing came of it", "what came of it cannot be seen"}
    assert (found.changes, found.profiles, found.unproved) == ([], [], [])
    counts = {packets: sum(one.tried.packets is packets for one in stayed) for packets in Packets}
    assert found.never_hung_up == {packets: count for packets, count in counts.items() if count}
    assert set(found.never_hung_up) == {Packets.PUBLISHES, Packets.SUBSCRIPTIONS}
    assert not found.refuses_nothing


def test_a_right_gained_on_a_cloud_that_does_not_hang_up_is_told_from_its_manners():
    """Only what was seen to work was gained; the rest of what stayed connected is how this cloud refuses."""
    gained = "associated-subscribe-prod/{tenant}/m"
    results = [
        with_outcome(one.case, Outcome.TOLERATED) if one.case.id == gained else one
        for one in refusing_without_a_hang_up()
    ]
    found = compare(PAGE, MUTANTS, results, NAMES)
    (difference,) = found.found(Discrepancy.GAINED)
    assert (difference.tried.case.id, difference.statement) == (gained, "associated statement 1")
    assert len(found.found(Discrepancy.STAYED)) == len(found.differences) - 1
    (group,) = found.changes
    # What would have let other messages pass too is none of the suspects: those were sent, and did not arrive.
    assert {str(one).partition(":")[0] for one in group} == {"associated statement 1"}
    assert mutant("associated statement 1: resource * added") not in group


def test_manners_of_subscriptions_say_nothing_about_publishes():
    results = [
        other if one.packets is Packets.SUBSCRIPTIONS else one
        for one, other in zip(tried(enforced()), refusing_without_a_hang_up(), strict=True)
    ]
    found = compare(PAGE, MUTANTS, results, NAMES)
    assert {one.tried.packets for one in found.differences} == set(found.never_hung_up) == {Packets.SUBSCRIPTIONS}


def test_what_cannot_be_seen_was_gained_where_the_cloud_hangs_up_on_others():
    blind = "associated-subscribe-$aws/things/{device}/jobs"
    results = [with_outcome(one.case, Outcome.TOLERATED) if one.case.id == blind else one for one in tried(enforced())]
    assert not can_be_seen(next(one.case for one in results if one.case.id == blind))
    found = compare(PAGE, MUTANTS, results, NAMES)
    assert [one.discrepancy for one in found.differences] == [Discrepancy.GAINED]
    assert (found.never_hung_up, len(found.changes)) == ({}, 1)


@pytest.mark.parametrize("identifier", ["associated-subscribe-prod/{tenant}/m", "associated-publish-prod/{tenant}/m"])
def test_what_had_no_effect_was_not_gained(identifier):
    results = [
        with_outcome(one.case, Outcome.IGNORED) if one.case.id == identifier else one for one in tried(enforced())
    ]
    found = compare(PAGE, MUTANTS, results, NAMES)
    assert [(one.discrepancy, one.statement) for one in found.differences] == [(Discrepancy.STAYED, None)]
    assert (found.changes, found.profiles, found.never_hung_up) == ([], [], {})


def test_gained_subscriptions_make_no_others_of_a_cloud_that_refuses_in_silence():
    """A subscription refused with SUBACK 0x80 to which nothing can be sent looks like a granted one."""
    found = refusing_without_a_hang_up()
    gained = {one.case.id for one in found if one.undelivered}
    results = [with_outcome(one.case, Outcome.TOLERATED) if one.case.id in gained else one for one in found]
    drifted = compare(PAGE, MUTANTS, results, NAMES)
    assert {one.tried.case.id for one in drifted.found(Discrepancy.GAINED)} == gained
    assert len(drifted.found(Discrepancy.STAYED)) > len(gained)


def test_a_cloud_that_allows_everything_has_gained_everything():
    found = compare(PAGE, MUTANTS, [with_outcome(one.case, Outcome.TOLERATED) for one in tried(enforced())], NAMES)
    assert found.refuses_nothing
    assert {one.discrepancy for one in found.differences} == {Discrepancy.GAINED}
    assert found.never_hung_up == {}


def test_an_unanswered_request_does_not_hide_which_profile_is_deployed():
    current = load_profile("current", account=NAMES.account)
    unanswered = "associated-publish-{device}/shadow/get/tf"
    results = [with_outcome(one.case, Outcome.IGNORED) if one.case.id == unanswered else one for one in tried(current)]
    assert compare(PAGE, MUTANTS, results, NAMES).profiles == ["current"]


@pytest.mark.parametrize(
    ("outcome", "discrepancy", "action"),
    [
        (Outcome.POLICY_DISCONNECT, Discrepancy.LACKS, "iot:Subscribe"),
        (Outcome.TOLERATED, Discrepancy.GAINED, "iot:Receive"),
        (Outcome.IGNORED, None, None),
    ],
)
def test_where_the_delivery_alone_is_refused_a_hang_up_lacks_the_subscription(outcome, discrepancy, action):
    own = document(deny("iot:Receive", f"{ARN}topic/prod/*/a/*"), name="own")
    documents = (*PAGE, own)
    cases, changes, _ = trials_and_mutants(documents, NAMES, [Membership.ASSOCIATED])
    silent = [case for case in cases if not case.allowed and not case.closes]
    assert silent
    found = compare(documents, changes, [with_outcome(case, outcome, documents) for case in silent], NAMES)
    assert [one.discrepancy for one in found.differences] == [discrepancy] * len(silent) * (discrepancy is not None)
    assert all(one.text.startswith(f"{action} on prod/T/a/") for one in found.differences)
    assert {one.statement for one in found.differences} <= {"associated statement 1", "own statement 1"}


def test_policies_of_ones_own_are_part_of_every_profile():
    own = PolicyDocument.parse(
        '{"Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:*:*:topic/lab"}}',
        name="own",
    )
    documents = {document.name: document for document in (*PAGE, own)}
    cases, changes, _ = trials_and_mutants((*PAGE, own), NAMES, [Membership.ASSOCIATED])
    outcomes = map(outcome_of_refusal, cases, refusals(cases, documents))
    results = [TriedCase(case, Verdict(outcome, case.id, "")) for case, outcome in zip(cases, outcomes, strict=True)]
    found = compare((*PAGE, own), changes, results, NAMES)
    assert (found.differences, found.profiles) == ([], ["page"])


def test_the_own_connect_comes_first():
    assert [case.id for case in CASES[:1]] == ["associated-connect-{device}"]


def test_what_proves_nothing_is_no_difference():
    results = [TriedCase(case, Verdict(Outcome.INCONCLUSIVE, case.id, "nothing came back")) for case in CASES]
    results[0] = TriedCase(CASES[0], reason="the board has no MQTT will")
    found = compare(PAGE, MUTANTS, results, NAMES)
    assert (found.differences, found.changes, found.excluded, found.profiles) == ([], [], 0, [])
    assert (found.not_run, found.unproved) == (results[:1], results[1:])


@pytest.mark.parametrize(
    ("outcome", "seen_as"),
    [
        (Outcome.LATE_DISCONNECT, Outcome.POLICY_DISCONNECT),
        (Outcome.REFUSED_IN_SUBACK, Outcome.IGNORED),
        (Outcome.ACKNOWLEDGED_THEN_CLOSED, None),
        (Outcome.INCONCLUSIVE, None),
    ],
)
def test_some_outcomes_say_of_a_policy_what_others_say_and_some_nothing(outcome, seen_as):
    refused = next(one.case for one in tried(enforced()) if one.case.closes and one.packets is Packets.SUBSCRIPTIONS)
    assert with_outcome(refused, outcome).proved is seen_as

"""The mutation run over the shipped policies: the smallest set of trials, with its exact numbers."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import pytest

from harness.policy import Case, Membership, Selection, Verb, derive, mutants, plan, smallest
from harness.policy.derivation.case import allowed_by
from harness.policy.proof import search
from tests.unit.policy.build import ARN, allow, deny, document
from tests.unit.policy.pool import CURRENT, NAMES, PAGE, rulings


@cache
def selection(*kinds: Membership) -> Selection:
    return plan(PAGE, NAMES, kinds)


NUMBERS = {
    (Membership.PROVISIONED,): "21 trials, 100 mutants, all killed, 175 equivalent",
    (Membership.ASSOCIATED,): "39 trials, 182 mutants, all killed, 93 equivalent",
    (Membership.GATEWAY,): "48 trials, 211 mutants, all killed, 64 equivalent",
    tuple(Membership): "48 trials, 211 mutants, all killed, 64 equivalent",
}


@pytest.mark.parametrize("kinds", NUMBERS, ids=str)
def test_numbers_for_the_page(kinds):
    chosen = selection(*kinds)
    assert str(chosen) == NUMBERS[kinds]
    assert chosen.at_least == len(chosen.apart) == len(chosen.cases)
    assert chosen.proof == (
        f"minimal: {len(chosen.cases)} of the mutants share no trial with one another, so each needs its own"
    )


def test_numbers_for_current_firmware():
    chosen = plan(CURRENT, NAMES, [Membership.ASSOCIATED])
    assert str(chosen) == "48 trials, 207 mutants, all killed, 95 equivalent"
    assert len(chosen.apart) == 48


@pytest.mark.parametrize("kinds", NUMBERS, ids=str)
def test_every_mutant_is_killed(kinds):
    chosen = selection(*kinds)
    expected = [case.allowed for case in chosen.cases]
    for mutant in chosen.mutants:
        relevant = [mutant.document in case.documents for case in chosen.cases]
        answers = allowed_by(chosen.cases, mutant.documents)
        assert any(a != e and r for a, e, r in zip(answers, expected, relevant, strict=True)), str(mutant)


def test_no_candidate_notices_two_of_those_that_are_apart():
    chosen = selection(Membership.ASSOCIATED)
    candidates = derive(PAGE, Membership.ASSOCIATED, NAMES)
    expected = [case.allowed for case in candidates]
    noticed_by = []
    for mutant in chosen.apart:
        answers = allowed_by(candidates, mutant.documents)
        noticed_by.append({n for n, (a, e) in enumerate(zip(answers, expected, strict=True)) if a != e})
    assert all(one.isdisjoint(other) for one, other in combinations(noticed_by, 2))


def test_without_any_one_trial_a_mutant_survives():
    chosen = selection(Membership.ASSOCIATED)
    for left_out in chosen.cases:
        noticed = {m for case in chosen.cases if case is not left_out for m in map(id, chosen.noticed[case.id])}
        assert any(id(m) not in noticed for m in chosen.noticed[left_out.id])


def test_equivalent_mutants_have_reasons():
    chosen = selection(*Membership)
    assert len(chosen.mutants) + len(chosen.equivalent) == len(mutants(PAGE)) == 275
    assert all(equivalent.proved for equivalent in chosen.equivalent)
    untaken = {str(e.mutant): e.reason for e in chosen.equivalent if "AWS IoT does not take" in e.reason}
    jobs = "resource topic/$aws/things/${iot:ClientId}/jobs/* widened to topic/$aws/things/${iot:ClientId}/jobs*"
    like = "only what AWS IoT does not take tells them apart, like provisioned-publish"
    assert untaken == {
        "provisioned statement 3: action iot:* added": f"{like}-retained-$aws/things/{{device}}/shadow/get",
        f"provisioned statement 3: {jobs}": f"{like}-$aws/things/{{device}}/jobs",
    }


def test_the_attachment_is_tested_where_it_can_be():
    """The page's documents come by group, so they never reach a stranger; a certificate's document does."""
    dropped = "condition Bool iot:Connection.Thing.IsAttached dropped"
    assert dropped in {e.mutant.change for e in selection(*Membership).equivalent}
    condition = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    own = document(allow("iot:Connect", f"{ARN}client/${{iot:ClientId}}", Condition=condition), name="own")
    chosen = plan([own], NAMES)
    assert [m.change for m in chosen.noticed["associated-connect-{other_device}"]] == [dropped]


def test_denied_trials_end_a_connection():
    chosen = selection(*Membership)
    for connection in chosen.connections:
        assert not any(case.closes for case in connection[:-1])
        assert len({id(case.principal) for case in connection}) == 1
    assert [len(c) for c in chosen.connections[:1]] == [sum(case.allowed for case in chosen.cases) + 1]
    assert len(chosen.connections) == sum(case.closes for case in chosen.cases)
    assert {case.membership for case in chosen.cases} == {Membership.GATEWAY}


def test_what_is_not_proved_is_said():
    chosen = selection(Membership.PROVISIONED)
    searched = replace(chosen, apart=chosen.apart[1:])
    assert searched.proof == (
        "minimal: the search through all smaller sets of candidates ended without one (21 are needed)"
    )
    cut_off = replace(searched, at_least=20)
    assert cut_off.proof == "not proved minimal: the search was cut off; at least 20 trials are needed"


def test_delivery_is_tried_once():
    assert [c.request.verb for c in selection(Membership.ASSOCIATED).cases].count(Verb.RECEIVE) == 1


def test_suspects_of_a_changed_policy():
    chosen = selection(Membership.ASSOCIATED)
    for mutant in chosen.mutants:
        failed = {case.id for case in chosen.cases if any(m is mutant for m in chosen.noticed[case.id])}
        assert mutant in chosen.suspects(failed)
    assert chosen.suspects([]) == ()
    assert chosen.suspects([case.id for case in chosen.cases[-2:]]) == ()
    (lost,) = [m for m in chosen.suspects(["associated-subscribe-prod/{tenant}/a/test"]) if "dropped" in m.change]
    assert str(lost).startswith("associated statement 1: resource topicfilter/prod/")


def test_what_one_device_cannot_show_another_one_does():
    """A packet of a gateway that may not even connect ended the search, and what others can show passed for equal."""
    alone = [document(deny("iot:Connect", "*"), name="gateway") if one.name == "gateway" else one for one in PAGE]
    without = plan(alone, NAMES, [Membership.PROVISIONED, Membership.ASSOCIATED])
    chosen = plan(alone, NAMES, [Membership.PROVISIONED, Membership.ASSOCIATED, Membership.GATEWAY])
    assert {str(mutant) for mutant in without.mutants} <= {str(mutant) for mutant in chosen.mutants}
    page = [one for one in chosen.equivalent if one.mutant.document != "gateway"]
    assert all(equivalent.proved for equivalent in page)


def test_a_packet_that_can_be_tried_is_looked_for_behind_one_that_cannot():
    connect, subscribe = allow("iot:Connect", "*"), allow("iot:Subscribe", "*")
    documents = [document(connect, subscribe, allow("iot:Receive", f"{ARN}topic/a*"), name="own")]

    def fit(case: Case) -> bool:
        return case.request.verb is not Verb.RECEIVE or case.template.startswith("prod/{tenant}/")

    chosen = plan(documents, NAMES, fit=fit)
    receiving = [case for case in chosen.cases if case.request.verb is Verb.RECEIVE]
    assert receiving
    assert all(map(fit, chosen.cases))
    widened = "own statement 3: resource * added"
    assert widened in {str(mutant) for mutant in chosen.mutants}
    assert {str(mutant) for mutant in chosen.beyond}.isdisjoint({widened})


def test_what_only_packets_show_that_cannot_be_tried_is_said():
    documents = [document(allow("iot:Connect", "*"), allow("iot:Publish", f"{ARN}topic/a"), name="own")]
    chosen = plan(documents, NAMES, fit=lambda case: case.request.verb is not Verb.PUBLISH)
    assert "own statement 2: resource topic/a widened to topic/a*" in {str(mutant) for mutant in chosen.beyond}
    assert str(chosen).endswith(f"; {len(chosen.beyond)} more that no trial can show")


def test_a_search_that_is_given_up_is_said(monkeypatch):
    monkeypatch.setattr(search, "MOST_PLACES", 10)
    chosen = plan(PAGE, NAMES, [Membership.GATEWAY])
    open_ones = [equivalent for equivalent in chosen.equivalent if not equivalent.proved]
    assert open_ones
    assert all("the search for a topic that does was given up" in one.reason for one in open_ones)
    proved = len(chosen.equivalent) - len(open_ones)
    assert str(chosen).endswith(f" killed, {proved} equivalent, {len(open_ones)} not proved equivalent")


def test_documents_of_users_take_few_rulings_and_little_search(monkeypatch):
    """Three documents of some twenty resources took a minute: each case was asked of each mutant anew."""
    decided = rulings(monkeypatch)
    topics = [f"{ARN}topic/app/{number}/${{iot:ClientId}}/*" for number in range(8)]
    own = document(allow(["iot:Publish", "iot:Receive"], topics), name="own")
    chosen = plan([*PAGE, own], NAMES, [Membership.ASSOCIATED, Membership.GATEWAY])
    assert all(equivalent.proved for equivalent in chosen.equivalent)
    assert len(decided) < 20_000


def brute_force(cases: list[Case], changed) -> int:
    expected = [case.allowed for case in cases]
    kills = [
        {n for n, (a, e) in enumerate(zip(allowed_by(cases, m.documents), expected, strict=True)) if a != e}
        for m in changed
    ]
    kills = [killers for killers in kills if killers]
    sizes = range(len(cases) + 1)
    return next(
        n for n in sizes if any(all(k & set(some) for k in kills) for some in combinations(range(len(cases)), n))
    )


@pytest.mark.parametrize(
    "statements",
    [
        [allow(["iot:Connect", "iot:Publish"], "*")],
        [allow("iot:Connect", "*"), allow("iot:Subscribe", f"{ARN}topicfilter/a/*")],
        [allow("iot:*", [f"{ARN}client/*", f"{ARN}topic/a"])],
    ],
)
def test_smallest_by_trying_all(statements):
    documents = [document(*statements, name="own")]
    cases = derive(documents, Membership.ASSOCIATED, NAMES)[:14]
    changed = mutants(documents)
    chosen = smallest(cases, changed)
    assert len(chosen.cases) == brute_force(cases, changed) == chosen.at_least

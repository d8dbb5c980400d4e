"""Which cases notice which mutants, found for all at once: compared with asking the evaluator each time."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.policy import Membership, PolicyDocument, derive, mutants
from harness.policy.derivation.case import allowed_by
from harness.policy.proof.kill_matrix import noticing
from tests.unit.policy.build import ARN, allow, deny, document
from tests.unit.policy.pool import NAMES, PAGE, rulings
from tests.unit.policy.test_random_policies import connects, statements


def one_by_one(cases, changed) -> list[list[int]]:
    found = []
    for mutant in changed:
        answers = allowed_by(cases, mutant.documents)
        found.append([n for n, (case, now) in enumerate(zip(cases, answers, strict=True)) if now != case.allowed])
    return found


def of(documents: Sequence[PolicyDocument]):
    return [case for kind in Membership for case in derive(documents, kind, NAMES)], mutants(documents)


def test_of_the_page():
    cases, changed = of(PAGE)
    assert noticing(cases, changed) == one_by_one(cases, changed)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(connects, st.lists(statements, min_size=1, max_size=3), st.lists(statements, max_size=2))
def test_of_random_documents(connect, own, more):
    documents = [document(connect, *own, name="own")]
    documents += [document(*more, name="gateway")] if more else []
    cases, changed = of(documents)
    assert noticing(cases, changed) == one_by_one(cases, changed)


def test_what_a_connect_says_of_itself():
    persistent = {"ForAnyValue:StringEquals": {"iot:ConnectAttributes": "PersistentConnect"}}
    will = {"StringLike": {"iot:LastWillTopic": f"{ARN}topic/a*"}}
    documents = [
        document(
            allow("iot:*", "*"),
            deny("iot:Connect", "*", Condition=persistent),
            deny("iot:Connect", f"{ARN}client/*", Condition=will),
            {
                "Effect": "Deny",
                "Action": "iot:Publish",
                "NotResource": [f"{ARN}topic/a/*", f"{ARN}topic/${{iot:DomainName}}"],
            },
            name="own",
        )
    ]
    cases, changed = of(documents)
    assert noticing(cases, changed) == one_by_one(cases, changed)


def test_no_pattern_is_matched_again_for_each_mutant(monkeypatch):
    """Three documents of users took a minute, in which eleven million rulings were made."""
    topics = [f"{ARN}topic/app/{number}/${{iot:ClientId}}/*" for number in range(12)]
    documents = [*PAGE, document(allow("iot:Publish", topics), name="own")]
    cases, changed = of(documents)
    asked = rulings(monkeypatch)
    noticing(cases, changed)
    assert asked == []

"""Random small policies: the selected trials tell every mutant from the original, by the second evaluator's word."""

import itertools
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.policy import (
    Case,
    Membership,
    PolicyDocument,
    PolicySet,
    Principal,
    client_arn,
    document_json,
    mutants,
    plan,
    principal_of,
    topic_arn,
    topicfilter_arn,
)
from harness.policy.evaluation.mqtt_rules import possible_filter, possible_topic
from tests.unit.policy import naive
from tests.unit.policy.build import ARN, document
from tests.unit.policy.pool import NAMES, TEAM

OWN, TENANT = "${iot:ClientId}", "${iot:Connection.Thing.Attributes[tenantId]}"

levels = st.lists(st.sampled_from(["a", "b", OWN, TENANT, "shadow"]), min_size=1, max_size=3).map("/".join)
ends = st.sampled_from(["", "", "/*", "*", "/?"])
resources = st.one_of(
    st.tuples(st.sampled_from(["topic/", "topicfilter/"]), levels, ends).map(lambda parts: ARN + "".join(parts)),
    st.just("*"),
)
conditions = st.sampled_from(
    [
        {},
        {},
        {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
        {"StringEquals": {"iot:Connection.Thing.Attributes[tenantId]": [TENANT]}},
        {"Null": {"iot:LastWillTopic": "true"}},
    ]
)
statements = st.builds(
    lambda effect, actions, resources, conditions: {
        "Effect": effect,
        "Action": actions,
        "Resource": resources,
        **({"Condition": conditions} if conditions else {}),
    },
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
    st.lists(
        st.sampled_from(["iot:Publish", "iot:Subscribe", "iot:Receive", "iot:RetainPublish"]),
        min_size=1,
        max_size=2,
        unique=True,
    ),
    st.lists(resources, min_size=1, max_size=2, unique=True),
    conditions,
)
connects = st.sampled_from(
    [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": ARN + "client/" + OWN,
            "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
        },
    ]
)


def values(principal: Principal, action: str) -> dict[str, list[str]]:
    found: dict[str, Any] = {
        "iot:ClientId": [principal.client_id],
        "iot:Connection.Thing.IsAttached": ["true" if principal.attached else "false"],
    }
    if principal.attached:
        found["iot:Connection.Thing.ThingName"] = [principal.thing_name]
        found |= {f"iot:Connection.Thing.Attributes[{k}]": [v] for k, v in principal.attributes.items()}
    if action == "iot:Connect":
        if principal.connect_attributes:
            found["iot:ConnectAttributes"] = list(principal.connect_attributes)
        if principal.last_will_topic:
            found["iot:LastWillTopic"] = [f"{ARN}topic/{principal.last_will_topic}"]
    return found


def allowed(case: Case, documents: dict[str, PolicyDocument]) -> bool:
    texts = [document_json(documents[name]) for name in case.documents]
    return all(
        naive.decide(texts, values(case.principal, action), action, resource) == "ALLOWED"
        for action, resource in case.checks
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    connects,
    st.lists(statements, min_size=1, max_size=3),
    st.sampled_from([Membership.PROVISIONED, Membership.ASSOCIATED]),
)
def test_selected_trials_kill_every_mutant(connect, more, kind):
    original = {"own": document(connect, *more, name="own")}
    chosen = plan(original.values(), NAMES, [kind])
    assert all(allowed(case, original) == case.allowed for case in chosen.cases)
    for mutant in chosen.mutants:
        told = [case for case in chosen.cases if any(m is mutant for m in chosen.noticed[case.id])]
        assert told
        assert all(allowed(case, dict(mutant.documents)) != case.allowed for case in told)
    assert len(chosen.mutants) + len(chosen.equivalent) == len(mutants(original.values()))
    assert len(chosen.cases) >= chosen.at_least >= len(chosen.apart)


WORDS = ["a", "ax", "shadow", "dev-1", "dev-2", TEAM, "test", "t", "", "+", "#"]
TEXTS = ["/".join(levels) for count in (1, 2, 3) for levels in itertools.product(WORDS, repeat=count)]
TOPICS = [topic_arn(text) for text in TEXTS if possible_topic(text)]
FILTERS = [topicfilter_arn(text) for text in TEXTS if possible_filter(text)]


def allowed_packets(policies: PolicySet, principal: Principal) -> set[tuple[str, str]]:
    """Return all that the policies allow; a retained message needs the right to publish as well."""
    allows = policies.compile(principal).allows
    published = {topic for topic in TOPICS if allows("iot:Publish", topic)}
    return {
        *(("publish", topic) for topic in published),
        *(("retain", topic) for topic in published if allows("iot:RetainPublish", topic)),
        *(("receive", topic) for topic in TOPICS if allows("iot:Receive", topic)),
        *(("subscribe", topic_filter) for topic_filter in FILTERS if allows("iot:Subscribe", topic_filter)),
    }


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(connects, st.lists(statements, min_size=1, max_size=3))
def test_equivalent_mutants_decide_every_packet_alike(connect, more):
    original = document(connect, *more, name="own")
    principal = principal_of(Membership.ASSOCIATED, NAMES)
    policies = PolicySet([original])
    assume(policies.compile(principal).decide("iot:Connect", client_arn("dev-1")).allowed)
    before = allowed_packets(policies, principal)
    for equivalent in plan([original], NAMES, [Membership.ASSOCIATED]).equivalent:
        if equivalent.proved:
            assert allowed_packets(PolicySet(equivalent.mutant.documents.values()), principal) == before, str(
                equivalent
            )

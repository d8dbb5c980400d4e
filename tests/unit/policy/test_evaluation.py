"""Decisions. IAM User Guide: "Policy evaluation logic", "NotAction", "NotResource"; AWS IoT Core: "Policies"."""

import dataclasses
import random

import pytest

from harness.policy import Decision, PolicySet, Principal, client_arn, thing_arn, topic_arn, topicfilter_arn
from tests.unit.policy.build import ARN, CLIENT1, allow, compiled, deny, document

ALLOWED, IMPLICIT, EXPLICIT = Decision.ALLOWED, Decision.IMPLICIT_DENY, Decision.EXPLICIT_DENY


def test_request_resources():
    assert client_arn("c") == "arn:aws:iot:us-east-1:123456789012:client/c"
    assert topic_arn("a/b", region="eu-west-1") == "arn:aws:iot:eu-west-1:123456789012:topic/a/b"
    assert topicfilter_arn("a/#", account="210987654321") == "arn:aws:iot:us-east-1:210987654321:topicfilter/a/#"
    assert thing_arn("t") == "arn:aws:iot:us-east-1:123456789012:thing/t"


def test_nothing_allows_by_itself():
    assert PolicySet([]).compile(CLIENT1).decide("iot:Connect", client_arn("client1")).decision is IMPLICIT
    assert compiled(deny("iot:Publish", "*")).decide("iot:Connect", "x").decision is IMPLICIT


def test_union_of_documents_in_any_order():
    documents = [
        document(allow("iot:Publish", ARN + "topic/a"), name="a"),
        document(allow("iot:Publish", ARN + "topic/b"), name="b"),
        document(deny("iot:Publish", ARN + "topic/b"), name="c"),
    ]
    for seed in range(6):
        random.Random(seed).shuffle(documents)  # noqa: S311
        policies = PolicySet(documents).compile(CLIENT1)
        assert policies.decide("iot:Publish", topic_arn("a")).decision is ALLOWED
        ruling = policies.decide("iot:Publish", topic_arn("b"))
        assert (ruling.decision, ruling.document, ruling.statement) == (EXPLICIT, "c", 1)


def test_ruling_names_what_decided():
    ruling = compiled(
        allow("iot:Connect", "*"), allow("iot:Publish", [ARN + "topic/x", ARN + "topic/${iot:ClientId}/*"], Sid="Own")
    ).decide("iot:Publish", topic_arn("client1/a"))
    assert ruling.allowed
    assert (ruling.document, ruling.statement, ruling.sid) == ("test", 2, "Own")
    assert ruling.pattern == ARN + "topic/client1/*"
    assert ruling.match.written == ARN + "topic/${iot:ClientId}/*"
    assert ruling.nearest == ()


@pytest.mark.parametrize(
    ("named", "action", "expected"),
    [
        ("iot:Publish", "iot:Publish", True),
        ("IOT:PUBLISH", "iot:Publish", True),
        ("iot:Publish", "iot:publish", True),
        ("iot:*", "iot:Connect", True),
        ("*", "iot:Connect", True),
        ("iot:*Shadow", "iot:GetThingShadow", True),
        ("iot:*Shadow", "iot:Publish", False),
        ("iot:Pub*", "iot:Publish", True),
        ("iot:Pub*", "iot:RetainPublish", False),
        ("iot:?ublish", "iot:Publish", True),
        ("iot:Publish", "iot:RetainPublish", False),
        ("s3:*", "iot:Publish", False),
        (["iot:Connect", "iot:Publish"], "iot:Publish", True),
    ],
)
def test_actions(named, action, expected):
    assert compiled(allow(named, "*")).decide(action, "x").allowed is expected


def test_not_action():
    statement = {"Effect": "Allow", "NotAction": ["iot:Publish", "iot:Sub*"], "Resource": "*"}
    policies = compiled(statement)
    decisions = [policies.decide(action, "x").allowed for action in ("iot:Publish", "iot:Subscribe", "iot:Connect")]
    assert decisions == [False, False, True]


def test_not_resource():
    # The AWS page pairs NotResource with iot:Receive.
    statement = {"Effect": "Deny", "Action": "iot:Receive", "NotResource": [ARN + "topic/a/*", ARN + "topic/b"]}
    policies = compiled(allow("iot:Receive", "*"), statement)
    decisions = [policies.decide("iot:Receive", topic_arn(topic)).decision for topic in ("a/x", "b", "c", "b/x")]
    assert decisions == [ALLOWED, ALLOWED, EXPLICIT, EXPLICIT]
    ruling = policies.decide("iot:Receive", topic_arn("c"))
    assert (ruling.statement, ruling.pattern) == (2, None)


UNATTACHED = dataclasses.replace(CLIENT1, attached=False)
NAME = ARN + "topic/${iot:Connection.Thing.ThingName}"


def test_deny_with_unresolved_variable_does_not_fire():
    statements = (
        allow("iot:Publish", "*"),
        deny("iot:Publish", [NAME, NAME + "/*", ARN + "topic/${iot:Thing.ThingName}*"]),
    )
    for topic in ("client1", "", "${iot:Connection.Thing.ThingName}", "/x"):
        assert compiled(*statements, principal=UNATTACHED).decide("iot:Publish", topic_arn(topic)).decision is ALLOWED
    assert compiled(*statements).decide("iot:Publish", topic_arn("client1")).decision is EXPLICIT


def test_not_resource_with_unresolved_variable_excludes_nothing():
    statement = {"Effect": "Allow", "Action": "iot:Publish", "NotResource": NAME}
    assert not compiled(statement).decide("iot:Publish", topic_arn("client1")).allowed
    assert compiled(statement, principal=UNATTACHED).decide("iot:Publish", topic_arn("client1")).allowed


@pytest.mark.parametrize(("version", "expected"), [("2012-10-17", True), ("2008-10-17", False), (None, False)])
def test_variables_need_the_new_version(version, expected):
    policies = compiled(allow("iot:Publish", ARN + "topic/${iot:ClientId}/*"), version=version)
    assert policies.decide("iot:Publish", topic_arn("client1/x")).allowed is expected
    assert policies.decide("iot:Publish", topic_arn("${iot:ClientId}/x")).allowed is not expected


def test_any_region_but_the_written_account():
    policies = compiled(allow("iot:Publish", "arn:aws:iot:*:123456789012:topic/a"))
    assert policies.decide("iot:Publish", topic_arn("a", region="eu-central-1")).allowed
    assert not policies.decide("iot:Publish", topic_arn("a", account="999999999999")).allowed


@pytest.mark.parametrize("client", ["*", "?", "client?", "${iot:ClientId}", "a*b"])
def test_wildcards_in_client_ids_are_literal(client):
    policies = compiled(
        allow("iot:*", [ARN + "client/${iot:ClientId}", ARN + "topic/${iot:ClientId}/*"]),
        principal=Principal(client, None, False),
    )
    assert policies.decide("iot:Connect", client_arn(client)).allowed
    assert policies.decide("iot:Publish", topic_arn(f"{client}/x")).allowed
    assert not policies.decide("iot:Connect", client_arn("client1")).allowed
    assert not policies.decide("iot:Publish", topic_arn("client1/x")).allowed


def test_condition_decides_per_principal():
    documents = [document(allow("iot:Connect", "*", Condition={"Bool": {"iot:Connection.Thing.IsAttached": "true"}}))]
    assert PolicySet(documents).compile(CLIENT1).decide("iot:Connect", "x").decision is ALLOWED
    assert PolicySet(documents).compile(UNATTACHED).decide("iot:Connect", "x").decision is IMPLICIT

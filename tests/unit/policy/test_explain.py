"""The sentence that a person reads when something was refused."""

import dataclasses

import pytest

from harness.policy import Miss, PolicySet, Principal, client_arn, load_profile, topic_arn, topicfilter_arn
from tests.unit.policy.build import ARN, allow, compiled, deny

PROFILE = load_profile(account="123456789012")
DEVICE = Principal(client_id="dev-1", thing_name="dev-1", attached=True, attributes={"tenantId": "T"})
BOTH = PolicySet([PROFILE["provisioned"], PROFILE["associated"]])
TENANT = "${iot:Connection.Thing.Attributes[tenantId]}"


@pytest.mark.parametrize(
    ("action", "resource", "sentence"),
    [
        (
            "iot:Publish",
            topic_arn("prod/T/m/x"),
            "iot:Publish on prod/T/m/x: allowed by associated statement 2 (topic/prod/T/m/*)",
        ),
        (
            "iot:Receive",
            topic_arn("a"),
            "iot:Receive on a: allowed by provisioned statement 4 (*)",
        ),
        (
            "iot:Publish",
            topic_arn("prod/T/a/x"),
            "iot:Publish on prod/T/a/x: implicit deny; nearest: associated statement 2 (iot:Publish) allows "
            "topic/prod/T/m/* — differs at 'a/x'; associated statement 1 allows iot:Subscribe there",
        ),
        (
            "iot:Subscribe",
            topicfilter_arn("dev-1/shadow/get"),
            "iot:Subscribe on dev-1/shadow/get: implicit deny; nearest: provisioned statement 2 (iot:Subscribe) allows "
            "topicfilter/dev-1/shadow/get/* — ends where '/' must follow",
        ),
        (
            "iot:Publish",
            topic_arn("$aws/things/dev-1/shadow/get/x"),
            "iot:Publish on $aws/things/dev-1/shadow/get/x: implicit deny; nearest: provisioned statement 3 "
            "(iot:Publish) allows topic/$aws/things/dev-1/shadow/get — goes on with '/x'; provisioned statement 2 "
            "allows iot:Subscribe there",
        ),
        (
            "iot:RetainPublish",
            topic_arn("prod/T/m/x"),
            "iot:RetainPublish on prod/T/m/x: implicit deny; nearest: associated statement 2 allows iot:Publish there",
        ),
        (
            "iot:Connect",
            client_arn("dev-2"),
            "iot:Connect on client/dev-2: implicit deny; nearest: provisioned statement 1 (iot:Connect) allows "
            "client/dev-1 — differs at 'dev-2'",
        ),
        (
            "iot:DeleteThingShadow",
            "arn:aws:iot:us-east-1:123456789012:thing/dev-2",
            "iot:DeleteThingShadow on thing/dev-2: implicit deny; no statement comes near",
        ),
        (
            "iot:Connect",
            client_arn("dev-1", account="999999999999"),
            "iot:Connect on client/dev-1: implicit deny; nearest: provisioned statement 1 (iot:Connect) allows "
            "arn:aws:iot:*:123456789012:client/dev-1 — differs at '999999999999:client/dev-1'",
        ),
    ],
)
def test_sentences(action, resource, sentence):
    assert BOTH.compile(DEVICE).decide(action, resource).explain() == sentence


def test_condition():
    ruling = BOTH.compile(dataclasses.replace(DEVICE, attached=False)).decide("iot:Connect", client_arn("dev-1"))
    assert ruling.explain() == (
        "iot:Connect on client/dev-1: implicit deny; nearest: provisioned statement 1 would allow it, but "
        "Bool iot:Connection.Thing.IsAttached 'true' is not fulfilled: the request has 'false'"
    )
    assert [near.miss for near in ruling.nearest] == [Miss.CONDITION]


def test_condition_is_no_reason_when_the_resource_differs():
    ruling = BOTH.compile(dataclasses.replace(DEVICE, attached=False)).decide("iot:Connect", client_arn("dev-2"))
    assert ruling.nearest == ()


def test_a_deny_is_not_near_to_allowing():
    ruling = compiled(deny("iot:Publish", ARN + "topic/a"), deny("iot:Subscribe", ARN + "topicfilter/b")).decide(
        "iot:Publish", topic_arn("b")
    )
    assert ruling.explain() == "iot:Publish on b: implicit deny; no statement comes near"


def test_condition_on_an_absent_key():
    statement = allow("iot:Connect", "*", Condition={"StringEquals": {"iot:DomainName": ["a", "b"]}})
    sentence = compiled(statement).decide("iot:Connect", client_arn("c")).explain()
    assert sentence.endswith("but StringEquals iot:DomainName 'a' or 'b' is not fulfilled: the key is absent")


def test_variable_without_value():
    ruling = BOTH.compile(dataclasses.replace(DEVICE, attributes={})).decide("iot:Publish", topic_arn("prod/T/m/x"))
    assert ruling.explain() == (
        "iot:Publish on prod/T/m/x: implicit deny; nearest: associated statement 2 (iot:Publish) allows "
        f"topic/prod/{TENANT}/m/* — {TENANT} has no value"
    )
    assert ruling.nearest[0].miss is Miss.VARIABLE


def test_explicit_deny():
    ruling = compiled(allow("iot:Publish", "*"), deny("iot:Publish", ARN + "topic/a", Sid="NotA")).decide(
        "iot:Publish", topic_arn("a")
    )
    assert ruling.explain() == "iot:Publish on a: explicit deny by test statement 2 'NotA' (topic/a)"
    assert repr(ruling) == f"<Ruling {ruling.explain()}>"


def test_not_resource_and_not_action():
    statement = {"Effect": "Allow", "NotAction": "iot:Connect", "NotResource": [ARN + "topic/a/*"]}
    policies = compiled(statement)
    assert policies.decide("iot:Publish", topic_arn("b")).explain() == (
        "iot:Publish on b: allowed by test statement 1 (NotResource)"
    )
    assert policies.decide("iot:Publish", topic_arn("a/b")).explain() == (
        "iot:Publish on a/b: implicit deny; nearest: test statement 1 (every action except iot:Connect) allows "
        "everything except topic/a/*"
    )


def test_literal_wildcards_are_shown_escaped():
    policies = compiled(allow("iot:Publish", ARN + "topic/${iot:ClientId}/*"), principal=Principal("*", None, False))
    ruling = policies.decide("iot:Publish", topic_arn("*/x"))
    assert ruling.pattern == ARN + "topic/${*}/*"


def test_one_line_whatever_the_topic_holds():
    ruling = BOTH.compile(DEVICE).decide("iot:Publish", topic_arn("prod/T/m/a\nb\ud800"))
    assert ruling.explain().startswith("iot:Publish on prod/T/m/a\\nb\\ud800: allowed by ")


def test_no_policy():
    ruling = PolicySet([]).compile(DEVICE).decide("iot:Connect", client_arn("dev-1"))
    assert ruling.explain() == "iot:Connect on client/dev-1: implicit deny; no policy is in force"
    assert (ruling.document, ruling.statement, ruling.sid, ruling.pattern, ruling.nearest) == (
        None,
        None,
        None,
        None,
        (),
    )

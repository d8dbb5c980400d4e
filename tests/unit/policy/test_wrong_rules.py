"""Thirteen wrong rules that policy evaluators are known to have, each with a request that tells it apart."""

import dataclasses

import pytest

from harness.policy import Decision, PolicySet, Principal, client_arn, topic_arn, topicfilter_arn
from tests.unit.policy.build import ARN, CLIENT1, allow, compiled, deny, document

UNATTACHED = dataclasses.replace(CLIENT1, attached=False)


def publishes(resource: str, topic: str, principal: Principal = CLIENT1) -> bool:
    return (
        compiled(allow("iot:Publish", ARN + resource), principal=principal)
        .decide("iot:Publish", topic_arn(topic))
        .allowed
    )


def test_1_star_does_not_stop_at_a_slash():
    assert publishes("topic/a/*/z", "a/b/c/z")


@pytest.mark.parametrize(("written", "asked"), [("a/+/b", "a/x/b"), ("a/#", "a/x"), ("a/#", "a"), ("#", "a")])
def test_2_mqtt_wildcards_mean_nothing_in_a_policy(written, asked):
    policies = compiled(
        allow(["iot:Subscribe", "iot:Publish"], [ARN + f"topicfilter/{written}", ARN + f"topic/{written}"])
    )
    assert policies.decide("iot:Subscribe", topicfilter_arn(written)).allowed
    assert not policies.decide("iot:Subscribe", topicfilter_arn(asked)).allowed
    assert not policies.decide("iot:Publish", topic_arn(asked)).allowed


def test_3_resources_are_case_sensitive():
    assert not publishes("topic/a/B", "a/b")
    assert not publishes("topic/${iot:ClientId}/*", "Client1/x")


def test_4_a_match_is_no_prefix_match():
    assert not publishes("topic/a", "a/b")
    assert not publishes("topic/a/*", "a")
    assert not publishes("topic/a/*", "x/a/b")


def test_5_conditions_count():
    statement = allow("iot:Connect", "*", Condition={"Bool": {"iot:Connection.Thing.IsAttached": "true"}})
    assert compiled(statement).decide("iot:Connect", client_arn("client1")).allowed
    assert not compiled(statement, principal=UNATTACHED).decide("iot:Connect", client_arn("client1")).allowed


def test_6_thing_name_needs_attachment():
    assert publishes("topic/${iot:Connection.Thing.ThingName}", "client1")
    assert not publishes("topic/${iot:Connection.Thing.ThingName}", "client1", UNATTACHED)


@pytest.mark.parametrize("topic", ["prod//m/x", "prod/m/x", "prod/${iot:Connection.Thing.Attributes[tenantId]}/m/x"])
def test_7_a_missing_attribute_is_neither_empty_nor_text(topic):
    assert not publishes("topic/prod/${iot:Connection.Thing.Attributes[tenantId]}/m/*", topic)


def test_8_a_certificate_value_with_wildcards_grants_nothing():
    star = dataclasses.replace(CLIENT1, certificate={"Subject.CommonName": ("*",)})
    plain = dataclasses.replace(CLIENT1, certificate={"Subject.CommonName": ("dev",)})
    resource = "topic/${iot:Certificate.Subject.CommonName}"
    assert publishes(resource, "dev", plain)
    assert not publishes(resource, "dev", star)
    assert not publishes(resource, "*", star)


@pytest.mark.parametrize("client", ["*", "?", "${iot:Connection.Thing.ThingName}"])
def test_9_values_are_not_spliced_into_the_pattern(client):
    principal = Principal(client, thing_name=client, attached=True)
    assert publishes("topic/${iot:ClientId}/x", f"{client}/x", principal)
    assert not publishes("topic/${iot:ClientId}/x", "a/x", principal)


def test_10_actions_are_not_case_sensitive():
    assert compiled(allow("iot:pUBLISH", "*")).decide("iot:Publish", topic_arn("a")).allowed


def test_11_deny_beats_allow_in_either_order():
    pair = [allow("iot:Publish", "*"), deny("iot:Publish", ARN + "topic/a")]
    for statements in (pair, pair[::-1]):
        assert compiled(*statements).decide("iot:Publish", topic_arn("a")).decision is Decision.EXPLICIT_DENY


def test_12_every_policy_counts_not_only_the_first():
    first, second = document(allow("iot:Connect", "*")), document(allow("iot:Publish", "*"))
    assert PolicySet([first, second]).compile(CLIENT1).decide("iot:Publish", topic_arn("a")).allowed


def test_13_topic_and_topicfilter_are_two_things():
    topic, topicfilter = allow("iot:*", ARN + "topic/*"), allow("iot:*", ARN + "topicfilter/*")
    assert not compiled(topic).decide("iot:Subscribe", topicfilter_arn("a")).allowed
    assert not compiled(topicfilter).decide("iot:Publish", topic_arn("a")).allowed
    # Without the slash the star takes in both.
    both = compiled(allow("iot:*", ARN + "topic*"))
    assert both.decide("iot:Subscribe", topicfilter_arn("a")).allowed
    assert both.decide("iot:Publish", topic_arn("a")).allowed

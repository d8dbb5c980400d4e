"""Policies of the AWS IoT Core Developer Guide, with what each page says of them. The page is named at each test."""

import dataclasses

import pytest

from harness.policy import Principal, client_arn, topic_arn, topicfilter_arn
from tests.unit.policy.build import ARN, CLIENT1, allow, compiled, deny

NAME = "${iot:Connection.Thing.ThingName}"
THING1 = Principal(client_id="thing1", thing_name="thing1", attached=True)
UNREGISTERED = Principal(client_id="client1", thing_name=None, attached=False)


def test_connect_registered_things_except_two():
    """Connect policy examples: deny client1 and client2, allow client ids that are thing names."""
    statements = (
        deny(["iot:Connect"], [ARN + "client/client1", ARN + "client/client2"]),
        allow(["iot:Connect"], [ARN + f"client/{NAME}"]),
    )
    assert compiled(*statements, principal=THING1).decide("iot:Connect", client_arn("thing1")).allowed
    assert (
        compiled(*statements, principal=CLIENT1).decide("iot:Connect", client_arn("client1")).decision
        == "EXPLICIT_DENY"
    )
    assert not compiled(*statements, principal=UNREGISTERED).decide("iot:Connect", client_arn("x")).allowed


def connects(statements, *attributes: str, will: str | None = None) -> bool:
    principal = dataclasses.replace(CLIENT1, connect_attributes=attributes, last_will_topic=will)
    return compiled(*statements, principal=principal).decide("iot:Connect", client_arn("client1")).allowed


def attributes(effect, operator: str, *values: str):
    return effect(["iot:Connect"], "*", Condition={operator: {"iot:ConnectAttributes": list(values)}})


def test_connect_no_persistent_sessions():
    """Connect policy examples: everything but PersistentConnect."""
    statements = (
        allow(["iot:Connect"], "*"),
        attributes(deny, "ForAnyValue:StringEquals", "PersistentConnect"),
    )
    assert connects(statements)
    assert connects(statements, "LastWill")
    assert not connects(statements, "PersistentConnect")
    assert not connects(statements, "PersistentConnect", "LastWill")


def test_connect_both_features_wanted():
    """Connect policy examples: PersistentConnect and LastWill must both be used, nothing new."""
    statements = (
        attributes(allow, "ForAllValues:StringEquals", "PersistentConnect", "LastWill"),
        attributes(deny, "ForAllValues:StringEquals", "PersistentConnect"),
        attributes(deny, "ForAllValues:StringEquals", "LastWill"),
        attributes(deny, "ForAllValues:StringEquals"),
    )
    assert connects(statements, "PersistentConnect", "LastWill")
    assert not connects(statements)
    assert not connects(statements, "PersistentConnect")
    assert not connects(statements, "LastWill")
    assert not connects(statements, "PersistentConnect", "LastWill", "New")


def test_connect_with_one_will_topic_and_clean_session():
    """Connect policy examples: a certain LastWillTopic, no PersistentConnect."""
    statements = (
        allow(
            ["iot:Connect"], "*", Condition={"ArnEquals": {"iot:LastWillTopic": ARN + "topic/my/lastwill/topicName"}}
        ),
        attributes(deny, "ForAnyValue:StringEquals", "PersistentConnect"),
    )
    assert connects(statements, "LastWill", will="my/lastwill/topicName")
    assert not connects(statements, "LastWill", will="my/lastwill/other")
    assert not connects(statements)
    assert not connects(statements, "LastWill", "PersistentConnect", will="my/lastwill/topicName")


def test_publish_below_the_thing_name():
    """Publish/Subscribe policy examples, registered devices (5)."""
    policies = compiled(
        allow(["iot:Connect"], [ARN + f"client/{NAME}"]),
        allow(["iot:Publish"], [ARN + f"topic/{NAME}/*"]),
        principal=THING1,
    )
    assert policies.decide("iot:Connect", client_arn("thing1")).allowed
    assert not policies.decide("iot:Connect", client_arn("thing2")).allowed
    assert policies.decide("iot:Publish", topic_arn("thing1/a/b")).allowed
    assert not policies.decide("iot:Publish", topic_arn("thing1")).allowed
    assert not policies.decide("iot:Publish", topic_arn("thing2/a")).allowed


def test_subscribe_to_rooms():
    """Publish/Subscribe policy examples, registered devices (6): thing1/room1, thing1/room2 and so on."""
    policies = compiled(
        allow(["iot:Subscribe"], [ARN + f"topicfilter/{NAME}/room*"]),
        allow(["iot:Receive"], [ARN + f"topic/{NAME}/room*"]),
        principal=THING1,
    )
    for room in ("room", "room1", "room2", "room1/door"):
        assert policies.decide("iot:Subscribe", topicfilter_arn(f"thing1/{room}")).allowed
        assert policies.decide("iot:Receive", topic_arn(f"thing1/{room}")).allowed
    assert not policies.decide("iot:Subscribe", topicfilter_arn("thing1/hall")).allowed


@pytest.mark.parametrize(
    ("topic_filter", "expected"),
    [("some/+/topic", True), ("some/x/topic", False), ("some/+/topic/x", False), ("some/#", False)],
)
def test_plus_is_a_literal(topic_filter, expected):
    """Publish/Subscribe policy examples, registered devices (4): the filter some/+/topic only."""
    policies = compiled(allow(["iot:Subscribe"], [ARN + "topicfilter/some/+/topic"]))
    assert policies.decide("iot:Subscribe", topicfilter_arn(topic_filter)).allowed is expected


def test_publish_except_bar():
    """Publish/Subscribe policy examples, unregistered devices (9): below the client id, but not its bar."""
    policies = compiled(
        allow(["iot:Publish"], [ARN + "topic/${iot:ClientId}/*"]),
        deny(["iot:Publish"], [ARN + "topic/${iot:ClientId}/bar"]),
        principal=UNREGISTERED,
    )
    assert policies.decide("iot:Publish", topic_arn("client1/foo")).allowed
    assert policies.decide("iot:Publish", topic_arn("client1/bar")).decision == "EXPLICIT_DENY"
    assert policies.decide("iot:Publish", topic_arn("client1/bar/x")).allowed


def test_misspelled_variable_of_a_page():
    """Publish/Subscribe policy examples, registered devices (9) writes ${iot:Thing.ThingName}: no such variable."""
    policies = compiled(
        allow(["iot:Publish"], [ARN + "topic/${iot:Thing.ThingName}/*"]),
        deny(["iot:Publish"], [ARN + "topic/${iot:Thing.ThingName}/bar"]),
        principal=THING1,
    )
    for topic in ("thing1/x", "thing1/bar", "${iot:Thing.ThingName}/x"):
        assert policies.decide("iot:Publish", topic_arn(topic)).decision == "IMPLICIT_DENY"


def test_client_called_plus():
    """Basic policy variables: client id + turns my/${iot:ClientId}/topic into the filter my/+/topic."""
    policies = compiled(
        allow(["iot:Subscribe"], [ARN + "topicfilter/my/${iot:ClientId}/topic"]), principal=Principal("+", None, False)
    )
    assert policies.decide("iot:Subscribe", topicfilter_arn("my/+/topic")).allowed
    assert not policies.decide("iot:Subscribe", topicfilter_arn("my/x/topic")).allowed


def test_connect_only_when_attached():
    """Thing policy examples: Bool on IsAttached with a one-element list."""
    statement = allow(["iot:Connect"], ["*"], Condition={"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}})
    assert compiled(statement, principal=THING1).decide("iot:Connect", client_arn("thing1")).allowed
    assert not compiled(statement, principal=UNREGISTERED).decide("iot:Connect", client_arn("client1")).allowed


def test_topic_with_a_thing_attribute():
    """Thing policy examples: a certificate that is not attached leaves the attribute unresolved, access is denied."""
    resource = ARN + "topic/device/${iot:Connection.Thing.Attributes[version]}"
    registered = dataclasses.replace(THING1, attributes={"version": "v2"})
    unattached = dataclasses.replace(registered, attached=False)
    assert (
        compiled(allow("iot:Publish", resource), principal=registered)
        .decide("iot:Publish", topic_arn("device/v2"))
        .allowed
    )
    policies = compiled(allow("iot:Publish", resource), principal=unattached)
    assert not policies.decide("iot:Publish", topic_arn("device/v2")).allowed
    assert not policies.decide("iot:Publish", topic_arn("device/")).allowed


@pytest.mark.parametrize(
    ("organizations", "expected"),
    [
        (("Example Corp",), True),
        (("AnyCompany", "Example Corp"), True),
        (("Example Corp", "Other"), False),
        (("Other",), False),
        ((), True),  # ForAllValues is true without values
    ],
)
def test_organizations_of_the_certificate(organizations, expected):
    """X.509 certificate policy variables, registered devices (2)."""
    statement = allow(
        ["iot:Publish"],
        [ARN + f"topic/my/topic/{NAME}"],
        Condition={
            "ForAllValues:StringEquals": {"iot:Certificate.Subject.Organization.List": ["Example Corp", "AnyCompany"]}
        },
    )
    principal = dataclasses.replace(THING1, certificate={"Subject.Organization": organizations})
    assert (
        compiled(statement, principal=principal).decide("iot:Publish", topic_arn("my/topic/thing1")).allowed is expected
    )


@pytest.mark.parametrize(("number", "expected"), [("", "NO"), (".1", "SE"), (".2", None)])
def test_numbered_certificate_value(number, expected):
    """X.509 certificate policy variables: .1 is the second country; a number too high fails authorisation."""
    principal = dataclasses.replace(THING1, certificate={"Subject.Country": ("NO", "SE")})
    policies = compiled(
        allow("iot:Publish", ARN + f"topic/${{iot:Certificate.Subject.Country{number}}}"), principal=principal
    )
    allowed = [country for country in ("NO", "SE", "") if policies.decide("iot:Publish", topic_arn(country)).allowed]
    assert allowed == ([expected] if expected else [])


def test_deny_does_not_stop_a_wider_filter():
    """Audit check "AWS IoT misconfigured policies": filters are compared as text, the cure is Receive."""
    policies = compiled(
        allow("iot:Subscribe", ARN + "topicfilter/building/*"),
        deny("iot:Subscribe", ARN + "topicfilter/building/restricted/*"),
        allow("iot:Receive", ARN + "topic/building/*"),
        deny("iot:Receive", ARN + "topic/building/restricted/*"),
    )
    assert policies.decide("iot:Subscribe", topicfilter_arn("building/#")).allowed
    assert not policies.decide("iot:Subscribe", topicfilter_arn("building/restricted/#")).allowed
    assert not policies.decide("iot:Receive", topic_arn("building/restricted/x")).allowed
    assert policies.decide("iot:Receive", topic_arn("building/common/x")).allowed

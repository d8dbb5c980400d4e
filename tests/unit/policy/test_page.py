"""What nRF Cloud's "Device security" page lets a device do, as a table."""

import dataclasses

import pytest

from harness.policy import (
    Decision,
    PolicySet,
    Principal,
    client_arn,
    load_profile,
    thing_arn,
    topic_arn,
    topicfilter_arn,
)

TEAM = "b3f6a1de-0c1f-4d5e-9d0f-1c2b3a4d5e6f"
OTHER_TEAM = "00000000-1111-4222-8333-444455556666"
PROFILE = load_profile(account="123456789012")

PROVISIONED = Principal(client_id="dev-1", thing_name="dev-1", attached=True)
ASSOCIATED = dataclasses.replace(PROVISIONED, attributes={"tenantId": TEAM})
UNATTACHED = dataclasses.replace(ASSOCIATED, attached=False)
GATEWAY = dataclasses.replace(PROVISIONED, attributes={"tenantId": TEAM, "teamId": TEAM})

ONE = PolicySet([PROFILE["provisioned"]])
BOTH = PolicySet([PROFILE["provisioned"], PROFILE["associated"]])
provisioned = ONE.compile(PROVISIONED)
associated = BOTH.compile(ASSOCIATED)

OWN_SUBSCRIBE = [
    "$aws/things/dev-1/shadow/get/accepted",
    "$aws/things/dev-1/shadow/get/rejected",
    "$aws/things/dev-1/shadow/get/#",
    "$aws/things/dev-1/shadow/get/+",
    "$aws/things/dev-1/shadow/get/",
    "$aws/things/dev-1/shadow/get/a/b",
    "$aws/things/dev-1/shadow/update/delta",
    "$aws/things/dev-1/shadow/update/#",
    "$aws/things/dev-1/jobs/notify-next",
    "$aws/things/dev-1/jobs/#",
    "dev-1/shadow/get/accepted",
    "dev-1/shadow/get/accepted/tf",
    "dev-1/shadow/get/#",
    "dev-1/shadow/update/delta",
]
TEAM_SUBSCRIBE = [
    f"prod/{TEAM}/m/#",
    f"prod/{TEAM}/m/d/dev-1/c2d",
    f"prod/{TEAM}/m/d/other/c2d",
    f"prod/{TEAM}/a/#",
    f"prod/{TEAM}/dev-1/jobs/rcv",
    f"prod/{TEAM}/dev-1/jobs/ble/rcv",
    f"prod/{TEAM}/dev-1/jobs/+",
]
OWN_PUBLISH = [
    "$aws/things/dev-1/shadow/get",
    "$aws/things/dev-1/shadow/update",
    "$aws/things/dev-1/jobs/get",
    "$aws/things/dev-1/jobs/$next/get",
]
TEAM_PUBLISH = [
    f"prod/{TEAM}/m/d/dev-1/d2c",
    f"prod/{TEAM}/m/d/dev-1/d2c/bulk",
    f"prod/{TEAM}/m/d/other/d2c",
    f"prod/{TEAM}/m/",
    f"prod/{TEAM}/dev-1/jobs/req",
    f"prod/{TEAM}/dev-1/jobs/ble/req",
]
NEVER_SUBSCRIBE = [
    "#",
    "+",
    "$aws/#",
    "$aws/things/dev-1/#",
    "$aws/things/dev-1/shadow/#",
    "$aws/things/dev-1/shadow/+",
    "$aws/things/dev-1/shadow/get",
    "$aws/things/dev-1/shadow/delete/accepted",
    "$aws/things/dev-1/shadow/name/x/get/accepted",
    "$aws/things/dev-1/jobs",
    "$aws/things/dev-1/Shadow/get/#",
    "$aws/things/+/shadow/get/#",
    "$aws/things/dev-2/shadow/get/#",
    "$aws/things/dev-11/jobs/#",
    "dev-1/shadow/get",
    "dev-1/shadow/#",
    "dev-1/#",
    "dev-2/shadow/get/#",
    "+/shadow/get/#",
    f"prod/{TEAM}/#",
    f"prod/{TEAM}/+/#",
    f"prod/{TEAM}/m",
    f"prod/{TEAM}/mm/x",
    f"prod/{TEAM}/dev-2/jobs/#",
    f"prod/{TEAM}/dev-1/jobs",
    f"prod/{TEAM}/+/jobs/#",
    f"prod/{TEAM}/gateways/dev-1/c2g",
    "prod/+/m/#",
    "prod//m/#",
    f"prod/{OTHER_TEAM}/m/#",
    f"dev/{TEAM}/m/#",
    f"{TEAM}/m/#",
]
NEVER_PUBLISH = [
    "dev-1/shadow/get",
    "dev-1/shadow/update",
    "$aws/things/dev-1/shadow/delete",
    "$aws/things/dev-1/shadow/get/",
    "$aws/things/dev-1/shadow/update/x",
    "$aws/things/dev-1/shadow/name/x/update",
    "$aws/things/dev-1/jobs",
    "$aws/things/dev-2/shadow/update",
    f"prod/{TEAM}/a/x",
    f"prod/{TEAM}/m",
    f"prod/{TEAM}/mm/x",
    f"prod/{TEAM}/dev-2/jobs/x",
    f"prod/{TEAM}/gateways/dev-1/g2c",
    f"prod/{OTHER_TEAM}/m/x",
    f"beta/{TEAM}/m/x",
    "prod//m/x",
    "prod/${iot:Connection.Thing.Attributes[tenantId]}/m/x",
    "anything",
]


def asked(verb, names):
    """Action and resource for each of these topics or topic filters."""
    arn = topic_arn if verb == "Publish" else topicfilter_arn
    return [(f"iot:{verb}", arn(name)) for name in names]


@pytest.mark.parametrize(("action", "resource"), asked("Subscribe", OWN_SUBSCRIBE) + asked("Publish", OWN_PUBLISH))
def test_a_devices_own_topics(action, resource):
    for policies in (provisioned, associated):
        ruling = policies.decide(action, resource)
        statement = {"iot:Subscribe": 2, "iot:Publish": 3}[action]
        assert (ruling.decision, ruling.document, ruling.statement) == (Decision.ALLOWED, "provisioned", statement)


@pytest.mark.parametrize(("action", "resource"), asked("Subscribe", TEAM_SUBSCRIBE) + asked("Publish", TEAM_PUBLISH))
def test_the_teams_topics(action, resource):
    ruling = associated.decide(action, resource)
    statement = {"iot:Subscribe": 1, "iot:Publish": 2}[action]
    assert (ruling.decision, ruling.document, ruling.statement) == (Decision.ALLOWED, "associated", statement)
    assert not provisioned.decide(action, resource).allowed


@pytest.mark.parametrize(("action", "resource"), asked("Subscribe", NEVER_SUBSCRIBE) + asked("Publish", NEVER_PUBLISH))
def test_topics_that_nothing_grants(action, resource):
    for policies in (provisioned, associated):
        assert policies.decide(action, resource).decision is Decision.IMPLICIT_DENY


@pytest.mark.parametrize("topic", OWN_PUBLISH + TEAM_PUBLISH)
def test_retained_messages_are_never_granted(topic):
    assert not associated.decide("iot:RetainPublish", topic_arn(topic)).allowed


@pytest.mark.parametrize("topic", ["x", f"prod/{OTHER_TEAM}/m/x", "$aws/things/dev-2/shadow/get/accepted"])
def test_delivery_is_never_refused(topic):
    assert provisioned.decide("iot:Receive", topic_arn(topic)).allowed


def test_connect_needs_the_own_client_id_and_attachment():
    assert provisioned.decide("iot:Connect", client_arn("dev-1")).allowed
    assert not provisioned.decide("iot:Connect", client_arn("dev-2")).allowed
    # Right certificate, wrong client id: no thing of that name, or one that the certificate is not attached to.
    for principal in (UNATTACHED, Principal("dev-2", None, False), Principal("dev-2", "dev-2", False)):
        assert not BOTH.compile(principal).decide("iot:Connect", client_arn(str(principal.client_id))).allowed


@pytest.mark.parametrize("topic", TEAM_PUBLISH)
def test_member_of_the_group_without_team(topic):
    policies = BOTH.compile(PROVISIONED)
    assert not policies.decide("iot:Publish", topic_arn(topic)).allowed


def test_thing_shadow_actions_are_for_the_own_thing():
    for action in ("iot:UpdateThingShadow", "iot:GetThingShadow"):
        assert provisioned.decide(action, thing_arn("dev-1")).allowed
        assert not provisioned.decide(action, thing_arn("dev-2")).allowed
    assert not provisioned.decide("iot:DeleteThingShadow", thing_arn("dev-1")).allowed
    # Over HTTPS there is no client id, so there the statement grants nothing.
    https = ONE.compile(dataclasses.replace(PROVISIONED, client_id=None))
    assert not https.decide("iot:GetThingShadow", thing_arn("dev-1")).allowed


def test_ble_jobs_are_redundant():
    statements = PROFILE["associated"].statements
    without = dataclasses.replace(
        PROFILE["associated"],
        statements=tuple(
            dataclasses.replace(s, resources=tuple(r for r in s.resources if "/ble/" not in r)) for s in statements
        ),
    )
    assert [len(s.resources) for s in without.statements] == [3, 2]
    policies = PolicySet([PROFILE["provisioned"], without]).compile(ASSOCIATED)
    for topic in [*OWN_PUBLISH, *TEAM_PUBLISH]:
        assert policies.decide("iot:Publish", topic_arn(topic)).allowed
    for topic_filter in [*OWN_SUBSCRIBE, *TEAM_SUBSCRIBE]:
        assert policies.decide("iot:Subscribe", topicfilter_arn(topic_filter)).allowed


def test_lte_gateway():
    policies = PolicySet(PROFILE.values()).compile(GATEWAY)
    c2g, g2c = f"prod/{TEAM}/gateways/dev-1/c2g", f"prod/{TEAM}/gateways/dev-1/g2c"
    assert policies.decide("iot:Subscribe", topicfilter_arn(c2g)).document == "gateway"
    assert policies.decide("iot:Publish", topic_arn(g2c)).document == "gateway"
    assert not policies.decide("iot:Subscribe", topicfilter_arn(g2c)).allowed
    assert not policies.decide("iot:Publish", topic_arn(c2g)).allowed
    assert not policies.decide("iot:Publish", topic_arn(f"prod/{TEAM}/gateways/dev-2/g2c")).allowed
    # The page's gateway policy reads teamId, the associated one tenantId.
    assert not PolicySet(PROFILE.values()).compile(ASSOCIATED).decide("iot:Publish", topic_arn(g2c)).allowed

"""Reasons why a change makes no difference."""

import pytest

from harness.policy import Membership, PolicySet, derive, mutants, plan, principal_of, topic_arn
from harness.policy.proof.equivalence import explain_equivalence
from tests.unit.policy.build import ARN, allow, deny, document
from tests.unit.policy.pool import NAMES, PAGE

CONNECT = allow("iot:Connect", "*")


def reason(change: str, *statements, number: int = 2):
    documents = [document(CONNECT, *statements, name="own")]
    (mutant,) = [m for m in mutants(documents) if m.number == number and m.change.endswith(change)]
    return explain_equivalence(mutant, derive(documents, Membership.ASSOCIATED, NAMES))


def test_https_alone():
    found = reason("dropped", allow("iot:GetThingShadow", f"{ARN}thing/a"))
    assert (found.reason, found.proved) == ("no MQTT packet asks for its actions", True)
    assert str(found) == "own statement 2: dropped: no MQTT packet asks for its actions"


def test_inside_another():
    found = reason("topic/a/b/* dropped", allow("iot:Publish", [f"{ARN}topic/a/*", f"{ARN}topic/a/b/*"]))
    assert (found.reason, found.proved) == ("all of it lies inside a/*, which stays", True)


def test_a_deny_beats_it_anyway():
    found = reason("dropped", allow("iot:Publish", f"{ARN}topic/a"), deny("iot:Publish", f"{ARN}topic/*"))
    assert (found.reason, found.proved) == ("all of it lies inside *, which stays", True)


def test_an_effect_that_is_turned_is_never_proved_equal():
    found = reason("Allow turned into Deny", allow("iot:Publish", f"{ARN}topic/a"))
    assert not found.proved
    assert found.reason == "none of 11 candidates tells them apart"


def test_two_variables_with_one_value():
    tenant, team = "${iot:Connection.Thing.Attributes[tenantId]}", "${iot:Connection.Thing.Attributes[teamId]}"
    found = reason(
        f"variable: topic/{team}",
        allow("iot:Publish", f"{ARN}topic/{tenant}"),
        allow("iot:Receive", f"{ARN}topic/{team}"),
    )
    assert (found.reason, found.proved) == (
        "it comes to the same text in every connection that the document reaches",
        True,
    )


def test_condition_that_always_holds():
    condition = {"StringEquals": {"iot:ClientId": "${iot:ClientId}"}}
    found = reason("iot:ClientId dropped", allow("iot:Publish", f"{ARN}topic/a", Condition=condition))
    assert (found.reason, found.proved) == ("the condition holds in every connection that the document reaches", True)


def test_action_without_resource():
    found = reason("iot:* added", allow("iot:Subscribe", f"{ARN}topicfilter/a"))
    assert (found.reason, found.proved) == ("no packet asks for the other action on these resources", True)


def test_document_that_no_device_has():
    (mutant,) = [m for m in mutants(PAGE) if (m.document, m.number, m.change) == ("gateway", 1, "dropped")]
    found = explain_equivalence(mutant, derive(PAGE, Membership.ASSOCIATED, NAMES))
    assert found.reason == "gateway is not in force for any of these devices"


def test_a_not_resource_is_beyond_proof():
    found = reason("dropped", {"Effect": "Deny", "Action": "iot:Receive", "NotResource": f"{ARN}topic/a"})
    assert not found.proved


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize(
    "resource",
    [
        *("*", "**", "*:*", "*abc", "*/abc", "*topic/abc", "*:topic/abc", "arn:*/abc", "arn:*:topic/abc"),
        *("arn:aws:*/abc", "arn:aws:iot:*", "arn:aws:iot:*abc", "arn:aws:iot:*:topic/abc", "arn:aws:iot:eu-west-1:*"),
    ],
)
def test_resources_with_few_colons_are_read_as_in_evaluation(resource, effect):
    statements = [
        allow("iot:Connect", "*"),
        allow("iot:Publish", f"{ARN}topic/m/*" if effect == "Allow" else "*"),
        {"Effect": effect, "Action": "iot:Publish", "Resource": resource},
    ]
    documents = (document(*statements, name="own"),)
    principal = principal_of(Membership.ASSOCIATED, NAMES)
    before = PolicySet(documents).compile(principal)
    for equivalent in plan(documents, NAMES).equivalent:
        after = PolicySet(equivalent.mutant.documents.values()).compile(principal)
        for topic in ("abc", "m/abc", "x/abc", "m/x", "topic/abc"):
            asked = "iot:Publish", topic_arn(topic)
            assert after.decide(*asked).allowed == before.decide(*asked).allowed, str(equivalent)

import pytest

from harness.policy import Decision, Effect, PolicySet, mutants, topic_arn
from tests.unit.policy.build import ARN, CLIENT1, allow, deny, document
from tests.unit.policy.pool import PAGE

OWN, THING = "${iot:ClientId}", "${iot:Connection.Thing.ThingName}"


def changes(*statements, **more) -> list[str]:
    return [mutant.change.replace(ARN, "") for mutant in mutants([document(*statements, **more)])]


def test_every_change_to_a_statement():
    condition = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    statement = allow(["iot:Publish", "iot:Pub*"], [f"{ARN}topic/a/{OWN}/*", f"{ARN}topic/b"], Condition=condition)
    assert changes(statement) == [
        "dropped",
        "Allow turned into Deny",
        "condition Bool iot:Connection.Thing.IsAttached dropped",
        "action iot:Publish dropped",
        "action iot:Publish swapped for iot:Subscribe",
        "action iot:Pub* dropped",
        "action iot:Pub* narrowed to iot:Pub",
        "action iot:* added",
        f"resource topic/a/{OWN}/* dropped",
        f"resource topic/a/{OWN}/* widened to topic/a/*",
        f"resource topic/a/{OWN}/* widened to topic/a/{OWN}*",
        f"resource topic/a/{OWN}/* narrowed to topic/a/{OWN}/",
        f"resource topic/a/{OWN}/* narrowed to topic/a/{OWN}/?",
        f"resource topic/a/{OWN}/* narrowed to topic/a/{OWN}/*/*",
        f"resource topic/a/{OWN}/* narrowed to topic/a/{OWN}/{OWN}/*",
        f"resource topic/a/{OWN}/* widened to topic/a/*/*",
        f"resource topic/a/{OWN}/* with another variable: topic/a/{THING}/*",
        f"resource topic/a/{OWN}/* turned into topicfilter/a/{OWN}/*",
        "resource topic/b dropped",
        "resource topic/b widened to topic/b*",
        "resource topic/b turned into topicfilter/b",
        "resource * added",
    ]


def test_negated_elements_and_everything():
    statement = {"Effect": "Deny", "NotAction": "iot:Connect", "NotResource": "*"}
    assert changes(statement, version=None) == [
        "dropped",
        "Deny turned into Allow",
        "action iot:Connect swapped for iot:Publish",
        "action iot:* added",
        "NotAction turned into Action",
        "resource * narrowed to topicfilter/*",
        "resource * narrowed to topicfilter/$aws/*",
        "NotResource turned into Resource",
    ]


def test_documents_of_a_mutant():
    before = [document(allow("iot:Publish", "*"), deny("iot:Publish", f"{ARN}topic/a"), name=name) for name in "xy"]
    found = mutants(before)
    dropped = next(m for m in found if (m.document, m.number, m.change) == ("y", 2, "dropped"))
    assert str(dropped) == "y statement 2: dropped"
    assert dropped.documents["x"] is before[0]
    assert [len(dropped.documents[name].statements) for name in "xy"] == [2, 1]
    assert [d.statements[1].effect for d in before] == [Effect.DENY, Effect.DENY]
    allowed = PolicySet([dropped.documents["y"]]).compile(CLIENT1)
    assert allowed.decide("iot:Publish", topic_arn("a")).decision is Decision.ALLOWED


def test_no_two_are_the_same_and_none_is_the_original():
    found = mutants(PAGE)
    assert len(found) == 275
    assert len({(m.document, m.number, m.after) for m in found}) == 275
    assert all(m.after != m.before for m in found)


@pytest.mark.parametrize("changed", [m for m in mutants(PAGE) if m.resource is not None][::25], ids=str)
def test_the_changed_resource_is_named(changed):
    assert changed.resource in changed.before.resources
    assert changed.after is None or changed.resource not in changed.after.resources

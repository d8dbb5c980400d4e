"""The evaluator against tests/unit/policy/naive.py, on policies and requests that hypothesis thinks up."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.policy import PolicyDocument, PolicySet, Principal
from tests.unit.policy import naive

HEAD = "arn:aws:iot:*:123456789012:topic/"
PIECES = ["a", "b", "B", "/", "*", "?", "+", "#", "$", "${*}", "${?}", "${$}", "${iot:ClientId}", "${iot:Nobody}"]
THING = ["${iot:Connection.Thing.ThingName}", "${iot:Connection.Thing.Attributes[t]}", "${iot:Thing.ThingName}"]

texts = st.lists(st.sampled_from("abB/*?+#$"), max_size=6).map("".join)
patterns = st.lists(st.sampled_from(PIECES + THING), max_size=7).map("".join)
resources = st.just("*") | patterns.map(HEAD.__add__)
actions = st.sampled_from(["iot:Publish", "IOT:publish", "iot:*", "iot:Pub*", "iot:?ublish", "iot:Connect", "*"])
condition_operators = st.tuples(
    st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]),
    st.sampled_from(
        [
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ]
    ),
    st.sampled_from(["", "IfExists"]),
).map("".join)
condition_keys = st.sampled_from(
    [
        "iot:ClientId",
        "iot:ConnectAttributes",
        "iot:Connection.Thing.ThingName",
        "iot:connection.thing.attributes[t]",
        "no:such",
    ]
)
conditions = st.one_of(
    st.dictionaries(
        condition_operators,
        st.dictionaries(condition_keys, patterns | st.lists(patterns, max_size=3), min_size=1, max_size=2),
        max_size=2,
    ),
    st.sampled_from(["true", "false", True, False]).map(lambda v: {"Bool": {"iot:Connection.Thing.IsAttached": v}}),
    st.tuples(condition_keys, st.sampled_from(["true", "false"])).map(lambda kv: {"Null": {kv[0]: [kv[1]]}}),
)


def one_or_list(items):
    return items | st.lists(items, min_size=1, max_size=3)


@st.composite
def statements(draw):
    result = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(one_or_list(actions)),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(one_or_list(resources)),
    }
    if draw(st.booleans()):
        result["Condition"] = draw(conditions)
    return result


@st.composite
def documents(draw):
    document = {"Statement": draw(one_or_list(statements()))}
    version = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17", None]))
    return json.dumps(document | ({"Version": version} if version else {}))


principals = st.builds(
    Principal,
    client_id=texts.filter(bool),
    thing_name=st.none() | texts.filter(bool),
    attached=st.booleans(),
    attributes=st.dictionaries(st.just("t"), texts),
    connect_attributes=st.sampled_from([(), ("a",), ("a", "b")]),
)


def values_of(principal: Principal, action: str) -> dict[str, list[str]]:
    attached = principal.attached and principal.thing_name is not None
    values: dict[str, Any] = {
        "iot:ClientId": [principal.client_id],
        "iot:Connection.Thing.IsAttached": ["true" if attached else "false"],
    }
    if attached:
        values["iot:Connection.Thing.ThingName"] = [principal.thing_name]
        if principal.attributes.get("t"):
            values["iot:Connection.Thing.Attributes[t]"] = [principal.attributes["t"]]
    if action == "iot:Connect" and principal.connect_attributes:
        values["iot:ConnectAttributes"] = list(principal.connect_attributes)
    return values


requests = st.tuples(st.sampled_from(["iot:Publish", "iot:Connect", "iot:Receive"]), st.sampled_from([HEAD, ""]), texts)


@settings(max_examples=250, deadline=None)
@given(st.lists(documents(), min_size=1, max_size=2), principals, st.lists(requests, min_size=1, max_size=4))
def test_same_decision_and_a_reason(documents, principal, requests):
    read = [PolicyDocument.parse(text, name=f"d{number}") for number, text in enumerate(documents)]
    compiled = PolicySet(read).compile(principal)
    for action, head, topic in requests:
        resource = head.replace("*", "us-east-1") + topic
        ruling = compiled.decide(action, resource)
        assert ruling.decision == naive.decide(documents, values_of(principal, action), action, resource)
        assert ruling.allowed is compiled.allows(action, resource)
        assert "\n" not in ruling.explain()
        assert (ruling.document is None) == (ruling.decision == "IMPLICIT_DENY")


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "*", "*", "?"]), max_size=8).map("".join), st.text("ab", max_size=8))
def test_same_match(pattern, text):
    read = PolicyDocument.parse(
        json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": HEAD + pattern}}), name="d"
    )
    resource = HEAD + text
    compiled = PolicySet([read]).compile(Principal("c", None, False))
    assert compiled.decide("iot:Publish", resource).allowed is naive.glob(
        naive.symbols(HEAD + pattern, False, {}), resource
    )

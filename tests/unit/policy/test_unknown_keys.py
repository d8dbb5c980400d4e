"""Policies that ask what trials cannot know: what is certain all the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.policy import PolicySet, Principal, readings, topic_arn, unknown_keys
from tests.unit.policy.build import ARN, allow, deny, document

HERE = Principal(client_id="dev", thing_name="dev", attached=True, attributes={"tenantId": "T"})
SITE = "${iot:Connection.Thing.Attributes[site]}"
FROM = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}


def certain(*statements, topic="a/b"):
    """The decision, None if it hangs on what is not known."""
    answers = {
        PolicySet(reading.values()).compile(HERE).decide("iot:Publish", topic_arn(topic)).allowed
        for reading in readings([document(*statements)])
    }
    return answers.pop() if len(answers) == 1 else None


@pytest.mark.parametrize(
    ("statement", "keys"),
    [
        (allow("iot:Publish", "*"), []),
        (allow("iot:Publish", f"{ARN}topic/${{iot:ClientId}}/${{iot:Connection.Thing.ThingName}}/${{*}}"), []),
        (allow("iot:Publish", f"{ARN}topic/${{iot:Connection.Thing.Attributes[tenantId]}}"), []),
        (allow("iot:Publish", f"{ARN}topic/{SITE}/*"), ["iot:Connection.Thing.Attributes[site]"]),
        (allow("iot:Publish", "*", Condition=FROM), ["aws:SourceIp"]),
        (allow("iot:Publish", "*", Condition={"StringEquals": {"iot:ClientId": SITE}}), [SITE[2:-1]]),
        (allow("iot:Publish", "*", Condition={"Bool": {"iot:Connection.Thing.IsAttached": "true"}}), []),
        (allow("iot:Publish", "*", Condition={"Null": {"iot:Certificate.Subject.CommonName": "true"}}), None),
    ],
)
def test_what_is_not_known(statement, keys):
    found = unknown_keys([document(statement)])
    assert found == (["iot:Certificate.Subject.CommonName"] if keys is None else keys)


def test_where_nothing_unknown_is_asked_both_readings_are_the_document():
    one = document(allow("iot:Publish", f"{ARN}topic/a"), deny("iot:*", f"{ARN}topic/b"))
    assert readings([one]) == ({"test": one}, {"test": one})


def test_what_is_certain():
    everything = allow("iot:Publish", "*")
    assert certain(everything, deny("iot:Publish", "*", Condition=FROM)) is None
    assert certain(allow("iot:Publish", "*", Condition=FROM)) is None
    assert certain(everything, allow("iot:Publish", "*", Condition=FROM)) is True
    assert certain(deny("iot:Publish", "*"), allow("iot:Publish", "*", Condition=FROM)) is False
    assert certain(everything, deny("iot:Publish", f"{ARN}topic/x/{SITE}")) is True
    assert certain(everything, deny("iot:Publish", f"{ARN}topic/a/{SITE}")) is None
    excluding: dict[str, Any] = {"Effect": "Deny", "Action": "iot:Publish", "NotResource": f"{ARN}topic/{SITE}/b"}
    assert certain(everything, excluding) is None
    excluding = {"Effect": "Deny", "Action": "iot:Publish", "NotResource": [f"{ARN}topic/a/b", f"{ARN}topic/{SITE}"]}
    assert certain(everything, excluding) is True


texts = st.sampled_from(["a/b", "a/*", f"{SITE}/b", f"a/{SITE}", "*"])
conditions = st.sampled_from([{}, {"Condition": FROM}, {"Condition": {"StringEquals": {"aws:SourceIp": "x"}}}])


@given(
    st.lists(st.tuples(st.sampled_from([allow, deny]), texts, conditions), min_size=1, max_size=4),
    st.sampled_from(["a", "b", "a/b"]),
    st.sampled_from(["10.1.1.1", "11.1.1.1", None]),
)
def test_what_is_certain_is_so_whatever_the_unknown_is(several, site, address):
    statements = [make("iot:Publish", f"{ARN}topic/{text}", **condition) for make, text, condition in several]
    real = Principal("dev", "dev", True, attributes={"site": site}, source_ip=address)
    answer = certain(*statements)
    if answer is not None:
        assert (
            PolicySet([document(*statements)]).compile(real).decide("iot:Publish", topic_arn("a/b")).allowed is answer
        )

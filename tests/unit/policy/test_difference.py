"""The exact search for a topic that a changed policy decides differently: compared with trying them all."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.policy import (
    Kind,
    Names,
    PolicySet,
    Request,
    Verb,
    load_profile,
    mutants,
    principal_of,
)
from harness.policy import difference as module
from harness.policy.case import rule
from harness.policy.difference import Difference, difference
from harness.policy.mqtt_rules import is_request, may_be_retained, possible_filter, possible_topic
from tests.unit.policy.build import ARN, allow, deny, document

NAMES = Names("dev", "dev2", "team", "team2")
OWN = "${iot:Connection.Thing.ThingName}"


def differences(*statements, kind=Kind.ASSOCIATED, name="own") -> dict[str, Difference]:
    original = {name: document(*statements, name=name)}
    return {one.change: difference(original, one, kind, NAMES) for one in mutants(original.values())}


def test_a_deny_shows_where_something_else_allows():
    found = differences(
        allow("iot:Publish", f"{ARN}topic/prod/{OWN}/*"), deny("iot:Publish", f"{ARN}topic/*/*/secret/?")
    )
    candidate = found["dropped"].candidate  # of the Deny, which is the later one
    assert (candidate.verb, candidate.template) == (Verb.PUBLISH, "prod/{device}/secret/x")
    assert candidate.words == "the shortest text on which one change would tell (own statement 2: dropped)"


def test_a_deny_of_what_nobody_allows_is_proved_to_change_nothing():
    found = differences(allow("iot:Publish", f"{ARN}topic/a/*"), deny("iot:Publish", f"{ARN}topic/b/*"))
    assert found["dropped"] == (None, True)


def test_notresource():
    statement = {"Effect": "Allow", "Action": "iot:Publish", "NotResource": [f"{ARN}topic/a*", f"{ARN}topic/b"]}
    found = differences(statement)
    assert found["dropped"].candidate.template == "x"
    assert found["resource topic/b dropped"].candidate.template == "b"
    assert found["resource topic/b widened to topic/b*"].candidate.template == "bx"


def test_wildcards_only_where_mqtt_takes_them():
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/a+*"))
    assert found["dropped"] == (None, True)
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/+/#"))
    assert found["dropped"].candidate.template == "+/#"
    assert found["resource topicfilter/+/# widened to topicfilter/+/#*"] == (None, True)
    assert differences(allow("iot:Publish", f"{ARN}topic/+/a"))["dropped"] == (None, True)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("$aws/things/*", "$aws/things/x/jobs/get"),
        ("$aws/things/a/shadow/name/*", "$aws/things/a/shadow/name/x/get"),
        ("$aws/rules/*", "$aws/rules/x/x"),
        ("$SYS/*", None),
        ("1/2/3/4/5/6/7/8", "1/2/3/4/5/6/7/8"),
        ("1/2/3/4/5/6/7/8/9", None),
        ("a//b", "a//b"),
        ("a" * 257, None),
    ],
)
def test_topics_that_aws_iot_takes(text, template):
    found = differences(allow("iot:Publish", f"{ARN}topic/{text}"))["dropped"]
    assert (found.candidate.template if found.candidate else None) == template
    assert found.complete is (template is None)


@pytest.mark.parametrize("text", ["$aws/events/*", "$aws/certificates/create/json", "$aws/things/d/defender/*"])
def test_topics_that_are_not_tried_prove_nothing(text):
    assert differences(allow("iot:Publish", f"{ARN}topic/{text}"))["dropped"] == (None, False)
    assert differences(allow("iot:Subscribe", f"{ARN}topicfilter/$share/g/*"))["dropped"] == (None, False)


def test_a_delivery_needs_its_subscription():
    receive = allow("iot:Receive", f"{ARN}topic/a/*")
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/a/b"), receive)["dropped"]
    assert (found.candidate.verb, found.candidate.template) == (Verb.RECEIVE, "a/b")
    # A subscription to a/# would show it; that is no trial, but no proof either.
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/a/#"), receive)["dropped"]
    assert found == (None, False)


def test_what_a_connect_says_is_not_searched():
    condition = {"StringEquals": {"iot:LastWillTopic": f"{ARN}topic/a"}}
    found = differences(allow("iot:Publish", f"{ARN}topic/a", Condition=condition))
    assert found["dropped"] == (None, False)
    assert differences(allow("iot:Connect", f"{ARN}client/a"))["dropped"] == (None, False)


def test_a_document_that_is_not_in_force_changes_nothing():
    found = differences(allow("iot:Publish", "*"), kind=Kind.PROVISIONED, name="gateway")
    assert set(found.values()) == {(None, True)}


def test_a_search_that_takes_too_long_is_no_proof(monkeypatch):
    monkeypatch.setattr(module, "_MOST_PLACES", 10)
    found = differences(allow("iot:Publish", f"{ARN}topic/a/*"), deny("iot:Publish", f"{ARN}topic/*b*c*d"))
    assert found["dropped"] == (None, False)


def test_every_mutant_of_the_page_is_settled():
    page = load_profile(account=NAMES.account)
    for mutant in mutants(page.values()):
        found = difference(page, mutant, Kind.GATEWAY, NAMES)
        connecting = mutant.before.takes("iot:Connect")
        assert found.complete or found.candidate or connecting


pieces = st.sampled_from(["a", "b", "/", "*", "?", "a/", "+", "#", OWN])
resources = st.lists(pieces, min_size=1, max_size=4).map("".join)
actions = st.sampled_from(["iot:Publish", "iot:Subscribe", "iot:Receive", "iot:RetainPublish"])


@st.composite
def statements(draw):
    kinds = draw(st.sampled_from(["topic", "topicfilter"]))
    several = draw(st.lists(resources, min_size=1, max_size=2))
    element = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    return {
        "Effect": effect,
        "Action": draw(st.lists(actions, min_size=1, max_size=3, unique=True)),
        element: [f"{ARN}{kinds}/{one}" for one in several],
    }


ALL = ["".join(letters) for count in (1, 2, 3, 4) for letters in itertools.product("ab/x+#", repeat=count)]
ALL += [text.replace("x", "dev") for text in ALL if "x" in text]
REQUESTS = [
    *(Request(Verb.PUBLISH, text) for text in ALL if possible_topic(text) and is_request(text)),
    *(Request(Verb.PUBLISH, text, retain=True) for text in ALL if possible_topic(text) and may_be_retained(text)),
    *(Request(Verb.SUBSCRIBE, text) for text in ALL if possible_filter(text)),
    *(Request(Verb.RECEIVE, text) for text in ALL if possible_topic(text)),
]
CHECKS = [request.checks(NAMES)[1:] for request in REQUESTS]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(statements(), min_size=1, max_size=3), st.data())
def test_as_trying_them_all(several, data):
    original = {"own": document(*several, name="own")}
    mutant = data.draw(st.sampled_from(mutants(original.values())))
    found = difference(original, mutant, Kind.ASSOCIATED, NAMES)
    principal = principal_of(Kind.ASSOCIATED, NAMES)
    versions = [PolicySet(documents.values()).compile(principal) for documents in (original, mutant.documents)]

    def differs(checks) -> bool:
        return rule(versions[0], checks).allowed != rule(versions[1], checks).allowed

    if found.candidate is None:
        if found.complete:
            assert not any(map(differs, CHECKS)), str(mutant)
        return
    candidate = found.candidate
    request = Request(candidate.verb, NAMES.resolve(candidate.template), candidate.retain)
    assert differs(request.checks(NAMES)[1:]), f"{mutant}: {candidate}"
    fits = possible_filter if candidate.verb is Verb.SUBSCRIBE else possible_topic
    assert fits(request.name)
    assert not candidate.retain or may_be_retained(request.name)

"""The exact search for a topic that a changed policy decides differently: compared with trying them all."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.policy import (
    Membership,
    Names,
    PolicySet,
    Request,
    Verb,
    load_profile,
    mutants,
    principal_of,
)
from harness.policy.derivation.case import rule
from harness.policy.evaluation.mqtt_rules import is_request, may_be_retained, possible_filter, possible_topic
from harness.policy.proof import search
from harness.policy.proof.difference import Difference, difference
from harness.policy.proof.search import Effort
from tests.unit.policy.build import ARN, allow, deny, document

NAMES = Names("dev", "dev2", "team", "team2")
OWN = "${iot:Connection.Thing.ThingName}"


CONNECTING = {"connecting": document(allow("iot:Connect", "*"), name="connecting")}
NONE, UNPROVED = Difference(None, True), Difference(None, False)


def differences(*statements, membership=Membership.ASSOCIATED, name="own", connecting=True) -> dict[str, Difference]:
    original = {name: document(*statements, name=name)} | (CONNECTING if connecting else {})
    changed = [one for one in mutants(original.values()) if one.document == name]
    return {one.change: difference(original, one, membership, NAMES) for one in changed}


def test_a_deny_shows_where_something_else_allows():
    found = differences(
        allow("iot:Publish", f"{ARN}topic/prod/{OWN}/*"), deny("iot:Publish", f"{ARN}topic/*/*/secret/?")
    )
    candidate = found["dropped"].candidate  # of the Deny, which is the later one
    assert (candidate.verb, candidate.template) == (Verb.PUBLISH, "prod/{device}/secret/x")
    assert candidate.words == "the shortest text on which one change would tell (own statement 2: dropped)"


def test_a_deny_of_what_nobody_allows_is_proved_to_change_nothing():
    found = differences(allow("iot:Publish", f"{ARN}topic/a/*"), deny("iot:Publish", f"{ARN}topic/b/*"))
    assert found["dropped"] == NONE


def test_notresource():
    statement = {"Effect": "Allow", "Action": "iot:Publish", "NotResource": [f"{ARN}topic/a*", f"{ARN}topic/b"]}
    found = differences(statement)
    assert found["dropped"].candidate.template == "x"
    assert found["resource topic/b dropped"].candidate.template == "b"
    assert found["resource topic/b widened to topic/b*"].candidate.template == "bx"


def test_wildcards_only_where_mqtt_takes_them():
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/a+*"))
    assert found["dropped"] == NONE
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/+/#"))
    assert found["dropped"].candidate.template == "+/#"
    assert found["resource topicfilter/+/# widened to topicfilter/+/#*"] == NONE
    assert differences(allow("iot:Publish", f"{ARN}topic/+/a"))["dropped"] == NONE


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
    assert differences(allow("iot:Publish", f"{ARN}topic/{text}"))["dropped"] == UNPROVED
    assert differences(allow("iot:Subscribe", f"{ARN}topicfilter/$share/g/*"))["dropped"] == UNPROVED


def test_a_delivery_needs_its_subscription():
    receive = allow("iot:Receive", f"{ARN}topic/a/*")
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/a/b"), receive)["dropped"]
    assert (found.candidate.verb, found.candidate.template) == (Verb.RECEIVE, "a/b")
    # A subscription to a/# would show it; that is no trial, but no proof either.
    found = differences(allow("iot:Subscribe", f"{ARN}topicfilter/a/#"), receive)["dropped"]
    assert found == UNPROVED


def test_what_a_connect_says_is_not_searched():
    condition = {"StringEquals": {"iot:LastWillTopic": f"{ARN}topic/a"}}
    found = differences(allow("iot:Publish", f"{ARN}topic/a", Condition=condition))
    assert found["dropped"] == UNPROVED
    assert differences(allow("iot:Connect", f"{ARN}client/a"))["dropped"] == UNPROVED


def test_a_document_that_is_not_in_force_changes_nothing():
    found = differences(allow("iot:Publish", "*"), membership=Membership.PROVISIONED, name="gateway")
    assert set(found.values()) == {NONE}


def test_a_search_that_takes_too_long_is_no_proof(monkeypatch):
    monkeypatch.setattr(search, "MOST_PLACES", 10)
    found = differences(allow("iot:Publish", f"{ARN}topic/a/*"), deny("iot:Publish", f"{ARN}topic/*b*c*d"))
    assert found["dropped"] == Difference(None, False, cut_off=True)


def test_searches_share_what_they_may_look_at():
    original = {"own": document(allow("iot:Publish", f"{ARN}topic/a/*"), name="own")} | CONNECTING
    mutant = next(one for one in mutants(original.values()) if "widened" in one.change)
    effort = Effort(100)
    assert difference(original, mutant, Membership.ASSOCIATED, NAMES, effort=effort).candidate
    assert 0 < effort.left < 100
    none_left = Effort(0)
    assert difference(original, mutant, Membership.ASSOCIATED, NAMES, effort=none_left) == Difference(None, False, True)


def test_how_many_levels_a_text_has_is_no_reason_to_look_twice():
    """Patterns with several ``*`` took half a minute: each place was looked at again for every number of levels."""
    patterns = [f"{ARN}topic/*a*b*c*d*e*f*g", f"{ARN}topic/*b*c*a*e*d*"]
    original = {"own": document(allow("iot:Publish", patterns), deny("iot:Publish", f"{ARN}topic/*"), name="own")}
    original |= CONNECTING
    mutant = next(one for one in mutants(original.values()) if one.change == "dropped")
    effort = Effort()
    assert difference(original, mutant, Membership.ASSOCIATED, NAMES, effort=effort) == NONE
    assert search.MOST_IN_ALL - effort.left < 20_000


def test_a_text_is_found_without_looking_at_all_that_are_shorter():
    patterns = [f"{ARN}topic/*{letter}{'?' * 14}" for letter in "abc"]
    original = {"own": document(allow("iot:Publish", patterns), name="own")} | CONNECTING
    effort = Effort()
    for mutant in mutants(original.values()):
        if mutant.document == "own" and "dropped" in mutant.change:
            assert difference(original, mutant, Membership.ASSOCIATED, NAMES, effort=effort).candidate, str(mutant)
    assert search.MOST_IN_ALL - effort.left < 2_000


def test_another_packet_is_looked_for_where_one_will_not_do():
    original = {
        "own": document(allow("iot:Publish", f"{ARN}topic/a*"), allow("iot:Subscribe", "*"), name="own")
    } | CONNECTING
    mutant = next(one for one in mutants(original.values()) if one.number == 1 and one.change == "resource * added")
    seen = []

    def accepted(candidate):
        seen.append(candidate.template)
        return candidate.template.startswith("$aws/")

    found = difference(original, mutant, Membership.ASSOCIATED, NAMES, accepted=accepted)
    assert found.candidate.template.startswith("$aws/")
    assert len(seen) > 1
    assert difference(original, mutant, Membership.ASSOCIATED, NAMES, accepted=lambda _candidate: False) == UNPROVED


def test_a_delivery_is_looked_for_where_messages_come():
    original = {
        "own": document(allow("iot:Subscribe", "*"), allow("iot:Receive", f"{ARN}topic/a"), name="own")
    } | CONNECTING
    mutant = next(one for one in mutants(original.values()) if one.number == 2 and one.change == "resource * added")

    def arrives(candidate):
        return candidate.template.startswith("prod/{tenant}/")

    found = difference(original, mutant, Membership.ASSOCIATED, NAMES, accepted=arrives).candidate
    assert (found.verb, found.template) == (Verb.RECEIVE, "prod/{tenant}/x")


def test_a_device_that_may_not_connect_sends_nothing():
    """Found on such a device, a packet hid that other devices can show the change."""
    refused = deny("iot:Connect", "*")
    assert set(differences(allow("iot:Publish", "*"), refused, connecting=False).values()) <= {NONE, UNPROVED}
    found = differences(allow("iot:Publish", f"{ARN}topic/a"), refused, connecting=False)
    assert found["resource topic/a widened to topic/a*"] == NONE
    persistent = {"ForAnyValue:StringEquals": {"iot:ConnectAttributes": "PersistentConnect"}}
    found = differences(
        allow("iot:Publish", f"{ARN}topic/a"), allow("iot:Connect", "*", Condition=persistent), connecting=False
    )
    assert found["resource topic/a widened to topic/a*"] == UNPROVED


def test_every_mutant_of_the_page_is_settled():
    page = load_profile(account=NAMES.account)
    for mutant in mutants(page.values()):
        found = difference(page, mutant, Membership.GATEWAY, NAMES)
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
    original = {"own": document(*several, name="own")} | CONNECTING
    mutant = data.draw(st.sampled_from([one for one in mutants(original.values()) if one.document == "own"]))
    found = difference(original, mutant, Membership.ASSOCIATED, NAMES)
    principal = principal_of(Membership.ASSOCIATED, NAMES)
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

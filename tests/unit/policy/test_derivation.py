"""Derived trials: what the device security page allows and forbids must be among them, and nothing impossible."""

import re

import pytest

from harness.policy import Decision, Membership, Names, PolicySet, Verb, derive, load_profile, principal_of, survey
from harness.policy.derivation.case import allowed_by
from harness.policy.evaluation.mqtt_rules import possible_filter, possible_topic
from tests.unit.policy.build import ARN, allow, deny, document
from tests.unit.policy.pool import CURRENT, NAMES, OTHER_TEAM, PAGE, TEAM, cases, find

ASSOCIATED = cases()
SHADOW, JOBS = "$aws/things/dev-1/shadow", "$aws/things/dev-1/jobs"

SUBSCRIBE = {
    True: [
        f"{SHADOW}/get/accepted",
        f"{SHADOW}/get/#",
        f"{SHADOW}/get/+",
        f"{SHADOW}/update/delta",
        f"{SHADOW}/update/#",
        f"{JOBS}/notify-next",
        f"{JOBS}/#",
        "dev-1/shadow/get/accepted",
        "dev-1/shadow/get/#",
        "dev-1/shadow/update/delta",
        "dev-1/shadow/update/+",
        f"prod/{TEAM}/m/#",
        f"prod/{TEAM}/m/d/dev-2/c2d",
        f"prod/{TEAM}/a/#",
        f"prod/{TEAM}/dev-1/jobs/rcv",
        f"prod/{TEAM}/dev-1/jobs/ble/rcv",
    ],
    False: [
        f"{SHADOW}/get",
        f"{SHADOW}/#",
        f"{SHADOW}/+",
        f"{SHADOW}/delete/accepted",
        f"{SHADOW}/name/test/get/#",
        JOBS,
        "$aws/things/dev-2/shadow/get/#",
        "dev-2/shadow/get/#",
        "$aws/things/+/shadow/get/#",
        "#",
        "+",
        f"prod/{TEAM}/#",
        f"prod/{TEAM}/m",
        "prod/+/m/#",
        f"prod/{OTHER_TEAM}/m/#",
        f"prod/{OTHER_TEAM}/a/#",
        f"prod/{TEAM}/dev-2/jobs/#",
        "prod//m/#",
    ],
}
PUBLISH = {
    True: [
        f"{SHADOW}/get",
        f"{SHADOW}/update",
        f"{JOBS}/get",
        f"prod/{TEAM}/m/d/dev-1/d2c",
        f"prod/{TEAM}/m/d/dev-2/d2c",
        f"prod/{TEAM}/dev-1/jobs/req",
    ],
    False: [
        "dev-1/shadow/get",
        "dev-1/shadow/update",
        f"{SHADOW}/delete",
        f"{SHADOW}/update/test",
        f"prod/{TEAM}/a/test",
        f"prod/{TEAM}/m",
        f"prod/{OTHER_TEAM}/m/d/dev-1/d2c",
        f"beta/{TEAM}/m/d/dev-1/d2c",
        f"prod/{TEAM}/mx/d/dev-1/d2c",
        f"prod/{TEAM}/M/d/dev-1/d2c",
        "$aws/things/dev-2/shadow/update",
        f"prod/{TEAM}/dev-2/jobs/req",
    ],
}


@pytest.mark.parametrize(
    ("verb", "name", "allowed"),
    [
        (verb, name, allowed)
        for verb, table in ((Verb.SUBSCRIBE, SUBSCRIBE), (Verb.PUBLISH, PUBLISH))
        for allowed, texts in table.items()
        for name in texts
    ],
)
def test_table_of_the_page(verb, name, allowed):
    assert find(ASSOCIATED, verb, name).allowed is allowed


def test_retained_messages_and_wills():
    topic = f"prod/{TEAM}/m/d/dev-1/d2c"
    retained = find(ASSOCIATED, Verb.PUBLISH, topic, retain=True)
    assert (retained.allowed, retained.ruling.action, retained.closes) == (False, "iot:RetainPublish", True)
    wills = {case.id: case for case in ASSOCIATED.values() if case.request.will}
    assert wills["associated-will-prod/{tenant}/m/d/{device}/d2c"].allowed
    assert not wills["associated-will-retained-prod/{tenant}/m/d/{device}/d2c"].allowed
    foreign = wills["associated-will-prod/{other_tenant}/m/d/{device}/d2c"]
    assert (foreign.allowed, foreign.ruling.action, foreign.principal.connect_attributes) == (
        False,
        "iot:Publish",
        ("LastWill",),
    )


def test_delivery():
    case = find(ASSOCIATED, Verb.RECEIVE, f"prod/{TEAM}/m/d/dev-1/c2d")
    assert [action for action, _ in case.checks] == ["iot:Connect", "iot:Subscribe", "iot:Receive"]
    assert case.allowed
    silent = [d for d in PAGE if d.name != "provisioned"]
    connect = document(allow(["iot:Connect", "iot:Subscribe"], "*"), name="own")
    refused = find(cases(documents=(*silent, connect)), Verb.RECEIVE, f"prod/{TEAM}/m/d/dev-1/c2d")
    assert (refused.expected, refused.closes) == (Decision.IMPLICIT_DENY, False)


def test_every_case_is_possible_and_tried_once():
    for kind in Membership:
        found = derive(PAGE, kind, NAMES)
        assert len({case.request for case in found}) == len({case.id for case in found}) == len(found)
        for case in found:
            match case.request.verb:
                case Verb.SUBSCRIBE:
                    assert possible_filter(case.request.name)
                case Verb.PUBLISH | Verb.RECEIVE:
                    assert possible_topic(case.request.name)
            assert "\n" not in f"{case}{case.because}"
            assert NAMES.resolve(case.template) == (case.request.will or case.request.name)


def test_numbers_for_the_page():
    numbers = {kind: derive(PAGE, kind, NAMES) for kind in Membership}
    assert {kind.value: (sum(c.allowed for c in found), len(found)) for kind, found in numbers.items()} == {
        "provisioned": (41, 169),
        "associated": (110, 341),
        "gateway": (114, 387),
        "not-attached": (0, 2),
    }


def test_expected_is_what_the_evaluator_says():
    documents = {d.name: d for d in PAGE}
    for kind in Membership:
        found = derive(PAGE, kind, NAMES)
        assert allowed_by(found, documents) == [case.allowed for case in found]


def test_impossible_packets_are_left_out():
    found = survey(PAGE, Membership.ASSOCIATED, NAMES)
    left_out = {case.request.name for case in found.impossible if case.request.verb is Verb.PUBLISH}
    assert JOBS in left_out
    assert JOBS not in {c.request.name for c in found.cases if c.request.verb is Verb.PUBLISH}


def test_provisioned_device_has_no_team_topics():
    found = cases(Membership.PROVISIONED)
    assert not find(found, Verb.PUBLISH, f"prod/{TEAM}/m/d/dev-1/d2c").allowed
    assert "not in force" in find(found, Verb.SUBSCRIBE, f"prod/{TEAM}/a/test").probes
    assert find(found, Verb.PUBLISH, f"{SHADOW}/get").allowed


def test_device_that_is_not_attached_only_connects():
    found = cases(Membership.NOT_ATTACHED)
    assert {case.request.verb for case in found.values()} == {Verb.CONNECT}
    assert not any(case.allowed for case in found.values())


def test_gateway():
    found = cases(Membership.GATEWAY)
    assert find(found, Verb.SUBSCRIBE, f"prod/{TEAM}/gateways/dev-1/c2g").ruling.document == "gateway"
    assert find(found, Verb.PUBLISH, f"prod/{TEAM}/gateways/dev-1/g2c").allowed
    assert not find(found, Verb.PUBLISH, f"prod/{TEAM}/gateways/dev-2/g2c").allowed
    assert not find(found, Verb.PUBLISH, f"prod/{TEAM}/gateways/dev-1/c2g").allowed


def test_profile_of_current_firmware():
    found = cases(documents=CURRENT)
    for topic in ("dev-1/shadow/get/trim", "dev-1/shadow/get/tf", "dev-1/shadow/update"):
        assert find(found, Verb.PUBLISH, topic).allowed
        assert find(found, Verb.PUBLISH, topic).ruling.statement == 3
    assert not find(ASSOCIATED, Verb.PUBLISH, "dev-1/shadow/update").allowed


def test_documents_of_any_name_are_in_force_and_every_statement_counts():
    own = document(
        allow("iot:Connect", "*"),
        allow("iot:Publish", f"{ARN}topic/a/?/*"),
        deny("iot:Publish", f"{ARN}topic/a/t/secret"),
        allow("iot:RetainPublish", f"{ARN}topic/a/t/keep"),
        name="own",
    )
    for kind in Membership:
        found = cases(kind, (own,))
        assert find(found, Verb.PUBLISH, "a/t/test").ruling.document == "own"
        assert find(found, Verb.PUBLISH, "a/t/secret").expected is Decision.EXPLICIT_DENY
        assert find(found, Verb.PUBLISH, "a/t/secret/test").allowed
        assert find(found, Verb.PUBLISH, "a/t/keep", retain=True).allowed
        assert find(found, Verb.CONNECT, "dev-2").allowed


def test_everything_is_tried_too():
    own = document(allow(["iot:Connect", "iot:Subscribe", "iot:Publish", "iot:RetainPublish"], "*"), name="own")
    found = cases(documents=(own,))
    assert find(found, Verb.PUBLISH, "test/dev-1", retain=True).allowed
    assert find(found, Verb.SUBSCRIBE, "#").allowed
    assert found["associated-will-retained-test/{device}"].allowed


def test_no_delivery_without_a_subscription():
    own = document(allow(["iot:Connect", "iot:Receive"], "*"), name="own")
    assert not [case for case in cases(documents=(own,)).values() if case.request.verb is Verb.RECEIVE]


def test_conditions_on_the_connect_packet():
    own = document(
        allow(["iot:Connect", "iot:Publish"], "*"),
        deny(
            "iot:Connect", "*", Condition={"ForAnyValue:StringEquals": {"iot:ConnectAttributes": "PersistentConnect"}}
        ),
        name="own",
    )
    found = cases(documents=(own,))
    assert found["associated-connect-persistent-{device}"].expected is Decision.EXPLICIT_DENY
    assert found["associated-connect-{device}"].allowed


def test_ids_do_not_depend_on_names():
    other = Names("x", "y", "t", "u", account="123456789012")
    assert {case.id for case in derive(PAGE, Membership.ASSOCIATED, other)} == set(ASSOCIATED)
    assert all(re.fullmatch(r"[\x21-\x7e]+", identifier) for identifier in ASSOCIATED)


def test_account_and_region_of_the_cloud():
    names = Names("dev-1", "dev-2", TEAM, OTHER_TEAM, region="eu-west-1", account="999999999999")
    found = derive(load_profile(account="999999999999").values(), Membership.ASSOCIATED, names)
    assert sum(case.allowed for case in found) == 110


def test_words():
    case = find(ASSOCIATED, Verb.SUBSCRIBE, f"prod/{OTHER_TEAM}/m/#")
    assert case.id == "associated-subscribe-prod/{other_tenant}/m/#"
    assert case.probes == (
        "associated statement 1 (topicfilter/prod/${iot:Connection.Thing.Attributes[tenantId]}/m/*): "
        "another team's id in level 2"
    )
    assert case.because.startswith(f"iot:Subscribe on prod/{OTHER_TEAM}/m/#: implicit deny; nearest: ")


def test_principals():
    own = principal_of(Membership.GATEWAY, NAMES)
    assert (own.attached, own.thing_name, own.attributes) == (True, "dev-1", {"tenantId": TEAM, "teamId": TEAM})
    stranger = principal_of(Membership.GATEWAY, NAMES, client_id="dev-2")
    assert (stranger.attached, stranger.thing_name, stranger.attributes) == (False, None, {})
    assert principal_of(Membership.PROVISIONED, NAMES).attributes == {}
    assert not PolicySet(PAGE).compile(stranger).decide("iot:Connect", f"{ARN}client/dev-2").allowed

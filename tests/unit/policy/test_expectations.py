"""What documents say of an action, for each membership of the device."""

import pytest

from harness.policy import Membership, Names, PolicyDocument, Request, Verb, load_profile
from harness.policy.evaluation.expectations import Expectations
from tests.scenarios import expected
from tests.unit.policy.build import ARN, allow, deny, document

NAMES = Names("dev", "dev-2", "T", "T2")
PAGE = tuple(load_profile("page", account=NAMES.account).values())
C2G = "prod/T/gateways/dev/c2g"


@pytest.mark.parametrize(
    ("membership", "said"),
    [
        (Membership.GATEWAY, f"Policy: iot:Subscribe on {C2G}: allowed by gateway statement 1 (topicfilter/{C2G})."),
        (Membership.ASSOCIATED, f"Policy: iot:Subscribe on {C2G}: implicit deny; nearest: associated statement 1"),
        (Membership.NOT_ATTACHED, f"Policy: iot:Subscribe on {C2G}: implicit deny; no policy is in force."),
    ],
)
def test_gateway_topics(membership, said):
    assert Expectations(PAGE, NAMES, membership).explain("iot:Subscribe", C2G).startswith(said)


def test_another_client_id_has_no_thing():
    said = Expectations(PAGE, NAMES, Membership.ASSOCIATED).explain("iot:Connect", "dev-2")
    assert said == "Policy: iot:Connect on client/dev-2: implicit deny; no policy is in force."


def test_a_document_of_another_name_is_in_force_for_everyone():
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}'
    documents = [*PAGE, PolicyDocument.parse(text, name="own")]
    said = Expectations(documents, NAMES, Membership.PROVISIONED).explain("iot:Publish", "x")
    assert said == "Policy: iot:Publish on x: allowed by own statement 1 (*)."


def test_rulings_end_with_the_first_refusal():
    expectations = Expectations(PAGE, NAMES, Membership.ASSOCIATED)
    asked = expectations.rulings(Request(Verb.PUBLISH, "prod/T/m/x", retain=True))
    assert [(ruling.action, ruling.allowed) for ruling in asked] == [
        ("iot:Connect", True),
        ("iot:Publish", True),
        ("iot:RetainPublish", False),
    ]
    asked = expectations.rulings(Request(Verb.CONNECT, "dev-2", will="prod/T/m/x"))
    assert [(ruling.action, ruling.allowed) for ruling in asked] == [("iot:Connect", False)]


HERE = {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
ELSEWHERE = {"Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
COUNTRY = "${iot:Certificate.Subject.Country}"


def test_a_persistent_connect_says_so():
    asking = {"ForAnyValue:StringEquals": {"iot:ConnectAttributes": "PersistentConnect"}}
    documents = [document(allow("iot:Connect", "*"), deny("iot:Connect", "*", Condition=asking), name="own")]
    expectations = Expectations(documents, NAMES, Membership.ASSOCIATED)
    connects = [Request(Verb.CONNECT, "dev", persistent=persistent) for persistent in (False, True)]
    assert [expectations.rulings(connect)[-1].allowed for connect in connects] == [True, False]


def beside_the_page(*statements):
    return Expectations([*PAGE, document(*statements, name="own")], NAMES, Membership.ASSOCIATED)


@pytest.mark.parametrize("where", [HERE, ELSEWHERE])
def test_a_deny_that_may_apply(where):
    expectations = beside_the_page(deny("iot:Publish", f"{ARN}topic/prod/*/m/*", **where))
    doubt = expectations.doubt(expected.publish("prod/T/m/x"))
    assert (doubt.keys, doubt.best.allowed, doubt.worst.allowed) == (("aws:SourceIp",), True, False)
    assert str(doubt) == (
        "depends on aws:SourceIp, of which the harness knows nothing;"
        " at best iot:Publish on prod/T/m/x: allowed by associated statement 2 (topic/prod/T/m/*);"
        " at worst iot:Publish on prod/T/m/x: explicit deny by own statement 1 (topic/prod/*/m/*)"
    )
    assert expectations.explain("iot:Publish", "prod/T/m/x") == f"Policy: iot:Publish on prod/T/m/x {doubt}."
    # Nothing may rest on it.
    assert not expectations.ruling("iot:Publish", "prod/T/m/x").allowed
    assert not expectations.rulings(expected.publish("prod/T/m/x"))[-1].allowed


@pytest.mark.parametrize("where", [HERE, ELSEWHERE])
def test_an_allow_that_may_apply(where):
    expectations = beside_the_page(allow("iot:Publish", f"{ARN}topic/lab/*", **where))
    doubt = expectations.doubt(expected.publish("lab/x"))
    assert (doubt.keys, doubt.best.allowed, doubt.worst.allowed) == (("aws:SourceIp",), True, False)
    assert not expectations.ruling("iot:Publish", "lab/x").allowed


def test_only_what_matters_is_said_to_be_in_question():
    expectations = beside_the_page(
        deny("iot:Publish", f"{ARN}topic/prod/*/m/*", **HERE),
        deny("iot:Publish", f"{ARN}topic/prod/*/m/{COUNTRY}"),
        deny("iot:Publish", f"{ARN}topic/elsewhere/{COUNTRY}/${{iot:DomainName}}"),
        deny("iot:Subscribe", "*", Condition={"Null": {"iot:CertificateId": "false"}}),
    )
    assert expectations.doubt(expected.publish("prod/T/m/x")).keys == (
        "aws:SourceIp",
        "iot:Certificate.Subject.Country",
    )


@pytest.mark.parametrize(
    ("statement", "request_"),
    [
        (deny("iot:Publish", f"{ARN}topic/prod/*/m/*", **HERE), expected.publish("prod/T/a/x")),
        (deny("iot:Publish", f"{ARN}topic/prod/*/m/*", **HERE), expected.publish("$aws/things/dev/shadow/get")),
        (allow("iot:Publish", f"{ARN}topic/prod/*/m/*", **HERE), expected.publish("prod/T/m/x")),
        # Refused in any case, by one permission or the other; the cloud hangs up over either.
        (deny("iot:Publish", f"{ARN}topic/prod/*/m/*", **HERE), expected.publish("prod/T/m/x", retain=True)),
    ],
)
def test_what_is_settled_whatever_the_unknown_is(statement, request_):
    expectations = beside_the_page(statement)
    page = Expectations(PAGE, NAMES, Membership.ASSOCIATED)
    assert expectations.doubt(request_) is None
    assert [one.explain() for one in expectations.rulings(request_)] == [
        one.explain() for one in page.rulings(request_)
    ]


def test_how_a_refusal_looks_is_in_question_too():
    """A refused CONNECT, a refused delivery and a hang-up look different to a device."""
    expectations = beside_the_page(deny("iot:Connect", "*", **HERE))
    assert expectations.doubt(expected.publish("prod/T/a/x")).worst.action == "iot:Connect"
    refused = deny("iot:Receive", f"{ARN}topic/prod/T/m/x")
    expectations = beside_the_page(refused, deny("iot:Subscribe", "*", **HERE))
    assert expectations.doubt(expected.hear("prod/T/m/x")).best.action == "iot:Receive"


def test_a_scenario_that_takes_for_granted_what_nobody_knows_is_skipped():
    expectations = beside_the_page(deny("iot:Publish", f"{ARN}topic/prod/*/m/*", **HERE))
    message = expected.publish("prod/T/m/x")
    for check in (expected.allowed, expected.forbidden, expected.allows):
        with pytest.raises(pytest.skip.Exception, match="the documents of this cloud say depends on aws:SourceIp"):
            check(expectations, message)
    expected.allowed(expectations, expected.publish("prod/T/dev/jobs/x"))
    expected.forbidden(expectations, expected.publish("prod/T/a/x"))
    assert not expected.allows(expectations, expected.publish("prod/T/a/x"))

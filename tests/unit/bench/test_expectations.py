"""What documents say of an action, for each standing of the device."""

import pytest

from harness.bench.expectations import Expectations
from harness.policy import Kind, Names, PolicyDocument, Request, Verb, load_profile

NAMES = Names("dev", "dev-2", "T", "T2")
PAGE = tuple(load_profile("page", account=NAMES.account).values())
C2G = "prod/T/gateways/dev/c2g"


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Kind.GATEWAY, f"Policy: iot:Subscribe on {C2G}: allowed by gateway statement 1 (topicfilter/{C2G})."),
        (Kind.ASSOCIATED, f"Policy: iot:Subscribe on {C2G}: implicit deny; nearest: associated statement 1"),
        (Kind.NOT_ATTACHED, f"Policy: iot:Subscribe on {C2G}: implicit deny; no policy is in force."),
    ],
)
def test_gateway_topics(standing, said):
    assert Expectations(PAGE, NAMES, standing).explain("iot:Subscribe", C2G).startswith(said)


def test_another_client_id_has_no_thing():
    said = Expectations(PAGE, NAMES, Kind.ASSOCIATED).explain("iot:Connect", "dev-2")
    assert said == "Policy: iot:Connect on client/dev-2: implicit deny; no policy is in force."


def test_a_document_of_another_name_is_in_force_for_everyone():
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}'
    documents = [*PAGE, PolicyDocument.parse(text, name="own")]
    said = Expectations(documents, NAMES, Kind.PROVISIONED).explain("iot:Publish", "x")
    assert said == "Policy: iot:Publish on x: allowed by own statement 1 (*)."


def test_rulings_end_with_the_first_refusal():
    expectations = Expectations(PAGE, NAMES, Kind.ASSOCIATED)
    asked = expectations.rulings(Request(Verb.PUBLISH, "prod/T/m/x", retain=True))
    assert [(ruling.action, ruling.allowed) for ruling in asked] == [
        ("iot:Connect", True),
        ("iot:Publish", True),
        ("iot:RetainPublish", False),
    ]
    asked = expectations.rulings(Request(Verb.CONNECT, "dev-2", will="prod/T/m/x"))
    assert [(ruling.action, ruling.allowed) for ruling in asked] == [("iot:Connect", False)]

"""Spelling of variables: awsdocs/aws-iot-docs, pull request 9; of condition keys: IAM User Guide, Condition element."""

import pytest

from harness.policy import PolicyError, Principal
from harness.policy.documents.variables import right_spelling
from tests.unit.policy.build import ARN, allow, compiled, document, holds

CLIENT = Principal("dev", "dev", True, attributes={"tenantId": "T"})


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("iot:clientId", "iot:ClientId"),
        ("IOT:CLIENTID", "iot:ClientId"),
        ("AWS:SourceIP", "aws:SourceIp"),
        ("iot:connection.thing.ThingName", "iot:Connection.Thing.ThingName"),
        ("iot:Connection.Thing.attributes[tenantid]", "iot:Connection.Thing.Attributes[tenantid]"),
        ("iot:Certificate.Subject.commonName.2", "iot:Certificate.Subject.CommonName.2"),
        ("iot:Certificate.Subject.AlternativeName.DnsName", "iot:Certificate.Subject.AlternativeName.DNSName"),
        ("iot:ClientId", None),
        ("iot:Connection.Thing.Attributes[TENANTID]", None),
        ("iot:Certificate.Subject.CommonName.2", None),
        ("iot:Thing.ThingName", None),
        ("x\ny", None),
    ],
)
def test_right_spelling(written, right):
    assert right_spelling(written) == right


def test_a_document_with_another_spelling_is_refused_wherever_it_stands():
    wrong = "AWS IoT refuses the variable ${iot:clientid}: write ${iot:ClientId}"
    condition = {"StringEquals": {"iot:clientid": ["x", "${iot:clientid}"]}}
    with pytest.raises(PolicyError) as caught:
        document(allow("iot:Connect", [f"{ARN}client/a", f"{ARN}client/${{iot:clientid}}"], Condition=condition))
    assert caught.value.mistakes == (
        f"test: $.Statement[0].Resource[1]: {wrong}",
        f'test: $.Statement[0].Condition["StringEquals"]["iot:clientid"]: {wrong}',
    )
    assert str(caught.value) == f"{caught.value.mistakes[0]}; and 1 more error, which policy check lists"


def test_where_there_are_no_variables_it_is_plain_text():
    policies = compiled(allow("iot:Connect", f"{ARN}client/${{iot:clientid}}"), principal=CLIENT, version=None)
    assert policies.decide("iot:Connect", f"{ARN}client/${{iot:clientid}}").allowed
    assert not policies.decide("iot:Connect", f"{ARN}client/dev").allowed


@pytest.mark.parametrize("key", ["iot:ClientId", "iot:clientid", "IOT:CLIENTID"])
def test_condition_keys_have_any_case(key):
    assert holds({"StringEquals": {key: "dev"}}, CLIENT)

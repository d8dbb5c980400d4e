"""The document inside what a tool prints. Shapes: AWS CLI, Terraform and CloudFormation references."""

import json
from urllib.parse import quote

import pytest

from harness.policy import PolicyDocument, PolicyError, load_document
from tests.unit.policy.build import ARN, allow, document, text

OWN = f"{ARN}client/${{iot:ClientId}}"
DOCUMENT = json.loads(text(allow("iot:Connect", OWN)))
STRING = json.dumps(DOCUMENT)
IOT = {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "p", "PolicyDocument": DOCUMENT}}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"Policies": [{"PolicyDocument": json.loads(text(allow("s3:*", "*")))}]},
}


def read(value):
    return PolicyDocument.parse(json.dumps(value), name="test")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (DOCUMENT, None),
        (STRING, "$"),
        (
            {"policyName": "p", "policyArn": "arn:x", "policyDocument": STRING, "defaultVersionId": "1"},
            "$.policyDocument",
        ),
        ({"PolicyVersion": {"Document": DOCUMENT, "VersionId": "v1"}}, "$.PolicyVersion.Document"),
        ({"PolicyVersion": {"Document": quote(STRING)}}, "$.PolicyVersion.Document"),
        ({"Resources": {"R": ROLE, "P-1": IOT}}, '$.Resources["P-1"].Properties.PolicyDocument'),
        (
            {"values": {"root_module": {"resources": [{"type": "aws_iot_policy", "values": {"policy": STRING}}]}}},
            "$.values.root_module.resources[0].values.policy",
        ),
    ],
)
def test_where_a_document_is_found(value, place):
    found = read(value)
    assert found.found_at == place
    assert found.statements[0].actions == ("iot:Connect",)


def test_two_documents_are_not_guessed_among():
    with pytest.raises(PolicyError) as caught:
        read({"Resources": {"A": IOT, "B": IOT}})
    assert str(caught.value) == (
        "test: 2 documents in one file: $.Resources.A.Properties.PolicyDocument, "
        "$.Resources.B.Properties.PolicyDocument; give each a file of its own"
    )


def test_mistakes_inside_are_found():
    with pytest.raises(PolicyError, match=r'^test: \$\.Statement\.Effect: must be "Allow" or "Deny"$'):
        read({"policyDocument": STRING.replace('[{"Effect": "Allow"', '{"Effect": "allow"').replace("}]}", "}}")})
    with pytest.raises(PolicyError, match=r"^test: in the string at \$\.policyDocument: not JSON, at line 1 column "):
        read({"policyDocument": '{"Statement": ['})


def test_a_string_counts_as_long_as_it_is_when_it_is_read():
    long = text(allow("iot:Publish", f"{ARN}topic/" + "x" * 2048))
    with pytest.raises(PolicyError, match="characters without white space"):
        read({"policyDocument": long})


def test_functions_of_cloudformation():
    resources = [
        {"Fn::Sub": "arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:client/${!iot:ClientId}"},
        {"Fn::Join": ["", ["arn:aws:iot:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":topic/a"]]},
    ]
    found = read({"PolicyDocument": DOCUMENT | {"Statement": [allow("iot:*", resources)]}})
    assert found.statements[0].resources == ("arn:*:iot:*:*:client/${iot:ClientId}", "arn:aws:iot:*:*:topic/a")


def test_a_value_that_the_template_does_not_say():
    with pytest.raises(PolicyError, match=r"\$\{Stage\} is not filled: no value was given for Stage"):
        read({"PolicyDocument": DOCUMENT | {"Statement": allow("iot:*", {"Fn::Sub": ARN + "topic/${Stage}/x"})}})
    with pytest.raises(PolicyError, match=r"Resource: must be a string"):
        read({"PolicyDocument": DOCUMENT | {"Statement": allow("iot:*", {"Ref": "Topic"})}})


ENCODED = """\
# who may what
resource "aws_iot_policy" "device" {
  name   = "device"
  policy = jsonencode({
    Version = "2012-10-17", // with variables
    Statement = [
      {
        Effect    = "Allow"
        Action    = ["iot:Connect"]
        Resource  = "arn:aws:iot:${var.region}:${data.aws_caller_identity.current.account_id}:client/$${iot:ClientId}"
        Condition = { Bool = { "iot:Connection.Thing.IsAttached" = true } }
      },
    ]
  })
}
"""
HEREDOC = """\
resource "aws_iot_policy" "device" {
  policy = <<-EOF
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iot:Connect"],
     "Resource": "arn:aws:iot:${var.region}:*:client/$${iot:ClientId}",
     "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": true}}}]}
  EOF
}
"""


def loaded(tmp_path, content, name="device.tf"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_document(path, account="123456789012")


@pytest.mark.parametrize("source", [ENCODED, HEREDOC])
def test_a_document_in_terraforms_language(tmp_path, source):
    condition = {"Bool": {"iot:Connection.Thing.IsAttached": True}}
    wanted = document(
        allow(["iot:Connect"], "arn:aws:iot:*:*:client/${iot:ClientId}", Condition=condition), name="device"
    )
    assert loaded(tmp_path, source) == wanted


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            ENCODED.replace("client/", "client/${var.prefix}"),
            "the value of the expression ${var.prefix} is not in this file; give the document as JSON, ",
        ),
        (ENCODED.replace("$${", "${"), "Terraform reads ${iot:ClientId} as an expression of its own; write $${iot:C"),
        (ENCODED.replace("true", "var.attached"), "the value of the expression var.attached is not in this file"),
        (ENCODED.partition("Resource")[0], "the end in jsonencode(...) where"),
        (ENCODED + HEREDOC, "2 policy documents in this Terraform text"),
        ('data "aws_iam_policy_document" "d" {\n}', "Terraform makes this document from an aws_iam_policy_document"),
        (
            "Resources:\n  P:\n    PolicyDocument:\n      Version: 2012-10-17\n",
            "this is YAML, a policy document is JSON",
        ),
        ("Version 1", "not JSON, at line 1"),
    ],
)
def test_texts_without_a_document_that_can_be_read(tmp_path, source, reason):
    with pytest.raises(PolicyError) as caught:
        loaded(tmp_path, source)
    assert str(caught.value).startswith(f"device: {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_windows_makes_of_a_file(tmp_path, encoding):
    source = json.dumps({"policyDocument": STRING}, indent=2).replace("\n", "\r\n")
    assert loaded(tmp_path, source.encode(encoding)).statements[0].resources == (OWN,)


def test_a_document_inside_is_equal_to_the_document_itself():
    assert read({"policyDocument": STRING}) == read(DOCUMENT)

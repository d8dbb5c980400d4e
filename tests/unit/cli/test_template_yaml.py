"""CloudFormation templates in YAML, as people have them."""

import json

import pytest

from harness.cli.template_yaml import template_json
from harness.policy import load_document

TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String}
Resources:
  Devices:
    Type: AWS::IoT::Policy
    Properties:
      PolicyName: !Sub "devices-${Stage}"
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: iot:Connect
            Resource: !Sub "arn:aws:iot:${AWS::Region}:${AWS::AccountId}:client/${!iot:ClientId}"
          - Effect: Allow
            Action: [iot:Publish]
            Resource: !Join ["", ["arn:aws:iot:", !Ref AWS::Region, ":", !Ref "AWS::AccountId", ":topic/a"]]
Outputs:
  Arn: {Value: !GetAtt Devices.Arn}
"""


def test_the_document_of_a_template(tmp_path):
    path = tmp_path / "devices.yaml"
    path.write_text(TEMPLATE)
    document = load_document(path, account="123456789012", template_json=template_json)
    assert document.found_at == "$.Resources.Devices.Properties.PolicyDocument"
    assert [statement.resources for statement in document.statements] == [
        ("arn:aws:iot:*:*:client/${iot:ClientId}",),
        ("arn:aws:iot:*:*:topic/a",),
    ]


def test_short_forms_are_what_they_stand_for():
    assert json.loads(template_json("{a: !GetAtt b.c.d, e: !If [x, !Ref y, 2012-10-17], f: !Sub [t, {g: h}]}")) == {
        "a": {"Fn::GetAtt": ["b", "c.d"]},
        "e": {"Fn::If": ["x", {"Ref": "y"}, "2012-10-17"]},
        "f": {"Fn::Sub": ["t", {"g": "h"}]},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2", "line 1, column 9: the template is not YAML: "),
        ("Statement: !!python/object:os.system x", "line 1, column 12: the template is not YAML: could not determine"),
        ("? [a]\n: b", "the template is not YAML"),
    ],
)
def test_what_is_not_a_template_is_one_line(text, said):
    with pytest.raises(ValueError, match=r"correct it$") as caught:
        template_json(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)

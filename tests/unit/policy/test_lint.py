"""One suspicious document per rule."""

import pytest

from harness.policy import lint
from tests.unit.policy.build import ARN, allow, deny, document
from tests.unit.policy.pool import CURRENT, PAGE


def findings(*statements, **more) -> list[tuple[str, str]]:
    return [(f.path.removeprefix("$.Statement"), f.text) for f in lint(document(*statements, **more))]


def test_page():
    team = "prod/${iot:Connection.Thing.Attributes[tenantId]}/${iot:ClientId}/jobs"
    https = (
        "is asked for by HTTPS requests alone: over MQTT it has no effect; "
        "over HTTPS iot:ClientId has no value, so it grants nothing there either"
    )
    expected = [
        f"provisioned: $.Statement[4].Action[0]: iot:UpdateThingShadow {https}",
        f"provisioned: $.Statement[4].Action[1]: iot:GetThingShadow {https}",
        f"associated: $.Statement[0].Resource[3]: redundant: topicfilter/{team}/ble/* lies inside topicfilter/{team}/*",
        f"associated: $.Statement[1].Resource[2]: redundant: topic/{team}/ble/* lies inside topic/{team}/*",
    ]
    assert [str(finding) for document in PAGE for finding in lint(document)] == expected
    assert [str(finding) for document in CURRENT for finding in lint(document)] == expected


@pytest.mark.parametrize(
    ("statement", "path", "text"),
    [
        (
            allow("iot:Subscribe", f"{ARN}topic/a"),
            ".Resource",
            "iot:Subscribe never meets topic/; it takes topicfilter/",
        ),
        (
            allow("iot:Publish", [f"{ARN}topic/a", f"{ARN}topicfilter/a"]),
            ".Resource[1]",
            "iot:Publish never meets topicfilter/; it takes topic/",
        ),
        (
            allow("iot:Publish", f"{ARN}shadow/a"),
            ".Resource",
            "shadow/ is no type of resource that a device meets; known are client, thing, topic, topicfilter",
        ),
        (
            allow("iot:Publish", f"{ARN}topic/${{iot:Thing.ThingName}}/a"),
            ".Resource",
            "there is no variable ${iot:Thing.ThingName}, so nothing matches",
        ),
        (
            allow("iot:Publish", "arn:aws:iot:*topic/a"),
            ".Resource",
            "arn:aws:iot:*topic/a has fewer than five colons, so its * stands for whole parts; write the whole ARN",
        ),
        (
            allow("iot:GetThingShadow", f"{ARN}thing/a"),
            ".Action",
            "iot:GetThingShadow is asked for by HTTPS requests alone: over MQTT it has no effect",
        ),
        (
            allow(["iot:Publish", "iot:Unsubscribe"], "*"),
            ".Action[1]",
            "iot:Unsubscribe is no action that a device asks for",
        ),
        (
            allow("iot:Publish", f"{ARN}topic/a/#"),
            ".Resource",
            "no message has + or # in its topic, so topic/a/# matches nothing",
        ),
        (
            allow("iot:Publish", f"{ARN}topic/1/2/3/4/5/6/7/8/9"),
            ".Resource",
            "AWS IoT takes no message on 1/2/3/4/5/6/7/8/9",
        ),
        (
            deny("iot:Subscribe", f"{ARN}topicfilter/a/#"),
            ".Resource",
            "Deny on topicfilter/a/# refuses only this text: + and # are no wildcards here; deny iot:Receive instead",
        ),
        (
            allow("iot:Connect", f"{ARN}client/${{iot:ClientId}}"),
            ".Resource",
            "client/${iot:ClientId} fits every client id; ask for iot:Connection.Thing.IsAttached",
        ),
        (
            allow("iot:Connect", "*", Condition={"Bool": {"iot:IsAttached": "true"}}),
            '.Condition["Bool"]["iot:IsAttached"]',
            "there is no condition key iot:IsAttached, so it is always absent",
        ),
        (
            allow("iot:Connect", "*", Condition={"StringEquals": {"iot:ClientId": "${iot:Name}"}}),
            '.Condition["StringEquals"]["iot:ClientId"]',
            "there is no variable ${iot:Name}, so nothing matches",
        ),
        (
            allow("iot:Publish", [f"{ARN}topic/a", f"{ARN}topic/a"]),
            ".Resource[1]",
            "redundant: topic/a lies inside topic/a",
        ),
    ],
)
def test_rule(statement, path, text):
    assert findings(statement) == [(f"[0]{path}", text)]


def test_version_without_variables():
    found = findings(allow("iot:Publish", f"{ARN}topic/${{iot:ClientId}}"), version=None)
    assert found == [
        ("[0].Resource", "without Version 2012-10-17 there are no variables: ${...} is plain text here"),
    ]


def test_redundant_to_another_statement():
    wide, narrow = allow("iot:Pub*", f"{ARN}topic/a/*"), allow("iot:Publish", [f"{ARN}topic/a/b", f"{ARN}topic/c"])
    text = "redundant: topic/a/b lies inside topic/a/* of statement"
    assert findings(wide, narrow) == [("[1].Resource[0]", f"{text} 1")]
    assert findings(narrow, wide) == [("[0].Resource[0]", f"{text} 2")]


def test_not_redundant():
    condition = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    narrow = allow("iot:Publish", f"{ARN}topic/a/b")
    assert findings(allow("iot:Publish", f"{ARN}topic/a/*", Condition=condition), narrow) == []
    assert findings(deny("iot:Publish", f"{ARN}topic/a/*"), narrow) == []
    assert findings(allow("iot:Receive", f"{ARN}topic/a/*"), narrow) == []


@pytest.mark.parametrize(
    "variable",
    [
        "iot:clientid",
        "aws:SourceIp",
        "iot:Connection.Thing.Attributes[any name]",
        "iot:Certificate.Subject.CommonName.1",
        "iot:Certificate.Issuer.AlternativeName.DNSName.List",
        "iot:Certificate.SerialNumber",
        "iot:DomainName",
    ],
)
def test_known_variables(variable):
    assert findings(allow("iot:Publish", f"{ARN}topic/${{{variable}}}")) == []

"""One suspicious document per rule."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.policy import Effect, PolicyDocument, PolicySet, Principal, Statement, load_document
from harness.policy.documents.pattern import tokenise
from harness.policy.lint import lint
from harness.policy.lint.containment import Encoder, Index
from harness.policy.proof.containment import covers
from tests.unit.policy.build import ARN, allow, deny, document
from tests.unit.policy.pool import CURRENT, PAGE

ATTACHED = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
UNATTACHED = {"Bool": {"iot:Connection.Thing.IsAttached": "false"}}
LAB = Path(__file__).parents[2] / "boards" / "own-policies" / "lab.json"
TYPES = "client, rolealias, thing, topic, topicfilter"


def findings(*statements, **more) -> list[tuple[str, str]]:
    return [(f.path.removeprefix("$.Statement"), f.text) for f in lint(document(*statements, **more))]


def texts(*statements, **more) -> list[str]:
    return [text for _, text in findings(*statements, **more)]


def but(statement, element, value):
    """The statement with NotAction or NotResource in place of Action or Resource."""
    return {key: item for key, item in statement.items() if key != element.removeprefix("Not")} | {element: value}


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


def test_own_policies_of_the_test_boards():
    assert lint(load_document(LAB, account="123456789012")) == []


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
            f"shadow/ is not a type of resource that a device meets; known are {TYPES}",
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
            "iot:Unsubscribe is not an action that a device asks for; correct or remove it",
        ),
        (
            allow("iot:Publish", f"{ARN}topic/a/#"),
            ".Resource",
            "no message has + or # in its topic, so topic/a/# matches nothing",
        ),
        (
            allow("iot:Publish", f"{ARN}topic/1/2/3/4/5/6/7/8/9"),
            ".Resource",
            "AWS IoT takes no message on this topic, so topic/1/2/3/4/5/6/7/8/9 matches nothing",
        ),
        (
            deny("iot:Subscribe", f"{ARN}topicfilter/a/#"),
            ".Resource",
            "Deny on topicfilter/a/# refuses only this text: + and # are not wildcards here; deny iot:Receive instead",
        ),
        (
            allow("iot:Connect", f"{ARN}client/${{iot:ClientId}}"),
            ".Resource",
            "client/${iot:ClientId} fits every client id; ask for iot:Connection.Thing.IsAttached",
        ),
        (
            allow("iot:Connect", "*", Condition={"Bool": {"iot:IsAttached": "true"}}),
            '.Condition["Bool"]["iot:IsAttached"]',
            "there is no condition key iot:IsAttached: the condition is never fulfilled",
        ),
        (
            allow("iot:Publish", "*", Condition={"StringEquals": {"iot:ClientId": "${iot:Name}"}}),
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
        (
            "[0].Resource",
            "without Version 2012-10-17 there are no variables: ${...} is plain text here; add that Version",
        ),
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
    assert findings(deny("iot:Publish", f"{ARN}topic/a/b"), allow("iot:Publish", f"{ARN}topic/a/*")) == []
    assert findings(allow("iot:Receive", f"{ARN}topic/a/*"), narrow) == []


@pytest.mark.parametrize(
    "variable",
    [
        "iot:ClientId",
        "aws:SourceIp",
        "iot:Connection.Thing.Attributes[any name]",
        "iot:Certificate.Subject.CommonName.1",
        "iot:Certificate.Issuer.AlternativeName.DNSName.4",
        "iot:Certificate.SerialNumber",
        "iot:DomainName",
    ],
)
def test_known_variables(variable):
    assert findings(allow("iot:Publish", f"{ARN}topic/${{{variable}}}")) == []


@pytest.mark.parametrize(
    ("statement", "path", "text"),
    [
        (
            but(deny("iot:Subscribe", "*"), "NotResource", f"{ARN}topicfilter/a/#"),
            ".NotResource",
            "Deny spares only the text topicfilter/a/#: + and # are not wildcards here; * is one",
        ),
        (
            but(allow("iot:Subscribe", "*"), "NotResource", f"{ARN}topicfilter/a/#"),
            ".NotResource",
            "Allow leaves out only the text topicfilter/a/#: + and # are not wildcards here; deny iot:Receive instead",
        ),
        (
            but(allow("*", f"{ARN}client/x"), "NotAction", "iot:Connect"),
            ".Resource",
            "the MQTT actions other than iot:Connect never meet client/; they take topic/ or topicfilter/",
        ),
        (
            but(allow("iot:Publish", "*"), "NotResource", f"{ARN}topic/${{iot:Nope}}"),
            ".NotResource",
            "there is no variable ${iot:Nope}, so this excludes nothing",
        ),
        (
            allow("iot:Publish", "*", Condition={"StringNotEquals": {"iot:ClientId": "${iot:Nope}"}}),
            '.Condition["StringNotEquals"]["iot:ClientId"]',
            "there is no variable ${iot:Nope}, so this excludes nothing",
        ),
        (
            but(allow("iot:Publish", "*"), "NotResource", f"{ARN}topic/a/+"),
            ".NotResource",
            "no message has + or # in its topic, so topic/a/+ excludes nothing",
        ),
        (
            but(allow("iot:GetThingShadow", "*"), "NotResource", f"{ARN}thing/${{iot:ClientId}}"),
            ".Action",
            "iot:GetThingShadow is asked for by HTTPS requests alone: over MQTT it has no effect",
        ),
        (
            deny("iot:GetThingShadow", f"{ARN}thing/${{iot:ClientId}}"),
            ".Action",
            "iot:GetThingShadow is asked for by HTTPS requests alone: over MQTT it has no effect; "
            "over HTTPS iot:ClientId has no value, so it refuses nothing there either",
        ),
    ],
)
def test_the_negated_elements(statement, path, text):
    assert findings(statement) == [(f"[0]{path}", text)]


def test_an_action_that_no_resource_is_for():
    found = findings(allow(["iot:Publish", "iot:Subscribe", "iot:Receive"], f"{ARN}topic/a/*"))
    assert found == [("[0].Action[1]", "iot:Subscribe meets none of the resources; it takes topicfilter/")]


@pytest.mark.parametrize(
    "statement",
    [
        allow(["iot:Publish", "iot:Subscribe"], "*"),
        allow(["iot:Publish", "iot:Subscribe"], "arn:aws:iot:*:*:*"),
        allow(["iot:Publish", "iot:Subscribe"], f"{ARN}topic*"),
        allow(["iot:Publish", "iot:Subscribe"], f"{ARN}?opic*/a"),
        allow(["iot:Publish", "iot:Subscribe"], [f"{ARN}topic/a", f"{ARN}topicfilter/a"]),
        allow("iot:*", f"{ARN}topic/a"),
        but(deny("*", f"{ARN}topic/a"), "NotAction", "iot:Receive"),
        but(deny(["iot:Publish", "iot:Subscribe"], "*"), "NotResource", f"{ARN}topic/a"),
    ],
)
def test_actions_that_some_resource_is_for(statement):
    assert findings(statement) == []


def test_redundancy_does_not_depend_on_the_order():
    all_actions, publish = allow("iot:*", f"{ARN}topic/a"), allow("iot:Publish", f"{ARN}topic/a")
    attached = publish | {"Condition": ATTACHED}
    text = "redundant: topic/a lies inside topic/a of statement"
    assert findings(all_actions, publish) == [("[1].Resource", f"{text} 1")]
    assert findings(publish, all_actions) == [("[0].Resource", f"{text} 2")]
    assert findings(publish, attached) == [("[1].Resource", f"{text} 1")]
    assert findings(attached, publish) == [("[0].Resource", f"{text} 2")]
    assert findings(publish, publish) == [("[1].Resource", f"{text} 1")]
    assert findings(attached, all_actions | {"Condition": UNATTACHED}) == []


def test_redundancy_asks_only_for_actions_that_the_resource_is_for():
    both = allow(["iot:Publish", "iot:Subscribe"], [f"{ARN}topic/a/b", f"{ARN}topicfilter/a"])
    assert findings(both, allow("iot:Publish", f"{ARN}topic/a/*")) == [
        ("[0].Resource[0]", "redundant: topic/a/b lies inside topic/a/* of statement 2"),
    ]


def test_redundancy_names_what_differs():
    anywhere = "arn:aws:iot:*:123456789012:topic/a"
    assert texts(allow("iot:Publish", [anywhere, f"{ARN}topic/a"])) == [
        f"redundant: {ARN}topic/a lies inside {anywhere}",
    ]
    assert texts(allow("iot:Publish", ["*", f"{ARN}topic/a"])) == ["redundant: topic/a lies inside *"]


def test_names_of_variables_have_one_case():
    found = texts(allow("iot:Publish", [f"{ARN}topic/${{iot:ClientId}}/*", f"{ARN}topic/${{iot:ClientId}}/b"]))
    assert found == ["redundant: topic/${iot:ClientId}/b lies inside topic/${iot:ClientId}/*"]
    attribute = "${{iot:Connection.Thing.Attributes[{}]}}".format
    assert texts(allow("iot:Publish", [f"{ARN}topic/{attribute('a')}/*", f"{ARN}topic/{attribute('A')}/b"])) == []


def test_repeated_actions():
    assert findings(allow(["iot:Publish", "iot:Pub*", "IOT:PUB*"], f"{ARN}topic/a")) == [
        ("[0].Action[0]", "redundant: iot:Publish lies inside iot:Pub*"),
        ("[0].Action[2]", "redundant: IOT:PUB* lies inside iot:Pub*"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        allow("iot:AssumeRoleWithCertificate", f"{ARN}rolealias/x"),
        allow("iot:SendDirectMessage", f"{ARN}client/x", Condition={"StringLike": {"iot:Topic": "a/*"}}),
        allow("greengrass:Discover", f"{ARN}thing/x"),
        allow(["greengrass:GetComponentVersionArtifact", "greengrass:ResolveComponentCandidates"], "*"),
        allow("greengrass:*", "arn:aws:greengrass:us-east-1:123456789012:components:x:versions:1.0.0"),
    ],
)
def test_actions_of_other_services_of_devices(statement):
    assert findings(statement) == []
    assert findings(allow("iot:Publish", "*"), statement) == []


def test_jobs_by_their_newer_names():
    assert texts(allow("iotjobsdata:DescribeJobExecution", f"{ARN}thing/x")) == [
        "iotjobsdata:DescribeJobExecution is asked for by HTTPS requests alone: over MQTT it has no effect",
    ]


@pytest.mark.parametrize(
    ("action", "resource", "text"),
    [
        (
            "iot:Publish",
            f"{ARN}topic",
            f"topic matches nothing: write a resource as TYPE/NAME; types are {TYPES}",
        ),
        (
            "iot:Subscribe",
            f"{ARN}topicfilte?",
            f"topicfilte? matches nothing: write a resource as TYPE/NAME; types are {TYPES}",
        ),
        (
            "iot:Publish",
            "arn:aws:sns:us-east-1:123456789012:topic/a",
            "arn:aws:sns:us-east-1:123456789012:topic/a matches nothing: its service is sns; write iot",
        ),
        (
            "iot:Publish",
            "arn:aws:iot:us-east-1:1234:topic/a",
            "arn:aws:iot:us-east-1:1234:topic/a matches nothing: its account 1234 has not 12 digits; write them or *",
        ),
        (
            "iot:Publish",
            "arn:aws:iot:us-east-1::topic/a",
            "arn:aws:iot:us-east-1::topic/a matches nothing: it names no account; write it or *",
        ),
        (
            "iot:Publish",
            "arn:aws:iot::123456789012:topic/a",
            "arn:aws:iot::123456789012:topic/a matches nothing: it names no region; write it or *",
        ),
        *(
            (
                "iot:Subscribe",
                f"{ARN}topicfilter/{name}",
                f"AWS IoT takes no subscription to this filter, so topicfilter/{name} matches nothing",
            )
            for name in ("a/#/b", "a+", "1/2/3/4/5/6/7/8/9")
        ),
        *(
            (
                "iot:Connect",
                f"{ARN}client/{name}",
                f"AWS IoT takes no connection with this client id, so client/{name} matches nothing",
            )
            for name in ("$x", "x" * 129)
        ),
    ],
)
def test_unreachable_resources(action, resource, text):
    assert findings(allow(action, resource)) == [("[0].Resource", text)]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iot:Publish", "arn:aws:i*:us-east-?:1234*:topic/a"),
        ("iot:Publish", f"{ARN}topic/$aws/certificates/create/json"),
        ("iot:Publish", f"{ARN}topic/${{iot:Connection.Thing.Attributes[a#b]}}"),
        ("iot:Publish", f"{ARN}${{iot:ClientId}}/a"),
        ("iot:Subscribe", f"{ARN}topicfilter/a/#"),
        ("iot:Subscribe", f"{ARN}topicfilter/1/2/3/4/5/6/7/8/*"),
        ("iot:Connect", f"{ARN}client/x"),
    ],
)
def test_reachable_resources(action, resource):
    assert findings(allow(action, resource)) == []


def test_allow_inside_deny():
    narrow, wide = allow("iot:Publish", f"{ARN}topic/a/b"), deny(["iot:Publish", "iot:Receive"], f"{ARN}topic/a/*")
    text = "never allowed: topic/a/b lies inside topic/a/*, which statement {} denies"
    assert findings(narrow, wide) == [("[0].Resource", text.format(2))]
    assert findings(wide, narrow) == [("[1].Resource", text.format(1))]
    assert findings(wide | {"Condition": ATTACHED}, narrow) == []
    assert findings(wide | {"Condition": ATTACHED}, narrow | {"Condition": ATTACHED}) == [
        ("[1].Resource", text.format(1))
    ]
    assert findings(wide, allow(["iot:Publish", "iot:RetainPublish"], f"{ARN}topic/a/b")) == []


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("aws:username", "AWS IoT documents no variable ${aws:username} for devices"),
        ("aws:userid", "AWS IoT documents no variable ${aws:userid} for devices"),
        ("iot:ConnectAttributes", "iot:ConnectAttributes is a list: a condition key, but no variable"),
        ("iot:Certificate.AvailableKeys", "iot:Certificate.AvailableKeys is a list: a condition key, but no variable"),
        (
            "iot:Certificate.Subject.Country.List",
            "iot:Certificate.Subject.Country.List is a list: a condition key, but no variable",
        ),
        (
            "iot:Certificate.Subject.CommonName.7",
            "${iot:Certificate.Subject.CommonName.7} has no value: of a certificate's field there are .0 to .4",
        ),
        (
            "iot:LastWillTopic",
            "${iot:LastWillTopic} has a value in iot:Connect alone, which is not an action of this statement",
        ),
        ("iot:Connection.Thing.Attributes[]", "there is no variable ${iot:Connection.Thing.Attributes[]}"),
    ],
)
def test_variables_that_never_have_a_value(variable, text):
    assert texts(allow("iot:Publish", f"{ARN}topic/${{{variable}}}")) == [f"{text}, so nothing matches"]


@pytest.mark.parametrize(
    ("operator", "key", "text"),
    [
        (
            "DateLessThan",
            "aws:CurrentTime",
            "AWS IoT documents no condition key aws:CurrentTime for devices, so it counts as absent: "
            "the condition is never fulfilled",
        ),
        (
            "DateNotEquals",
            "aws:CurrentTime",
            "AWS IoT documents no condition key aws:CurrentTime for devices, so it counts as absent: "
            "the condition is always fulfilled",
        ),
        (
            "DateEqualsIfExists",
            "iot:LastWillTopic",
            "iot:LastWillTopic is present in iot:Connect alone, which is not an action of this statement: "
            "the condition is always fulfilled",
        ),
        (
            "ForAllValues:StringEquals",
            "iot:ConnectAttributes",
            "iot:ConnectAttributes is present in iot:Connect alone, which is not an action of this statement: "
            "the condition is always fulfilled",
        ),
        (
            "StringEquals",
            "iot:Certificate.Subject.CommonName.7",
            "there is no condition key iot:Certificate.Subject.CommonName.7: the condition is never fulfilled",
        ),
    ],
)
def test_condition_keys_that_are_never_present(operator, key, text):
    condition = {operator: {key: "2026-01-01"}}
    found = findings(allow("iot:Publish", f"{ARN}topic/a", Condition=condition))
    assert found == [(f'[0].Condition["{operator}"]["{key}"]', text)]


@pytest.mark.parametrize(
    "key",
    [
        "iot:LastWillTopic",
        "iot:ConnectAttributes",
        "iot:Certificate.AvailableKeys",
        "iot:Certificate.Issuer.AlternativeName.DNSName.List",
        "aws:SourceIp",
    ],
)
def test_known_condition_keys(key):
    assert findings(allow("iot:Connect", f"{ARN}client/x", Condition={"StringLike": {key: "x*"}})) == []


@pytest.mark.parametrize(
    ("resource", "more"),
    [
        ("*", {}),
        ("arn:aws:iot:*:*:*", {}),
        (f"{ARN}client*", {}),
        (f"{ARN}client/**", {}),
        (f"{ARN}client/?*", {}),
        (f"{ARN}client/${{iot:ClientId}}*", {}),
        (f"{ARN}client/*", {"Condition": UNATTACHED}),
        (f"{ARN}client/*", {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
        (f"{ARN}client/*", {"Condition": {"StringLike": {"iot:ClientId": "?*"}}}),
    ],
)
def test_every_client_id_fits(resource, more):
    part = resource.removeprefix("arn:aws:iot:*:*:").removeprefix(ARN)
    text = f"{part} fits every client id; ask for iot:Connection.Thing.IsAttached"
    assert findings(allow("iot:Connect", resource, **more)) == [("[0].Resource", text)]


@pytest.mark.parametrize(
    "statements",
    [
        [allow("iot:Connect", "*", Condition=ATTACHED)],
        [allow("iot:Connect", "*", Condition={"StringEquals": {"iot:Connection.Thing.IsAttached": "true"}})],
        [allow("iot:Connect", "*", Condition={"StringLike": {"iot:Connection.Thing.ThingName": "*"}})],
        [allow("iot:Connect", "*", Condition={"StringLike": {"iot:ClientId": "dev-*"}})],
        [
            allow(
                "iot:Connect",
                "*",
                Condition={"StringEquals": {"iot:Certificate.Subject.CommonName": "${iot:ClientId}"}},
            )
        ],
        [allow("iot:Connect", f"{ARN}client/dev-*")],
        [allow("iot:Connect", f"{ARN}client/${{iot:Connection.Thing.ThingName}}")],
        [allow("iot:Receive", "*")],
        [allow("iot:*", "*"), deny("iot:Connect", "*", Condition=UNATTACHED)],
    ],
)
def test_not_every_client_id_fits(statements):
    assert findings(*statements) == []


class TestDenyOfTopicFilters:
    """AWS's second reason code: a wider filter has the messages that the Deny is about."""

    WIDE = allow("iot:Subscribe", f"{ARN}topicfilter/a/*")
    NARROW = deny("iot:Subscribe", f"{ARN}topicfilter/a/restricted/*")

    def test_wider_filter(self):
        assert findings(self.WIDE, self.NARROW) == [
            (
                "[1].Resource",
                "Deny on topicfilter/a/restricted/* does not refuse a/#, which statement 1 allows and which has the "
                "same messages; deny iot:Receive on topic/a/restricted/* too",
            )
        ]

    def test_the_cure(self):
        assert findings(self.WIDE, self.NARROW, deny("iot:Receive", f"{ARN}topic/a/restricted/*")) == []
        both = deny(["iot:Subscribe", "iot:Receive"], [f"{ARN}topicfilter/a/restricted/*", f"{ARN}topic/a/*"])
        assert findings(self.WIDE, both) == []

    def test_plus_in_a_level(self):
        found = texts(
            allow("iot:Subscribe", f"{ARN}topicfilter/a/*/b"), deny("iot:Subscribe", f"{ARN}topicfilter/a/x/b")
        )
        assert found == [
            "Deny on topicfilter/a/x/b does not refuse a/+/b, which statement 1 allows and which has the same messages"
            "; deny iot:Receive on topic/a/x/b too"
        ]

    def test_variables(self):
        own = "prod/${iot:ClientId}"
        found = texts(
            allow("iot:Subscribe", f"arn:aws:iot:*:*:topicfilter/{own}/*"),
            deny("iot:Subscribe", f"{ARN}topicfilter/{own}/secret"),
        )
        assert len(found) == 1
        assert "does not refuse prod/${iot:ClientId}/#" in found[0]

    @pytest.mark.parametrize(
        "allowed",
        [
            f"{ARN}topicfilter/a/restricted/*",
            f"{ARN}topicfilter/b/*",
            f"{ARN}topicfilter/a/b",
        ],
    )
    def test_no_wider_filter(self, allowed):
        assert not any("does not refuse" in text for text in texts(allow("iot:Subscribe", allowed), self.NARROW))

    def test_wider_filters_are_denied_too(self):
        assert findings(self.WIDE, deny("iot:Subscribe", f"{ARN}topicfilter/a/*/*")) != []
        assert texts(self.WIDE, deny("iot:Subscribe", [f"{ARN}topicfilter/a/?", f"{ARN}topicfilter/a/b/*"])) == [
            "Deny on topicfilter/a/b/* does not refuse a/+/#, which statement 1 allows and which has the same messages"
            "; deny iot:Receive on topic/a/b/* too"
        ]

    def test_no_wildcard_stands_for_a_reserved_topic(self):
        denied = deny("iot:Subscribe", f"{ARN}topicfilter/$aws/things/*")
        assert findings(allow("iot:Subscribe", [f"{ARN}topicfilter/#", f"{ARN}topicfilter/+/*"]), denied) == []


def test_a_finding_is_one_line():
    found = lint(
        document(
            allow("iot:Publish", f"{ARN}shadow\n\x1b[31m\u202e/a", Condition={"StringEquals": {"iot:\nname": "x"}})
        )
    )
    assert [finding.text.partition("/")[0] for finding in found] == [
        "shadow\\n\\x1b[31m\\u202e",
        "there is no condition key iot:\\nname: the condition is never fulfilled",
    ]
    assert all(str(finding).isprintable() for finding in found)


SHAPES = {
    "one level": lambda n: f"{ARN}topicfilter/a{n}/*",
    "wildcards alone": lambda n: f"*:::::*{n}*",
    "no letter differs": lambda n: f"*:::::{'a*' * (n % 60)}",
    "question marks": lambda n: f"*:::::{'?*' * (n % 20)}{n}",
    "variables": lambda n: f"*:::::${{a:{n}}}*?",
    "the same": lambda n: f"{ARN}topic/a",
}


def large(size: int, shape) -> PolicyDocument:
    """A document with as many resources as this size has room for, but not more than 1000, in two statements."""
    resources: list[str] = []
    while size > 0 and len(resources) < 1000:
        resources.append(shape(len(resources)))
        size -= len(resources[-1]) + 3
    half = len(resources) // 2
    return PolicyDocument(
        "large",
        "2012-10-17",
        (
            Statement("large", 1, Effect.ALLOW, ("iot:*",), tuple(resources[:half])),
            Statement("large", 2, Effect.DENY, ("iot:Subscribe",), tuple(resources[half:])),
        ),
    )


@pytest.mark.parametrize(("size", "seconds"), [(2048, 0.5), (50_000, 3)])  # ten times what they take
@pytest.mark.parametrize("shape", SHAPES)
def test_large_documents(shape, size, seconds):
    document = large(size, SHAPES[shape])
    started = time.process_time()
    lint(document)
    assert time.process_time() - started < seconds


@pytest.mark.parametrize(
    "resource", ["*:::::" + "*" * 1800, "*:::::" + "?*" * 900, f"{ARN}topicfilter" + "/" * 1800, "*:::::" + "a" * 1800]
)
def test_a_long_resource(resource):
    started = time.process_time()
    lint(document(allow("iot:*", resource), deny("iot:*", "*:::::" + "a*" * 20)))
    assert time.process_time() - started < 0.5


def test_many_actions():
    actions = [f"iot:*{n}*" for n in range(2500)]
    statement = Statement("many", 1, Effect.ALLOW, tuple(actions), ("*",))
    started = time.process_time()
    lint(PolicyDocument("many", "2012-10-17", (statement,)))
    assert time.process_time() - started < 1.25


patterns = st.lists(st.sampled_from(["a", "b", "*", "?", "${x:y}", "${x:Y}", "${x:z}"]), max_size=6).map("".join)


@settings(max_examples=500, deadline=None)
@given(patterns, patterns)
def test_the_index_agrees_with_covers(wide, narrow):
    encoder = Encoder()
    wide_tokens, narrow_tokens = (tokenise(text, variables=True) for text in (wide, narrow))
    index = Index([(encoder.encode(tokenise(wide, variables=True)), "wide")])
    covering = list(index.covering(encoder.encode(tokenise(narrow, variables=True))))
    assert covering == ["wide"] * covers(wide_tokens, narrow_tokens)


statements = st.builds(
    lambda make, actions, resources, condition: make(
        actions, resources, **({"Condition": condition} if condition else {})
    ),
    st.sampled_from([allow, allow, deny]),
    st.sampled_from(["iot:*", "iot:Publish", ["iot:Publish", "iot:Subscribe"], ["iot:Receive", "iot:Pub*"]]),
    st.lists(
        st.sampled_from(["topic", "topicfilter"]).flatmap(
            lambda kind: st.sampled_from(
                ["a", "*", "a/*", "a/?", "*/b", "a/${iot:ClientId}", "a/${iot:ClientId}*"]
            ).map(lambda name: f"{ARN}{kind}/{name}")
        )
        | st.sampled_from(["*", "arn:aws:iot:*:*:topic*", f"{ARN}*/b"]),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([None, None, ATTACHED, UNATTACHED]),
)
PRINCIPALS = [
    Principal(client_id=name, thing_name=name, attached=attached) for name in "xb" for attached in (True, False)
]
REQUESTS = [
    (action, f"{ARN}{kind}/{name}")
    for kind, actions in (("topic", ("Publish", "Receive", "RetainPublish")), ("topicfilter", ("Subscribe",)))
    for action in (f"iot:{action}" for action in actions)
    for name in ("a", "b", "a/b", "a/x", "a/xy", "a/x/b", "c/b")
]


@settings(max_examples=300, deadline=None)
@given(st.lists(statements, min_size=1, max_size=4))
def test_what_is_redundant_or_never_allowed_can_go(parts):
    original = document(*parts)
    idle = {finding.path for finding in lint(original) if finding.text.startswith(("redundant: ", "never allowed: "))}
    kept = []
    for statement in original.statements:
        several = len(statement.resources) > 1
        resources = tuple(
            resource
            for place, resource in enumerate(statement.resources)
            if f"$.Statement[{statement.number - 1}].Resource" + f"[{place}]" * several not in idle
        )
        if resources:
            kept.append(replace(statement, resources=resources))
    for principal in PRINCIPALS:
        before = PolicySet([original]).compile(principal)
        after = PolicySet([replace(original, statements=tuple(kept))]).compile(principal)
        for request in REQUESTS:
            assert before.decide(*request).allowed == after.decide(*request).allowed, (principal, request)

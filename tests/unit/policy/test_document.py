"""Reading documents. Grammar: IAM User Guide, "Grammar of the IAM JSON policy language"."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.policy import Condition, Effect, PolicyDocument, PolicyError, Statement
from tests.unit.policy.build import ARN, allow, deny, document, text

ACCOUNT = {"AWSAccountId": "123456789012"}


def mistake(source: str, **variables: str) -> str:
    with pytest.raises(PolicyError) as caught:
        PolicyDocument.parse(source, name="mine", variables=variables)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_statement_as_read():
    read = document(
        {
            "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": [True]}},
            "Sid": "A1",
            "NotAction": "iot:Connect",
            "NotResource": [ARN + "topic/a", "*"],
            "Effect": "Deny",
        }
    )
    assert read.version == "2012-10-17"
    assert read.statements == (
        Statement(
            document="test",
            number=1,
            effect=Effect.DENY,
            actions=("iot:Connect",),
            resources=(ARN + "topic/a", "*"),
            not_action=True,
            not_resource=True,
            conditions=(Condition("Bool", "iot:Connection.Thing.IsAttached", ("true",)),),
            sid="A1",
            variables=True,
        ),
    )


def test_one_statement_without_a_list():
    source = json.dumps({"Version": "2012-10-17", "Id": "x", "Statement": allow("iot:Connect", "*")})
    assert (
        PolicyDocument.parse(source, name="n").statements
        == document(allow(["iot:Connect"], ["*"]), name="n").statements
    )


@pytest.mark.parametrize(("version", "variables"), [("2012-10-17", True), ("2008-10-17", False), (None, False)])
def test_versions(version, variables):
    read = document(allow("iot:Connect", "*"), version=version)
    assert read.statements[0].variables is variables
    assert read.version == (version or "2008-10-17")


def test_placeholder_is_filled_everywhere_before_anything_else():
    source = text(
        allow("iot:Publish", "arn:aws:iot:*:${AWSAccountId}:topic/${iot:ClientId}"),
        deny("iot:Publish", "*", Condition={"StringEquals": {"k": ["${AWSAccountId}"]}}),
        version="2008-10-17",
    )
    first, second = PolicyDocument.parse(source, name="n", variables=ACCOUNT).statements
    assert first.resources == ("arn:aws:iot:*:123456789012:topic/${iot:ClientId}",)
    assert second.conditions[0].values == ("123456789012",)


def test_placeholder_without_value():
    source = text(allow("iot:Publish", ["*", "arn:aws:iot:*:${AWSAccountId}:topic/a"]))
    place = "mine: $.Statement[0].Resource[1]: "
    assert (
        mistake(source) == place + "the placeholder ${AWSAccountId} is not filled: no value was given for AWSAccountId"
    )


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_placeholder_without_value_is_text_where_there_are_no_variables(version):
    read = document(allow("iot:Publish", f"{ARN}topic/${{foo}}"), version=version)
    assert read.statements[0].resources == (f"{ARN}topic/${{foo}}",)


def test_a_sid_has_no_placeholders():
    assert document(allow("iot:Publish", "*", Sid="pay ${foo}")).statements[0].sid == "pay ${foo}"


def test_the_largest_document():
    def of(length):
        source = text(allow("iot:Publish", f"{ARN}topic/"))
        return source.replace("topic/", "topic/" + "x" * (length - len("".join(source.split()))))

    assert PolicyDocument.parse(of(2048), name="n")
    assert mistake(of(2049)) == "mine: $: 2049 characters without white space; AWS IoT takes 2048"


@pytest.mark.parametrize("value", ["*", "1?", "${iot:ClientId}", "}"])
def test_placeholder_value_with_policy_syntax(value):
    assert "holds policy syntax" in mistake(text(allow("iot:Publish", "*")), AWSAccountId=value)


@pytest.mark.parametrize(
    ("source", "place", "reason"),
    [
        ("", "not JSON, at line 1 column 1", "Expecting value"),
        ('{\n "Version": x}', "not JSON, at line 2 column 13", "Expecting value"),
        ('{"Version": NaN}', "not JSON that can be read", "NaN is not a JSON value"),
        ("[" * 100_000, "not JSON that can be read", "recursion"),
        ("9" * 10_000, "not JSON that can be read", "digits"),
        ("[]", "$", "must be an object"),
        ("{}", "$.Statement", "must be a statement or a list of statements"),
        ('{"Statement": []}', "$.Statement", "a list of statements"),
        ('{"Statement": [1]}', "$.Statement[0]", "must be an object"),
        ('{"Version": "2012-10-17", "Version": "2008-10-17"}', "$", 'the key "Version" stands here twice'),
        ('{"Version": "2012-10-18", "Statement": []}', "$.Version", "must be 2012-10-17 or 2008-10-17"),
        ('{"Version": ["2012-10-17"], "Statement": []}', "$.Version", "must be 2012-10-17 or"),
        ('{"Id": 5, "Statement": []}', "$.Id", "must be a string"),
        ('{"Id": {"x": 1}, "Statement": []}', "$.Id", "must be a string"),
        ('{"Statement": {"\\ud800": 1}}', "$.Statement", "\\ud800 is half of a surrogate pair, not a character"),
        ('{"Statements": []}', "$", 'unknown element "Statements"; known are Id, Statement, Version'),
        ('{"Statement": {"Effect": "Allow", "Effect": "Deny"}}', "$.Statement", 'the key "Effect" stands here twice'),
    ],
)
def test_malformed_text(source, place, reason):
    message = mistake(source)
    assert message.startswith(f"mine: {place}: ")
    assert reason in message


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"Effect": "allow"}, ".Effect", 'must be "Allow" or "Deny"'),
        ({"Effect": ["Allow"]}, ".Effect", "must be"),
        ({"Effect": None}, ".Effect", "must be"),
        ({"Principal": "*"}, "", 'unknown element "Principal"'),
        ({"NotAction": "iot:Connect"}, "", "must hold exactly one of Action and NotAction"),
        ({"NotResource": "*"}, "", "must hold exactly one of Resource and NotResource"),
        ({"Action": []}, ".Action", "the list is empty"),
        ({"Action": ["iot:Connect", 1]}, ".Action[1]", "must be a string"),
        ({"Action": "Publish"}, ".Action", '"Publish" is not an action; one is written iot:Publish'),
        ({"Action": "iot:"}, ".Action", "is not an action"),
        ({"Resource": []}, ".Resource", "the list is empty"),
        ({"Resource": {}}, ".Resource", "must be a string"),
        ({"Resource": "topic/a"}, ".Resource", '"topic/a" is not a resource; one begins with arn: or *'),
        ({"Resource": [ARN + "topic/${iot:ClientId"]}, ".Resource[0]", "without a closing brace"),
        ({"Resource": "arn:aws:iot:*:${iot:ClientId}:topic/a"}, ".Resource", "stands before the fifth colon"),
        ({"Condition": []}, ".Condition", "must be an object"),
        ({"Condition": {"Bool": "true"}}, '.Condition["Bool"]', "must be an object"),
        ({"Condition": {"Bool": {"k": None}}}, '.Condition["Bool"]["k"]', "must be a string"),
        ({"Condition": {"Bo\nol": {"k": "true"}}}, '.Condition["Bo\\nol"]["k"]', "unknown condition operator"),
        ({"Condition": {"StringEquls": {}}}, '.Condition["StringEquls"]', "must hold a condition key"),
        (
            {"Resource": "arn:aws:iot:::topic/\ud800"},
            ".Resource",
            "\\ud800 is half of a surrogate pair, not a character",
        ),
        ({"Sid": 1}, ".Sid", "must be a string"),
        ({"Sid": "\udfff"}, ".Sid", "\\udfff is half of a surrogate pair, not a character"),
    ],
)
def test_malformed_statement(change, place, reason):
    source = text(allow("iot:Publish", "*"), allow("iot:Publish", "*") | change)
    message = mistake(source)
    assert message.startswith(f"mine: $.Statement[1]{place}: ")
    assert reason in message


@pytest.mark.parametrize("element", ["Effect", "Action", "Resource"])
def test_missing_element(element):
    statement = allow("iot:Publish", "*")
    del statement[element]
    assert element in mistake(text(statement))


def test_repeated_condition_key():
    source = (
        '{"Statement": {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"k":"true","k":"false"}}}}'
    )
    assert mistake(source) == 'mine: $.Statement.Condition["Bool"]: the key "k" stands here twice'


@pytest.mark.parametrize(
    ("resource", "count"), [("*", 0), (ARN + "topic/*", 0), ("arn:aws:iot:*client/x", 1), ("**", 1)]
)
def test_warnings(resource, count):
    read = document(allow("iot:Connect", resource))
    assert len(read.warnings) == count
    assert all(warning.startswith(f"test statement 1: {resource} ") for warning in read.warnings)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["Allow", "*", "iot:Publish", "${x:y}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "Statement", "Effect", "Action", "Resource", "Condition", "Bool", "k"]), inner
        )
    ),
    max_leaves=15,
)


@given(st.text(max_size=40) | JSON.map(json.dumps))
def test_any_text_is_read_or_refused_in_one_line(source):
    try:
        PolicyDocument.parse(source, name="mine")
    except PolicyError as error:
        assert str(error).startswith("mine: ")  # noqa: PT017 - most texts are refused, some are not
        assert "\n" not in str(error)  # noqa: PT017

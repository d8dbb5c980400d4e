"""Condition operators. Vectors: IAM User Guide, "Condition operators" and "Conditions with multiple keys or values";
AWS IoT Core Developer Guide, "Connect policy examples".
"""

import dataclasses

import pytest

from harness.policy import PolicyError, Principal
from tests.unit.policy.build import CLIENT1, allow, compiled, document, holds

HERE = dataclasses.replace(CLIENT1, source_ip="203.0.113.7", domain_name="Mqtt.Example", thing_type="7")
ABSENT = "aws:TokenIssueTime"
WILL = "iot:LastWillTopic"


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("StringEquals", "Mqtt.Example", True),
        ("StringEquals", "mqtt.example", False),
        ("StringEquals", "Mqtt*", False),
        ("StringEquals", [], False),
        ("StringNotEquals", "mqtt.example", True),
        ("StringNotEquals", ["other", "Mqtt.Example"], False),
        ("StringNotEquals", [], True),
        ("StringEqualsIgnoreCase", "mqtt.EXAMPLE", True),
        ("StringNotEqualsIgnoreCase", "mqtt.EXAMPLE", False),
        ("StringLike", "Mqtt.*", True),
        ("StringLike", "mqtt.*", False),
        ("StringLike", "Mqtt?Exampl?", True),
        ("StringLike", ["x", "M*"], True),
        ("StringNotLike", "M*", False),
        ("StringNotLike", ["x", "y*"], True),
        ("StringEquals", "Mqtt.${*}", False),
        ("BinaryEquals", "TXF0dC5FeGFtcGxl", True),
        ("BinaryEquals", "TXF0dA==", False),
    ],
)
def test_strings(operator, value, expected):
    assert holds({operator: {"iot:DomainName": value}}, HERE) is expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("IpAddress", "203.0.113.0/24", True),
        ("IpAddress", "203.0.113.7", True),
        ("IpAddress", "203.0.113.8", False),
        ("IpAddress", ["2001:DB8:1234:5678::/64", "203.0.113.0/24"], True),
        ("IpAddress", "2001:DB8:1234:5678::/64", False),
        ("NotIpAddress", "203.0.113.0/24", False),
        ("NotIpAddress", "198.51.100.0/24", True),
    ],
)
def test_addresses(operator, value, expected):
    assert holds({operator: {"aws:SourceIp": value}}, HERE) is expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("NumericEquals", "7.0", True),
        ("NumericEquals", 7, True),
        ("NumericNotEquals", "7", False),
        ("NumericLessThan", "7", False),
        ("NumericLessThan", "10", True),
        ("NumericLessThanEquals", "7", True),
        ("NumericGreaterThan", "6.9", True),
        ("NumericGreaterThan", "7", False),
        ("NumericGreaterThanEquals", "7", True),
        ("DateEquals", "1970-01-01T00:00:07Z", True),
        ("DateNotEquals", "1970-01-01T00:00:07Z", False),
        ("DateLessThan", "2020-01-01T00:00:01Z", True),
        ("DateLessThanEquals", "1970-01-01T00:00:07", True),
        ("DateGreaterThan", "1970-01-01", True),
        ("DateGreaterThan", "1970-01", True),
        ("DateGreaterThanEquals", "8", False),
    ],
)
def test_numbers_and_dates(operator, value, expected):
    assert holds({operator: {"iot:Connection.Thing.ThingTypeName": value}}, HERE) is expected


@pytest.mark.parametrize("had", ["1e17", "1e400", "nan", "-1e300", "yesterday"])
def test_what_a_client_calls_itself_may_be_no_date(had):
    principal = Principal(client_id=had, thing_name=None, attached=False)
    assert not holds({"DateGreaterThan": {"iot:ClientId": "1970-01-01"}}, principal)


def test_text_is_no_number():
    assert not holds({"NumericLessThan": {"iot:DomainName": "10"}}, HERE)
    assert holds({"NumericNotEquals": {"iot:DomainName": "10"}}, HERE)


@pytest.mark.parametrize("value", ["true", ["true"], True, [True], "TRUE"])
def test_all_forms_of_true_are_the_same(value):
    condition = {"Bool": {"iot:Connection.Thing.IsAttached": value}}
    assert holds(condition)
    assert not holds(condition, dataclasses.replace(CLIENT1, attached=False))


def test_arn_parts_are_compared_one_by_one():
    # The page's example, where StringLike and ArnLike differ.
    pattern = "arn:aws:someservice:*:111122223333:finance/*"
    value = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
    principal = dataclasses.replace(CLIENT1, last_will_topic=value)
    assert holds({"StringLike": {WILL: pattern}}, principal)
    assert not holds({"ArnLike": {WILL: pattern}}, principal)
    assert not holds({"ArnEquals": {WILL: pattern}}, principal)
    assert holds({"ArnNotLike": {WILL: pattern}}, principal)
    assert holds({"ArnNotEquals": {WILL: pattern}}, principal)


@pytest.mark.parametrize(
    ("topic", "expected"), [("my/client1/x", True), ("my/client1/x:y", True), ("my/other/x", False)]
)
def test_arn_with_variables_and_wildcards(topic, expected):
    principal = dataclasses.replace(CLIENT1, last_will_topic=topic)
    assert holds({"ArnEquals": {WILL: "arn:aws:iot:*:*:topic/my/${iot:ClientId}/*"}}, principal) is expected
    assert not holds({"ArnEquals": {WILL: "arn:aws:iot:*:*:topic/my/${iot:ClientId}/*"}}, CLIENT1)


def test_arn_operators_refuse_text_that_is_no_arn():
    assert not holds({"ArnLike": {"iot:DomainName": "arn:*:*:*:*:*"}}, HERE)


POSITIVE = {
    "StringEquals": "x",
    "StringEqualsIgnoreCase": "x",
    "StringLike": "*",
    "NumericEquals": "1",
    "DateLessThan": "2020-01-01",
    "Bool": "false",
    "BinaryEquals": "eA==",
    "IpAddress": "0.0.0.0/0",
    "ArnLike": "arn:*:*:*:*:*",
}
NEGATED = {
    "StringNotEquals": "x",
    "StringNotEqualsIgnoreCase": "x",
    "StringNotLike": "*",
    "NumericNotEquals": "1",
    "DateNotEquals": "2020-01-01",
    "NotIpAddress": "0.0.0.0/0",
    "ArnNotEquals": "arn:*:*:*:*:*",
}


@pytest.mark.parametrize("operator", POSITIVE)
def test_absent_key_positive(operator):
    assert not holds({operator: {ABSENT: POSITIVE[operator]}})
    assert holds({f"{operator}IfExists": {ABSENT: POSITIVE[operator]}})
    assert holds({f"ForAllValues:{operator}": {ABSENT: POSITIVE[operator]}})
    assert not holds({f"ForAnyValue:{operator}": {ABSENT: POSITIVE[operator]}})


@pytest.mark.parametrize("operator", NEGATED)
def test_absent_key_negated(operator):
    assert holds({operator: {ABSENT: NEGATED[operator]}})
    assert holds({f"{operator}IfExists": {ABSENT: NEGATED[operator]}})
    assert holds({f"ForAllValues:{operator}": {ABSENT: NEGATED[operator]}})
    assert not holds({f"ForAnyValue:{operator}": {ABSENT: NEGATED[operator]}})


def test_if_exists_compares_a_key_that_exists():
    assert holds({"StringEqualsIfExists": {"iot:ClientId": "client1"}})
    assert not holds({"StringEqualsIfExists": {"iot:ClientId": "other"}})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (ABSENT, "true", True),
        (ABSENT, "false", False),
        ("iot:ClientId", "true", False),
        ("iot:ClientId", "false", True),
        ("iot:ClientId", False, True),
        ("iot:ClientId", ["true", "false"], True),
        ("iot:ConnectAttributes", "true", True),
    ],
)
def test_null(key, value, expected):
    assert holds({"Null": {key: value}}) is expected


def test_operators_and_keys_are_a_conjunction():
    yes, no = {"StringEquals": {"iot:ClientId": "client1"}}, {"StringLike": {"iot:ClientId": "x*"}}
    assert holds(yes | {"StringLike": {"iot:ClientId": "c*"}})
    assert not holds(yes | no)
    assert not holds({"StringEquals": {"iot:ClientId": "client1", "iot:DomainName": "x"}})


def test_values_with_variables():
    name = "${iot:Connection.Thing.ThingName}"
    assert holds({"StringEquals": {"iot:ClientId": name}})
    assert holds({"StringLike": {"iot:ClientId": "${iot:ClientId}*"}})
    star = Principal(client_id="*", thing_name=None, attached=False, domain_name="anything")
    assert not holds({"StringLike": {"iot:DomainName": "${iot:ClientId}"}}, star)
    # Nothing equals a value that is not there, so the inverted operator is true (IAM, variables with no value).
    assert not holds({"StringEquals": {"iot:ClientId": name}}, star)
    assert not holds({"StringEqualsIgnoreCase": {"iot:ClientId": name}}, star)
    assert holds({"StringNotEquals": {"iot:ClientId": name}}, star)


def attributes(*values: str) -> Principal:
    return dataclasses.replace(CLIENT1, connect_attributes=values)


PERSISTENT, LAST_WILL = "PersistentConnect", "LastWill"


# Connect policy examples: what each of the page's conditions says about four kinds of CONNECT.
@pytest.mark.parametrize(
    ("operator", "wanted", "clean", "persistent", "will", "both"),
    [
        ("ForAllValues:StringEquals", [PERSISTENT], True, True, False, False),
        ("ForAllValues:StringNotEquals", [PERSISTENT], True, False, True, False),
        ("ForAnyValue:StringEquals", [PERSISTENT], False, True, False, True),
        ("ForAllValues:StringEquals", [PERSISTENT, LAST_WILL], True, True, True, True),
        ("ForAllValues:StringEquals", [LAST_WILL], True, False, True, False),
        ("ForAllValues:StringEquals", [], True, False, False, False),
        ("ForAnyValue:StringNotEquals", [PERSISTENT], False, False, True, True),
        # Without a qualifier, undocumented: one of them for positive operators, none of them for negated ones.
        ("StringEquals", [PERSISTENT], False, True, False, True),
        ("StringNotEquals", [PERSISTENT], True, False, True, False),
    ],
)
def test_connect_attributes(operator, wanted, clean, persistent, will, both):
    condition = {operator: {"iot:ConnectAttributes": wanted}}
    connects = [attributes(), attributes(PERSISTENT), attributes(LAST_WILL), attributes(PERSISTENT, LAST_WILL)]
    assert [holds(condition, principal) for principal in connects] == [clean, persistent, will, both]


def test_keys_of_the_connect_packet_are_gone_afterwards():
    principal = dataclasses.replace(attributes(LAST_WILL), last_will_topic="w")
    for key in ("iot:ConnectAttributes", WILL):
        assert holds({"Null": {key: "false"}}, principal, "IOT:CONNECT")
        assert holds({"Null": {key: "true"}}, principal, "iot:Publish")


def test_old_version_has_no_variables_in_conditions():
    policies = compiled(
        allow("iot:*", "*", Condition={"StringEquals": {"iot:ClientId": "${iot:ClientId}"}}), version="2008-10-17"
    )
    assert not policies.decide("iot:Connect", "x").allowed


@pytest.mark.parametrize(
    ("operator", "value", "reason"),
    [
        ("StringMatches", "x", "unknown condition operator 'StringMatches'"),
        ("ForSomeValues:StringEquals", "x", "unknown condition operator"),
        ("NullIfExists", "true", "unknown condition operator"),
        ("Bool", "yes", "'yes' is neither true nor false"),
        ("Null", "no", "'no' is neither true nor false"),
        ("IpAddress", "203.0.113.0/33", "203.0.113.0/33"),
        ("NumericEquals", "seven", "'seven' is not a number"),
        ("NumericEquals", "NaN", "'NaN' is not a number"),
        ("DateEquals", "yesterday", "yesterday"),
        ("DateEquals", "1e400", "'1e400' is not a date"),
        ("DateEquals", "1e17", "'1e17' is not a date"),
        ("DateEquals", "nan", "'nan' is not a date"),
        ("IpAddress", "10.0.0.0/255.0.0.0", "'10.0.0.0/255.0.0.0' is not an address or network"),
        ("ArnLike", "*", "'*' is not an ARN"),
        ("BinaryEquals", "?", ""),
        ("StringEquals", "${iot:ClientId", "without a closing brace"),
    ],
)
def test_conditions_that_can_never_be_compared(operator, value, reason):
    with pytest.raises(PolicyError) as caught:
        document(allow("iot:Connect", "*", Condition={operator: {"k": value}}))
    place = f'test: $.Statement[0].Condition["{operator}"]["k"]: '
    assert str(caught.value).startswith(place)
    assert reason in str(caught.value)

"""Variables and keys of a principal. AWS IoT Core Developer Guide: policy variables of things and certificates."""

import dataclasses

import pytest

from harness.policy import Principal
from harness.policy.evaluation.principal import Context

DEVICE = Principal(
    client_id="dev-1",
    thing_name="dev-1",
    attached=True,
    attributes={"tenantId": "T", "empty": ""},
    thing_type="nrf9151",
    source_ip="192.0.2.1",
    domain_name="mqtt.nrfcloud.com",
    certificate_id="ab" * 32,
)


def variable(name: str, principal: Principal = DEVICE) -> str | None:
    return Context(principal, connecting=False).variable(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iot:ClientId", "dev-1"),
        ("IOT:clientid", None),
        ("aws:SourceIp", "192.0.2.1"),
        ("iot:DomainName", "mqtt.nrfcloud.com"),
        ("iot:CertificateId", "ab" * 32),
        ("iot:Connection.Thing.ThingName", "dev-1"),
        ("iot:Connection.Thing.ThingTypeName", "nrf9151"),
        ("iot:Connection.Thing.Attributes[tenantId]", "T"),
        ("IOT:CONNECTION.THING.ATTRIBUTES[tenantId]", None),
        ("iot:Connection.Thing.Attributes[tenantid]", None),
        ("iot:Connection.Thing.Attributes[empty]", None),
        ("iot:Connection.Thing.IsAttached", "true"),
        ("iot:Thing.ThingName", None),  # in several published examples, but no variable
        ("AWSAccountId", None),
    ],
)
def test_attached_thing(name, value):
    assert variable(name) == value


THING = ["ThingName", "ThingTypeName", "Attributes[tenantId]"]


@pytest.mark.parametrize("name", THING)
@pytest.mark.parametrize("change", [{"attached": False}, {"thing_name": None}])
def test_thing_variables_need_attachment(name, change):
    principal = dataclasses.replace(DEVICE, **change)
    assert variable(f"iot:Connection.Thing.{name}", principal) is None
    assert variable("iot:Connection.Thing.IsAttached", principal) == "false"
    assert variable("iot:ClientId", principal) == "dev-1"


@pytest.mark.parametrize("name", [*THING, "IsAttached"])
def test_https_has_no_connection(name):
    principal = dataclasses.replace(DEVICE, client_id=None)
    assert variable(f"iot:Connection.Thing.{name}", principal) is None
    assert variable("iot:ClientId", principal) is None


def test_connect_packet():
    principal = dataclasses.replace(DEVICE, connect_attributes=("LastWill",), last_will_topic="a/b")
    connect, later = Context(principal, connecting=True), Context(principal, connecting=False)
    assert connect.values("iot:ConnectAttributes") == ("LastWill",)
    assert connect.values("iot:LastWillTopic") == ("arn:aws:iot:us-east-1:123456789012:topic/a/b",)
    assert connect.variable("iot:ConnectAttributes") is None
    assert later.values("iot:ConnectAttributes") is None
    assert later.values("iot:LastWillTopic") is None


def certificate(**values: tuple[str, ...]) -> Context:
    names = {name.replace("_", "."): value for name, value in values.items()}
    return Context(dataclasses.replace(DEVICE, certificate=names), connecting=False)


def test_certificate_values_by_number_and_as_list():
    context = certificate(Subject_Country=("NO", "SE"), SerialNumber=("1f",))
    assert context.variable("iot:Certificate.Subject.Country") == "NO"
    assert context.variable("iot:Certificate.Subject.Country.1") == "SE"
    assert context.variable("iot:Certificate.Subject.Country.2") is None
    assert context.variable("iot:Certificate.Subject.Country.List") is None
    assert context.values("iot:certificate.subject.country.list") == ("NO", "SE")
    assert context.variable("iot:Certificate.SerialNumber") == "1f"
    assert context.values("iot:Certificate.AvailableKeys") == (
        "iot:Certificate.Subject.Country",
        "iot:Certificate.SerialNumber",
    )


def test_certificate_lists_are_cut_at_five():
    context = certificate(Subject_Country=tuple("abcdefg"))
    assert context.values("iot:Certificate.Subject.Country.List") == tuple("abcde")
    assert context.variable("iot:Certificate.Subject.Country.5") is None


@pytest.mark.parametrize("value", ["a*", "$x", "+", "what?", "#1", "x" * 1025, ""])
def test_certificate_values_that_are_not_substituted(value):
    context = certificate(Subject_CommonName=(value,), Subject_Title=("x" * 1024, value, "z"))
    assert context.variable("iot:Certificate.Subject.CommonName") is None
    assert context.values("iot:Certificate.Subject.CommonName.List") is None
    assert context.variable("iot:Certificate.Subject.Title") == "x" * 1024
    assert context.variable("iot:Certificate.Subject.Title.1") is None
    assert context.variable("iot:Certificate.Subject.Title.2") == "z"
    assert context.values("iot:Certificate.AvailableKeys") == ("iot:Certificate.Subject.Title",)


def test_certificate_text_is_spelled_with_backslashes():
    context = certificate(Subject_Organization=('A, "B"; <C=D>\\',))
    assert context.variable("iot:Certificate.Subject.Organization") == r"A\, \"B\"\; \<C\=D\>\\"


def test_no_certificate_no_keys():
    assert Context(DEVICE, connecting=False).values("iot:Certificate.AvailableKeys") is None

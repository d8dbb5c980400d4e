"""The shipped documents against the text of nRF Cloud's "Device security" page."""

import json

import pytest

from harness.policy import PolicyError, load_document, load_profile
from harness.policy.documents.profile import DOCUMENTS

ACCOUNT = "123456789012"
ARN = "arn:aws:iot:*:123456789012:"
TENANT = "${iot:Connection.Thing.Attributes[tenantId]}"


def test_three_documents_by_name():
    profile = load_profile(account=ACCOUNT)
    assert {name: (document.name, len(document.statements)) for name, document in profile.items()} == {
        "provisioned": ("provisioned", 5),
        "associated": ("associated", 2),
        "gateway": ("gateway", 2),
    }
    assert not any(document.warnings for document in profile.values())


def test_provisioned_order_of_elements_is_the_pages():
    page = json.loads((DOCUMENTS / "page" / "provisioned.json").read_text())
    assert list(page["Statement"][0]) == ["Condition", "Action", "Resource", "Effect"]
    assert page["Statement"][0]["Resource"] == "arn:aws:iot:*:${AWSAccountId}:client/${iot:ClientId}"
    assert [statement["Action"] for statement in page["Statement"]] == [
        "iot:Connect",
        "iot:Subscribe",
        "iot:Publish",
        ["iot:Receive"],
        ["iot:UpdateThingShadow", "iot:GetThingShadow"],
    ]


def test_associated_resources():
    subscribe, publish = load_profile(account=ACCOUNT)["associated"].statements
    assert subscribe.resources == (
        f"{ARN}topicfilter/prod/{TENANT}/m/*",
        f"{ARN}topicfilter/prod/{TENANT}/a/*",
        f"{ARN}topicfilter/prod/{TENANT}/${{iot:ClientId}}/jobs/*",
        f"{ARN}topicfilter/prod/{TENANT}/${{iot:ClientId}}/jobs/ble/*",
    )
    assert publish.resources == (
        f"{ARN}topic/prod/{TENANT}/m/*",
        f"{ARN}topic/prod/{TENANT}/${{iot:ClientId}}/jobs/*",
        f"{ARN}topic/prod/{TENANT}/${{iot:ClientId}}/jobs/ble/*",
    )


def test_gateway_is_mended():
    subscribe, publish = load_profile(account=ACCOUNT)["gateway"].statements
    team = "${iot:Connection.Thing.Attributes[teamId]}"
    assert subscribe.resources == (f"{ARN}topicfilter/prod/{team}/gateways/${{iot:ClientId}}/c2g",)
    assert publish.resources == (f"{ARN}topic/prod/{team}/gateways/${{iot:ClientId}}/g2c",)


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "*", "12345678901x", "${iot:ClientId}"])
def test_account_has_twelve_digits(account):
    with pytest.raises(PolicyError, match=r"provisioned: .* is not an AWS account"):
        load_profile(account=account)


def test_missing_file(tmp_path):
    with pytest.raises(PolicyError, match=r"^own: cannot read .*own\.json: No such file"):
        load_document(tmp_path / "own.json", account=ACCOUNT)


def test_file_that_is_no_text(tmp_path):
    path = tmp_path / "own.json"
    path.write_bytes(b"\xff\xfa")
    with pytest.raises(PolicyError, match=r"own: .* is not UTF-8 text"):
        load_document(path, account=ACCOUNT)


def test_byte_order_mark(tmp_path):
    path = tmp_path / "own.json"
    path.write_bytes(b"\xef\xbb\xbf" + (DOCUMENTS / "page" / "gateway.json").read_bytes())
    assert load_document(path, account=ACCOUNT).name == "own"


def test_profiles_by_name():
    page, current = load_profile("page", account=ACCOUNT), load_profile("current", account=ACCOUNT)
    assert page == load_profile(account=ACCOUNT)
    assert {name: current[name] == page[name] for name in page} == {
        "provisioned": False,
        "associated": True,
        "gateway": True,
    }
    with pytest.raises(PolicyError, match=r"^there is no profile 'pages'; there are page and current$"):
        load_profile("pages", account=ACCOUNT)


def test_current_firmware_publishes_on_trimmed_topics():
    page, current = (load_profile(name, account=ACCOUNT)["provisioned"].statements for name in ("page", "current"))
    own = f"{ARN}topic/${{iot:ClientId}}/shadow"
    added = (f"{own}/get/trim", f"{own}/get/tf", f"{own}/update")
    assert current[2].resources == page[2].resources + added
    assert [s for n, s in enumerate(current) if n != 2] == [s for n, s in enumerate(page) if n != 2]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.yaml", "", "the file is empty"),
        ("empty.json", " \n", "the file is empty"),
        ("values.yaml", "a: 1\n", "this YAML holds no policy"),
        ("text.yml", "foo\n", "this YAML holds no policy"),
        ("text.json", "foo\n", "not JSON, at line 1 column 1"),
    ],
)
def test_a_file_without_a_policy_is_told_as_what_it_is(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(PolicyError, match=words):
        load_document(path, account=ACCOUNT)

"""Documents with a real account and region in their ARNs."""

import pytest

from harness.policy import PolicyError, PolicySet, Principal, at_home, clash, load_profile, topic_arn
from harness.policy.lint import lint
from tests.unit.policy.build import allow, deny, document

REAL = "arn:aws:iot:eu-west-1:987654321098:"
HERE = "arn:aws:iot:us-east-1:123456789012:"
CLIENT = Principal(client_id="dev", thing_name=None, attached=False, last_will_topic="w")


def moved(*resources, **more):
    """Resources of an Allow, as they are read."""
    (one,) = at_home([document(allow("iot:Publish", list(resources), **more))])
    return list(one.statements[0].resources)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (REAL + "topic/a:b", HERE + "topic/a:b"),
        ("arn:aws:iot:*:987654321098:topic/a", "arn:aws:iot:*:123456789012:topic/a"),
        ("arn:aws:iot:eu-west-1:*:topic/a", "arn:aws:iot:us-east-1:*:topic/a"),
        ("arn:aws:iot:eu-*:98765432109?:topic/a", HERE + "topic/a"),
        ("arn:aws-cn:iot:cn-north-1:987654321098:topic/a", HERE + "topic/a"),
        ("arn:aws:*:eu-west-1:987654321098:topic/a", "arn:aws:*:us-east-1:123456789012:topic/a"),
        *(
            (same, same)
            for same in [
                HERE + "topic/a",
                "arn:aws:iot:*:*:topic/a",
                "*",
                "arn:aws:iot:*:topic/a:b",
                # What lint says matches nothing is not made to match.
                "arn:aws:iot:*:1234:topic/a",
                "arn:aws:iot:::topic/a",
                "arn:aws:sns:eu-west-1:987654321098:topic/a",
            ]
        ),
    ],
)
def test_a_cloud_is_of_the_account_and_region_that_its_documents_name(written, read):
    assert moved(written) == [read]


def test_nothing_is_made_anew_where_nothing_is_named():
    page = list(load_profile(account="123456789012").values())
    assert all(one is same for one, same in zip(at_home(page), page, strict=True))


def test_conditions_are_read_alike():
    condition = {"Condition": {"ArnEquals": {"iot:LastWillTopic": REAL + "topic/w"}}}
    (one,) = at_home([document(allow("iot:Connect", REAL + "client/*", **condition))])
    assert PolicySet([one]).compile(CLIENT).decide("iot:Connect", HERE + "client/dev").allowed


def test_the_filled_placeholder_is_the_clouds_own_account():
    documents = [
        document(allow("iot:Publish", "arn:aws:iot:*:123456789012:topic/a"), name="a"),
        document(deny("iot:Publish", REAL + "topic/b"), name="b"),
    ]
    compiled = PolicySet(at_home(documents)).compile(CLIENT)
    assert compiled.decide("iot:Publish", topic_arn("a")).allowed
    assert compiled.decide("iot:Publish", topic_arn("b")).statement == 1


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("turned", [False, True])
def test_documents_of_a_profile_are_of_any_partition(partition, turned):
    own = document(allow("iot:Publish", f"arn:{partition}:iot:x-1:987654321098:topic/a"), name="own")
    documents = [own, *load_profile(account="123456789012").values()]
    compiled = PolicySet(at_home(documents[::-1] if turned else documents)).compile(CLIENT)
    assert compiled.decide("iot:Publish", topic_arn("a")).document == "own"
    assert compiled.decide("iot:Receive", topic_arn("b")).document == "provisioned"


def test_a_reason_quotes_what_the_document_says():
    china = "arn:aws-cn:iot:cn-north-1:987654321098:topic/"
    condition = {"Condition": {"ArnLike": {"iot:LastWillTopic": [china + "will/?"]}}}
    documents = [
        document(allow("iot:Connect", "*", **condition), allow("iot:Publish", "arn:aws-cn:iot:cn-north-1:98:topic/a"))
    ]
    compiled = PolicySet(at_home(documents)).compile(CLIENT)
    said = compiled.decide("iot:Connect", HERE + "client/dev").explain()
    assert f"ArnLike iot:LastWillTopic '{china}will/?' is not fulfilled: the request has '{china}w'" in said
    assert "allows arn:aws-cn:iot:cn-north-1:98:topic/a" in compiled.decide("iot:Publish", topic_arn("a")).explain()


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("arn:aws:iot:eu-west-1:111111111111:topic/b", "account is 111111111111, but that of {} is 987654321098"),
        ("arn:aws:iot:us-east-1:987654321098:topic/b", "region is us-east-1, but that of {} is eu-west-1"),
        ("arn:aws:iot:us-*:987654321098:topic/b", "region is us-*, but that of {} is eu-west-1"),
        ("arn:aws-cn:iot:*:*:topic/b", "partition is aws-cn, but that of {} is aws"),
    ],
)
def test_documents_that_cannot_be_of_one_cloud(second, reason):
    first = document(allow("iot:Publish", REAL + "topic/a"), name="a")
    other = document(allow("iot:Publish", ["*", second]), name="b")
    text = f"its {reason.format('a, $.Statement[0].Resource,')}; a cloud has one: write that, or *"
    assert str(clash([first, other])) == f"b: $.Statement[0].Resource[1]: {text}"
    with pytest.raises(PolicyError) as caught:
        at_home([first, other])
    assert str(caught.value) == f"b: $.Statement[0].Resource[1]: {text}"
    both = document(allow("iot:Publish", REAL + "topic/a"), deny("iot:Publish", second))
    found = f"test: $.Statement[1].Resource: its {reason.format('$.Statement[0].Resource')}; "
    assert any(str(finding).startswith(found) for finding in lint(both))


def test_lint_says_nothing_of_one_account():
    assert lint(document(allow("iot:Publish", REAL + "topic/a"), allow("iot:Publish", REAL + "topic/b"))) == []


@pytest.mark.parametrize("wide", ["eu-*", "*", "eu-west-?", "**"])
@pytest.mark.parametrize("turned", [False, True])
def test_wildcards_that_fit_the_clouds_region_are_of_the_same_cloud(wide, turned):
    written = [f"arn:aws:iot:{region}:123456789012:topic/{name}" for name, region in (("a", "eu-west-1"), ("b", wide))]
    documents = [document(allow("iot:Publish", one), name=f"d{n}") for n, one in enumerate(written)]
    policies = PolicySet(at_home(documents[::-1] if turned else documents)).compile(CLIENT)
    assert all(policies.decide("iot:Publish", f"{HERE}topic/{name}").allowed for name in "ab")


def test_wildcards_that_do_not_fit_are_of_another_cloud():
    documents = [document(allow("iot:Publish", f"arn:aws:iot:{region}:*:topic/a")) for region in ("us-*", "eu-west-1")]
    assert clash(documents) is not None

"""What can be made to arrive on a subscription without breaking a policy."""

import pytest

from harness.policy import Membership, Names, Request, Verb, load_profile
from harness.policy.derivation.delivery import Source, TriggeredMessage, delivery, shows_sending
from harness.policy.evaluation.expectations import Expectations
from harness.policy_trials.answers import answer
from harness.policy_trials.trials import MEMBERSHIPS
from tests.unit.policy.build import ARN, allow, deny, document

NAMES = Names("dev", "dev-2", "team", "team-2")
PAGE = tuple(load_profile("page", account=NAMES.account).values())
CURRENT = tuple(load_profile("current", account=NAMES.account).values())
AWS = "$aws/things/dev/shadow"


def found(name, *more, verb=Verb.SUBSCRIBE, membership=Membership.ASSOCIATED):
    documents = (*PAGE, *(document(statement, name=f"own{n}") for n, statement in enumerate(more)))
    return delivery(Request(verb, name), membership, NAMES, Expectations(documents, NAMES, membership))


@pytest.mark.parametrize(
    ("name", "source", "topic"),
    [
        ("prod/team/m/#", Source.OBSERVER, "prod/team/m/harness"),
        ("prod/team/+/jobs/rcv", Source.OBSERVER, "prod/team/harness/jobs/rcv"),
        (f"{AWS}/get/accepted", Source.ASKED, f"{AWS}/get/accepted"),
        (f"{AWS}/update/accepted", Source.REPORTED, f"{AWS}/update/accepted"),
        (f"{AWS}/update/delta", Source.DESIRED, f"{AWS}/update/delta"),
        ("dev/shadow/update/delta", Source.DESIRED, "dev/shadow/update/delta"),
    ],
)
def test_sources(name, source, topic):
    assert found(name) == (source, topic)


@pytest.mark.parametrize("name", ["$aws/things/dev/jobs/notify", "dev/shadow/get/accepted", "lab/x", "lab/#"])
def test_where_nothing_can_be_made_to_arrive(name):
    assert found(name) is None


def test_what_the_device_may_publish_it_can_send_itself():
    assert found("lab/x", allow("iot:Publish", f"{ARN}topic/lab/*")) == (Source.ITSELF, "lab/x")


def test_desired_state_is_changed_by_rest_which_shows_devices_of_teams_only():
    assert found(f"{AWS}/update/delta", membership=Membership.PROVISIONED) is None


@pytest.mark.parametrize(
    "forbidden",
    [
        deny("iot:Publish", f"{ARN}topic/{AWS}/get"),
        deny("iot:Receive", f"{ARN}topic/{AWS}/get/accepted"),
    ],
)
def test_what_breaks_a_policy_is_not_done_and_not_awaited(forbidden):
    assert found(f"{AWS}/get/accepted", forbidden) is None


def test_whether_a_delivery_is_allowed_is_the_question_itself():
    forbidden = deny("iot:Receive", f"{ARN}topic/{AWS}/get/accepted")
    assert found(f"{AWS}/get/accepted", forbidden, verb=Verb.RECEIVE) == (Source.ASKED, f"{AWS}/get/accepted")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (Source.OBSERVER, MEMBERSHIPS),
        (Source.ITSELF, MEMBERSHIPS),
        (Source.DESIRED, MEMBERSHIPS),
        (Source.REPORTED, (Membership.ASSOCIATED, Membership.GATEWAY)),
        (Source.ASKED, ()),
    ],
)
def test_where_it_shows_that_a_message_was_sent(source, shown):
    assert (
        tuple(membership for membership in MEMBERSHIPS if shows_sending(TriggeredMessage(source, "x"), membership))
        == shown
    )


@pytest.mark.parametrize(
    ("topic", "listen"),
    [
        (f"{AWS}/get", f"{AWS}/get/accepted"),
        (f"{AWS}/update", f"{AWS}/update/accepted"),
        ("$aws/things/dev/jobs/get", None),
        ("dev/shadow/get/tf", "dev/shadow/get/#"),
        ("dev/shadow/update", f"{AWS}/update/accepted"),
    ],
)
def test_answers(topic, listen):
    expectations = Expectations(CURRENT, NAMES, Membership.ASSOCIATED)
    assert answer(topic, NAMES, expectations).listen == listen
    listening = deny("iot:Subscribe", [f"{ARN}topicfilter/{listen}"])
    forbidden = Expectations((*CURRENT, document(listening, name="own")), NAMES, Membership.ASSOCIATED)
    assert (answer(topic, NAMES, forbidden) is None) is (listen is not None)


def test_answers_without_a_subscription_are_received_too():
    forbidden = deny("iot:Receive", [f"{ARN}topic/$aws/things/dev/jobs/*"])
    expectations = Expectations((*CURRENT, document(forbidden, name="own")), NAMES, Membership.ASSOCIATED)
    assert answer("$aws/things/dev/jobs/get", NAMES, expectations) is None


def test_what_is_no_request_has_no_answer():
    assert answer("prod/team/m/x", NAMES, Expectations(PAGE, NAMES, Membership.ASSOCIATED)) is None

"""From a derived case to a trial: names filled in, what counts as expected, what cannot be run."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.firmware import Firmware, Login, MqttEvent, MqttEventKind
from harness.policy import load_profile
from harness.policy.derivation.case import Verb
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.membership import Membership, Names
from harness.policy_trials.trials import (
    can_run,
    cases_for,
    clear_retained,
    concrete,
    expected,
    run_case,
    selection_for,
    why_not,
)
from harness.timeline import Timeline
from harness.trial import Outcome, PublishAction, ServiceRequest, SubscribeAction
from tests.fake import Fake
from tests.unit.policy.build import ARN, allow, deny, document

DOCUMENTS = tuple(load_profile(account="123456789012").values())
NAMES = Names("dev-1", "dev-1-other", "team-1", "team-2")
FULL = {case.id: case for case in cases_for(DOCUMENTS, full=True)}


def case(identifier):
    return concrete(FULL[identifier], DOCUMENTS, NAMES)


class FakeTrials(Fake):
    def __init__(self):
        self.calls = []

    def packet(self, action):
        match action:
            case PublishAction():
                self.calls.append(("publish", action.topic, action.retain, action.witness is not None))
            case SubscribeAction():
                self.calls.append(("subscribe", action.topic_filter, action.trigger is not None))
            case ServiceRequest():
                self.calls.append(("request", action.topic, action.service.listen))

    def connect(self, login, *, difference):
        self.calls.append(("connect", login.client_id, login.clean_session))

    def verify_connection(self):
        self.calls.append(("verify",))


@pytest.fixture
def board():
    sent = []
    observer = SimpleNamespace(
        timeline=Timeline(), listen=lambda _topic: None, publish=lambda topic, _payload: sent.append(topic)
    )
    cloud = SimpleNamespace(account=SimpleNamespace(mqtt_prefix="prod/team-1/"), api=None, documents=DOCUMENTS)
    firmware = SimpleNamespace(
        product="Serial Modem 1.0.0",
        topic_fault=lambda topic: "too long" if len(topic) > 128 else None,
        lacks=Firmware("Serial Modem").lacks,
    )
    device = SimpleNamespace(
        id="dev-1",
        membership=Membership.ASSOCIATED,
        names=NAMES,
        expectations=Expectations(DOCUMENTS, NAMES, Membership.ASSOCIATED),
        cannot_be=lambda membership: None,
        login=lambda: Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753),
    )
    return SimpleNamespace(
        sent=sent,
        cloud=cloud,
        opened=SimpleNamespace(firmware=firmware, mqtt=firmware),
        device=device,
        observer=observer,
    )


def test_names_are_filled_in_and_the_ruling_is_made_anew():
    allowed = case("associated-publish-prod/{tenant}/m/test")
    assert allowed.request.name == "prod/team-1/m/test"
    assert allowed.allowed
    assert "prod/team-1/m/" in allowed.because
    stricter = [document for document in DOCUMENTS if document.name != "associated"]
    assert not concrete(FULL["associated-publish-prod/{tenant}/m/test"], stricter, NAMES).allowed


def test_every_case_decides_for_a_device_as_it_was_derived():
    assert len(FULL) > 800
    assert [name for name in FULL if case(name).allowed != FULL[name].allowed] == []


@pytest.mark.parametrize(
    ("identifier", "outcome"),
    [
        ("associated-publish-prod/{tenant}/m/test", Outcome.TOLERATED),
        ("associated-publish-prod/{other_tenant}/m/d/{device}/d2c", Outcome.POLICY_DISCONNECT),
        ("associated-subscribe-prod/{tenant}/m", Outcome.POLICY_DISCONNECT),
        ("associated-connect-{other_device}", Outcome.REFUSED_AT_CONNECT),
        ("associated-connect-{device}", Outcome.TOLERATED),
    ],
)
def test_expected_outcome(identifier, outcome):
    assert expected(case(identifier)) is outcome


def test_refused_delivery_is_silent():
    silent = list(DOCUMENTS)
    provisioned = silent[0]
    silent[0] = replace(
        provisioned, statements=tuple(s for s in provisioned.statements if "iot:Receive" not in s.actions)
    )
    refused = concrete(FULL["associated-receive-prod/{tenant}/a/test"], silent, NAMES)
    assert not refused.allowed
    assert expected(refused) is Outcome.IGNORED


def test_the_smallest_set_can_all_be_run(board):
    for found in cases_for(DOCUMENTS, full=False):
        board.device.membership = found.membership
        assert can_run(concrete(found, DOCUMENTS, NAMES), board) is None, found.id


def test_what_cannot_be_shown_is_said(board):
    will = next(found for found in FULL.values() if found.request.will is not None)
    assert can_run(concrete(will, DOCUMENTS, NAMES), board) == "Serial Modem has no MQTT will"
    board.opened.firmware.lacks = lambda *_: None
    assert can_run(concrete(will, DOCUMENTS, NAMES), board) is None
    native = case("associated-receive-$aws/things/{device}/jobs/notify-next")
    assert "no message that could be sent to $aws/things/dev-1/jobs/notify-next" in can_run(native, board)


@pytest.mark.parametrize(
    ("topic", "kind", "reason"),
    [
        ("get/accepted", Membership.ASSOCIATED, "nothing would show that a message was sent"),
        ("update/accepted", Membership.PROVISIONED, "nothing would show that a message was sent"),
        ("update/accepted", Membership.ASSOCIATED, None),
        ("update/delta", Membership.ASSOCIATED, None),
    ],
)
def test_refused_delivery_is_tried_only_where_the_sending_shows(topic, kind, reason):
    """A shadow service that keeps silent must not prove that its answer is refused."""
    name = f"$aws/things/{{device}}/shadow/{topic}"
    deaf = (*DOCUMENTS, document(deny("iot:Receive", f"{ARN}topic/$aws/*"), name="own"))
    given = replace(FULL[f"{kind}-receive-$aws/things/{{device}}/shadow/get/accepted"], template=name)
    refused = concrete(replace(given, documents=(*given.documents, "own")), deaf, NAMES)
    assert expected(refused) is Outcome.IGNORED
    found = why_not(refused, deaf, NAMES)
    assert found is None if reason is None else reason in found
    assert why_not(concrete(given, DOCUMENTS, NAMES), DOCUMENTS, NAMES) is None


def test_what_this_board_cannot_do_is_said(board):
    allowed = case("associated-publish-prod/{tenant}/m/test")
    assert can_run(allowed, board) is None
    board.device.cannot_be = lambda membership: f"it cannot be {membership}"
    assert can_run(allowed, board) == "it cannot be associated"
    board.device.cannot_be = lambda membership: None
    assert can_run(replace(allowed, request=replace(allowed.request, name="x" * 129)), board) == "too long"


def page_with(**statement):
    return (*DOCUMENTS, document({"Effect": "Deny", "Action": "iot:Publish", **statement}, name="own"))


def test_what_no_trial_can_show_is_not_chosen():
    will = page_with(Resource="*", Condition={"StringLike": {"iot:LastWillTopic": "*"}})
    own = document(allow("iot:Receive", f"{ARN}topic/$aws/things/${{iot:ClientId}}/jobs/*"), name="provisioned")
    receiving = replace(own.statements[0], number=4)
    silent = (replace(DOCUMENTS[0], statements=(*DOCUMENTS[0].statements[:3], receiving)), *DOCUMENTS[1:])
    for documents in (will, silent):
        selection = selection_for(tuple(documents))
        concretely = [concrete(found, documents, NAMES) for found in selection.cases]
        assert [found.id for found in concretely if why_not(found, documents, NAMES)] == []
    assert "no trial can show" in str(selection_for(tuple(silent)))
    assert {str(one).partition(":")[0] for one in selection_for(tuple(silent)).beyond} == {"provisioned statement 4"}


@pytest.mark.parametrize(
    "statement",
    [
        {"Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Resource": "arn:aws:iot:*:*:topic/prod/*/m/${iot:Connection.Thing.Attributes[site]}"},
    ],
)
def test_what_hangs_on_the_unknown_is_not_tried(statement):
    documents = page_with(**statement)
    selection = selection_for(documents)
    messages = [found for found in selection.cases if found.request.name.startswith("prod/{tenant}/m/")]
    assert not any(found.allowed for found in messages if found.request.verb is Verb.PUBLISH)
    doubtful = concrete(FULL["associated-publish-prod/{tenant}/m/test"], documents, NAMES)
    assert "of which the harness knows nothing" in why_not(doubtful, documents, NAMES)
    refused = concrete(FULL["associated-publish-prod/{other_tenant}/m/d/{device}/d2c"], documents, NAMES)
    assert why_not(refused, documents, NAMES) is None  # whatever it is


@pytest.mark.parametrize(
    ("identifier", "call"),
    [
        ("associated-publish-prod/{tenant}/m/test", ("publish", "prod/team-1/m/test", False, True)),
        ("associated-subscribe-prod/{tenant}/m/#", ("subscribe", "prod/team-1/m/#", True)),
        ("associated-subscribe-$aws/things/{device}/jobs/#", ("subscribe", "$aws/things/dev-1/jobs/#", False)),
        ("associated-connect-{device}", ("verify",)),
        ("associated-connect-{other_device}", ("connect", "dev-1-other", True)),
    ],
)
def test_case_becomes_a_trial(board, identifier, call):
    trials = FakeTrials()
    run_case(board, trials, case(identifier))
    assert trials.calls == [call]


def test_a_case_with_a_will_connects_with_it(board):
    logins = []

    class Connecting(FakeTrials):
        def connect(self, login, *, difference):
            logins.append((login, difference))

    will = next(found for found in FULL.values() if found.request.will is not None and found.request.retain)
    run_case(board, Connecting(), concrete(will, DOCUMENTS, NAMES))
    [(login, difference)] = logins
    assert (login.client_id, login.will.retain) == ("dev-1", True)
    assert login.will.topic == concrete(will, DOCUMENTS, NAMES).request.will
    assert difference == will.probes


@pytest.mark.parametrize(
    ("outcome", "lacking", "said", "published"),
    [
        (Outcome.POLICY_DISCONNECT, None, [], []),
        (Outcome.TOLERATED, "Serial Modem has no X", ["the retained message on t stays: Serial Modem has no X"], []),
        (Outcome.TOLERATED, None, ["the retained message on t is cleared"], [("t", b"", True)]),
    ],
)
def test_a_retained_message_that_was_taken_is_cleared(outcome, lacking, said, published):
    timeline, sent = Timeline(), []
    device = SimpleNamespace(
        firmware=SimpleNamespace(lacks=lambda *_: lacking),
        mark=timeline.mark,
        publish=lambda topic, payload, *, retain: sent.append((topic, payload, retain)) or True,
        wait=lambda match, *, since, timeout: MqttEvent(MqttEventKind.PUBACK, 0.0),
    )
    board: Any = SimpleNamespace(
        name="dk1",
        timeline=timeline,
        opened=SimpleNamespace(mqtt=device),
        provisioned=SimpleNamespace(link=SimpleNamespace(ensure=lambda: None)),
        device=SimpleNamespace(patience=1.0),
    )
    verdict: Any = SimpleNamespace(outcome=outcome)
    clear_retained(board, "t", verdict)
    assert ([event.text for event in timeline.since(0)], sent) == (said, published)


@pytest.mark.parametrize(
    ("topic", "listen"),
    [("shadow/update", "shadow/update/accepted"), ("shadow/get", "shadow/get/accepted"), ("jobs/get", None)],
)
def test_requests_are_to_be_answered(board, topic, listen):
    trials = FakeTrials()
    run_case(board, trials, case(f"associated-publish-$aws/things/{{device}}/{topic}"))
    aws = "$aws/things/dev-1/"
    assert trials.calls == [("request", aws + topic, listen and aws + listen)]


def test_trigger_fills_wildcards_with_a_level(board):
    class Triggering(FakeTrials):
        def packet(self, action):
            action.trigger("token")

    run_case(board, Triggering(), case("associated-subscribe-prod/{tenant}/m/test/+"))
    run_case(board, Triggering(), case("associated-subscribe-prod/{tenant}/m/#"))
    assert board.sent == ["prod/team-1/m/test/harness", "prod/team-1/m/harness"]


def test_no_case_is_a_receive_without_a_topic():
    assert all("#" not in found.request.name for found in FULL.values() if found.request.verb is Verb.RECEIVE)

"""From a derived case to a trial: names filled in, what counts as expected, what cannot be run."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.bench.policy_trials import can_run, cases_for, concrete, expected, run_case
from harness.policy import load_profile
from harness.policy.case import Verb
from harness.policy.subject import Kind, Names
from harness.trial import Outcome

DOCUMENTS = tuple(load_profile(account="123456789012").values())
NAMES = Names("dev-1", "dev-1-other", "team-1", "team-2")
FULL = {case.id: case for case in cases_for(DOCUMENTS, full=True)}


def case(identifier):
    return concrete(FULL[identifier], DOCUMENTS, NAMES)


class FakeTrials:
    def __init__(self):
        self.calls = []

    def publish(self, topic, payload=None, *, retain=False, witness):
        self.calls.append(("publish", topic, payload, retain, witness is not None))

    def subscribe(self, topic_filter, *, trigger):
        self.calls.append(("subscribe", topic_filter, trigger is not None))

    def connect(self, login, *, difference):
        self.calls.append(("connect", login.client_id, login.clean_session))

    def verify_connection(self):
        self.calls.append(("verify",))


@pytest.fixture
def board():
    from harness.firmware import Login
    from harness.timeline import Timeline

    sent = []
    observer = SimpleNamespace(timeline=Timeline(), publish=lambda topic, payload: sent.append(topic))
    return SimpleNamespace(
        device_id="dev-1",
        standing=Kind.ASSOCIATED,
        sent=sent,
        cloud=SimpleNamespace(account=SimpleNamespace(mqtt_prefix="prod/team-1/"), observer=observer, api=None),
        opened=SimpleNamespace(firmware=SimpleNamespace(product="Serial Modem 1.0.0")),
        login=lambda: Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753),
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
        board.standing = found.kind
        assert can_run(concrete(found, DOCUMENTS, NAMES), board) is None, found.id


def test_what_the_firmware_cannot_do_is_said(board):
    will = next(found for found in FULL.values() if found.request.will is not None)
    assert can_run(concrete(will, DOCUMENTS, NAMES), board) == "Serial Modem 1.0.0 has no MQTT will"
    native = case("associated-receive-$aws/things/{device}/jobs/notify-next")
    assert "nothing can be sent on $aws/things/dev-1/jobs/notify-next" in can_run(native, board)


@pytest.mark.parametrize(
    ("identifier", "call"),
    [
        ("associated-publish-prod/{tenant}/m/test", ("publish", "prod/team-1/m/test", None, False, True)),
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


def test_shadow_update_is_valid_json_for_the_service(board):
    trials = FakeTrials()
    run_case(board, trials, case("associated-publish-$aws/things/{device}/shadow/update"))
    ((_, topic, payload, _, _),) = trials.calls
    assert topic == "$aws/things/dev-1/shadow/update"
    assert b'"reported"' in payload


def test_trigger_fills_wildcards_with_a_level(board):
    from harness.bench.policy_trials import _trigger

    _trigger(case("associated-subscribe-prod/{tenant}/m/test/+"), board)("token")
    _trigger(case("associated-subscribe-prod/{tenant}/m/#"), board)("token")
    assert board.sent == ["prod/team-1/m/test/harness", "prod/team-1/m/harness"]


def test_no_case_is_a_receive_without_a_topic():
    assert all("#" not in found.request.name for found in FULL.values() if found.request.verb is Verb.RECEIVE)

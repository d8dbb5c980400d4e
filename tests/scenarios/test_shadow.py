"""The shadow service's answers to a device whose policies let it ask."""

from __future__ import annotations

import json

import pytest

from harness.trial import Outcome, nonce
from tests.scenarios.answers import Answers
from tests.scenarios.expected import allowed, allows, connect, hear, publish

_PREFIX = "nrfcloud_mqtt_topic_prefix"  # in the desired state of every device of a team: it tells firmware its team
_TOKEN = b'{"clientToken":"%NONCE%"}'
_REPORT = b'{"state":{"reported":{"harness":{"token":"%NONCE%"}}},"clientToken":"%NONCE%"}'


def desired_in(trimmed):
    """The desired state in a document of nRF Cloud's own topics; firmware takes it inside ``state`` or without."""
    return trimmed.get("state", trimmed)["desired"]


class TestGet:
    def test_accepted_in_both_forms(self, board, trial, topics, device, subscribed):
        get, trimmed = f"{topics.shadow}/get", f"{topics.device_id}/shadow/get/accepted"
        whole = f"{get}/accepted"
        allowed(board, publish(get), hear(whole), hear(trimmed))
        subscribed(whole)
        subscribed(trimmed)
        answers = Answers(device, {whole: "%NONCE%", trimmed: ""})
        trial.publish(get, _TOKEN, witness=answers).expect(Outcome.TOLERATED)
        assert answers[whole]["version"] > 0
        assert answers[whole]["state"]["desired"][_PREFIX] == topics.prefix
        assert desired_in(answers[trimmed])[_PREFIX] == topics.prefix

    def test_rejected_when_it_is_no_json(self, board, trial, topics, device, subscribed):
        """A payload that gets a get rejected. UNCONFIRMED: what nRF Cloud's own topic then holds."""
        get, trimmed = f"{topics.shadow}/get", f"{topics.device_id}/shadow/get/rejected"
        refusal = f"{get}/rejected"
        allowed(board, publish(get), hear(refusal), hear(trimmed))
        subscribed(refusal)
        subscribed(trimmed)
        answers = Answers(device, {refusal: "", trimmed: ""})
        trial.publish(get, b'{"clientToken":', witness=answers).expect(Outcome.TOLERATED)
        assert answers[refusal]["code"] == 400


class TestUpdate:
    def test_accepted_and_documented(self, board, trial, topics, device, subscribed):
        update = f"{topics.shadow}/update"
        accepted, documents = f"{update}/accepted", f"{update}/documents"
        allowed(board, publish(update), hear(accepted), hear(documents))
        subscribed(accepted)
        subscribed(documents)
        answers = Answers(device, {accepted: "%NONCE%", documents: "%NONCE%"})
        trial.publish(update, _REPORT, witness=answers).expect(Outcome.TOLERATED)
        token, current = answers[accepted]["clientToken"], answers[documents]["current"]
        assert answers[accepted]["state"] == {"reported": {"harness": {"token": token}}}
        assert current["state"]["reported"]["harness"]["token"] == token
        assert answers[documents]["previous"]["version"] < current["version"] == answers[accepted]["version"]

    @pytest.mark.parametrize(
        ("rest", "code"), [(',"version":999999999}', 409), ("", 400)], ids=["another-version", "no-json"]
    )
    def test_rejected_and_not_done(self, board, trial, topics, device, subscribed, cloud, rest, code):
        update = f"{topics.shadow}/update"
        refusal = f"{update}/rejected"
        allowed(board, publish(update), hear(refusal))
        subscribed(refusal)
        token, answers = nonce(), Answers(device, {refusal: ""})
        payload = f'{{"state":{{"reported":{{"harness":{{"token":"{token}"}}}}}}{rest}'
        trial.publish(update, payload.encode(), witness=answers).expect(Outcome.TOLERATED)
        assert answers[refusal]["code"] == code
        assert token not in json.dumps(cloud.device(topics.device_id))

    def test_delta_lasts_until_it_is_reported(self, board, trial, topics, device, subscribed, cloud):
        get, update = f"{topics.shadow}/get", f"{topics.shadow}/update"
        delta, accepted, whole = f"{update}/delta", f"{update}/accepted", f"{get}/accepted"
        allowed(board, publish(get), publish(update), hear(delta), hear(accepted), hear(whole))
        for topic in (delta, accepted, whole):
            subscribed(topic)
        wanted = {"token": nonce()}

        told = Answers(device, {delta: wanted["token"]})
        cloud.patch_state(topics.device_id, desired={"harness": wanted})
        trial.publish(get, _TOKEN, witness=told).expect(Outcome.TOLERATED)
        assert told[delta]["state"]["harness"] == wanted

        report = json.dumps({"state": {"reported": {"harness": wanted}}, "clientToken": "%NONCE%"}).encode()
        trial.publish(update, report, witness=Answers(device, {accepted: "%NONCE%"})).expect(Outcome.TOLERATED)
        shown = Answers(device, {whole: "%NONCE%"})
        trial.publish(get, _TOKEN, witness=shown).expect(Outcome.TOLERATED)
        state = shown[whole]["state"]
        assert state["desired"]["harness"] == wanted
        assert state["reported"]["harness"]["token"] == wanted["token"]
        assert "harness" not in state.get("delta", {})


_TRANSFORM = {"t": f'{{"{_PREFIX}":state.desired.{_PREFIX},"pairing":state.desired.pairing}}'}


@pytest.mark.violation
class TestTopicsOfCurrentFirmware:
    """Firmware of nRF Connect SDK 2.5 and later publishes on topics of nRF Cloud's own.

    The documents of profile ``page`` do not grant that, those of ``current`` do; the board must see what its cloud's
    say.
    """

    @pytest.fixture
    def publishes(self, board, trial, topics, device, subscribed):
        """Publish on a topic and return the answers; if the documents refuse it, the board must be disconnected."""

        def check(topic: str, payload: bytes, answer: str, *, holds: str = "") -> Answers | None:
            allowed(board, connect(topics.device_id))
            if not allows(board, publish(topic)):
                trial.publish(topic, payload, witness=None).expect(Outcome.POLICY_DISCONNECT)
                return None
            allowed(board, hear(answer))
            subscribed(answer)
            answers = Answers(device, {answer: holds})
            trial.publish(topic, payload, witness=answers).expect(Outcome.TOLERATED)
            return answers

        return check

    def test_violation_or_answer_update(self, publishes, topics):
        publishes(f"{topics.device_id}/shadow/update", _REPORT, f"{topics.shadow}/update/accepted", holds="%NONCE%")

    def test_violation_or_answer_get_trimmed(self, publishes, topics):
        answer = f"{topics.device_id}/shadow/get/accepted/trim"
        answers = publishes(f"{topics.device_id}/shadow/get/trim", b"{}", answer)
        assert answers is None or desired_in(answers[answer])[_PREFIX] == topics.prefix

    def test_violation_or_answer_get_transformed(self, publishes, topics):
        answer = f"{topics.device_id}/shadow/get/accepted/tf"
        answers = publishes(f"{topics.device_id}/shadow/get/tf", json.dumps(_TRANSFORM).encode(), answer)
        assert answers is None or answers[answer]["tf"][_PREFIX] == topics.prefix

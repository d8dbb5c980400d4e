"""REST from the board itself: the modem signs the token, and the modem's TLS carries the call."""

from __future__ import annotations

import pytest

from harness.trial import Outcome, nonce


@pytest.fixture
def token(modem, provisioned):
    return modem.jwt(sec_tag=provisioned.credentials.sec_tag, subject=provisioned.device_id).token


def test_own_record(rest_trial, board_api, provisioned, token):
    action = "read the own record from the board, with the modem's token"
    rest_trial.call(action, lambda: board_api.device(provisioned.device_id, token), control=None).expect(
        Outcome.AUTHORISED
    )


def test_own_state(rest_trial, board_api, cloud, provisioned, token):
    value = nonce()
    call = lambda: board_api.update_state(provisioned.device_id, token, {"harness": {"board": value}})  # noqa: E731
    action = "change the own reported state from the board, with the modem's token"
    rest_trial.call(action, call, control=None).expect(Outcome.AUTHORISED)
    assert cloud.wait_reported(provisioned.device_id, value, timeout=15.0)


def test_record_of_another_device(rest_trial, board_api, provisioned, bystander, token):
    rest_trial.call(
        "read another device's record from the board, with the own token",
        lambda: board_api.device(bystander.device_id, token),
        control=lambda: board_api.device(provisioned.device_id, token),
    ).expect(Outcome.DENIED)

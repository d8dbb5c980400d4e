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


def test_own_record_without_a_token(rest_trial, board_api, provisioned, token):
    rest_trial.call(
        "read the own record from the board, without a token",
        lambda: board_api.device(provisioned.device_id, None),
        control=lambda: board_api.device(provisioned.device_id, token),
    ).expect(Outcome.DENIED)


def test_own_record_with_a_token_without_an_end(rest_trial, modem, board_api, provisioned):
    """UNCONFIRMED whether nRF Cloud takes it here; its location services do.

    Such a token is short enough for the HTTP client of Serial Modem 2.0.
    """
    sec_tag = provisioned.credentials.sec_tag
    token = modem.jwt(sec_tag=sec_tag, subject=provisioned.device_id, expires_in=0).token
    action = "read the own record from the board, with a token without an end"
    verdict = rest_trial.call(action, lambda: board_api.device(provisioned.device_id, token), control=None)
    verdict.expect(Outcome.AUTHORISED, Outcome.DENIED)


def test_where_a_cell_is(rest_trial, board_api, token):
    """A call with a body."""
    action = "ask from the board where an LTE cell is, with the modem's token"
    rest_trial.call(action, lambda: board_api.ground_fix(token), control=None).expect(Outcome.AUTHORISED)


def test_record_of_another_device(rest_trial, board_api, provisioned, bystander, token):
    rest_trial.call(
        "read another device's record from the board, with the own token",
        lambda: board_api.device(bystander.device_id, token),
        control=lambda: board_api.device(provisioned.device_id, token),
    ).expect(Outcome.DENIED)

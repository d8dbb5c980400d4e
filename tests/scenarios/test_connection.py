"""Mutual TLS and CONNECT: what must work, and what must fail in TLS or at CONNECT."""

from __future__ import annotations

import pytest

from harness.trial import Outcome
from tests.scenarios.expected import allowed, connect, forbidden


@pytest.fixture(autouse=True)
def framed(device, board, provisioned):
    """Every trial here has the right login before and after it."""
    allowed(board, connect(board.device.id))


def test_connects_with_mutual_tls(trial):
    trial.verify_connection().expect(Outcome.TOLERATED)


@pytest.mark.violation
def test_violation_wrong_client_id(board, trial):
    wrong = board.device.login(client_id=f"{board.device.id}-x")
    forbidden(board, connect(wrong.client_id))
    trial.connect(wrong, difference="a client id that is not the certificate's thing").expect(
        Outcome.REFUSED_AT_CONNECT
    )

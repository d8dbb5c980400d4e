"""Mutual TLS and CONNECT: what must work, and what must fail in TLS or at CONNECT."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from harness.credentials import LabCa
from harness.modem import CredentialKind
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


def test_wrong_root_ca_fails_in_tls(board, modem, provisioned, trial, tmp_path):
    """A board that trusts another CA must not talk to the cloud. Only the trust differs, so it fails in TLS."""
    stranger = LabCa.load_or_create(tmp_path / "stranger").certificate_pem

    @contextmanager
    def trusting_a_stranger():
        sec_tag, ours = board.device.sec_tag, provisioned.credentials.root_ca_pem
        with modem.credentials.replaced(sec_tag, CredentialKind.ROOT_CA, stranger, former=ours):
            modem.register()
            yield
        modem.register()

    verdict = trial.connect(
        board.device.login(),
        difference="a root CA on the board that did not sign the cloud",
        during=trusting_a_stranger,
    )
    verdict.expect(Outcome.REFUSED_IN_TLS)

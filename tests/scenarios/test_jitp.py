"""Just-in-time provisioning: nRF Cloud makes the device when its certificate first shows up.

Over MQTT, a board with ``provision: cloud`` gets into the account this way. Over HTTPS (port 8443, one publish
with the device certificate) any computer can do it for a device without an MQTT client.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from harness.cloud import CertificateSet, JitpResult, RestError, jitp_over_https
from harness.credentials import KeyOrigin, LabCa
from harness.policy.evaluation.membership import Membership
from harness.run.repetition import Rounds
from harness.trial import nonce
from tests.scenarios.expected import expectations_of, forbidden, publish

BEGIN = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class Newcomer:
    """A device of which nRF Cloud has made only the certificate so far."""

    device_id: str
    ownership_code: str
    keys: CertificateSet

    @property
    def leaf_pem(self) -> str:
        """The device's own certificate, without the CA's."""
        return BEGIN + self.keys.certificate_pem.split(BEGIN)[1]


@pytest.fixture
def rounds(board):
    # nRF Cloud documentation: about 30 s, and several requests.
    return Rounds(most=24, gap=5.0, deadline=180.0) if board.cloud.endpoints.public else Rounds(40, 0.25, 20.0)


@pytest.fixture
def newcomer(cloud):
    device_id, code = f"harness-jitp-{nonce()}", secrets.token_hex(8)
    return Newcomer(device_id, code, cloud.create_device_certificate(device_id, code))


@pytest.fixture
def ask(board):
    """Ask for provisioning over HTTPS with a certificate chain."""
    return lambda newcomer, chain: jitp_over_https(board.cloud.endpoints, chain, newcomer.keys.private_key_pem)


@pytest.fixture
def provisioned_newcomer(board, newcomer, ask, rounds, cloud):
    """A newcomer that HTTPS requests have made a device, with the first answer; deleted afterwards."""
    # A refused request shows that the device exists.
    forbidden(expectations_of(board, newcomer.device_id, Membership.PROVISIONED), publish("jitp"))
    answers = []

    def until_known(_number: int) -> str | None:
        result, detail = ask(newcomer, newcomer.keys.certificate_pem)
        answers.append(result)
        return None if result is JitpResult.ALREADY else f"{result} ({detail})"

    rounds.until(until_known, f"{newcomer.device_id} was not provisioned")
    yield newcomer, answers
    # A device outside every team cannot be deleted, so it joins first; joining again changes nothing.
    cloud.associate(newcomer.device_id, newcomer.ownership_code)
    cloud.delete_device(newcomer.device_id)


def test_board_was_provisioned_just_in_time(board, provisioned, evidence):
    if board.device.key_origin is not KeyOrigin.CLOUD:
        pytest.skip("needs a board with provision: cloud")
    if board.device.onboarded.credentials.kept:
        pytest.skip("the credentials are from an earlier run, and so was JITP; --reprovision repeats it")
    attempts = board.device.onboarded.attempts
    assert attempts >= 2
    evidence(
        f"The first connection was dropped while nRF Cloud made the device; it took {attempts} connections "
        "until one was accepted, the device was associated, and the next one had its rights."
    )


def test_first_request_starts_it_and_a_later_one_finds_it_done(provisioned_newcomer, evidence):
    _, answers = provisioned_newcomer
    assert answers[0] is JitpResult.STARTED
    assert answers[-1] is JitpResult.ALREADY
    evidence(f"Answers over HTTPS, in order: {', '.join(answers)}.")


def test_association_needs_the_right_ownership_code(provisioned_newcomer, cloud, evidence):
    newcomer, _ = provisioned_newcomer
    with pytest.raises(RestError) as refused:
        cloud.associate(newcomer.device_id, newcomer.ownership_code[::-1] + "x")
    assert refused.value.status in (400, 401, 403)
    assert refused.value.code is not None, "something in between refused it: the API's own refusals have a number"
    assert cloud.device(newcomer.device_id) is None
    cloud.associate(newcomer.device_id, newcomer.ownership_code)
    assert cloud.wait_device(newcomer.device_id)["id"] == newcomer.device_id
    evidence(f"With a wrong code: {refused.value}. With the right one the device joined the team.")


def test_association_before_provisioning_is_refused(newcomer, cloud, evidence):
    with pytest.raises(RestError) as refused:
        cloud.associate(newcomer.device_id, newcomer.ownership_code)
    assert refused.value.status in (400, 404)
    assert refused.value.code is not None, "something in between refused it: the API's own refusals have a number"
    evidence(f"Before the device ever showed its certificate: {refused.value}.")


def test_chain_without_the_ca_is_rejected(newcomer, ask, evidence):
    """AWS IoT looks for the CA that was registered, and the device has to send it."""
    result, detail = ask(newcomer, newcomer.leaf_pem)
    assert result is JitpResult.REJECTED
    evidence(f"With the device's certificate alone: {result} ({detail}).")


def test_certificate_of_another_ca_is_rejected(board, bystander, tmp_path, evidence):
    stranger = LabCa.load_or_create(tmp_path / "stranger")
    key = bystander.key
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    chain = stranger.issue(csr, device_id=f"harness-stranger-{nonce()}") + stranger.certificate_pem
    result, detail = jitp_over_https(board.cloud.endpoints, chain, pem)
    assert result is JitpResult.REJECTED
    evidence(f"With a chain of another CA: {result} ({detail}).")

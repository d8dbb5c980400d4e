"""Keys made on the device, certificates written to it, everything verified by digest."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509

from harness.at import AtError
from harness.modem import CredentialKind


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest().upper()


def test_identity_is_complete(board, evidence):
    identity = board.opened.identity
    assert len(identity.imei) == 15
    assert identity.imei.isdigit()
    assert identity.device_uuid is not None
    assert identity.firmware.startswith("mfw_")
    evidence(
        f"{identity.model} {identity.firmware}, {board.opened.firmware.product}, device UUID {identity.device_uuid}."
    )


def test_key_is_made_on_the_device(board, provisioned, evidence):
    csr = provisioned.credentials.keygen
    assert csr.csr.is_signature_valid
    assert csr.device_uuid == board.opened.identity.device_uuid
    assert csr.sec_tag == board.config.sec_tag
    evidence(f"The CSR of sec_tag {csr.sec_tag} is signed by its own key and names the board's UUID {csr.device_uuid}.")


def test_certificate_belongs_to_the_key_on_the_device(provisioned, evidence):
    credentials = provisioned.credentials
    certificate = x509.load_pem_x509_certificate(credentials.certificate_pem.encode())
    assert certificate.public_key() == credentials.keygen.public_key
    assert certificate.subject.rfc4514_string() == f"CN={provisioned.device_id}"
    evidence("The issued certificate carries the public key that the device made, and the device id as its CN.")


@pytest.mark.parametrize("kind", [CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT], ids=["root-ca", "certificate"])
def test_written_credential_is_verified_by_digest(board, modem, provisioned, kind, evidence):
    credentials = provisioned.credentials
    content = credentials.root_ca_pem if kind is CredentialKind.ROOT_CA else credentials.certificate_pem
    (stored,) = modem.credentials.list(board.config.sec_tag, kind)
    assert stored.digest == _sha256(content)
    evidence(f"AT%CMNG=1 lists sec_tag {board.config.sec_tag} type {kind.value} with SHA-256 {stored.digest[:16]}…")


def test_private_key_is_there_and_cannot_be_read(board, modem, provisioned, evidence):
    assert modem.credentials.exists(board.config.sec_tag, CredentialKind.PRIVATE_KEY)
    with pytest.raises(AtError) as refused:
        modem.credentials.read(board.config.sec_tag, CredentialKind.PRIVATE_KEY)
    evidence(f"The key is listed, and reading it is refused: {refused.value}.")


def test_writing_is_refused_while_the_modem_is_active(board, modem, provisioned, evidence):
    assert modem.registration().registered
    with pytest.raises(AtError) as refused:
        board.opened.port.command(f"AT%CMNG=3,{board.config.sec_tag},{CredentialKind.PSK.value}")
    assert refused.value.code in (513, 518)  # UNCONFIRMED which check comes first: nothing there, or modem active
    evidence(f"{refused.value}.")


def test_device_is_in_the_account(cloud, board, provisioned, evidence):
    record = cloud.device(provisioned.device_id)
    assert record is not None
    assert record["tenantId"] == board.cloud.account.tenant_id
    evidence(f"REST lists device {provisioned.device_id} in team {record['tenantId']}.")

"""Keys made on the device, certificates written to it, everything verified by digest."""

from __future__ import annotations

import pytest
from cryptography.x509.oid import NameOID

from harness.at import AtError
from harness.modem import CredentialKind


def test_identity_is_complete(board, evidence):
    identity = board.opened.identity
    assert len(identity.imei) == 15
    assert identity.imei.isdigit()
    # The nRF9160 has no command for its device UUID.
    assert identity.device_uuid is not None or identity.firmware.startswith("mfw_nrf9160")
    assert identity.firmware.startswith("mfw_")
    evidence(f"{identity.model} {identity.firmware}, {board.opened.firmware}, device UUID {identity.device_uuid}.")


def test_key_is_made_where_it_was_asked_for(board, provisioned, evidence):
    credentials = provisioned.credentials
    assert credentials.key_origin is board.device.key_origin
    if (csr := credentials.keygen) is None:
        evidence(f"KeyOrigin {credentials.key_origin}: {credentials.security}; {credentials.reason}.")
        return
    assert csr.csr.is_signature_valid
    assert csr.device_uuid == (board.opened.identity.device_uuid or csr.device_uuid)
    assert csr.sec_tag == board.device.sec_tag
    evidence(f"The CSR of sec_tag {csr.sec_tag} is signed by its own key and names the board's UUID {csr.device_uuid}.")


def test_certificate_belongs_to_the_key_on_the_device(board, modem, provisioned, evidence):
    credentials = provisioned.credentials
    assert credentials.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == provisioned.device_id
    token = modem.jwt(sec_tag=board.device.sec_tag, expires_in=0)
    token.verify(credentials.public_key)
    evidence(f"A JWT that the key at sec_tag {board.device.sec_tag} signed verifies with the certificate's public key.")


@pytest.mark.parametrize("kind", [CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT], ids=["root-ca", "certificate"])
def test_written_credential_is_verified_by_digest(board, modem, provisioned, kind, evidence):
    credentials = provisioned.credentials
    content = credentials.root_ca_pem if kind is CredentialKind.ROOT_CA else credentials.written_pem
    sec_tag = board.device.sec_tag
    modem.credentials.verify(sec_tag, kind, content)
    (stored,) = modem.credentials.list(sec_tag, kind)
    evidence(
        f"AT%CMNG=1 lists sec_tag {sec_tag} type {kind.value} with the SHA-256 of what was written: {stored.digest}."
    )


def test_private_key_is_there_and_cannot_be_read(board, modem, provisioned, evidence):
    assert modem.credentials.exists(board.device.sec_tag, CredentialKind.PRIVATE_KEY)
    with pytest.raises(AtError) as refused:
        modem.credentials.read(board.device.sec_tag, CredentialKind.PRIVATE_KEY)
    evidence(f"The key is listed, and reading it is refused: {refused.value}.")


def test_writing_is_refused_while_the_modem_is_active(board, modem, provisioned, evidence):
    assert modem.registration().registered
    with pytest.raises(AtError) as refused:
        board.opened.port.command(f"AT%CMNG=3,{board.device.sec_tag},{CredentialKind.PSK.value}")
    assert refused.value.code in (513, 518)  # UNCONFIRMED which check comes first: nothing there, or modem active
    evidence(f"{refused.value}.")


def test_device_is_in_the_account(cloud, board, provisioned, evidence):
    record = cloud.device(provisioned.device_id)
    assert record is not None
    assert record["tenantId"] == board.cloud.account.tenant_id
    evidence(f"REST lists device {provisioned.device_id} in team {record['tenantId']}.")

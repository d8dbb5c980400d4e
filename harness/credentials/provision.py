"""Provisioning a board. So far one of the three ways: the key pair is made on the device and the lab's CA signs.

Order of steps and of the credential types: nRF Cloud documentation, device credentials; nRF91x1 AT Commands reference,
%KEYGEN and %CMNG.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from harness.credentials.device_id import check_device_id
from harness.credentials.lab_ca import LabCa
from harness.errors import Misuse
from harness.modem import CredentialKind, KeygenResult, Modem

MADE_ON_DEVICE = "on the device, never exposed"


@dataclass(frozen=True)
class DeviceCredentials:
    """What a board was given, for reports too; no secrets.

    ``key_made``: where the private key was made, in words. ``keygen``: the device's CSR and what it signed with it,
    None where the key was made elsewhere.
    """

    device_id: str
    certificate_pem: str
    root_ca_pem: str
    sec_tag: int
    key_made: str
    keygen: KeygenResult | None = None

    @property
    def certificate_id(self) -> str:
        """AWS IoT's certificateId: SHA-256 fingerprint of the certificate, 64 lower-case hex digits."""
        return x509.load_pem_x509_certificate(self.certificate_pem.encode()).fingerprint(hashes.SHA256()).hex()


def provision_on_device(
    modem: Modem, *, sec_tag: int, device_id: str, ca: LabCa, root_ca_pem: str
) -> DeviceCredentials:
    """Make a key pair on the device, have ``ca`` sign it, write root CA and certificate, verify both by digest.

    What was at ``sec_tag`` (types 0, 1, 2) is gone afterwards, also when a later step fails. The modem is offline
    meanwhile and returns to its mode. Misuse comes before anything is sent. Raises also AtError, KeygenMismatch,
    DigestMismatch.
    """
    check_device_id(device_id)
    _check_root_ca(root_ca_pem)
    store = modem.credentials
    store.check_content(sec_tag, CredentialKind.ROOT_CA, root_ca_pem)
    with modem.offline():
        for kind in (CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT, CredentialKind.PRIVATE_KEY):
            store.delete(sec_tag, kind)
        made = modem.generate_key(sec_tag)
        certificate_pem = ca.issue(made.csr, device_id=device_id)
        for kind, content in ((CredentialKind.ROOT_CA, root_ca_pem), (CredentialKind.CLIENT_CERT, certificate_pem)):
            store.write(sec_tag, kind, content)
            store.verify(sec_tag, kind, content)
    return DeviceCredentials(device_id, certificate_pem, root_ca_pem, sec_tag, MADE_ON_DEVICE, made)


def _check_root_ca(pem: str) -> None:
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise Misuse(
            f"the root CA for the board holds no certificate in PEM ({len(pem)} characters): check its file"
        ) from error

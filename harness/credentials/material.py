"""What is written to a sec_tag, made in one of four ways, and checked before the board is touched."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.credentials.lab_ca import LabCa
from harness.credentials.pem import check_ca, check_validity, read_certificates, read_private_key
from harness.errors import Party, Refusal
from harness.modem import CredentialKind, KeygenResult
from harness.redact import SECRETS


class CloudCredentials(Protocol):
    """What nRF Cloud's CreateDeviceCertificate hands out; all but ``client_id`` in PEM."""

    @property
    def client_id(self) -> str: ...
    @property
    def ca_pem(self) -> str: ...
    @property
    def certificate_pem(self) -> str: ...
    @property
    def private_key_pem(self) -> str: ...


CloudKeys = Callable[[str], CloudCredentials]
"""Asks nRF Cloud to make key and certificate for a device id."""


class OverTheAir(Protocol):
    """Has a board carry out what the provisioning service tells it. Raises Refusal, LabError."""

    def make_key(self, sec_tag: int) -> KeygenResult:
        """Have the device make a key there; return its CSR, checked."""

    def write(self, sec_tag: int, contents: Mapping[int, str]) -> None:
        """Have the device store root CA and certificate, by kind."""


class CloudCredentialsMismatch(Refusal):
    """nRF Cloud handed out credentials that contradict each other or what was asked for."""

    party = Party.CLOUD


@dataclass(frozen=True)
class Material:
    """Credentials of one sec_tag. ``certificate_pem``: as it is written, leaf first, with its chain if it has one.

    ``private_key_pem``: None where the device has made the key; ``keygen``: its CSR then.
    """

    root_ca_pem: str
    certificate_pem: str
    private_key_pem: str | None = field(default=None, repr=False)
    keygen: KeygenResult | None = None

    def __post_init__(self) -> None:
        for line in (self.private_key_pem or "").splitlines():
            if not line.startswith("-----"):
                SECRETS.add(line)  # line by line, because reports escape line ends

    def contents(self) -> dict[int, str]:
        """Return what is to be written, by kind, in this order: the key last, because it cannot be read back."""
        contents: dict[int, str] = {
            CredentialKind.ROOT_CA: self.root_ca_pem,
            CredentialKind.CLIENT_CERT: self.certificate_pem,
        }
        if self.private_key_pem is not None:
            contents[CredentialKind.PRIVATE_KEY] = self.private_key_pem
        return contents


def made_on_device(keygen: KeygenResult, *, device_id: str, ca: LabCa, root_ca_pem: str) -> Material:
    """Return the certificate for a key of the device, signed by ``ca``, the lab's.

    ``keygen``: the modem's answer, with the CSR. ``device_id``: the certificate's CN. ``root_ca_pem``: for the board to
    trust.
    """
    return Material(root_ca_pem, ca.issue(keygen.csr, device_id=device_id), keygen=keygen)


def made_on_host(*, device_id: str, ca: LabCa, root_ca_pem: str) -> Material:
    """Make a P-256 key on this computer and have ``ca``, the lab's, sign its certificate.

    ``device_id``: the certificate's CN. ``root_ca_pem``: for the board to trust.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Material(root_ca_pem, ca.issue(csr, device_id=device_id), pem)


def made_by_cloud(cloud_keys: CloudKeys, *, device_id: str) -> Material:
    """Have nRF Cloud make key and certificate, and check them. Raises CloudCredentialsMismatch, and its client's own.

    The root CA is the one that nRF Cloud hands out with them.
    """
    made = cloud_keys(device_id)
    try:
        _check_set(made, device_id)
    except ValueError as error:
        raise CloudCredentialsMismatch(
            f"nRF Cloud's credentials for {device_id}: {error}: delete the device there and provision again"
        ) from error
    return Material(made.ca_pem, made.certificate_pem, made.private_key_pem)


def _check_set(made: CloudCredentials, device_id: str) -> None:
    if made.client_id != device_id:
        raise ValueError(f"they are for {made.client_id!r}")
    with _named("caCert"):
        for authority in read_certificates(made.ca_pem):
            check_ca(authority)
            check_validity(authority)
    with _named("clientCert"):
        leaf = read_certificates(made.certificate_pem)[0]
        check_validity(leaf)
    names = [name.value for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [device_id]:
        raise ValueError(f"the certificate's CN is {names}, and just-in-time provisioning names the thing after it")
    with _named("privateKey"):
        key = read_private_key(made.private_key_pem)
    if key.public_key() != leaf.public_key():
        raise ValueError("privateKey is not the key of clientCert")


@contextmanager
def _named(member: str) -> Iterator[None]:
    """Put the member's name before the reason."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{member}: {error}") from error

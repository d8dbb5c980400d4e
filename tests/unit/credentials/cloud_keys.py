"""What nRF Cloud's CreateDeviceCertificate hands out, made here, each part as wrong as a test wants it."""

from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.credentials import LabCa


@dataclass(frozen=True)
class CertificateSet:
    client_id: str
    ca_pem: str
    certificate_pem: str
    private_key_pem: str


class CloudKeys:
    """Callable as ``cloud_keys``; ``asked``: device ids; ``changes``: members replaced in what it hands out."""

    def __init__(self, ca: LabCa, root_ca: str, **changes: str) -> None:
        self._ca = ca
        self._root_ca = root_ca
        self.changes = changes
        self.asked: list[str] = []
        self.made: list[CertificateSet] = []

    def __call__(self, device_id: str) -> CertificateSet:
        self.asked.append(device_id)
        self.made.append(replace(make_set(self._ca, self._root_ca, device_id), **self.changes))
        return self.made[-1]


def make_set(ca: LabCa, root_ca: str, device_id: str) -> CertificateSet:
    """A chain of leaf and CA, as just-in-time provisioning needs it presented."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    return CertificateSet(device_id, root_ca, ca.issue(csr, device_id=device_id) + ca.certificate_pem, pem)

"""The lab's own CA: it signs the certificates of the boards whose keys were made on the device."""

import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from filelock import FileLock, Timeout

from harness.credentials.certificates import issue_device_certificate, make_ca_certificate
from harness.credentials.pem import check_ca, check_validity
from harness.credentials.people_files import check_p256, read_certificate_file, read_key_file
from harness.credentials.private_file import write_atomically
from harness.errors import LabError, Misuse

_KEY_FILE = "lab-ca.key.pem"
_CERTIFICATE_FILE = "lab-ca.pem"
_LOCK_FILE = ".lab-ca.lock"
_LOCK_TIMEOUT = 30.0
_MEND = "restore it, or empty the folder for a new CA"


class LabCa:
    """An EC P-256 CA. ``certificate_pem``: its certificate, which is public; the key never leaves this object."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate
        self.certificate_pem = certificate.public_bytes(Encoding.PEM).decode()

    @classmethod
    def load_or_create(cls, folder: Path) -> "LabCa":
        """Return the CA that is kept in ``folder``; the first call there makes it. Safe among processes.

        Misuse, naming the file: one of the two files is missing or unreadable, holds something else, is expired, the
        key's file is open to other users, or key and certificate do not belong together.
        """
        key_path, certificate_path = folder / _KEY_FILE, folder / _CERTIFICATE_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / _LOCK_FILE, timeout=_LOCK_TIMEOUT):
                if not key_path.exists() and not certificate_path.exists():
                    _create(key_path, certificate_path)
                key, certificate = _load_key(key_path), _load_certificate(certificate_path)
        except Timeout as error:
            raise LabError(f"{folder}: another process holds the lab CA's lock: end it and run again") from error
        except OSError as error:
            raise Misuse(
                f"{error.filename or folder}: {error.strerror}: the lab CA needs this folder, readable and writable"
            ) from error
        return cls(*_pair(key, certificate, folder))

    @classmethod
    def load(cls, folder: Path) -> "LabCa | None":
        """Return the CA that is kept in ``folder``, None: there is none yet. Makes and locks nothing. Raises Misuse."""
        key_path, certificate_path = folder / _KEY_FILE, folder / _CERTIFICATE_FILE
        if not key_path.exists() and not certificate_path.exists():
            return None
        try:
            return cls(*_pair(_load_key(key_path), _load_certificate(certificate_path), folder))
        except OSError as error:
            raise Misuse(f"{error.filename or folder}: {error.strerror}; {_MEND}") from error

    @property
    def certificate(self) -> x509.Certificate:
        """The CA's own certificate."""
        return self._certificate

    def issue(self, csr: x509.CertificateSigningRequest, *, device_id: str, days: int = 3650) -> str:
        """Return a certificate in PEM for ``csr``, ``device_id`` and ``days``, see :func:`issue_device_certificate`."""
        return issue_device_certificate(
            csr, device_id=device_id, ca_certificate=self._certificate, ca_key=self._key, days=days
        )


def _pair(
    key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, folder: Path
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    if key.public_key() != certificate.public_key():
        raise Misuse(
            f"{folder / _KEY_FILE} is not the key of {folder / _CERTIFICATE_FILE}: "
            "restore the pair that belongs together"
        )
    return key, certificate


def _create(key_path: Path, certificate_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = make_ca_certificate(key)
    write_atomically(key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_atomically(certificate_path, certificate.public_bytes(Encoding.PEM))


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Misuse(f"{path}: other users can open this private key: run chmod 600 on it")
    try:
        return check_p256(read_key_file(path))
    except ValueError as error:
        raise Misuse(f"{path}: {error}; {_MEND}") from error
    except Misuse as error:
        raise Misuse(f"{error}; {_MEND}") from error


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        certificates = read_certificate_file(path)
    except Misuse as error:
        raise Misuse(f"{error}; {_MEND}") from error
    if len(certificates) > 1:
        raise Misuse(f"{path}: a chain of {len(certificates)} certificates, expected the CA's own alone; {_MEND}")
    (certificate,) = certificates
    try:
        check_ca(certificate)
        certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound as error:
        cure = "openssl req -x509 adds it, and so does a new CA"
        raise Misuse(f"{path}: this CA has no SubjectKeyIdentifier, which its certificates refer to; {cure}") from error
    except ValueError as error:
        raise Misuse(f"{path}: {error}; {_MEND}") from error
    try:
        check_validity(certificate)
    except ValueError as error:
        raise Misuse(
            f"{path}: this CA {error}: empty the folder for a new CA and register the boards again, unless the clock "
            "is wrong"
        ) from error
    return certificate

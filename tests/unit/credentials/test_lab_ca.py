import multiprocessing
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.credentials import LabCa
from harness.credentials import certificates as certificates_module
from harness.errors import LabError, Misuse

KEY, CERTIFICATE = "lab-ca.key.pem", "lab-ca.pem"


def _write_key(path: Path, key, encryption=None) -> None:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    path.chmod(0o600)


def test_the_first_call_makes_a_ca(tmp_path):
    folder = tmp_path / "deep" / "ca"
    ca = LabCa.load_or_create(folder)
    certificate = x509.load_pem_x509_certificate(ca.certificate_pem.encode())
    assert (folder / CERTIFICATE).read_text() == ca.certificate_pem
    assert isinstance(certificate.public_key().curve, ec.SECP256R1)
    assert certificate.subject == certificate.issuer
    certificate.verify_directly_issued_by(certificate)
    extensions = certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    identifier = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert identifier == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
    assert extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == identifier.digest
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now
    assert timedelta(days=3650) <= certificate.not_valid_after_utc - now < timedelta(days=3660)


def test_the_key_file_is_0600_whatever_the_umask(tmp_path):
    former = os.umask(0)
    try:
        LabCa.load_or_create(tmp_path)
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lab-ca.lock", KEY, CERTIFICATE]


def test_the_second_call_gives_the_same_ca(tmp_path):
    first = LabCa.load_or_create(tmp_path)
    key = (tmp_path / KEY).read_bytes()
    assert LabCa.load_or_create(tmp_path).certificate_pem == first.certificate_pem
    assert (tmp_path / KEY).read_bytes() == key


def test_two_labs_have_two_names(tmp_path):
    names = {
        x509.load_pem_x509_certificate(LabCa.load_or_create(tmp_path / lab).certificate_pem.encode()).subject
        for lab in ("a", "b")
    }
    assert len(names) == 2


def test_processes_that_start_together_get_one_ca(tmp_path):
    forked = multiprocessing.get_context("fork")
    together, seen = forked.Barrier(3), forked.SimpleQueue()

    def start():
        together.wait(60)
        seen.put(LabCa.load_or_create(tmp_path).certificate_pem)

    processes = [forked.Process(target=start) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    (certificate,) = {seen.get() for _ in processes}
    assert "BEGIN CERTIFICATE" in certificate


def _other_key(folder: Path) -> None:
    _write_key(folder / KEY, ec.generate_private_key(ec.SECP256R1()))


def _no_key(folder: Path) -> None:
    (folder / KEY).unlink()


def _no_certificate(folder: Path) -> None:
    (folder / CERTIFICATE).unlink()


def _key_is_no_pem(folder: Path) -> None:
    (folder / KEY).write_bytes(b"\x30\x00")


def _key_has_password(folder: Path) -> None:
    _write_key(folder / KEY, ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret"))


def _key_is_p384(folder: Path) -> None:
    _write_key(folder / KEY, ec.generate_private_key(ec.SECP384R1()))


def _key_is_ed25519(folder: Path) -> None:
    _write_key(folder / KEY, ed25519.Ed25519PrivateKey.generate())


def _key_is_open(folder: Path) -> None:
    (folder / KEY).chmod(0o640)


def _certificate_is_no_pem(folder: Path) -> None:
    (folder / CERTIFICATE).write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")


def _certificate_is_empty(folder: Path) -> None:
    (folder / CERTIFICATE).write_text("")


def _leaf(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "board")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    (folder / CERTIFICATE).write_text(LabCa.load_or_create(folder).issue(csr, device_id="board"))


def _two_certificates(folder: Path) -> None:
    text = (folder / CERTIFICATE).read_text()
    (folder / CERTIFICATE).write_text(text * 2)


def _key_is_rsa(folder: Path) -> None:
    _write_key(folder / KEY, rsa.generate_private_key(65537, 2048))


def _without_identifier(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=2))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    _write_key(folder / KEY, key)
    (folder / CERTIFICATE).write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


@pytest.mark.parametrize(
    ("damage", "file", "reason"),
    [
        (_two_certificates, CERTIFICATE, "a chain of 2 certificates, expected the CA's own alone"),
        (_other_key, KEY, "is not the key of"),
        (_no_key, KEY, "No such file"),
        (_no_certificate, CERTIFICATE, "No such file"),
        (_key_is_no_pem, KEY, "not a private key; give one in PEM"),
        (_key_has_password, KEY, "the private key has a password; openssl pkey"),
        (_key_is_p384, KEY, "EC on secp384r1, not on P-256"),
        (_key_is_ed25519, KEY, "is Ed25519, not EC on P-256"),
        (_key_is_rsa, KEY, "is RSA, not EC on P-256"),
        (_without_identifier, CERTIFICATE, "this CA has no SubjectKeyIdentifier"),
        (_key_is_open, KEY, "chmod 600"),
        (_certificate_is_no_pem, CERTIFICATE, "certificate 1 of 1 is damaged"),
        (_certificate_is_empty, CERTIFICATE, "the file is empty"),
        (_leaf, CERTIFICATE, "not that of a CA"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_damaged_folder_is_misuse_that_names_the_file(tmp_path, damage, file, reason):
    LabCa.load_or_create(tmp_path)
    damage(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(Misuse, match=reason) as caught:
        LabCa.load_or_create(tmp_path)
    assert str(tmp_path / file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_ca_of_the_future_tells_of_the_clock(tmp_path, monkeypatch):
    class Future(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=2)

    monkeypatch.setattr(certificates_module, "datetime", Future)
    with pytest.raises(Misuse, match=r"this CA is not valid before 20.*, this computer's clock says 20") as caught:
        LabCa.load_or_create(tmp_path)
    assert "\n" not in str(caught.value)


def test_files_as_openssl_and_editors_leave_them(tmp_path):
    first = LabCa.load_or_create(tmp_path)
    key, certificate = tmp_path / KEY, tmp_path / CERTIFICATE
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key.write_text(parameters + key.read_text())
    certificate.write_text(f"\ufeff{first.certificate_pem}subject=CN = lab\n".replace("\n", "\r\n"))
    assert LabCa.load_or_create(tmp_path).certificate_pem == first.certificate_pem


def test_an_expired_ca_is_misuse(tmp_path, monkeypatch):
    class Past(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=3700)

    with monkeypatch.context() as patch:
        patch.setattr(certificates_module, "datetime", Past)
        with pytest.raises(Misuse, match="this CA expired on 20"):
            LabCa.load_or_create(tmp_path)
    with pytest.raises(Misuse, match="this CA expired on 20") as caught:
        LabCa.load_or_create(tmp_path)
    assert str(tmp_path / CERTIFICATE) in str(caught.value)


def test_a_folder_that_is_a_file_is_misuse(tmp_path):
    (tmp_path / "ca").write_text("")
    with pytest.raises(Misuse, match="/ca: File exists"):
        LabCa.load_or_create(tmp_path / "ca")


def test_a_lock_that_never_comes_free_is_the_labs_trouble(tmp_path, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr("harness.credentials.lab_ca._LOCK_TIMEOUT", 0.0)
    with FileLock(tmp_path / ".lab-ca.lock"), pytest.raises(LabError, match="another process holds"):
        LabCa.load_or_create(tmp_path)

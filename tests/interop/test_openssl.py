"""openssl reads and verifies what the harness issues, and the harness takes CSRs and keys that openssl makes."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.at import AtPort
from harness.credentials import LabCa, make_device_jwt
from harness.modem import Modem
from harness.timeline import Timeline
from tests.interop.stand_ins import SEC_TAG, program, run, virtual_board

OPENSSL = program("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed (Debian: apt-get install openssl)")


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return LabCa.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def modem():
    with virtual_board() as board, AtPort.open(board["port"], name="dk1", timeline=Timeline()) as port:
        port.sync()
        yield Modem(port, sec_tags=[SEC_TAG])


@pytest.fixture(scope="module")
def keygen(modem):
    """A key pair made on a virtual board."""
    with modem.offline():
        return modem.generate_key(SEC_TAG)


@pytest.fixture
def files(tmp_path, ca, keygen):
    """Return the paths of CA, device certificate and CSR."""
    contents = {
        "ca.pem": ca.certificate_pem,
        "device.pem": ca.issue(keygen.csr, device_id="dev-1"),
        "device.csr": keygen.csr_pem,
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    return tuple(str(tmp_path / name) for name in contents)


def openssl(*arguments, stdin=None):
    return run([str(OPENSSL), *arguments], stdin=stdin)


def test_the_chain_is_verified_strictly(files):
    root, device, _ = files
    said = openssl("verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslclient", "-CAfile", root, device)
    assert said == f"{device}: OK\n"


def test_another_labs_ca_does_not_verify_it(files, tmp_path):
    _, device, _ = files
    other = tmp_path / "other.pem"
    other.write_text(LabCa.load_or_create(tmp_path / "other").certificate_pem)
    with pytest.raises(AssertionError, match="unable to get local issuer certificate"):
        openssl("verify", "-CAfile", str(other), device)


def test_a_device_certificate_signs_nothing(files):
    """The device's certificate must not serve as a CA."""
    root, device, _ = files
    with pytest.raises(AssertionError, match=r"unsuitable certificate purpose|invalid CA"):
        openssl("verify", "-purpose", "crlsign", "-CAfile", root, device)


def test_names_and_lifetime(files):
    _, device, _ = files
    said = openssl("x509", "-in", device, "-noout", "-subject", "-ext", "keyUsage,basicConstraints", "-checkend", "0")
    assert "subject=CN = dev-1" in said
    assert "Digital Signature" in said
    assert "CA:FALSE" in said
    assert "Certificate will not expire" in said


def test_the_devices_csr_is_signed_by_its_key(files, keygen):
    _, _, csr = files
    key = openssl("req", "-in", csr, "-noout", "-pubkey", "-verify")
    assert f"CN = {keygen.device_uuid}" in openssl("req", "-in", csr, "-noout", "-subject")
    assert key in openssl("x509", "-in", files[1], "-noout", "-pubkey")


def test_the_csr_in_der_as_the_device_made_it(tmp_path, keygen):
    (tmp_path / "csr.der").write_bytes(keygen.csr_der)
    said = openssl("req", "-inform", "DER", "-in", str(tmp_path / "csr.der"), "-noout", "-text", "-verify")
    assert "ASN1 OID: prime256v1" in said


def test_a_csr_made_by_openssl_is_signed(ca, tmp_path):
    key, csr = str(tmp_path / "key.pem"), tmp_path / "csr.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    openssl("req", "-new", "-key", key, "-subj", "/CN=whatever", "-out", str(csr))
    certificate = ca.issue(x509.load_pem_x509_csr(csr.read_bytes()), device_id="dev-2")
    assert openssl("x509", "-noout", "-pubkey", stdin=certificate) == openssl("pkey", "-in", key, "-pubout")
    assert x509.load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.PEM).decode() == certificate


def check_token(token, public_key, tmp_path):
    """Let openssl check an ES256 token's signature, which it wants in DER."""
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    assert len(raw) == 64
    der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    contents = {
        "key.pem": public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "signature.der": der,
        "signed": signed.encode(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    key, signature, signed = (str(tmp_path / name) for name in contents)
    return openssl("dgst", "-sha256", "-verify", key, "-signature", signature, signed)


def test_a_token_of_the_modem(modem, keygen, tmp_path):
    token = modem.jwt(sec_tag=SEC_TAG, expires_in=0, subject="dev-1").token
    assert check_token(token, keygen.public_key, tmp_path) == "Verified OK\n"


def test_a_token_made_on_this_computer(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    assert check_token(make_device_jwt(key, "dev-1"), key.public_key(), tmp_path) == "Verified OK\n"


def test_a_token_of_another_key_is_refused(modem, keygen, tmp_path):
    token = modem.jwt(sec_tag=SEC_TAG, expires_in=0, subject="dev-1").token
    with pytest.raises(AssertionError, match=r"Verification [fF]ailure"):
        check_token(token, ec.generate_private_key(ec.SECP256R1()).public_key(), tmp_path)

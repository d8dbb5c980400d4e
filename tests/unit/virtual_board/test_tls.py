import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.virtual.board.modem import Nvm, make_identity
from harness.virtual.board.modem.nvm import Credential
from harness.virtual.board.tls import CredentialsUnusable, client_context

TAG = 7
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, now - day, now + day)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


CERTIFICATE = certificate()


def key_bytes(encoding, password=None):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return KEY.private_bytes(encoding, serialization.PrivateFormat.PKCS8, protection)


def nvm(**kinds):
    memory = Nvm(make_identity("x"))
    memory.credentials = {(TAG, int(kind[1:])): item for kind, item in kinds.items()}
    return memory


@pytest.mark.parametrize(
    "key",
    [
        Credential(key_bytes(serialization.Encoding.PEM)),
        Credential(key_bytes(serialization.Encoding.PEM, b"secret"), password=b"secret"),
        Credential(key_bytes(serialization.Encoding.DER), generated=True),
    ],
    ids=["written", "encrypted", "generated"],
)
def test_a_usable_tag(key):
    crlf = Credential(CERTIFICATE.replace(b"\n", b"\r\n").rstrip())
    context = client_context(nvm(_0=Credential(CERTIFICATE + CERTIFICATE), _1=crlf, _2=key), TAG)
    assert context.maximum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert {cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2"} == {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA384",
        "ECDHE-RSA-AES256-SHA384",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-RSA-AES128-SHA256",
    }
    assert context.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({}, "no root CA"),
        ({"_0": b"not PEM"}, "sec_tag 7"),
        ({"_0": CERTIFICATE, "_1": CERTIFICATE}, "no private key"),
        ({"_0": CERTIFICATE, "_1": b"junk", "_2": b"junk"}, "sec_tag 7"),
        ({"_0": CERTIFICATE, "_1": CERTIFICATE, "_2": key_bytes(serialization.Encoding.PEM, b"secret")}, "sec_tag 7"),
    ],
)
def test_what_the_tag_lacks(kinds, message):
    with pytest.raises(CredentialsUnusable, match=message):
        client_context(nvm(**{kind: Credential(content) for kind, content in kinds.items()}), TAG)


def test_a_key_that_does_not_belong_to_the_certificate():
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kinds = {"_0": Credential(CERTIFICATE), "_1": Credential(CERTIFICATE), "_2": Credential(other)}
    with pytest.raises(CredentialsUnusable, match="KEY_VALUES_MISMATCH"):
        client_context(nvm(**kinds), TAG)


def test_secrets_do_not_show_in_a_representation():
    assert "PRIVATE" not in repr(Credential(key_bytes(serialization.Encoding.PEM), password=b"secret"))
    assert "secret" not in repr(Credential(b"", password=b"secret"))


def test_a_context_is_kept_as_long_as_the_credentials_are_the_same():
    memory = nvm(_0=Credential(CERTIFICATE))
    context = client_context(memory, TAG)
    assert client_context(memory, TAG) is context
    others = [client_context(memory, TAG, verify=False), client_context(memory, TAG, named=False)]
    assert others[0].verify_mode == ssl.CERT_NONE
    assert not others[1].check_hostname
    memory.credentials[TAG, 1] = Credential(CERTIFICATE)
    memory.credentials[TAG, 2] = Credential(key_bytes(serialization.Encoding.PEM))
    assert client_context(memory, TAG) is not context
    del memory.credentials[TAG, 0]
    with pytest.raises(CredentialsUnusable, match="no root CA"):
        client_context(memory, TAG)

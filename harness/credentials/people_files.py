"""Files with certificates and keys as people have them: what is clear is taken, else what it is and how to convert it.

Clear is: a byte order mark, UTF-16, CR LF, text before, between and behind the certificates, a certificate on one line
(also with ``\\n`` spelt out), DER, Base64 of DER alone. Facts: RFC 7468 §2 and §5.2 (explanatory text), RFC 5915
(``EC PARAMETERS`` of OpenSSL).
"""

import base64
import binascii
import codecs
import re
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
from cryptography.x509.oid import NameOID

from harness.credentials.pem import check_ca, check_validity, one_certificate
from harness.errors import Misuse

_BLOCK = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----(?P<body>.*?)-----END (?P=label)-----", re.DOTALL)
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_CONVERT = {
    "CERTIFICATE REQUEST": "a certificate request; have a CA sign it, and give what it makes",
    "NEW CERTIFICATE REQUEST": "a certificate request; have a CA sign it, and give what it makes",
    "TRUSTED CERTIFICATE": "a certificate in OpenSSL's own form; openssl x509 -in FILE -out ca.pem converts it",
    "PKCS7": "a PKCS #7 bundle; openssl pkcs7 -print_certs -in FILE -out ca.pem converts it",
    "PUBLIC KEY": "a public key; give the certificate",
    "X509 CRL": "a revocation list; give the certificate",
}
_KEY_CURE = "openssl ecparam -name prime256v1 -genkey makes one"


class _Block(NamedTuple):
    label: str
    pem: str


def read_ca_file(path: Path) -> list[x509.Certificate]:
    """Return the CA certificates in a file, in its order: at least one, all of them valid today.

    OSError: it cannot be read. Misuse: its path, what it is, and how to convert it.
    """
    certificates = read_certificate_file(path)
    for number, certificate in enumerate(certificates, 1):
        try:
            check_ca(certificate)
            check_validity(certificate)
        except ValueError as error:
            which = f"certificate {number} of {len(certificates)}, " if len(certificates) > 1 else ""
            raise Misuse(f"{path}: {which}{_subject(certificate)}: {error}") from error
    return certificates


def read_certificate_file(path: Path) -> list[x509.Certificate]:
    """Return the certificates in a file, in its order: at least one. OSError and Misuse: see :func:`read_ca_file`."""
    content = path.read_bytes()
    try:
        return _certificates(content)
    except ValueError as error:
        raise Misuse(f"{path}: {error}".replace(" FILE ", f" {path} ")) from error


def read_key_file(path: Path) -> PrivateKeyTypes:
    """Return the one private key in a file; ``EC PARAMETERS`` may stand before it.

    OSError: it cannot be read. Misuse: its path and what it is, never anything of its content.
    """
    content = path.read_bytes()
    try:
        return _key(content)
    except ValueError as error:
        raise Misuse(f"{path}: {error}".replace(" FILE ", f" {path} ")) from None


def as_pem(certificates: list[x509.Certificate]) -> str:
    """Return certificates as PEM with LF line ends and nothing else."""
    return "".join(map(one_certificate, certificates))


def check_p256(key: PrivateKeyTypes) -> ec.EllipticCurvePrivateKey:
    """Return an EC key on P-256. ValueError: what the key is instead."""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        kind = type(key).__name__.removesuffix("PrivateKey").strip("_")  # _RSAPrivateKey, Ed25519PrivateKey ...
        raise ValueError(f"the private key is {kind}, not EC on P-256; {_KEY_CURE}")
    if not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"the private key is EC on {key.curve.name}, not on P-256; {_KEY_CURE}")
    return key


def _certificates(content: bytes) -> list[x509.Certificate]:
    text = _text(content)
    if text is None:
        return [_of_der(content)]
    blocks = _blocks(text)
    if not blocks:
        return [_of_base64(text)]
    for block in blocks:
        if block.label.endswith("PRIVATE KEY"):
            beside = "a private key beside the certificate" if len(blocks) > 1 else "a private key, not a certificate"
            raise ValueError(f"{beside}; a key stays in a file of its own, give the certificate alone")
    others = [block for block in blocks if block.label != "CERTIFICATE"]
    if others:
        label = others[0].label
        raise ValueError(_CONVERT.get(label, f"it holds {label}, not a certificate; give the certificate in PEM"))
    found = []
    for number, block in enumerate(blocks, 1):
        try:
            found.append(x509.load_pem_x509_certificate(block.pem.encode()))
        except (ValueError, x509.InvalidVersion) as error:
            raise ValueError(f"certificate {number} of {len(blocks)} is damaged; copy the file again") from error
    return found


def _key(content: bytes) -> PrivateKeyTypes:
    text = _text(content)
    if text is None:
        try:
            return load_der_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("not a private key that can be read; give it in PEM, without a password") from None
    blocks = [block for block in _blocks(text) if block.label not in ("EC PARAMETERS", "CERTIFICATE")]
    keys = [block for block in blocks if block.label.endswith("PRIVATE KEY")]
    if len(keys) != 1 or len(blocks) > 1:
        what = f"{len(keys)} private keys, expected one" if keys else "not a private key"
        raise ValueError(f"{what}; give one in PEM, without a password")
    if keys[0].label.startswith("ENCRYPTED") or "Proc-Type: 4,ENCRYPTED" in keys[0].pem:
        raise ValueError("the private key has a password; openssl pkey -in FILE -out key.pem takes it off")
    try:
        return load_pem_private_key(keys[0].pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("the private key is damaged or of an unsupported kind; copy its file again") from None


def _text(content: bytes) -> str | None:
    """Return the text of a file, None for DER and other binary content."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if content[1:2] == b"\0" and content[3:4] == b"\0":  # UTF-16 without a mark
        return content.decode("utf-16-le", errors="replace")
    if b"-----BEGIN" not in content and content[:1] == b"\x30" and not content.isascii():
        return None
    return content.decode("utf-8-sig", errors="replace")


def _blocks(text: str) -> list[_Block]:
    """Return the PEM blocks of a text, each with line breaks where PEM has them. ValueError: one has no end."""
    found = [_Block(one["label"], _block(one["label"], one["body"])) for one in _BLOCK.finditer(text)]
    begun = _BEGIN.findall(text)
    if len(begun) > len(found):
        raise ValueError(f"{begun[-1]} has no END line; copy the whole file again")
    return found


def _block(label: str, body: str) -> str:
    lines = body.replace("\\r", "").replace("\\n", "\n").split("\n")
    headers = [line.strip() for line in lines if ":" in line]  # of an encrypted key
    data = "".join("".join(line.split()) for line in lines if ":" not in line)
    broken = [data[start : start + 64] for start in range(0, len(data), 64)]
    return "\n".join(
        [f"-----BEGIN {label}-----", *headers, *([""] if headers else []), *broken, f"-----END {label}-----\n"]
    )


def _of_der(content: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(content)
    except (ValueError, x509.InvalidVersion):
        pass
    try:
        load_der_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        cure = "if it is PKCS #12, openssl pkcs12 -in FILE -nokeys -out ca.pem converts it"
        raise ValueError(f"binary, and not a certificate in DER; give a certificate in PEM; {cure}") from None
    raise ValueError("a private key in DER, not a certificate; give the certificate")


def _of_base64(text: str) -> x509.Certificate:
    if not text.strip():
        raise ValueError("the file is empty; it must hold a certificate in PEM")
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError, x509.InvalidVersion):
        raise ValueError(
            "it holds no certificate; give one in PEM, which begins with -----BEGIN CERTIFICATE-----"
        ) from None


def _subject(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return ascii(str(names[0].value)) if names else "without a common name"

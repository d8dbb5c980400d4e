"""The answer of AT%KEYGEN: a CSR or a public key, and the modem's signed statement about it.

Facts: nRF9160 and nRF91x1 AT Commands references, %KEYGEN; the statement's fields and both forms of its signature were
read from recorded answers of both families. The statement says which device made the key, for which sec_tag, and the
SHA-256 of the CSR; every one of them is checked here.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import NameOID

from harness.at import LOST_BYTES, AtFormatError
from harness.errors import Party, Refusal
from harness.modem.cose import CoseSign1, decode_base64url, decode_cbor
from harness.modem.der import mend_csr, unmend_csr

_ANSWER = re.compile(r'"?([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)"?')
_SAYS_PUBLIC_KEY = 8
_SAYS_CSR = 9
_NEXT = "do not use this key; generate it again; if it stays so, keep the transcript for Nordic"


class KeygenMismatch(Refusal):
    """The answer of AT%KEYGEN contradicts itself or the request, or is not such an answer."""

    party = Party.MODEM


@dataclass(frozen=True)
class KeygenAnswer:
    """A public key that the device made, and the device's signed statement about it.

    ``body``: the DER bytes exactly as sent, which the statement's digest covers. ``nonce``: 16 random bytes.
    """

    public_key: ec.EllipticCurvePublicKey
    device_uuid: str
    sec_tag: int
    nonce: bytes
    body: bytes
    statement: CoseSign1

    def signed_by(self, identity_key: ec.EllipticCurvePublicKey) -> bool:
        """Tell whether ``identity_key`` signed the statement.

        Both known forms count: nRF91x1 2.0.x signs with empty external_aad, early nRF9160 1.3.x with the body there.
        """
        return any(self.statement.signed_by(identity_key, external_aad=aad) for aad in (b"", self.body))


@dataclass(frozen=True)
class KeygenResult(KeygenAnswer):
    """A CSR from the device.

    ``common_name``: the subject's CN, empty when it has none. ``repaired``: :attr:`csr_pem`, which is loadable
    anywhere, differs from :attr:`csr_der`.
    """

    csr: x509.CertificateSigningRequest
    common_name: str
    repaired: bool

    @property
    def csr_der(self) -> bytes:
        """The CSR as the device sent and signed it."""
        return self.body

    @property
    def csr_pem(self) -> str:
        """The CSR with a signatureAlgorithm that strict parsers take."""
        return self.csr.public_bytes(Encoding.PEM).decode()


def parse_keygen(
    value: str, *, sec_tag: int | None = None, device_uuid: str | None = None, common_name: str | None = None
) -> KeygenResult:
    """Return the CSR in ``value`` (what follows ``%KEYGEN: ``, quotes or not), checked.

    Always checked: the CSR's own signature, its key (P-256), and the digest in the device's statement.
    ``sec_tag``, ``device_uuid``, ``common_name``: checked too when given. Raises KeygenMismatch.
    """
    body, statement, claims = _open(value, _SAYS_CSR)
    try:
        mended, unmended = mend_csr(body), unmend_csr(body)
        csr = x509.load_der_x509_csr(mended)
        key = _p256(csr.public_key())
        names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        valid = csr.is_signature_valid
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise _unreadable(f"the CSR cannot be read ({error})") from error
    if not valid:
        raise _unreadable("the CSR's signature does not fit its public key")
    # A recorded CSR without NULL carries the digest of the same CSR with NULL. Either form will do, because the digest
    # tells both apart from all other bytes.
    _check_digest(claims, body, unmended)
    result = KeygenResult(
        key,
        claims.device_uuid,
        claims.sec_tag,
        claims.nonce,
        body,
        statement,
        csr,
        common_name=str(names[0].value) if names else "",
        repaired=mended != body,
    )
    _check(result, sec_tag, device_uuid)
    if common_name is not None and result.common_name != common_name:
        raise _mismatch(f"the CSR's CN is {result.common_name!r}, but {common_name!r} was asked for")
    return result


def parse_keygen_public_key(value: str, *, sec_tag: int | None = None, device_uuid: str | None = None) -> KeygenAnswer:
    """Return the public key in ``value``, an answer to ``AT%KEYGEN=<sec_tag>,2,1``; checked as :func:`parse_keygen`.

    ``sec_tag``, ``device_uuid``: checked when given.
    """
    body, statement, claims = _open(value, _SAYS_PUBLIC_KEY)
    try:
        key = load_der_public_key(body)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(f"the public key cannot be read ({error})") from error
    _check_digest(claims, body)
    answer = KeygenAnswer(_p256(key), claims.device_uuid, claims.sec_tag, claims.nonce, body, statement)
    _check(answer, sec_tag, device_uuid)
    return answer


@dataclass(frozen=True)
class _Claims:
    kind: int
    device_uuid: str
    sec_tag: int
    digest: bytes
    nonce: bytes


def _open(value: str, kind: int) -> tuple[bytes, CoseSign1, _Claims]:
    found = _ANSWER.fullmatch(value.strip())
    if not found:
        raise _unreadable(f"expected two base64url parts with a dot between, got {len(value)} other characters")
    try:
        body, cose = (decode_base64url(part) for part in found.groups())
        statement = CoseSign1.parse(cose)
        claims = _claims(statement.payload)
    except ValueError as error:
        raise _unreadable(f"the device's statement cannot be read ({error})") from error
    if claims.kind != kind:
        raise _mismatch(f"the statement is of type {claims.kind}, but type {kind} was asked for")
    return body, statement, claims


def _claims(payload: bytes | None) -> _Claims:
    if payload is None:
        raise ValueError("it has no payload")
    fields = decode_cbor(payload)
    if not isinstance(fields, (list, tuple)) or len(fields) != 5:
        raise ValueError("its payload is not five fields")
    kind, device, sec_tag, digest, nonce = fields
    if type(kind) is not int or not all(isinstance(field, bytes) for field in (device, sec_tag, digest, nonce)):
        raise ValueError("its payload holds fields of other types")
    number = decode_cbor(sec_tag)
    if type(number) is not int:
        raise ValueError("its sec_tag is not a number")
    # A sec_tag above 2^31 comes as the negative 32-bit number with the same bits.
    return _Claims(kind, str(uuid.UUID(bytes=device)), number + 2**32 if number < 0 else number, digest, nonce)


def _check_digest(claims: _Claims, *forms: bytes) -> None:
    if claims.digest not in {hashlib.sha256(form).digest() for form in forms}:
        raise _unreadable("the SHA-256 in the device's statement does not fit the key beside it")


def _check(answer: KeygenAnswer, sec_tag: int | None, device_uuid: str | None) -> None:
    if sec_tag is not None and answer.sec_tag != sec_tag:
        raise _mismatch(f"the device signed for sec_tag {answer.sec_tag}, but {sec_tag} was asked for")
    if device_uuid is not None and answer.device_uuid != device_uuid.lower():
        raise _mismatch(f"the device signed as {answer.device_uuid}, but AT%DEVICEUUID says {device_uuid}")


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _mismatch("the key is not on P-256")
    return key


def _mismatch(what: str) -> KeygenMismatch:
    return KeygenMismatch(f"AT%KEYGEN: {what}: {_NEXT}")


def _unreadable(what: str) -> AtFormatError:
    return AtFormatError(f"AT%KEYGEN: {what}: {LOST_BYTES}")

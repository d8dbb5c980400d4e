"""Checks what a team uploads about devices: a certificate or public key for each, singly or as CSV. Pure.

Facts: nRF Cloud REST API, OnboardDevice and OnboardDevices - five columns ``deviceId,subType,tags,fwTypes,"PEM"``
without header row or blank line, at most 1000 rows, lists split by ``|``, exactly one PEM block that ends in a newline,
keys on P-256 only; RegisterCertificates and RegisterPublicKeys - two columns ``deviceId,"PEM"``. No rule says who signs
the certificate.
"""

import base64
import binascii
import csv
import hashlib
import io
import re
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

DEVICE_ID = re.compile(r"[a-z0-9:_-]{1,128}", re.IGNORECASE)
FIRMWARE_TYPES = ("APP", "MODEM", "BOOT", "SOFTDEVICE", "BOOTLOADER", "MDM_FULL", "SMP", "CUSTOM")
MAX_ROWS = 1000

_SUB_TYPE = re.compile(r"[a-zA-Z0-9_.,@/:#-]{0,799}")
_TAG = re.compile(r"[a-zA-Z0-9_.@:#-]+")
_NEWLINE = r"(?:\r\n|\r|\n)"
_PEM = re.compile(
    rf"-----BEGIN (CERTIFICATE|PUBLIC KEY)-----{_NEWLINE}[^-]+{_NEWLINE}-----END \1-----{_NEWLINE}", re.ASCII
)
_Row = TypeVar("_Row")


class InvalidUpload(Exception):
    """The upload breaks a documented rule, and all of it is refused."""


@dataclass(frozen=True)
class DeviceCertificate:
    """A registered certificate of a device. ``pem``: as OpenSSL writes it, whatever line ends the upload had."""

    certificate_id: str
    pem: str
    not_before: datetime
    not_after: datetime

    def why_not_now(self, now: datetime) -> str | None:
        """Return why the certificate may not be used at ``now``, or None if it is valid then."""
        if now < self.not_before:
            return f"is not valid before {self.not_before:%Y-%m-%d %H:%M:%S}"
        if now > self.not_after:
            return f"expired at {self.not_after:%Y-%m-%d %H:%M:%S}"
        return None


@dataclass(frozen=True)
class OnboardingRow:
    """A device to onboard. ``pem`` has the right form; its content has not been checked."""

    device_id: str
    sub_type: str
    tags: tuple[str, ...]
    firmware_types: tuple[str, ...]
    pem: str


@dataclass(frozen=True)
class KeyRow:
    """A certificate or public key to register. ``pem`` has the right form; its content has not been checked."""

    device_id: str
    pem: str


def check_row(
    device_id: str, sub_type: str, tags: Sequence[str], firmware_types: Sequence[str], pem: str
) -> OnboardingRow:
    """Return the row if every field has its documented form, else raise :class:`InvalidUpload`.

    ``device_id``, ``sub_type``, ``tags``, ``firmware_types``: of the device. ``pem``: its certificate or public key.
    """
    _check_device_id(device_id)
    if not _SUB_TYPE.fullmatch(sub_type):
        raise InvalidUpload("subType does not match /[a-zA-Z0-9_.,@\\/:#-]{0,799}/")
    check_tags(tags)
    for kind in firmware_types:
        if kind not in FIRMWARE_TYPES:
            raise InvalidUpload(f"firmware type {kind[:80]!r} is none of {', '.join(FIRMWARE_TYPES)}")
    _check_pem(pem, "CERTIFICATE", "PUBLIC KEY")
    return OnboardingRow(device_id, sub_type, tuple(tags), tuple(firmware_types), pem)


def check_tags(tags: Sequence[str]) -> None:
    """Raise :class:`InvalidUpload` if a tag does not have the documented form."""
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise InvalidUpload(f"tag {tag[:80]!r} does not match /^[a-zA-Z0-9_.@:#-]+$/")


def parse_csv(body: bytes) -> list[OnboardingRow]:
    """Return the rows of an OnboardDevices body: the CSV itself, or its base64 form.

    Raises :class:`InvalidUpload`, whose text names the row (from 0, as in the error summary of a bulk operation).
    """

    def check(device_id: str, sub_type: str, tags: str, firmware_types: str, pem: str) -> OnboardingRow:
        return check_row(device_id, sub_type, _split(tags), _split(firmware_types), pem)

    return _parse_table(body, 5, check)


def parse_key_csv(body: bytes, kind: str) -> list[KeyRow]:
    """Return the rows of a RegisterCertificates or RegisterPublicKeys body; InvalidUpload as :func:`parse_csv`.

    ``kind``: what every PEM block must be, ``CERTIFICATE`` or ``PUBLIC KEY``.
    """

    def check(device_id: str, pem: str) -> KeyRow:
        _check_device_id(device_id)
        _check_pem(pem, kind)
        return KeyRow(device_id, pem)

    return _parse_table(body, 2, check)


def _parse_table(body: bytes, columns: int, check: Callable[..., _Row]) -> list[_Row]:
    text = _decode(body)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise InvalidUpload(f"malformed CSV: {error}") from error
    if not table:
        raise InvalidUpload("the CSV has no row")
    if len(table) > MAX_ROWS:
        raise InvalidUpload(f"{len(table)} rows; at most {MAX_ROWS} are taken at once")
    rows = []
    for index, cells in enumerate(table):
        if len(cells) != columns:
            raise InvalidUpload(f"[{index}]: {len(cells)} columns instead of {columns} (or a blank line)")
        try:
            rows.append(check(*cells))
        except InvalidUpload as error:
            raise InvalidUpload(f"[{index}]: {error}") from error
    return rows


def load_certificate(pem: str) -> DeviceCertificate | None:
    """Return the certificate in ``pem``, or None if ``pem`` is a bare public key (no MQTT, REST and CoAP only).

    Raises :class:`InvalidUpload` if it cannot be read, or if its key is not on P-256.
    """
    try:
        if "BEGIN CERTIFICATE" not in pem:
            load_public_key(pem)
            return None
        certificate = x509.load_pem_x509_certificate(pem.encode())
        _check_key(certificate.public_key())
        der = certificate.public_bytes(serialization.Encoding.DER)
        # The broker will trust the certificate, so one that OpenSSL cannot read must be refused here.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
        return DeviceCertificate(
            certificate_id=certificate_id(der),
            pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm, ssl.SSLError) as error:
        raise InvalidUpload(f"the PEM block cannot be read: {error}") from error


def load_public_key(pem: str) -> ec.EllipticCurvePublicKey:
    """Return the key in ``pem``, a public key or a certificate. Raises InvalidUpload if it is not on P-256."""
    try:
        if "BEGIN CERTIFICATE" in pem:
            return _check_key(x509.load_pem_x509_certificate(pem.encode()).public_key())
        return _check_key(serialization.load_pem_public_key(pem.encode()))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidUpload(f"the PEM block cannot be read: {error}") from error


def _check_key(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidUpload("the key must be an EC key on P-256 (prime256v1), the only one ES256 works with")
    return key


def _check_device_id(device_id: str) -> None:
    if not DEVICE_ID.fullmatch(device_id):
        raise InvalidUpload(f"device ID {device_id[:140]!r} does not match /^[a-z0-9:_-]{{1,128}}$/i")


def _check_pem(pem: str, *kinds: str) -> None:
    block = _PEM.fullmatch(pem)
    if block is None or block[1] not in kinds:
        raise InvalidUpload(f"the certificate must be exactly one PEM block, {' or '.join(kinds)}, ending in a newline")


def certificate_id(der: bytes) -> str:
    """Return the id that AWS IoT gives a certificate: the SHA-256 of its DER in lower-case hex."""
    return hashlib.sha256(der).hexdigest()


def _decode(body: bytes) -> str:
    if b"," not in body:  # every CSV row has commas, base64 has none
        try:
            body = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise InvalidUpload("the body is neither CSV nor base64 of CSV") from error
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidUpload("the CSV is not UTF-8") from error


def _split(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|")) if cell else ()

"""Makers of certificates and collaborators that the tests of the local cloud share."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from harness.virtual.cloud.services.bundle_archive import Manifest
from harness.virtual.cloud.services.bundles import Bundle

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def certificate_pem(name: str, *, key: Any = None, start: datetime = NOON, days: int = 1) -> str:
    """Return a self-signed certificate; nRF Cloud does not care who signed a device's."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def rsa_certificate_pem(name: str) -> str:
    return certificate_pem(name, key=rsa.generate_private_key(65537, 2048))


def public_key_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def der(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)


def make_bundle(firmware_type: str = "APP", version: str = "2.0.1") -> Bundle:
    """Return a bundle of one image as a team has it."""
    manifest = Manifest(firmware_type, version, ("app.bin",), 1000)
    return Bundle(f"{firmware_type}*1a2b3c4d*{version}", 1, "team", NOON, manifest)


def make_manifest(**changes: Any) -> dict[str, Any]:
    """Return a manifest.json for one image of 4 bytes; a change to None leaves the member out."""
    file = {"file": "app.bin", "type": "application", "size": 4}
    members = {"fwversion": "2.0.1", "format-version": 1, "files": [file], **changes}
    return {name: value for name, value in members.items() if value is not None}


def make_archive(manifest: Any = None, **images: bytes) -> bytes:
    """Return a firmware bundle as it is uploaded. ``images``: what ``<name>.bin`` holds; app.bin unless given."""
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest or make_manifest())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", text)
        for name, content in (images or {"app": b"\x01\x02\x03\x04"}).items():
            archive.writestr(f"{name}.bin", content)
    return packed.getvalue()


class MemoryJournal:
    """A journal to look into."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def write(self, event: str, **fields: Any) -> None:
        self.entries.append({"event": event, **fields})

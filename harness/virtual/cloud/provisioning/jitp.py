"""Just-in-time provisioning: the first connection with a certificate of the JITP CA makes a device.

Facts: AWS IoT Core Developer Guide, "Just-in-time provisioning" (the CA's template runs, the connection is dropped, a
later one is accepted; every parameter that the template declares must be in the subject, and the client sends the CA's
certificate along); nRF Cloud JITP example (the thing's name is the common name, dnQualifier is the ownership code, the
thing joins the Provisioned group and no team).
UNCONFIRMED, chosen here: a certificate for a device that exists, and one that comes without its CA, make nothing and
are refused like any certificate that is not registered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID, ObjectIdentifier

from harness.virtual.cloud.broker.interfaces import CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN, Journal, Objection
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.registry.onboarding import (
    DEVICE_ID,
    DeviceCertificate,
    InvalidUpload,
    certificate_id,
    load_certificate,
)
from harness.virtual.cloud.registry.team import RestRefused, Team
from harness.virtual.cloud.tls.ca import LocalCa


@dataclass(frozen=True)
class _Newcomer:
    device_id: str
    ownership_code: str = field(repr=False)
    certificate: DeviceCertificate


class JitProvisioning:
    """Makes devices of ``team`` for unknown certificates of ``ca``, and notes each in ``journal``.

    ``schedule``: calls some time after the connection. ``now``: tells the time.
    """

    def __init__(
        self,
        ca: LocalCa,
        team: Team,
        *,
        journal: Journal,
        schedule: Callable[[Callable[[], None]], object],
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._ca = ca
        self._team = team
        self._journal = journal
        self._schedule = schedule
        self._now = now
        self._pending: set[str] = set()

    def meet(self, chain: Sequence[bytes]) -> Objection | None:
        """Take the chain (DER, leaf first) of a connection whose leaf is not registered.

        Start to provision its device if the certificate is fit for that. Return why the connection ends now, or None if
        the leaf is not of this CA.
        """
        try:
            leaf = x509.load_der_x509_certificate(chain[0])
        except ValueError:
            return None  # OpenSSL accepts some certificates that cannot be read here; our CA issues none of them
        if not self._ca.issued(leaf):
            return None
        if certificate_id(chain[0]) in self._pending:
            return Objection("JITP: the device is being provisioned", provisioning=True)
        try:
            newcomer = _read(leaf)
        except InvalidUpload as error:
            return self._refuse(leaf, str(error))
        if self._ca.certificate_der not in chain[1:]:
            return self._refuse(leaf, "the chain lacks the certificate of the JITP CA")
        if self._team.exists(newcomer.device_id):
            return self._refuse(leaf, f"device {newcomer.device_id} exists and has another certificate")
        if reason := newcomer.certificate.why_not_now(self._now()):
            return self._refuse(leaf, f"the certificate {reason}", CERTIFICATE_EXPIRED)
        self._pending.add(newcomer.certificate.certificate_id)
        self._write("started", newcomer)
        self._schedule(lambda: self._provision(newcomer))
        return Objection("JITP: the device is being provisioned, connect again later", provisioning=True)

    def _provision(self, newcomer: _Newcomer) -> None:
        self._pending.discard(newcomer.certificate.certificate_id)
        try:
            self._team.provision(newcomer.device_id, newcomer.certificate, newcomer.ownership_code)
        except RestRefused as refusal:  # meanwhile the device was made in another way
            self._write("failed", newcomer, reason=str(refusal))
            return
        self._write("provisioned", newcomer)

    def _refuse(self, leaf: x509.Certificate, reason: str, alert: int = CERTIFICATE_UNKNOWN) -> Objection:
        key = certificate_id(leaf.public_bytes(serialization.Encoding.DER))
        self._journal.write("jitp", outcome="refused", certificate_id=key, reason=reason)
        return Objection(f"JITP: {reason}", alert)

    def _write(self, outcome: str, newcomer: _Newcomer, **fields: str) -> None:
        key = newcomer.certificate.certificate_id
        self._journal.write("jitp", outcome=outcome, device_id=newcomer.device_id, certificate_id=key, **fields)


def _read(leaf: x509.Certificate) -> _Newcomer:
    """Return what the CA's template takes from the certificate. Raises :class:`InvalidUpload`."""
    device_id = _attribute(leaf, NameOID.COMMON_NAME, "CN")
    if not DEVICE_ID.fullmatch(device_id):
        raise InvalidUpload(f"the subject's CN {device_id!r} is not a device ID")
    code = _attribute(leaf, NameOID.DN_QUALIFIER, "dnQualifier")
    certificate = load_certificate(leaf.public_bytes(serialization.Encoding.PEM).decode())
    assert certificate is not None  # noqa: S101  # None would stand for a bare public key
    return _Newcomer(device_id, code, certificate)


def _attribute(leaf: x509.Certificate, oid: ObjectIdentifier, name: str) -> str:
    values = leaf.subject.get_attributes_for_oid(oid)
    if not values or not isinstance(values[0].value, str):
        raise InvalidUpload(f"the subject has no {name}")
    return values[0].value

"""The outcome of provisioning, and the last word on it: confirming or undoing a renewal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from harness.credentials.key_origin import KeyOrigin
from harness.credentials.pem import one_certificate, read_certificates
from harness.credentials.records import CredentialRecords, CredentialState, SecTagRecord, updated
from harness.credentials.slot import KINDS
from harness.modem import KeygenResult, Modem


class Renewal:
    """New credentials on standby beside former ones, until the caller says which of them stay.

    ``modem``: whose they are. ``record``: of the new ones, in ``records``. ``former``: sec_tags of the former ones.
    """

    def __init__(self, modem: Modem, records: CredentialRecords, record: SecTagRecord, former: Sequence[int]) -> None:
        self._modem = modem
        self._records = records
        self._record = record
        self._former = tuple(former)
        self.open = bool(former)

    def commit(self) -> bool:
        """Empty the former sec_tags; the new credentials are the board's own from now on."""
        if not self.open:
            return False
        self._empty(self._former)
        self._records.put(updated(self._record, state=CredentialState.ACTIVE))
        self.open = False
        return True

    def rollback(self) -> bool:
        """Empty the new sec_tag; the former credentials stay the board's own."""
        if not self.open:
            return False
        self._empty((self._record.sec_tag,))
        self.open = False
        return True

    def _empty(self, sec_tags: Sequence[int]) -> None:
        with self._modem.offline():
            for sec_tag in sec_tags:
                for kind in KINDS:
                    self._modem.credentials.delete(sec_tag, kind)
        for sec_tag in sec_tags:
            self._records.remove(self._record.imei, sec_tag)


@dataclass(frozen=True)
class Provisioning:
    """What a board holds now, for reports too; no secrets.

    ``chain_pem``: the certificate with its CA's behind it, where it was written so. ``kept``: nothing was written, for
    the ``reason`` given; otherwise ``reason`` says why something was. ``keygen``: the device's CSR, where the device
    made the key in this call. ``saved``: the file with what was replaced, where there was something.
    """

    device_id: str
    sec_tag: int
    key_origin: KeyOrigin
    root_ca_pem: str = field(repr=False)
    written_pem: str = field(repr=False)
    kept: bool
    reason: str
    keygen: KeygenResult | None = field(default=None, repr=False)
    saved: Path | None = None
    renewal: Renewal | None = field(default=None, repr=False, compare=False)

    @property
    def certificate(self) -> x509.Certificate:
        """The device's own certificate."""
        return read_certificates(self.written_pem)[0]

    @property
    def certificate_pem(self) -> str:
        """The device's own certificate: one PEM block, as nRF Cloud onboards it."""
        return one_certificate(self.certificate)

    @property
    def chain_pem(self) -> str | None:
        """The certificate with its CA's, as written; None where it stands alone."""
        return self.written_pem if len(read_certificates(self.written_pem)) > 1 else None

    @property
    def certificate_id(self) -> str:
        """AWS IoT's certificateId: SHA-256 fingerprint of the certificate, 64 lower-case hex digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey | None:
        """The device's public key; None where it is not an elliptic-curve one."""
        key = self.certificate.public_key()
        return key if isinstance(key, ec.EllipticCurvePublicKey) else None

    @property
    def security(self) -> str:
        """Where the private key was exposed, in words."""
        return self.key_origin.security

    def commit(self) -> bool:
        """Confirm that the new credentials work: the former sec_tag is emptied. False: there is none to empty.

        The modem goes offline for it and returns to its mode.
        """
        return self.renewal is not None and self.renewal.commit()

    def rollback(self) -> bool:
        """Return to the former credentials: the new sec_tag is emptied. False: there are none to return to.

        The modem goes offline for it and returns to its mode.
        """
        return self.renewal is not None and self.renewal.rollback()

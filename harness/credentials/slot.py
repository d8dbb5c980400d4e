"""What a sec_tag of a board holds, against what the harness wrote there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.credentials.pem import check_validity, read_certificates
from harness.credentials.records import CredentialState, SecTagRecord
from harness.credentials.request import ProvisionRequest
from harness.errors import Misuse
from harness.modem import CredentialKind, Modem, digest_of

KINDS = (CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT, CredentialKind.PRIVATE_KEY)
"""What the harness writes and deletes at a sec_tag. Anything else there stays."""

_MARGIN = timedelta(days=1)  # a certificate must outlast the run that begins with it


@dataclass(frozen=True)
class Slot:
    """One sec_tag. ``items``: digests by kind, as the modem lists them; ``record``: what the harness wrote there."""

    sec_tag: int
    items: Mapping[int, str]
    record: SecTagRecord | None

    @property
    def empty(self) -> bool:
        """Nothing is stored there."""
        return not self.items

    @property
    def foreign(self) -> list[int]:
        """Kinds of what is there and is not the harness's to replace.

        A root CA beside the harness's own certificate is: a test that was killed can have left a wrong one.
        """
        record = self.record
        if record is None:
            return list(self.items)
        own = {kind for kind, digest in self.items.items() if record.wrote(kind, digest)}
        if CredentialKind.CLIENT_CERT in own:
            own.add(CredentialKind.ROOT_CA)
        return [kind for kind in self.items if kind not in own]

    @property
    def ours(self) -> bool:
        """Credentials are there, all of them the harness's own."""
        return not self.empty and not self.foreign

    def fault(self, request: ProvisionRequest) -> str | None:
        """Say why this slot does not hold what is asked for; None: it does, verified by digest."""
        record = self.record
        if self.empty:
            return "empty"
        if record is None or record.state is CredentialState.WRITING:
            return "no finished credentials of the harness"
        if any(self.items.get(kind) != record.digests.get(kind) for kind in KINDS):
            return "the modem lists other digests than the harness wrote"
        if record.device_id != request.device_id:
            return f"credentials of {record.device_id}"
        if record.key_origin is not request.key_origin:
            return f"key made the {record.key_origin} way"
        if record.wanted_root != digest_of(request.root_ca_pem):
            return "another root CA"
        now = datetime.now(UTC)
        try:
            leaf = read_certificates(record.certificate_pem)[0]
            check_validity(leaf, now)
        except ValueError as error:
            return f"certificate {error}"
        if leaf.not_valid_after_utc < now + _MARGIN:
            return f"certificate ends on {leaf.not_valid_after_utc:%Y-%m-%d}"
        return None


def survey(modem: Modem, request: ProvisionRequest, imei: str) -> list[Slot]:
    """Return the slots of the sec_tags of ``request``, in its order. ``modem``: holds them. ``imei``: the board's."""
    return [
        Slot(
            sec_tag,
            {item.kind: item.digest for item in modem.credentials.list(sec_tag)},
            request.records.get(imei, sec_tag),
        )
        for sec_tag in request.sec_tags
    ]


def best_valid(slots: Sequence[Slot], request: ProvisionRequest) -> SecTagRecord | None:
    """Return the record of the credentials that are what is asked for: of confirmed ones rather than of a standby."""
    valid = [slot.record for slot in slots if slot.record is not None and slot.fault(request) is None]
    return min(valid, key=lambda record: record.state is not CredentialState.ACTIVE, default=None)


def choose_target(slots: Sequence[Slot], request: ProvisionRequest, valid: SecTagRecord | None) -> Slot:
    """Return the slot to write to: an empty one, else an own one not in use, else the one in use, else a foreign one.

    ``slots``: all of the board's. ``request``: says whether foreign ones may be used. ``valid``: the record of the
    credentials in use, or None. Raises Misuse if only foreign ones are left and the request does not adopt them.
    """
    in_use = None if valid is None else valid.sec_tag
    candidates = [slot for slot in slots if slot.empty] + sorted(
        (slot for slot in slots if slot.ours), key=lambda slot: slot.sec_tag == in_use
    )
    if candidates:
        return candidates[0]
    if not request.adopt:
        slot = slots[0]
        kinds = ", ".join(str(int(kind)) for kind in slot.foreign)
        raise Misuse(
            f"sec_tag {slot.sec_tag} holds credentials that the harness did not write (type {kinds}; no record in "
            f"{request.records.folder}): set adopt: true for this board to have them replaced, or list another sec_tag"
        )
    return slots[0]

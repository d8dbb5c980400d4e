"""Exchanging what a sec_tag holds, so that it can be put back when a later step fails."""

from dataclasses import dataclass

from harness.credentials.records import CredentialState, SecTagRecord, updated
from harness.credentials.request import ProvisionRequest
from harness.credentials.slot import KINDS, Slot
from harness.errors import HarnessError, Refusal
from harness.modem import CredentialKind, CredentialStore, digest_of


class ProvisioningFailed(Refusal):
    """A step was refused. The message says too what the board holds now; ``__cause__`` is the refusal."""


@dataclass(frozen=True)
class Former:
    """What a slot holds before it is written to. ``contents``: by kind, of what a modem gives out; never a key."""

    slot: Slot
    contents: dict[int, str]

    @classmethod
    def read(cls, store: CredentialStore, slot: Slot) -> "Former":
        """Read back what can be read; what the harness wrote itself it has in its record."""
        contents = {}
        for kind in (CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT):
            if kind in slot.items:
                content = _from_record(slot, kind) or _from_modem(store, slot.sec_tag, kind)
                if content is not None:
                    contents[int(kind)] = content
        return cls(slot, contents)

    def put_back(self, store: CredentialStore) -> str:
        """Make the slot hold again what it held, and say in words what came of it. The modem must be inactive.

        A key that is gone leaves nothing at its place: what was put there meanwhile belongs to no certificate.
        """
        sec_tag, items = self.slot.sec_tag, self.slot.items
        listed = {item.kind: item.digest for item in store.list(sec_tag)}
        lost = []
        for kind in KINDS:
            if listed.get(kind) == items.get(kind):
                continue
            if kind in self.contents:
                store.overwrite(sec_tag, kind, self.contents[kind])
                store.verify(sec_tag, kind, self.contents[kind])
                continue
            if kind in items:
                lost.append(kind)
            if kind in listed:
                store.delete(sec_tag, kind)
        return self._outcome(lost)

    def _outcome(self, lost: list[CredentialKind]) -> str:
        place = f"sec_tag {self.slot.sec_tag}"
        if self.slot.empty:
            return f"{place} is empty as before"
        if not lost:
            return f"{place} holds its former credentials"
        reasons = []
        if CredentialKind.PRIVATE_KEY in lost:
            record = self.slot.record
            on_device = record is not None and record.key_origin.on_device
            reasons.append(
                "its former private key cannot come back, "
                + ("the device had made it and it existed nowhere else" if on_device else "no modem gives a key out")
            )
        if certificates := [kind.name for kind in lost if kind is not CredentialKind.PRIVATE_KEY]:
            reasons.append(f"its former {' and '.join(certificates)} could not be read and cannot come back")
        if self.contents:
            reasons.append("what could be read back is in its place")
        return f"{place}: " + "; ".join(reasons) + "; provision again"


class Exchange:
    """One exchange at one sec_tag, with its record kept up to date before each step.

    ``store``: of the modem with this ``imei``. ``request``: what shall be there. ``former``: what is there now.
    """

    def __init__(self, store: CredentialStore, request: ProvisionRequest, imei: str, former: Former) -> None:
        self._store = store
        self._records = request.records
        self._former = former
        slot = former.slot
        self._record = SecTagRecord(
            imei=imei,
            sec_tag=slot.sec_tag,
            device_id=request.device_id,
            key_origin=request.key_origin,
            state=CredentialState.WRITING,
            digests={},
            former={kind: slot.items[kind] for kind in KINDS if kind in slot.items},
            certificate_pem="",
            root_ca_pem="",
            wanted_root=digest_of(request.root_ca_pem),
        )

    @property
    def sec_tag(self) -> int:
        """Where it happens."""
        return self._record.sec_tag

    def begin(self) -> None:
        """Note that the slot is being written to: from here on its content is the harness's to replace."""
        self._records.put(self._record)

    def free_key(self) -> None:
        """Make room for a key that the device makes: it makes none where there is one."""
        if CredentialKind.PRIVATE_KEY in self._former.slot.items:
            self._store.delete(self._record.sec_tag, CredentialKind.PRIVATE_KEY)

    def free_all(self) -> None:
        """Make room for everything: what comes over the air is written to an empty place only."""
        for kind in KINDS:
            if kind in self._former.slot.items:
                self._store.delete(self._record.sec_tag, kind)

    def note(self, contents: dict[int, str]) -> None:
        """Note by kind what is about to be written."""
        self._record = updated(
            self._record,
            digests={kind: digest_of(content) for kind, content in contents.items()},
            certificate_pem=contents[CredentialKind.CLIENT_CERT],
            root_ca_pem=contents[CredentialKind.ROOT_CA],
        )
        self._records.put(self._record)

    def write(self, contents: dict[int, str]) -> None:
        """Write by kind, in this order, what is not there already."""
        self.note(contents)
        for kind, content in contents.items():
            if self._former.slot.items.get(kind) != self._record.digests[kind]:
                self._store.overwrite(self._record.sec_tag, kind, content)

    def finish(self, contents: dict[int, str], state: CredentialState) -> SecTagRecord:
        """Verify all by digest, of a key of the device only that it is there, and return the completed record."""
        listed = self._store.verify_all(self._record.sec_tag, contents, also=[CredentialKind.PRIVATE_KEY])
        digests = {int(kind): listed[kind] for kind in KINDS}
        self._record = updated(self._record, state=state, digests=digests, former={})
        self._records.put(self._record)
        return self._record

    def undo(self) -> str:
        """Put everything back, and say in words what the board holds now."""
        slot = self._former.slot
        try:
            outcome = self._former.put_back(self._store)
            if slot.record is None:
                self._records.remove(self._record.imei, slot.sec_tag)
            else:
                self._records.put(slot.record)
        except HarnessError as error:
            return f"putting back what sec_tag {slot.sec_tag} held failed too: {error}"
        return outcome


def _from_record(slot: Slot, kind: CredentialKind) -> str | None:
    if slot.record is None:
        return None
    content = slot.record.root_ca_pem if kind is CredentialKind.ROOT_CA else slot.record.certificate_pem
    return content if digest_of(content) == slot.items[kind] else None


def _from_modem(store: CredentialStore, sec_tag: int, kind: CredentialKind) -> str | None:
    try:
        return store.read(sec_tag, kind)
    except Refusal:  # UNCONFIRMED whether a client certificate can be read; 514 where not
        return None

"""%CMNG: the credential store.

Source: "nRF91x1 AT Commands" reference, %CMNG; digests and the order of the list as recorded from boards.
The order of the checks, the code for reserved tags and which items are readable besides types 0 and 4 are not
documented; what stands here is the likely one.
"""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.settings import BoardFault
from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.codes import (
    ALREADY_EXISTS,
    CONTENT_INVALID,
    INCORRECT_PARAMETERS,
    MEMORY_FAILURE,
    MEMORY_FULL,
    NO_ACCESS,
    NOT_FOUND,
)
from harness.virtual.board.modem.nvm import Credential
from harness.virtual.board.modem.state import State

ROOT_CA, CLIENT_CERTIFICATE, PRIVATE_KEY = 0, 1, 2
READABLE = (0, 4)
WRITABLE = (0, 1, 2, 3, 4, 5)
KNOWN = range(12)
ASSET_ENCRYPTION_KEY = 13  # nRF91x1 only
LONGEST_PASSWORD = 32
_NO_ROOM = {
    ROOT_CA: BoardFault.NO_ROOM_FOR_CA,
    CLIENT_CERTIFICATE: BoardFault.NO_ROOM_FOR_CERTIFICATE,
    PRIVATE_KEY: BoardFault.NO_ROOM_FOR_KEY,
}


def writable_tag(sec_tag: int, *, nrf91x1: bool) -> bool:
    """User tags, and on nRF91x1 the twenty developer tags whose TLS traffic a trace can show."""
    return 0 <= sec_tag <= 2147483647 or (nrf91x1 and 2147483648 <= sec_tag <= 2147483667)


class CredentialCommands:
    """%CMNG with its four opcodes."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._store = state.nvm.credentials
        self._fullest = self._used()

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {"%CMNG": Forms(set=self._cmng)}

    def _cmng(self, args: Args) -> Reply:
        operations = (self._write, self._list, self._read, self._delete)
        opcode = args.at_most(5).number(0)
        self._fullest = max(self._fullest, self._used())
        if not 0 <= opcode < len(operations):
            raise Refused(INCORRECT_PARAMETERS)
        return operations[opcode](args)

    def _write(self, args: Args) -> Reply:
        sec_tag, kind = args.number(1), args.number(2)
        content = args.text(3).encode("latin-1")
        password = args.string(4, "")
        self._state.check_storable()
        if not self._writable_tag(sec_tag):
            raise Refused(NO_ACCESS)
        asset_key = kind == ASSET_ENCRYPTION_KEY and self._state.personality.nrf91x1
        if not (kind in KNOWN or asset_key) or len(password) > LONGEST_PASSWORD or not content:
            raise Refused(INCORRECT_PARAMETERS)
        if not (kind in WRITABLE or asset_key):
            raise Refused(NO_ACCESS)
        if self._state.personality.pem_checked and kind in (ROOT_CA, CLIENT_CERTIFICATE) and not _is_pem(content):
            raise Refused(CONTENT_INVALID)
        before = self._store.get((sec_tag, kind))
        if before is not None and before.generated:
            raise Refused(ALREADY_EXISTS)
        if _NO_ROOM.get(kind) in self._state.faults:
            raise Refused(MEMORY_FULL)
        self.check_medium(MEMORY_FAILURE)
        self.make_room(len(content) - (len(before.content) if before else 0))
        self._store[sec_tag, kind] = Credential(content, password=password.encode("latin-1"))
        return None

    def _list(self, args: Args) -> Reply:
        sec_tag = args.number(1) if args.given(1) else None
        kind = args.number(2) if args.given(2) else None
        items = [(tag, k, item.digest) for (tag, k), item in sorted(self._store.items())]
        return [
            f'%CMNG: {tag},{k},"{digest}"'
            for tag, k, digest in [*items, *self._reserved()]
            if sec_tag in (None, tag) and kind in (None, k)
        ]

    def _read(self, args: Args) -> Reply:
        sec_tag, kind = args.at_most(3).number(1), args.number(2)
        item = self._store.get((sec_tag, kind))
        if item is None:
            raise Refused(NOT_FOUND if self._writable_tag(sec_tag) else NO_ACCESS)
        if kind not in READABLE:
            raise Refused(NO_ACCESS)
        return f'%CMNG: {sec_tag},{kind},"{item.digest}","{item.content.decode("latin-1")}"'

    def _delete(self, args: Args) -> Reply:
        sec_tag, kind = args.at_most(3).number(1), args.number(2)
        self._state.check_storable()
        if not self._writable_tag(sec_tag):
            raise Refused(NO_ACCESS)
        if (sec_tag, kind) not in self._store:
            raise Refused(NOT_FOUND)
        self.check_medium(MEMORY_FAILURE)
        del self._store[sec_tag, kind]
        return None

    def check_medium(self, code: int) -> None:
        """Refuse with ``code`` while the store cannot be written."""
        if BoardFault.STORAGE_ERROR in self._state.faults:
            raise Refused(code)

    def make_room(self, more: int) -> None:
        """Refuse what does not fit: ``more`` bytes on top of what is stored."""
        full = BoardFault.STORE_FULL in self._state.faults
        capacity = self._fullest if full else self._state.personality.credential_capacity
        if self._used() + more > capacity:
            raise Refused(MEMORY_FULL)

    def _used(self) -> int:
        return sum(len(item.content) for item in self._store.values())

    def _writable_tag(self, sec_tag: int) -> bool:
        return writable_tag(sec_tag, nrf91x1=self._state.personality.nrf91x1)

    def _reserved(self) -> list[tuple[int, int, str]]:
        """What every board lists last: Nordic's root CA, the device identity public key, Nordic's base key."""
        identity = self._state.nvm.identity_key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        contents = ((4294967293, 10, b"root"), (4294967294, 6, identity), (4294967292, 11, b"base"))
        return [(tag, kind, hashlib.sha256(content).hexdigest().upper()) for tag, kind, content in contents]


def _is_pem(content: bytes) -> bool:
    try:
        x509.load_pem_x509_certificates(content)
    except (ValueError, x509.InvalidVersion):
        return False
    return True

"""The modem's credential store: AT%CMNG.

Facts: nRF9160 and nRF91x1 AT Commands references, %CMNG. The list shows the SHA-256 of exactly the bytes that stood
between the quotes of the write, so what was written can be verified although keys can never be read.
"""

import builtins
import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import IntEnum

from harness.at import LOST_BYTES, AtError, AtFormatError, AtPort, ask
from harness.at.syntax import parse_command
from harness.errors import LabError, Misuse, Party, Refusal
from harness.modem.restoration import restoring

_NOT_FOUND = 513
_ALREADY_EXISTS = 519
_LAST_USER_SEC_TAG = 2**31 - 1
_LISTED = re.compile(r'(\d+),(\d+),"([0-9A-Fa-f]{64})"')
_READ = re.compile(r'(\d+),(\d+),"([0-9A-Fa-f]{64})","(.*)"', re.DOTALL)


class CredentialKind(IntEnum):
    """The kinds of credentials. The modem may list others (13 on nRF91x1): those stay plain numbers."""

    ROOT_CA = 0
    CLIENT_CERT = 1
    PRIVATE_KEY = 2
    PSK = 3
    PSK_IDENTITY = 4
    PUBLIC_KEY = 5
    DEVICE_IDENTITY_KEY = 6
    RESERVED = 7
    ENDORSEMENT_KEY = 8
    OWNERSHIP_KEY = 9
    NORDIC_IDENTITY_ROOT_CA = 10
    NORDIC_BASE_KEY = 11


class DigestMismatch(Refusal):
    """The store does not hold the bytes that it was given."""

    party = Party.MODEM


class LineEndsChanged(LabError):
    """The content was sent with LF and arrived with CR LF, although the firmware is not a shell."""


@dataclass(frozen=True)
class StoredCredential:
    """One item of the store. ``digest``: SHA-256, 64 upper-case hex digits; for a key made there, an opaque number."""

    sec_tag: int
    kind: int
    digest: str


def digest_of(content: str) -> str:
    """Return the digest that the list shows for ``content``: SHA-256, 64 upper-case hex digits."""
    return hashlib.sha256(content.encode()).hexdigest().upper()


class CredentialStore:
    """The credential store of the modem at ``port``.

    Writing and deleting touch only ``sec_tags``. They need an inactive modem (``Modem.offline``), else AtError 518.
    ``offline``: makes the modem inactive for a block. ``at_shell``: a shell on the way turns every line end into CR LF.
    """

    def __init__(
        self,
        port: AtPort,
        *,
        sec_tags: Collection[int],
        offline: Callable[[], AbstractContextManager[None]],
        at_shell: bool = False,
    ) -> None:
        self._port = port
        self._sec_tags = frozenset(sec_tags)
        self._offline = offline
        self._at_shell = at_shell

    def list(self, sec_tag: int | None = None, kind: int | None = None) -> builtins.list[StoredCredential]:
        """Return what is stored, all of it or only that with this ``sec_tag`` and this ``kind``."""
        command = "AT%CMNG=1"
        if sec_tag is not None:
            command += f",{sec_tag}"
            if kind is not None:
                command += f",{int(kind)}"
        items = ask(self._port, command, lambda answer: [_listed(value) for value in answer.values("%CMNG")])
        return [item for item in items if kind is None or item.kind == kind]

    def exists(self, sec_tag: int, kind: int) -> bool:
        """Tell whether something is stored there."""
        return bool(self.list(sec_tag, kind))

    def read(self, sec_tag: int, kind: int) -> str:
        """Return the content. Keys and PSKs are never readable (AtError 514); absent is AtError 513."""
        answer = self._port.command(f"AT%CMNG=2,{sec_tag},{int(kind)}")
        found = _READ.fullmatch(answer.value("%CMNG"))
        if not found:
            raise AtFormatError(
                f"AT%CMNG=2,{sec_tag},{int(kind)}: the answer does not have the form of %CMNG: {LOST_BYTES}"
            )
        digest, content = found[3].upper(), found[4]
        # A shell on the way prints a CR before every LF, even where there is one already.
        lines = content.replace("\r\r\n", "\r\n")
        for stored in (content, lines, lines.replace("\r\n", "\n")):
            if digest_of(stored) == digest:
                return stored
        raise DigestMismatch(
            f"{_place(sec_tag, kind)}: the content read has SHA-256 {digest_of(content)}, but the modem says {digest}: "
            "bytes were lost on the way, check flow control and the cable"
        )

    def write(self, sec_tag: int, kind: int, content: str) -> None:
        """Store ``content`` verbatim, line ends included, in place of what is there.

        ``sec_tag``, ``kind``: where. Raises Misuse before anything is sent, see :meth:`check_content`.
        """
        self.check_content(sec_tag, kind, content)
        # UNCONFIRMED which items may be overwritten in place (519 for some): deleting first is right for all.
        self.delete(sec_tag, kind)
        self._port.command(_write_command(sec_tag, kind, content))

    def overwrite(self, sec_tag: int, kind: int, content: str) -> None:
        """Store ``content`` as :meth:`write` does, but give up what is there as late as the modem lets it.

        A write that the modem refuses (515 memory full, say) leaves the old content in place, except where the modem
        wants it deleted first (519), as for a key that it made itself.

        ``sec_tag``, ``kind``: where.
        """
        self.check_content(sec_tag, kind, content)
        command = _write_command(sec_tag, kind, content)
        try:
            self._port.command(command)
        except AtError as error:
            if error.code != _ALREADY_EXISTS:
                raise
            self.delete(sec_tag, kind)
            self._port.command(command)

    def verify(self, sec_tag: int, kind: int, content: str) -> None:
        """Raise DigestMismatch unless the store holds exactly ``content`` at ``sec_tag`` and ``kind``.

        Raises LineEndsChanged if only the line ends differ.
        """
        stored = self.list(sec_tag, kind)
        self._check_digest(sec_tag, kind, content, stored[0].digest if stored else None)

    def verify_all(self, sec_tag: int, contents: Mapping[int, str], *, also: Collection[int] = ()) -> dict[int, str]:
        """Raise as :meth:`verify` unless ``sec_tag`` holds exactly ``contents`` (by kind); return all its digests.

        ``also``: kinds of which something must be there, whatever it is. It takes one command for the whole sec_tag.
        """
        held = {item.kind: item.digest for item in self.list(sec_tag)}
        for kind, content in contents.items():
            self._check_digest(sec_tag, kind, content, held.get(kind))
        for kind in also:
            if kind not in held:
                raise DigestMismatch(f"{_place(sec_tag, kind)} holds nothing, although it was written: provision again")
        return held

    def delete(self, sec_tag: int, kind: int, *, foreign: bool = False) -> bool:
        """Delete the item of ``kind`` at ``sec_tag``; False: there was none. ``foreign``: the sec_tag of others."""
        if not foreign:
            self.check_sec_tag(sec_tag)
        try:
            self._port.command(f"AT%CMNG=3,{sec_tag},{int(kind)}")
        except AtError as error:
            if error.code == _NOT_FOUND:
                return False
            raise
        return True

    @contextmanager
    def replaced(self, sec_tag: int, kind: int, content: str, *, former: str) -> Iterator[None]:
        """For the block, store ``content`` (a wrong root CA, say); afterwards ``former`` again.

        The modem goes offline for each of the two writes and runs in its own mode during the block.

        ``sec_tag``, ``kind``: where.
        """
        for text in (content, former):
            self.check_content(sec_tag, kind, text)
        with restoring(f"restoring {_place(sec_tag, kind)}", lambda: self._put(sec_tag, kind, former)):
            self._put(sec_tag, kind, content)
            yield

    def check_sec_tag(self, sec_tag: int) -> None:
        """Raise Misuse unless the harness may write to ``sec_tag`` of this board."""
        if not 0 <= sec_tag <= _LAST_USER_SEC_TAG:
            raise Misuse(
                f"sec_tag {sec_tag} is reserved or does not exist: the harness writes only to 0 to {_LAST_USER_SEC_TAG}"
            )
        if sec_tag not in self._sec_tags:
            allowed = ", ".join(map(str, sorted(self._sec_tags))) or "none"
            raise Misuse(
                f"sec_tag {sec_tag} does not belong to this board (its own: {allowed}): name it in the boards file"
            )

    def check_content(self, sec_tag: int, kind: int, content: str) -> None:
        """Raise Misuse unless ``content`` can be written there.

        It cannot when it is empty, holds a double quote or a byte that the command line does not pass on, makes the
        command longer than the board's buffer, or when the sec_tag is not this board's.

        ``sec_tag``, ``kind``: where it is to go.
        """
        self.check_sec_tag(sec_tag)
        if not content:
            raise Misuse(f"{_place(sec_tag, kind)}: nothing to write: use delete to remove what is there")
        if '"' in content:
            raise Misuse(f'{_place(sec_tag, kind)}: the content holds a " and AT%CMNG has no escape for it: remove it')
        parse_command(_write_command(sec_tag, kind, content))

    def _check_digest(self, sec_tag: int, kind: int, content: str, held: str | None) -> None:
        if held == digest_of(content):
            return
        if held == digest_of(content.replace("\r", "").replace("\n", "\r\n")):
            if self._at_shell:
                return
            raise LineEndsChanged(
                f"{_place(sec_tag, kind)} holds CR LF line ends, but LF was sent: something on the way changes them "
                "(a terminal server, a shell?); switch that off, or set firmware: shell for this board if it is one"
            )
        raise DigestMismatch(
            f"{_place(sec_tag, kind)} holds {held or 'nothing'}, not {digest_of(content)} ({len(content)} bytes): "
            "write it again; if it stays so, bytes are lost on the way or another program writes to this board"
        )

    def _put(self, sec_tag: int, kind: int, content: str) -> None:
        with self._offline():
            self.write(sec_tag, kind, content)
            self.verify(sec_tag, kind, content)


def _write_command(sec_tag: int, kind: int, content: str) -> str:
    return f'AT%CMNG=0,{sec_tag},{int(kind)},"{content}"'


def _listed(value: str) -> StoredCredential:
    found = _LISTED.fullmatch(value)
    if not found:
        raise AtFormatError(f"AT%CMNG=1: '%CMNG: {value}' does not have the form of a listed credential: {LOST_BYTES}")
    return StoredCredential(int(found[1]), int(found[2]), found[3].upper())


def _place(sec_tag: int, kind: int) -> str:
    name = CredentialKind(kind).name if kind in CredentialKind._value2member_map_ else "unknown"
    return f"sec_tag {sec_tag} type {int(kind)} ({name})"

"""What the harness wrote to which board: how it knows its own credentials again, and what it replaced.

A folder with one file for each IMEI and sec_tag. No file ever holds a private key.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from harness.credentials.key_origin import KeyOrigin
from harness.credentials.private_file import write_atomically
from harness.errors import Misuse
from harness.modem import CredentialKind


class CredentialState(StrEnum):
    """Of the credentials at a sec_tag."""

    ACTIVE = "active"
    STANDBY = "standby"
    """Written and verified beside active ones; the caller has not confirmed them yet."""
    WRITING = "writing"
    """Being exchanged. A record that stays so is that of a run which was killed."""


class SecTagRecord(BaseModel):
    """What the harness wrote to one sec_tag of one board.

    ``digests``, ``former``: by kind, as AT%CMNG lists them; ``former`` is what they replaced. ``certificate_pem``: as
    written, with its chain. ``wanted_root``: digest of the root CA that was asked for, which nRF Cloud's own
    (:attr:`KeyOrigin.CLOUD`) may differ from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    imei: str
    sec_tag: int
    device_id: str
    key_origin: KeyOrigin = Field(validation_alias=AliasChoices("key_origin", "way"))  # "way": until 0.1
    state: CredentialState
    digests: dict[int, str]
    former: dict[int, str]
    certificate_pem: str
    root_ca_pem: str
    wanted_root: str

    def wrote(self, kind: int, digest: str) -> bool:
        """Tell whether the harness wrote this item, or had leave to replace it when it was interrupted."""
        if digest == self.digests.get(kind):
            return True
        if self.state is not CredentialState.WRITING:
            return False
        # Of a key that was just being made on the device nobody knows the digest.
        return kind == CredentialKind.PRIVATE_KEY or digest == self.former.get(kind)


class CredentialRecords:
    """The records in ``folder``, which is made when it is needed. Files have mode 0600 and appear whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, imei: str, sec_tag: int) -> SecTagRecord | None:
        """Return the record of a sec_tag, None when the harness wrote nothing there. Misuse: the file is broken."""
        path = self._path(imei, sec_tag)
        try:
            return SecTagRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Misuse(f"{path}: {error.strerror}: the harness must be able to read its own records") from error
        except ValidationError as error:
            raise Misuse(
                f"{path}: not a record of the harness ({error.error_count()} mistakes): delete it; what the board "
                "holds at this sec_tag then needs adopt: true"
            ) from error

    def put(self, record: SecTagRecord) -> None:
        """Write a record in place of the former one of its sec_tag."""
        self._write(self._path(record.imei, record.sec_tag), record.model_dump_json(indent=1))

    def remove(self, imei: str, sec_tag: int) -> None:
        """Forget a sec_tag. Does nothing if there is no record."""
        self._path(imei, sec_tag).unlink(missing_ok=True)

    def save_replaced(self, imei: str, sec_tag: int, items: Mapping[int, str], contents: Mapping[int, str]) -> Path:
        """Keep what is about to be replaced and return the file.

        ``imei``: the board's. ``sec_tag``: of the credentials. ``items``: all digests by kind. ``contents``: by kind,
        what could be read back, verbatim.
        """
        now = datetime.now(UTC)
        replaced = Replaced(imei=imei, sec_tag=sec_tag, replaced_at=now, digests=dict(items), contents=dict(contents))
        path = self.folder / "replaced" / f"{imei}-{sec_tag}-{now:%Y%m%dT%H%M%S.%fZ}.json"
        self._write(path, replaced.model_dump_json(indent=1))
        return path

    def _path(self, imei: str, sec_tag: int) -> Path:
        return self.folder / f"{imei}-{sec_tag}.json"

    def _write(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode())
        except OSError as error:
            raise Misuse(
                f"{path}: {error.strerror}: the harness keeps its records there, make the folder writable"
            ) from error


class Replaced(BaseModel):
    """What a sec_tag held before the harness wrote to it. ``contents``: verbatim, of what a modem gives out."""

    imei: str
    sec_tag: int
    replaced_at: datetime
    digests: dict[int, str]
    contents: dict[int, str]


def updated(record: SecTagRecord, **changes: Any) -> SecTagRecord:
    """Return ``record`` with some members changed."""
    return record.model_copy(update=changes)

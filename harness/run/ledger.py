"""Writes down what a run puts into an account, before it is made: the next run removes what a killed one left.

One file for each process and account, in the lab's state. Its lock ends with the process, so an unlocked file is what a
killed run left behind, and a locked one is another's in progress. It holds ids, and the ownership codes of JITP
devices, without which nobody can delete one that is in no team; so its mode is 0600.
"""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from harness.cloud.nrfcloud import CODE
from harness.cloud.team_devices import ASKED, TEAM

KINDS: Final = ("job", "offer", "bundle", "upload", "claim", "device", TEAM, ASKED, CODE)
"""Kinds of things, in the order in which they can be deleted.

Offers and uploads are jobs and bundles whose id is not known yet: names, by which the account can be searched.
"""
_CLEANING: Final = "cleaning.lock"


class Ledger:
    """This process's part of an account's ledger. ``folder``: the lab's state; ``account``: address and API key."""

    def __init__(self, folder: Path, account: str) -> None:
        self._folder = _folder_of(folder, account)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = self._folder / f"{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        with self._alone():  # whoever looks for unlocked files must not find this one before it is locked
            self._file = _open(self.path, os.O_CREAT | os.O_EXCL | os.O_APPEND)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def note(self, kind: str, id_: str, there: bool) -> None:
        """Write down that a thing is about to be made, or that it is gone. On the disk when this returns.

        ``kind``, ``id_``: of the thing. ``there``: True before it is made, False when it is gone.
        """
        self._file.write(json.dumps({"kind": kind, "id": id_, "there": there}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self, *, keep: bool) -> None:
        """End this part. ``keep``: not everything could be deleted, so a later run has to try again."""
        if not keep:
            self.path.unlink(missing_ok=True)
        self._file.close()

    @contextmanager
    def left_behind(self) -> Iterator[dict[Path, dict[str, set[str]]]]:
        """Yield what killed runs left: by file, then by kind. One process at a time looks at it.

        Delete a file when all in it is gone. Things of runs in progress are in none of them.
        """
        with self._alone():
            found = {path: _read(path) for path in sorted(self._folder.glob("*.jsonl")) if _unlocked(path)}
            yield {path: things for path, things in found.items() if things is not None}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with _open(self._folder / _CLEANING, os.O_CREAT) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def left_by_killed(folder: Path, account: str) -> dict[str, int]:
    """Return how many things of each kind killed runs left, as far as the ledger says. Changes nothing."""
    parts = [_read(path) for path in sorted(_folder_of(folder, account).glob("*.jsonl")) if _unlocked(path)]
    return {kind: len({id_ for things in parts for id_ in things[kind]}) for kind in KINDS}


def _folder_of(folder: Path, account: str) -> Path:
    return folder / "account" / hashlib.sha256(account.encode()).hexdigest()[:16]


def _open(path: Path, flags: int) -> IO[str]:
    return os.fdopen(os.open(path, flags | os.O_RDWR, 0o600), "r+" if not flags & os.O_APPEND else "a+")


def _unlocked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(path: Path) -> dict[str, set[str]]:
    there: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            ids = there[entry["kind"]]
        except (ValueError, KeyError, TypeError):
            continue  # torn by the kill: the thing of this line had not been made
        (ids.add if entry.get("there") else ids.discard)(str(entry.get("id", "")))
    return there

"""The file that keeps the local cloud's state from one start to the next: ``--state FILE``.

It keeps things with their groups, certificates and states, device records, registered public keys, shadows, team
devices, firmware bundles and the team's id. It does not keep messages, bulk operations, firmware update jobs and MQTT
sessions, nor any private key or API key: each start makes a new API key. The keys of the CAs are in files beside it,
``FILE.root-ca.pem`` and the like, because boards trust the cloud only while the root that they hold signs its server
certificate.

The file is an SQLite database in WAL mode: what was answered before the process was killed is there at the next start.
All files have mode 0600 from their first moment on.
"""

import json
import os
import sqlite3
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.virtual.cloud.tls.ca import LocalCa
from harness.virtual.unusable import UnusableState

_APPLICATION_ID = 0x6E524639  # "nRF9", in the header of the database
_FORMAT = 1
_TABLES = """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE entries (name TEXT PRIMARY KEY, content TEXT NOT NULL);
"""


class StateFile:
    """The database ``path``, made if it is missing. Raises :class:`UnusableState` or OSError if it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._database.close()
            raise UnusableState(f"{path} is in use by another process, or cannot be written ({error})") from error
        except (sqlite3.DatabaseError, UnusableState) as error:
            self._database.close()
            raise UnusableState(f"{path} is not a state file of the local cloud; give another --state") from error
        path.chmod(0o600)

    def tenant_id(self, wanted: str | None) -> str:
        """Return the team's id: the kept one, or ``wanted``, or a new one. Raises UnusableState if those two differ."""
        kept = self._about("tenant_id")
        if kept is None:
            kept = wanted or str(uuid.uuid4())
            self._database.execute("INSERT INTO about VALUES ('tenant_id', ?)", (kept,))
        elif wanted not in (None, kept):
            raise UnusableState(f"{self.path} belongs to the team {kept}; leave --tenant out or give another --state")
        return kept

    def authority(self, role: str, name: str) -> LocalCa:
        """Return the CA for ``role``. The first start makes it, with the common name ``name``."""
        path = self.path.with_name(f"{self.path.name}.{role}-ca.pem")
        kept = self._about(f"{role}_ca")
        if kept is None:
            authority = LocalCa(name)
            _write_private(path, authority.private_pem)
            self._database.execute("INSERT INTO about VALUES (?, ?)", (f"{role}_ca", authority.certificate_pem))
            return authority
        try:
            authority = LocalCa(pem=path.read_text())
            if authority.certificate_pem != kept:
                raise ValueError("this is another CA")
        except (OSError, ValueError) as error:
            raise UnusableState(
                f"{path} does not hold the {role} CA that {self.path} was made with; restore it or delete both"
            ) from error
        return authority

    def entries(self) -> dict[str, Any]:
        """Return all entries by name. Raises UnusableState if they are damaged."""
        try:
            rows = self._database.execute("SELECT name, content FROM entries ORDER BY rowid")
            return {name: json.loads(content) for name, content in rows}
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise UnusableState(f"{self.path} is damaged: {error}") from error

    def write(self, entries: Mapping[str, Any]) -> None:
        """Write these entries, all or none of them. An empty one is removed."""
        with self._database:  # rolls back on an error
            self._database.execute("BEGIN")
            for name, content in entries.items():
                if content:
                    self._database.execute(
                        "INSERT INTO entries VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET content = excluded.content",
                        (name, json.dumps(content)),
                    )
                else:
                    self._database.execute("DELETE FROM entries WHERE name = ?", (name,))

    def close(self) -> None:
        """Close the database. Another process may open it then."""
        self._database.close()

    def _open(self) -> None:
        run = self._database.execute
        run("PRAGMA locking_mode = EXCLUSIVE")  # two clouds must not share one state
        identity = run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]
        is_new = identity == (0, 0) and run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not is_new and identity != (_APPLICATION_ID, _FORMAT):
            raise UnusableState  # another program's file: leave it as it is
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        if is_new:
            self._database.executescript(
                f"BEGIN; PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {_FORMAT}; {_TABLES} COMMIT;"
            )

    def _about(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None


def _write_private(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` completely or not at all, with mode 0600."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).rename(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise

"""The journal: events of registrations and the exact bytes of their documents, in memory or in SQLite.

An event is durable before `append` returns. SQLite runs with a write-ahead log and `synchronous=FULL`, both
set here: with less, an acknowledged row can be lost at a power cut.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bhxh_sdk.errors import JournalError, WrongStateError
from bhxh_sdk.ports import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMA_VERSION", "MemoryJournal", "SqliteJournal"]

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    data TEXT NOT NULL,
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (key, position)
);
CREATE TABLE IF NOT EXISTS documents (digest TEXT PRIMARY KEY, content BLOB NOT NULL);
"""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _taken(key: str) -> WrongStateError:
    return WrongStateError("workflow.taken", reference=key)


class MemoryJournal:
    """Keep registrations as long as the process lives: for notebooks and tests."""

    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = {}
        self._documents: dict[str, bytes] = {}

    async def append(self, key: str, position: int, event: Event) -> None:
        """Add an event at its position; see `bhxh_sdk.ports.Journal`."""
        events = self._events.setdefault(key, [])
        if position != len(events):
            raise _taken(key)
        events.append(event)

    async def events(self, key: str) -> tuple[Event, ...]:
        """Return the events of a registration, oldest first."""
        return tuple(self._events.get(key, ()))

    async def keys(self) -> tuple[str, ...]:
        """Return the keys of all registrations, oldest first."""
        return tuple(self._events)

    async def begun_with(self, fact: str, value: str) -> tuple[str, ...]:
        """Return the keys of the registrations whose first event has that fact, oldest first."""
        return tuple(key for key, events in self._events.items() if events[0].data.get(fact) == value)

    async def keep(self, content: bytes) -> str:
        """Keep a document and return its SHA-256."""
        digest = _digest(content)
        self._documents[digest] = content
        return digest

    async def kept(self, digest: str) -> bytes:
        """Return a kept document."""
        try:
            return self._documents[digest]
        except KeyError:
            raise JournalError("workflow.document_missing", digest=digest) from None

    def close(self) -> None:
        """Do nothing: memory needs no closing."""


class SqliteJournal:
    """Keep registrations in one SQLite file, safe against crashes and other processes on the same machine.

    Args:
        path: the file; it is made when it does not exist, readable by its owner only.

    Raises:
        JournalError: the file cannot be opened, is no journal, or was written by a newer version.

    """

    def __init__(self, path: str | Path) -> None:
        # An absolute path: SQLite takes ":memory:" and "file:..." for something else than a file.
        self._path = Path(path).absolute()
        with self._explained():
            self._connection = self._opened()

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self._path)!r})"

    async def append(self, key: str, position: int, event: Event) -> None:
        """Add an event at its position, on the disk before this returns."""
        row = (key, position, event.kind, event.at.astimezone(UTC).isoformat(), _as_json(event))
        with self._explained(), self._transaction() as connection:
            if self._length(key) != position:
                raise _taken(key)
            connection.execute(
                "INSERT INTO events (key, position, kind, at, data) VALUES (?, ?, ?, ?, ?)", row
            )

    async def events(self, key: str) -> tuple[Event, ...]:
        """Return the events of a registration, oldest first."""
        query = "SELECT kind, at, data FROM events WHERE key = ? ORDER BY position"
        with self._explained(key):
            return tuple(_event(*row) for row in self._connection.execute(query, (key,)))

    async def keys(self) -> tuple[str, ...]:
        """Return the keys of all registrations, oldest first."""
        query = "SELECT key FROM events WHERE position = 0 ORDER BY number"
        with self._explained():
            return tuple(key for (key,) in self._connection.execute(query))

    async def begun_with(self, fact: str, value: str) -> tuple[str, ...]:
        """Return the keys of the registrations whose first event has that fact, oldest first."""
        query = "SELECT key FROM events WHERE position = 0 AND json_extract(data, ?) = ? ORDER BY number"
        with self._explained():
            return tuple(key for (key,) in self._connection.execute(query, (f"$.{fact}", value)))

    async def keep(self, content: bytes) -> str:
        """Keep a document, on the disk before this returns, and return its SHA-256."""
        digest = _digest(content)
        with self._explained(), self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO documents VALUES (?, ?)", (digest, content))
        return digest

    async def kept(self, digest: str) -> bytes:
        """Return a kept document, checked against its digest."""
        with self._explained():
            row = self._connection.execute(
                "SELECT content FROM documents WHERE digest = ?", (digest,)
            ).fetchone()
        if row is None or _digest(row[0]) != digest:
            raise JournalError("workflow.document_missing", digest=digest)
        content: bytes = row[0]
        return content

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        # Registrations hold personal data: the file is its owner's before SQLite writes to it.
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        # The asynchronous client uses the journal from one worker thread, not from the one that opened it.
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise JournalError("workflow.journal_newer", path=str(self._path), version=version)
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _length(self, key: str) -> int:
        (length,) = self._connection.execute("SELECT COUNT(*) FROM events WHERE key = ?", (key,)).fetchone()
        return int(length)

    @contextlib.contextmanager
    def _explained(self, key: str = "") -> Iterator[None]:
        """Turn what SQLite, the file system and damaged rows say into our error."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, TypeError, RecursionError) as error:
            path = str(self._path)
            raise JournalError("workflow.journal", reference=key, path=path, reason=str(error)) from error


def _event(kind: str, at: str, data: str) -> Event:
    facts = json.loads(data)
    if not isinstance(facts, dict):
        msg = f"the event {kind!r} holds no facts"
        raise TypeError(msg)
    return Event(kind=kind, at=datetime.fromisoformat(at), data=facts)


def _as_json(event: Event) -> str:
    return json.dumps(dict(event.data), ensure_ascii=False, sort_keys=True)

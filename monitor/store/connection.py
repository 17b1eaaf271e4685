"""One SQLite connection, opened safely, whose every failure is a StoreError that says what to do.

Knobs, and why: WAL, so that readers never wait for the writer; `synchronous=FULL`, so that what was
committed survives a power cut; foreign keys on (SQLite's default is off); BEGIN IMMEDIATE for every
write, since a read that turns into a write fails at once under another writer, however long the timeout.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from monitor.errors import StoreError

Parameters = Sequence[object] | Mapping[str, object]

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024  # a WAL that once grew is cut back to this
CACHE_KIB = 8_000  # more gained nothing measurable with 100,000 articles, and it is held for good

_ADVICE = {
    "SQLITE_BUSY": "is locked: another program is writing; close it, or try again",
    "SQLITE_LOCKED": "is locked: another statement is at work; try again",
    "SQLITE_READONLY": "is read-only; the file and its folder must be writable for this user "
    "(SQLite keeps -wal and -shm files beside it)",
    "SQLITE_CANTOPEN": "cannot be opened; its folder must exist and be writable for this user",
    "SQLITE_FULL": "has no room: the disk is full; free some space: nothing is half-written, "
    "and a running worker goes on by itself",
    "SQLITE_NOTADB": "is not an SQLite database; name another file, or move this one away",
    "SQLITE_CORRUPT": "is damaged; restore a backup (storage/README.md says how)",
    "SQLITE_IOERR": "could not be read or written: the disk reports an error or has become read-only "
    "(`dmesg` and `mount` tell); a running worker goes on by itself once it works",
    "SQLITE_PERM": "may not be used by this user",
}


_BY_EFFECTIVE_USER = os.access in os.supports_effective_ids


class Connection:
    """A thin layer over sqlite3: rows by name, one way to write, one kind of error."""

    def __init__(self, raw: sqlite3.Connection, path: Path, *, read_only: bool = False) -> None:
        self.raw = raw
        self.path = path
        self.read_only = read_only

    def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        with self.translated():
            return self._execute(sql, parameters).fetchall()

    def each(self, sql: str, parameters: Parameters = ()) -> Iterator[sqlite3.Row]:
        """Rows one by one, for results that need not fit in memory."""
        with self.translated():
            yield from self._execute(sql, parameters)

    def first(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        with self.translated():
            row: sqlite3.Row | None = self._execute(sql, parameters).fetchone()
            return row

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row; None without rows."""
        row = self.first(sql, parameters)
        return None if row is None else row[0]

    def run(self, sql: str, parameters: Parameters = ()) -> int:
        """Runs a writing statement; returns how many rows it changed."""
        with self.translated():
            return self._execute(sql, parameters).rowcount

    def insert(self, sql: str, parameters: Parameters = ()) -> int:
        """Runs an INSERT; returns the new row's id."""
        with self.translated():
            return self._execute(sql, parameters).lastrowid or 0

    def run_many(self, sql: str, rows: Iterable[Parameters]) -> int:
        """Runs one statement for many rows; returns how many rows were changed in all."""
        with self.translated():
            before = self.raw.total_changes
            self.raw.executemany(sql, [_clean(row) for row in rows])
            return self.raw.total_changes - before

    @contextmanager
    def write(self) -> Iterator[None]:
        """One transaction: all of the block is kept, or, on any exception, nothing of it.

        Within another `write()` it joins that one. Never wait for the network inside.
        """
        if self._is_writing():
            yield
            return
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def can_write(self) -> bool:
        """Whether a transaction could begin at once: False while another program writes.

        Asking waits for nobody and writes nothing. Raises StoreError when the file is unusable.
        """
        if self._is_writing():
            return True
        try:
            with self.waiting(0):
                self.raw.execute("BEGIN IMMEDIATE")
                self.raw.execute("ROLLBACK")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return False
            raise complaint(error, self.path) from error
        return True

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Statements inside wait so long for another writer; then as long as before."""
        before = self.value("PRAGMA busy_timeout")
        self.wait_for_lock(seconds)
        try:
            yield
        finally:
            self.wait_for_lock(before / 1000)

    def wait_for_lock(self, seconds: float) -> None:
        """How long a statement waits for another writer from now on."""
        self.run(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def _roll_back(self) -> None:
        # A full disk makes SQLite roll back by itself; then there is nothing left to undo.
        if self._is_writing():
            with self.translated():
                self.raw.execute("ROLLBACK")

    def _is_writing(self) -> bool:
        with self.translated():
            return self.raw.in_transaction

    def _execute(self, sql: str, parameters: Parameters) -> sqlite3.Cursor:
        return self.raw.execute(sql, _clean(parameters))

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns everything sqlite3 raises into a StoreError."""
        try:
            yield
        except sqlite3.Error as error:
            raise complaint(error, self.path) from error
        except OverflowError as error:
            raise StoreError(f"database {self.path}: a number is too large to store: {error}") from error

    def close(self) -> None:
        """Closes the file; open or closed before, all the same."""
        with suppress(sqlite3.Error):  # refreshing the planner's statistics is a courtesy, never worth a wait
            self.raw.execute("PRAGMA busy_timeout = 0")
            self.raw.execute("PRAGMA analysis_limit = 400")
            self.raw.execute("PRAGMA optimize")
        with self.translated():
            self.raw.close()


def complaint(error: sqlite3.Error, path: Path) -> StoreError:
    """What went wrong with this file, and what to do about it."""
    name = str(getattr(error, "sqlite_errorname", None) or "")
    for code, advice in _ADVICE.items():
        if name.startswith(code):
            return StoreError(f"database {path} {advice} (SQLite: {error})")
    return StoreError(f"database {path}: {error}")


def _clean(parameters: Parameters) -> Parameters:
    """Half a surrogate pair from a broken page must not stop the run: it is stored as "?"."""
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    if not any(isinstance(value, str) and not _encodable(value) for value in values):
        return parameters
    if isinstance(parameters, Mapping):
        return {name: _mended(value) for name, value in parameters.items()}
    return [_mended(value) for value in parameters]


def _encodable(text: str) -> bool:
    if text.isascii():  # told without a look at the text
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mended(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def connect(path: Path, *, read_only: bool, timeout_s: float) -> Connection:
    """Opens the file, making it and its folder when they are missing; nothing is created read-only.

    Raises StoreError.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed")
    _look_at(path, read_only)
    mode = "ro" if read_only else "rwc"
    try:
        raw = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=timeout_s, isolation_level=None
        )
    except sqlite3.Error as error:
        raise complaint(error, path) from error
    raw.row_factory = sqlite3.Row
    connection = Connection(raw, path, read_only=read_only)
    try:
        _set_knobs(connection, timeout_s)
    except StoreError:
        raw.close()
        raise
    return connection


def _look_at(path: Path, read_only: bool) -> None:
    """Refuses early what SQLite would only complain about later, or in fewer words."""
    if path.is_dir():
        raise StoreError(f"database {path} is a folder; name a file")
    if read_only:
        if not path.exists():
            raise StoreError(f"there is no database at {path} yet; `monitor run --once` makes it")
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"database folder {path.parent} cannot be made: {error.strerror}") from error
    for place in (path, path.parent):
        if place.exists() and not os.access(place, os.W_OK, effective_ids=_BY_EFFECTIVE_USER):
            raise StoreError(f"database {path} {_ADVICE['SQLITE_READONLY']}: {place} is not writable")


def _set_knobs(connection: Connection, timeout_s: float) -> None:
    connection.first("SELECT count(*) FROM sqlite_master")  # the first read tells whether it is a database
    if not connection.read_only:
        _use_wal(connection, timeout_s)
        connection.run(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}")
        connection.run("PRAGMA synchronous = FULL")
    connection.run("PRAGMA foreign_keys = ON")
    connection.run(f"PRAGMA cache_size = -{CACHE_KIB}")


def _use_wal(connection: Connection, timeout_s: float) -> None:
    """Switches a new file to WAL. SQLite does not wait for its lock here, whatever the busy timeout says."""
    give_up_at = time.monotonic() + timeout_s
    while True:
        try:
            connection.first("PRAGMA journal_mode = WAL")
            return
        except StoreError as error:
            if "locked" not in str(error) or time.monotonic() >= give_up_at:
                raise
        time.sleep(0.02)

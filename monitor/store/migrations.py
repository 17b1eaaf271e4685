"""Bringing a file to the schema this program speaks: on open, in order, each recorded by sqlite-utils.

An older file is copied to `<its folder>/backups/` first. A file with migrations this program does not
know was written by a newer one, and is refused: guessing at its meaning could lose something.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor.errors import StoreError
from monitor.store.connection import Connection
from monitor.store.schema import V1, V2
from monitor.store.views import VIEWS_V1
from monitor.store.words import split

SET = "monitor"
Migration = tuple[str, str]  # (name, SQL)
MIGRATIONS: tuple[Migration, ...] = (("v1", V1 + VIEWS_V1), ("v2", V2))


def migrate(db: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Applies what is missing, all of it or nothing. Raises StoreError."""
    if not _missing(db, migrations):
        return
    if db.read_only:
        raise StoreError(
            f"database {db.path} was written by an older version; run `monitor store check` once to update it"
        )
    if _applied(db):
        _back_up(db)
    db.raw.create_function("words", 1, split, deterministic=True)
    with db.write():  # taken before looking again: two programs may be starting at once
        for name, sql in _missing(db, migrations):
            _apply(db, name, sql)


def _applied(db: Connection) -> list[str]:
    """Names of the migrations the file has had; empty for a new file."""
    if not db.value("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"):
        if db.value("SELECT 1 FROM sqlite_master"):
            raise StoreError(f"database {db.path} belongs to another program; name another file")
        return []
    rows = db.all("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", [SET])
    return [row["name"] for row in rows]


def _missing(db: Connection, migrations: Sequence[Migration]) -> list[Migration]:
    applied = _applied(db)
    unknown = [name for name in applied if name not in {known for known, _ in migrations}]
    if unknown:
        raise StoreError(
            f"database {db.path} was written by a newer version of this program (schema {unknown[-1]}); "
            "update the program, or restore a backup made before the update"
        )
    return [migration for migration in migrations if migration[0] not in applied]


def _apply(db: Connection, name: str, sql: str) -> None:
    from sqlite_utils import Database  # here: it takes a tenth of a second that most starts do not need
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(SET)

    @migrations(name=name)
    def step(_: Database) -> None:
        for statement in statements(sql):
            db.run(statement)

    with db.translated():
        migrations.apply(Database(db.raw))


def statements(sql: str) -> Iterator[str]:
    """SQL cut into its statements: sqlite3's own `executescript` would commit the transaction."""
    pending = ""
    for line in sql.strip().splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""


def _back_up(db: Connection) -> None:
    """A copy of the file as it is, beside it: `backups/monitor-v1.db` before leaving v1."""
    folder = db.path.parent / "backups"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder} for a backup before updating: {error.strerror}") from error
    copy_to(db, _unused(folder, f"{db.path.stem}-{_applied(db)[-1]}"))


def _unused(folder: Path, stem: str) -> Path:
    path, n = folder / f"{stem}.db", 1
    while path.exists():
        n += 1
        path = folder / f"{stem}-{n}.db"
    return path


def copy_to(db: Connection, path: Path) -> None:
    """A consistent copy while others read and write; `path` appears only when it is complete."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        db.run("VACUUM INTO ?", [str(partial)])
        shutil.copymode(db.path, partial)  # nobody may read the copy who may not read the original
        with partial.open("rb") as file:
            os.fsync(file.fileno())  # SQLite does not wait for the disk when it makes such a copy
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)

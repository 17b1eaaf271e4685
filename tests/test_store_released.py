"""A database of every released schema opens with today's program: nothing lost, and a copy made before.

`tests/data/schema/NAME.sql` is a database as it was when the migration NAME was the newest, with rows in
every table. After a release neither is edited; a new migration brings a file of its own:

    python -m tests.test_store_released      writes the file of the newest migration
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.store import Store, open_store
from monitor.store.connection import connect
from monitor.store.migrations import MIGRATIONS, migrate
from tests.cli import monitor, write_config
from tests.store_kit import (
    BBC,
    DAY,
    HOUR,
    METI,
    NIKKEI,
    NOW,
    desk,
    item,
    matched,
    money,
    polled,
    sent,
    verdict,
)

KEPT = Path(__file__).parent / "data" / "schema"
NAMES = [name for name, _ in MIGRATIONS]
LATER = ("later", "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT;")

Rows = dict[str, list[dict[str, Any]]]


def filled(store: Store) -> None:
    """Rows in every table, such as a few days of work leave."""
    desk(store, NOW - 3 * DAY)
    rich = verdict(amounts=(money("£3 million", 3e6),), programmes=("GCAP",))
    first = matched(
        store, METI, 1, title="英国と日本", text="日英両政府は半導体で合意した。", lang="ja", judged=rich
    )
    story = store.db.value("SELECT story_id FROM matches WHERE id = ?", [first])
    matched(store, NIKKEI, 2, joins=story)
    matched(store, BBC, 3, near_miss=True)
    store.record_poll(polled(BBC, item(4, content="waits")))
    store.digest_state("london", NOW - DAY)  # its window begins
    sent(store, "london", NOW + HOUR)
    store.feedback(1, "good", note="as wanted", now=NOW)
    with store.write():
        store.db.run(
            "INSERT INTO fetches (url, etag, fetched_at) "
            "VALUES ('https://www.bbc.co.uk/rss', '\"a\"', '2026-05-04T08:00:00Z')"
        )
        store.db.run(
            "INSERT INTO runs (kind, started_at, ended_at, ok) "
            "VALUES ('cycle', '2026-05-04T08:00:00Z', '2026-05-04T08:00:09Z', 1)"
        )
    store.put_state("first_look", "yes", NOW)


def tables(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
        return [name for (name,) in names if not name.startswith("search")]


def rows(path: Path) -> Rows:
    """Every row of every table."""
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    try:
        return {name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")] for name in tables(path)}
    finally:
        db.close()


def lost(before: Rows, after: Rows) -> list[tuple[str, dict[str, Any]]]:
    """Rows of `before` of which nothing in `after` has all the values."""
    return [
        (name, row)
        for name, all_rows in before.items()
        for row in all_rows
        if not any(row.items() <= later.items() for later in after.get(name, []))
    ]


def schema(path: Path) -> dict[str, str]:
    """Name → SQL of everything in a file, without comments and blanks."""
    db = sqlite3.connect(path)
    try:
        found = db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT GLOB 'sqlite_*'").fetchall()
    finally:
        db.close()
    return {name: "".join(re.sub(r"--[^\n]*", "", sql).split()) for name, sql in found}


def restored(name: str, folder: Path) -> Path:
    path = folder / "monitor.db"
    db = sqlite3.connect(path)
    db.executescript((KEPT / f"{name}.sql").read_text("utf-8"))
    db.close()
    return path


def test_every_migration_has_a_file_with_rows_in_every_table(tmp_path: Path) -> None:
    assert sorted(path.stem for path in KEPT.glob("*.sql")) == sorted(NAMES)
    for name in NAMES:
        (tmp_path / name).mkdir()
        kept = rows(restored(name, tmp_path / name))
        assert [table for table, found in kept.items() if not found] == [], name


@pytest.mark.parametrize("name", NAMES)
def test_an_old_database_keeps_every_row_and_goes_on(name: str, tmp_path: Path) -> None:
    path = restored(name, tmp_path)
    before = rows(path)
    with open_store(path) as store:
        assert store.check() == []
        assert store.db.value("SELECT count(*) FROM matches_view") == len(before["matches"])
        assert [hit["title"] for hit in store.search("日英 半導体")] == ["英国と日本"]
        assert [waiting.title for waiting in store.pending(NOW + DAY, 10)] == ["Headline 4"]
        assert store.record_poll(polled(METI, item("new", METI), at=NOW + DAY)) == 1
    after = rows(path)
    changed = {("sources", "meti")}
    assert [(table, row) for table, row in lost(before, after) if (table, row.get("id")) not in changed] == []
    made = [each.name for each in tmp_path.glob("backups/*")]
    assert made == ([] if name == NAMES[-1] else [f"monitor-{name}.db"])


@pytest.mark.parametrize("name", NAMES)
def test_an_updated_database_is_the_same_as_a_new_one(name: str, tmp_path: Path) -> None:
    old, new = restored(name, tmp_path), tmp_path / "new.db"
    open_store(old).close()
    open_store(new).close()
    assert schema(old) == schema(new)


@pytest.mark.parametrize("name", NAMES)
def test_a_released_migration_was_not_edited(name: str, tmp_path: Path) -> None:
    db = connect(tmp_path / "again.db", read_only=False, timeout_s=1)
    migrate(db, MIGRATIONS[: NAMES.index(name) + 1])
    db.close()
    assert schema(restored(name, tmp_path)) == schema(tmp_path / "again.db")


@pytest.mark.parametrize("name", NAMES)
def test_the_copy_made_before_an_update_holds_every_row(name: str, tmp_path: Path) -> None:
    path = restored(name, tmp_path)
    before = rows(path)
    db = connect(path, read_only=False, timeout_s=1)
    migrate(db, (*MIGRATIONS, LATER))
    db.close()
    assert lost(before, rows(path)) == []
    assert rows(tmp_path / "backups" / f"monitor-{name}.db") == before


def test_the_program_says_that_a_database_is_newer_and_leaves_it(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config")
    path = restored(NAMES[-1], tmp_path)
    db = connect(path, read_only=False, timeout_s=1)
    migrate(db, (*MIGRATIONS, LATER))
    db.close()
    before = path.read_bytes()
    for command in (("status",), ("run", "--once"), ("store", "check"), ("matches",)):
        refused = monitor("--config", config, "--db", path, *command, cwd=tmp_path)
        assert refused.code == 1, command
        assert "was written by a newer version" in refused.err
    assert path.read_bytes() == before


def write() -> Path:
    """The newest schema's file, made anew."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.db"
        with open_store(path) as store:
            filled(store)
        db = sqlite3.connect(path)
        text = "\n".join(f"{line};" for line in dump(db))
        db.close()
    target = KEPT / f"{NAMES[-1]}.sql"
    target.write_text(text + "\n", "utf-8")
    return target


def dump(db: sqlite3.Connection) -> Iterator[str]:
    """The statements that make the database again. `iterdump` makes none that bring a search index back."""
    made = "SELECT name, type, sql FROM sqlite_master WHERE name NOT GLOB 'sqlite_*' ORDER BY rowid"
    things = db.execute(made).fetchall()
    yield "BEGIN"
    for name, kind, sql in things:
        if kind == "table":
            yield f"DELETE FROM {name}" if name.startswith("search_") else sql
    for name in [name for name, kind, _ in things if kind == "table" and name != "search"]:
        for row in db.execute(f"SELECT * FROM {name}"):
            values = [db.execute("SELECT quote(?)", [value]).fetchone()[0] for value in row]
            yield f"INSERT INTO {name} VALUES ({', '.join(values)})"
    yield from [sql for _, kind, sql in things if kind != "table"]
    yield "COMMIT"


if __name__ == "__main__":
    print(write())

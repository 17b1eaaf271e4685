"""Opening the database: what it refuses, in words that help, and how it brings an old file up to date."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.settings import MonitorSettings
from monitor.store import Store, open_store
from monitor.store.connection import connect
from monitor.store.migrations import MIGRATIONS, migrate
from tests.store_kit import BBC, DAY, NOW, desk, item, polled

LATER = ("later", "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT;\nCREATE INDEX extra_id ON extra(id);")
BROKEN = ("later", "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT;\nCREATE TABLE extra (id TEXT);")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "storage" / "monitor.db"


def test_a_new_file_is_made_with_its_folder_and_is_durable(path: Path) -> None:
    with open_store(path) as store:
        assert store.db.value("PRAGMA journal_mode") == "wal"
        assert store.db.value("PRAGMA synchronous") == 2  # FULL
        assert store.db.value("PRAGMA foreign_keys") == 1
        assert store.check() == []


def test_what_was_stored_is_there_after_reopening(path: Path) -> None:
    with open_store(path) as store:
        desk(store).put_state("first_look", "yes", NOW)
    with open_store(path) as store:
        assert store.get_state("first_look") == "yes"
        assert len(store.source_states()) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"<html>not a database</html>" * 100, "not an SQLite database", id="some other file"),
        pytest.param(None, "is a folder", id="folder"),
    ],
)
def test_what_is_no_database_is_refused(path: Path, content: bytes | None, message: str) -> None:
    if content is None:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(StoreError, match=message):
        open_store(path)


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with open_store(path) as store:
        assert store.source_states() == []


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE photos (id INTEGER)")
    other.close()
    with pytest.raises(StoreError, match="belongs to another program"):
        open_store(path)
    other = sqlite3.connect(path)
    assert [row[0] for row in other.execute("SELECT name FROM sqlite_master")] == ["photos"]
    other.close()


def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    open_store(path).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|not an SQLite database"):
        open_store(path)


# --- migrations ------------------------------------------------------------------------------


def test_a_newer_file_is_refused_and_not_touched(path: Path) -> None:
    open_store(path).close()
    db = connect(path, read_only=False, timeout_s=1)
    migrate(db, (*MIGRATIONS, LATER))
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"written by a newer version.*\(schema later\); update the program"):
        open_store(path)
    assert path.read_bytes() == before


def test_an_older_file_is_copied_before_it_is_changed(path: Path) -> None:
    with open_store(path) as store:
        desk(store)
    db = connect(path, read_only=False, timeout_s=1)
    migrate(db, (*MIGRATIONS, LATER))
    assert db.value("SELECT count(*) FROM extra") == 0
    assert db.value("SELECT count(*) FROM sources") == 4
    db.close()
    backups = list((path.parent / "backups").iterdir())
    assert [backup.name for backup in backups] == ["monitor-v2.db"]
    with open_store(backups[0]) as old:  # this program is older: it can go on with the copy
        assert len(old.source_states()) == 4


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    with open_store(path) as store:
        desk(store)
    db = connect(path, read_only=False, timeout_s=1)
    with pytest.raises(StoreError, match="extra"):
        migrate(db, (*MIGRATIONS, BROKEN))
    assert db.value("SELECT count(*) FROM sqlite_master WHERE name = 'extra'") == 0
    db.close()
    with open_store(path) as store:
        assert len(store.source_states()) == 4


def test_two_programs_may_start_on_a_new_file_at_once(path: Path) -> None:
    path.parent.mkdir()
    failures: list[BaseException] = []

    def start() -> None:
        try:
            open_store(path).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_old_file_is_not_brought_up_to_date_by_a_reader(path: Path) -> None:
    open_store(path).close()
    db = connect(path, read_only=True, timeout_s=1)
    with pytest.raises(StoreError, match="older version; run `monitor store check`"):
        migrate(db, (*MIGRATIONS, LATER))
    db.close()


# --- read-only -------------------------------------------------------------------------------


def test_reading_makes_nothing(path: Path) -> None:
    with pytest.raises(StoreError, match=r"no database at .* yet"):
        open_store(path, read_only=True)
    assert not path.parent.exists()


def test_a_read_only_store_reads_and_refuses_to_write(path: Path) -> None:
    with open_store(path) as store:
        desk(store)
        with open_store(path, read_only=True) as reader:
            assert len(reader.source_states()) == 4
            with pytest.raises(StoreError, match="is read-only"):
                reader.put_state("x", "y", NOW)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder that another user has, seen by a user without rights in it (root has rights everywhere)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def _open_without_rights(path: Path) -> str:
    """The message of opening `path` as a user who may only read there."""
    if os.geteuid() != 0:
        with pytest.raises(StoreError) as caught:
            open_store(path)
        return str(caught.value)
    os.seteuid(65534)
    try:
        with pytest.raises(StoreError) as caught:
            open_store(path)
    finally:
        os.seteuid(0)
    return str(caught.value)


def test_a_read_only_file_is_said_to_be_read_only(as_nobody: Path) -> None:
    path = as_nobody / "monitor.db"
    open_store(path).close()
    path.chmod(0o444)
    assert "is read-only; the file and its folder must be writable" in _open_without_rights(path)


def test_a_read_only_folder_is_said_to_be_read_only(as_nobody: Path) -> None:
    as_nobody.chmod(0o555)
    message = _open_without_rights(as_nobody / "monitor.db")
    assert "is read-only" in message
    assert f"{as_nobody} is not writable" in message


# --- locked and full -------------------------------------------------------------------------


def test_a_locked_database_is_said_to_be_locked(path: Path) -> None:
    with open_store(path) as store, open_store(path, timeout_s=0.05) as second, store.write():
        with pytest.raises(StoreError, match="is locked: another program is writing"):
            second.put_state("x", "y", NOW)
        assert second.get_state("x") is None  # reading goes on


def test_whether_it_can_be_written_is_told_without_waiting_or_writing(path: Path) -> None:
    with open_store(path) as store, open_store(path, timeout_s=3600) as second:
        assert second.can_write()
        with store.write():
            assert store.can_write()
            assert not second.can_write()
        assert second.can_write()
        assert second.db.value("PRAGMA busy_timeout") == 3_600_000


def test_a_long_reader_keeps_the_journal_but_no_writer_waiting(path: Path) -> None:
    with open_store(path) as store, open_store(path, read_only=True) as reader:
        desk(store)
        reading = reader.db.each("SELECT a.id FROM sources a, sources b, sources c")
        next(reading)
        desk(store, NOW + DAY)
        store.prune(MonitorSettings().retention, NOW)
        assert store.db.value("PRAGMA busy_timeout") == 30_000
        reading.close()
        store.prune(MonitorSettings().retention, NOW)
        assert path.with_name(path.name + "-wal").stat().st_size == 0


def test_a_full_disk_leaves_nothing_half_written(path: Path) -> None:
    with open_store(path) as store:
        desk(store)
        pages = store.db.value("PRAGMA page_count")
        store.db.first(f"PRAGMA max_page_count = {pages + 3}")
        many = tuple(item(n, summary="x" * 2000) for n in range(200))
        with pytest.raises(StoreError, match="the disk is full; free some space"):
            store.record_poll(polled(BBC, *many))
        assert store.db.value("SELECT count(*) FROM items") == 0
        assert store.source_states()[0].last_polled_at is None
        store.db.first("PRAGMA max_page_count = 100000")
        assert store.record_poll(polled(BBC, *many)) == 200  # with room, it goes on


def test_closing_waits_for_nobody(path: Path) -> None:
    with open_store(path) as holder:
        desk(holder)
        second = open_store(path)
        with holder.write():
            holder.put_state("x", "y", NOW)
            started = time.monotonic()
            second.close()
        assert time.monotonic() - started < 25  # a writer is waited for 30 s
        second.close()  # closed is closed


# --- what a connection does ------------------------------------------------------------------


def _write_and_stop(store: Store) -> None:
    with store.write():
        desk(store)
        raise KeyboardInterrupt


def test_an_exception_undoes_the_whole_block(path: Path) -> None:
    with open_store(path) as store:
        with pytest.raises(KeyboardInterrupt):
            _write_and_stop(store)
        assert store.source_states() == []
        with store.write():
            desk(store)
        assert len(store.source_states()) == 4


def test_half_a_character_is_stored_as_a_question_mark(path: Path) -> None:
    with open_store(path) as store:
        desk(store)
        store.record_poll(polled(BBC, item(1, title="broken \ud83d emoji")))
        assert store.pending(NOW, 1)[0].title == "broken ? emoji"


def test_a_store_belongs_to_its_thread(path: Path) -> None:
    with open_store(path) as store:
        caught: list[BaseException] = []

        def use() -> None:
            try:
                store.source_states()
            except StoreError as error:
                caught.append(error)

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        assert "thread" in str(caught[0])

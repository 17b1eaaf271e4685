"""What the store promises when things go wrong: clear errors from every method, and nothing half done."""

from __future__ import annotations

import inspect
import multiprocessing
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import StoreError
from monitor.model import Article, Join, Processed
from monitor.store import Store, open_store
from tests.store_kit import (
    BBC,
    DAY,
    HOUR,
    NIKKEI,
    NOW,
    SOURCES,
    desk,
    digest,
    fingerprint,
    item,
    matched,
    message,
    polled,
    shown,
    verdict,
)
from tests.test_store_archive import Keep


def _outcome(item_id: int) -> Processed:
    article = Article(item_id, "https://bbc.example/2", "T", "日英 quantum text")
    return Processed(item_id, "match", "", article, verdict(), fingerprint("quantum text"))


def _record_digest(store: Store) -> object:
    made = digest(store, "london", NOW + HOUR)
    return store.record_digest(made, "s", [(1, 1, "new")], [message(made)], NOW, NOW + HOUR)


def _record_request(store: Store) -> object:
    made = digest(store, "london", NOW + HOUR, kind="requested")
    return store.record_request(made, "s", [message(made)], NOW + HOUR)


Call = Callable[[Store], object]

WRITES: dict[str, Call] = {
    "sync_sources": lambda s: s.sync_sources(SOURCES, NOW),
    "set_source_state": lambda s: s.set_source_state("bbc", "silent", "x", NOW),
    "ask_by": lambda s: s.ask_by(["bbc"], NOW),
    "record_poll": lambda s: s.record_poll(polled(BBC, item("new"))),
    "record_outcome": lambda s: s.record_outcome(_outcome(2), Join(1, 1, "same"), NOW),
    "record_retry": lambda s: s.record_retry(2, "503", NOW + HOUR, NOW),
    "digest_state": lambda s: s.digest_state("new digest", NOW),
    "record_digest": _record_digest,
    "record_request": _record_request,
    "record_messages": lambda s: s.record_messages([message(digest(s, "london", NOW))], NOW),
    "claim_due": lambda s: s.claim_due(NOW, 60, 5),
    "release": lambda s: s.release(1, "stopped", NOW),
    "mark_sent": lambda s: s.mark_sent(1, "250", NOW),
    "mark_retry": lambda s: s.mark_retry(1, "451", NOW, NOW),
    "mark_dead": lambda s: s.mark_dead(1, "550", NOW),
    "requeue": lambda s: s.requeue(None, NOW),
    "drop": lambda s: s.drop([1], NOW),
    "reindex": lambda s: s.reindex(),
    "feedback": lambda s: s.feedback(1, "good", now=NOW),
    "put_state": lambda s: s.put_state("x", "y", NOW),
    "heartbeat": lambda s: s.heartbeat(NOW),
    "record_run": lambda s: s.record_run("cycle", NOW, NOW, True, {}),
    "backfill_source": lambda s: s.backfill_source("archive", NOW),
    "keep_backfilled": lambda s: s.keep_backfilled("bbc", item("archived"), _outcome(0), None, NOW),
    "bring_back": lambda s: s.bring_back(NOW),
    "prune": lambda s: s.prune(Keep(1, 1, 1, 1, 1), NOW + 900 * DAY),
}
READS: dict[str, Call] = {
    "source_states": lambda s: s.source_states(),
    "due_sources": lambda s: s.due_sources(NOW),
    "fetch_states": lambda s: s.fetch_states(["https://x.example/"]),
    "known": lambda s: s.known("bbc", [("g", "i")]),
    "recent_guids": lambda s: s.recent_guids("bbc"),
    "item_dates": lambda s: s.item_dates("bbc"),
    "pending": lambda s: s.pending(NOW, 5),
    "pending_count": lambda s: s.pending_count(NOW),
    "story_candidates": lambda s: s.story_candidates(fingerprint("x"), "", NOW - DAY),
    "unclaimed": lambda s: s.unclaimed("london", NOW + DAY),
    "entries_between": lambda s: s.entries_between(NOW - DAY, NOW),
    "coverage": lambda s: s.coverage(NOW),
    "immediate_count": lambda s: s.immediate_count("london", NOW),
    "weekly_counts": lambda s: s.weekly_counts(NOW - DAY, NOW),
    "message_ids_for_story": lambda s: s.message_ids_for_story("london", 1),
    "outbox_rows": lambda s: s.outbox_rows(),
    "next_outbox_at": lambda s: s.next_outbox_at(),
    "matches": lambda s: list(s.matches()),
    "near_misses": lambda s: s.near_misses(),
    "search": lambda s: s.search("日英"),
    "life_of": lambda s: s.life_of(1),
    "judged": lambda s: list(s.judged()),
    "history": lambda s: list(s.history()),
    "status": lambda s: s.status(NOW),
    "prefilter": lambda s: s.prefilter(NOW - DAY),
    "readable": lambda s: s.readable(1),
    "get_state": lambda s: s.get_state("x"),
    "heartbeat_at": lambda s: s.heartbeat_at(),
    "was_offline": lambda s: s.was_offline(),
    "backup": lambda s: s.backup(s.path.parent / "copy.db"),
    "check": lambda s: s.check(),
}
NOT_CALLS = {"write", "close", "can_write", "wait_for_lock"}


def furnish(store: Store) -> None:
    """A match, a pending item, a digest waiting to be sent, a digest with nothing yet."""
    desk(store).digest_state("london", NOW)
    matched(store, NIKKEI, 1)
    shown(store, BBC, item(2))
    store.digest_state("tokyo", NOW)
    made = digest(store, "tokyo", NOW)
    store.record_digest(made, "s", [(1, 1, "new")], [message(made)], NOW, NOW)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("furnished") / "monitor.db"
    with open_store(path) as store:
        furnish(store)
    return path


@pytest.fixture
def path(furnished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(furnished, tmp_path))


def test_every_method_is_in_these_tests() -> None:
    methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(WRITES) | set(READS) | NOT_CALLS


@pytest.mark.parametrize("name", WRITES)
def test_writing_to_a_locked_database_says_so_and_changes_nothing(path: Path, name: str) -> None:
    with open_store(path) as holder, open_store(path, timeout_s=0.01) as store, holder.write():
        holder.put_state("held", "x", NOW)
        with pytest.raises(StoreError, match=r"is locked"):
            WRITES[name](store)
    with open_store(path) as store:
        assert store.check() == []
        WRITES[name](store)  # and once it is free, it works


@pytest.mark.parametrize("name", WRITES)
def test_writing_to_a_read_only_database_says_so(path: Path, name: str) -> None:
    with open_store(path, read_only=True) as store, pytest.raises(StoreError, match=r"is read-only"):
        WRITES[name](store)


@pytest.mark.parametrize("name", READS)
def test_reading_goes_on_while_another_writes(path: Path, name: str) -> None:
    with open_store(path) as holder, open_store(path, read_only=True) as store, holder.write():
        holder.put_state("held", "x", NOW)
        READS[name](store)


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_a_store_that_was_closed_says_so(path: Path, name: str) -> None:
    store = open_store(path)
    store.close()
    with pytest.raises(StoreError, match=r"closed database"):
        (WRITES | READS)[name](store)


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_a_database_without_its_tables_is_an_error_of_the_store(path: Path, name: str) -> None:
    other = sqlite3.connect(path)
    for kind, table in other.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')"
        " AND name NOT GLOB 'search_*' AND name <> '_sqlite_migrations'"
    ).fetchall():
        other.execute(f"DROP {kind} {table}")
    other.commit()
    other.close()
    with open_store(path) as store:
        if name == "backup":
            READS[name](store)  # what there is can be copied
            return
        with pytest.raises(StoreError, match=r"no such table"):
            (WRITES | READS)[name](store)


# --- stopping in between ---------------------------------------------------------------------


def everything(store: Store) -> str:
    """All rows of all tables, but for the index's own."""
    names = store.db.all(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search%' ORDER BY name"
    )
    return repr([[tuple(row) for row in store.db.all(f"SELECT * FROM {row['name']}")] for row in names])


@pytest.mark.parametrize("name", sorted(set(WRITES) - {"prune", "reindex"}))
def test_a_crash_between_any_two_statements_leaves_all_or_nothing(
    path: Path, tmp_path: Path, name: str
) -> None:
    """Copies the files at every statement, as a machine that stops there would leave them."""
    copies: list[Path] = []

    def copy(_: str) -> None:
        folder = tmp_path / f"stop-{len(copies)}"
        folder.mkdir()
        files = [file for suffix in ("", "-wal") if (file := Path(f"{path}{suffix}")).exists()]
        subprocess.run(["cp", *files, folder], check=True)
        copies.append(folder / path.name)

    with open_store(path) as store:
        before = everything(store)
        store.db.raw.set_trace_callback(copy)
        WRITES[name](store)
        store.db.raw.set_trace_callback(None)
        after = everything(store)
    assert copies
    for stopped in copies:
        with open_store(stopped) as store:
            assert everything(store) in (before, after)
            assert store.check() == []
            WRITES[name](store)  # the next start does it, or does it again
            assert store.check() == []


@pytest.mark.parametrize("name", ["record_poll", "record_outcome", "record_digest"])
def test_what_was_stopped_and_done_again_comes_out_the_same(path: Path, tmp_path: Path, name: str) -> None:
    """Nothing lost and nothing twice, whichever statement was the last."""
    with open_store(path) as store:
        store.backup(tmp_path / "reference.db")
    with open_store(tmp_path / "reference.db") as store:
        WRITES[name](store)
        expected = everything(store)
    stops = 0
    while True:
        fresh = tmp_path / f"fresh-{stops}.db"
        _copy(path, fresh)
        with open_store(fresh) as store:
            stopped = _stop_before(store, stops, WRITES[name])
            if not stopped:
                break
            WRITES[name](store)
            assert everything(store) == expected
        stops += 1
    assert stops >= 3  # begin, change, commit


def _copy(path: Path, target: Path) -> None:
    with open_store(path) as store:
        store.backup(target)


class _Stop(BaseException):
    """The process is told to stop."""


def _stop_before(store: Store, n: int, call: Call) -> bool:
    """Runs a call that is stopped before its n-th statement; False when it has no so many."""
    count = iter(range(10_000))
    execute = store.db._execute

    def stopping(sql: str, parameters: Any) -> Any:
        if next(count) >= n and sql != "ROLLBACK":
            raise _Stop
        return execute(sql, parameters)

    store.db._execute = stopping  # type: ignore[method-assign]
    try:
        call(store)
    except _Stop:
        return True
    finally:
        del store.db._execute
    return False


# --- reader and writer together --------------------------------------------------------------


def keep_writing(path: Path, stop: Any, counts: Any) -> None:
    written = 0
    with open_store(path) as store:
        while not stop.is_set():
            store.record_poll(polled(BBC, item(f"w{written}")))
            for waiting in store.pending(NOW, 5):
                store.record_outcome(_outcome(waiting.id), None, NOW)
            written += 1
    counts.put(written)


@pytest.fixture
def writer(path: Path) -> Iterator[None]:
    spawn = multiprocessing.get_context("spawn")
    stop, counts = spawn.Event(), spawn.SimpleQueue()
    process = spawn.Process(target=keep_writing, args=(path, stop, counts))
    process.start()
    yield
    stop.set()
    written = counts.get()
    process.join()
    assert written > 5
    assert process.exitcode == 0


@pytest.mark.usefixtures("writer")
def test_readers_and_a_second_writer_are_never_locked_out(path: Path) -> None:
    until = time.monotonic() + 2
    with open_store(path, read_only=True) as reader, open_store(path) as second:
        while time.monotonic() < until or reader.status(NOW)["items"] < 20:
            seen = list(reader.matches())
            assert len({row["id"] for row in seen}) == len(seen)
            reader.search("quantum")
            second.heartbeat(NOW)
            for row in second.claim_due(NOW, 60, 1):
                second.mark_retry(row.id, "later", NOW, NOW)
    with open_store(path) as store:
        assert store.check() == []

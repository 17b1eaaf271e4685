"""Housekeeping: what may be forgotten, copies while the worker runs, and whether the file is sound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from monitor.errors import StoreError
from monitor.store import codec, search, times
from monitor.store.base import Base
from monitor.store.migrations import copy_to

CHECKPOINT_S = 0.5  # that long writers may be held up to let readers finish
BATCH = 500  # rows forgotten in one transaction: the worker's own writes wait no longer than that takes


class Retention(Protocol):
    """Days each kind of thing is kept; 0: for ever. Matches themselves are never forgotten."""

    @property
    def items_days(self) -> int: ...
    @property
    def near_miss_days(self) -> int: ...
    @property
    def match_text_days(self) -> int: ...
    @property
    def outbox_days(self) -> int: ...
    @property
    def runs_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that grows old. `old` selects ids before :cutoff; `forget` takes a JSON array."""

    name: str
    days: str  # which field of Retention
    old: str
    forget: str
    indexed: bool = False  # whether its texts are in the search index; then they are taken out first


_ARTICLE_TEXT = "UPDATE articles SET text = '' WHERE item_id IN (SELECT value FROM json_each(?))"

KINDS = (
    Kind(
        "items",
        "items_days",
        "SELECT id FROM items i WHERE status = 'done' AND processed_at < :cutoff"
        " AND NOT EXISTS (SELECT 1 FROM matches WHERE item_id = i.id)"
        " AND NOT EXISTS (SELECT 1 FROM feedback WHERE item_id = i.id)",
        "DELETE FROM items WHERE id IN (SELECT value FROM json_each(?))",
        indexed=True,
    ),
    Kind(
        "near_miss_texts",
        "near_miss_days",
        "SELECT a.item_id FROM articles a JOIN items i ON i.id = a.item_id"
        " WHERE a.text <> '' AND i.processed_at < :cutoff"
        " AND NOT EXISTS (SELECT 1 FROM matches WHERE item_id = i.id)",
        _ARTICLE_TEXT,
        indexed=True,
    ),
    Kind(
        "match_texts",
        "match_text_days",
        "SELECT a.item_id FROM articles a JOIN matches m ON m.item_id = a.item_id"
        " WHERE a.text <> '' AND m.matched_at < :cutoff",
        _ARTICLE_TEXT,
        indexed=True,
    ),
    # The row stays, as proof of delivery; what it carried goes.
    Kind(
        "messages",
        "outbox_days",
        "SELECT id FROM outbox WHERE status IN ('sent', 'dropped') AND payload <> '{}'"
        " AND coalesce(sent_at, created_at) < :cutoff",
        "UPDATE outbox SET payload = '{}' WHERE id IN (SELECT value FROM json_each(?))",
    ),
    Kind(
        "runs",
        "runs_days",
        "SELECT id FROM runs WHERE ended_at < :cutoff",
        "DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))",
    ),
    Kind(
        "fetches",
        "items_days",
        "SELECT url FROM fetches WHERE fetched_at < :cutoff",
        "DELETE FROM fetches WHERE url IN (SELECT value FROM json_each(?))",
    ),
)


class Housekeeping(Base):
    """What `monitor store` does."""

    def prune(self, policy: Retention, now: datetime, dry_run: bool = False) -> dict[str, int]:
        """Forgets what is older than the policy says; returns how many of each kind.

        `dry_run` counts and changes nothing. Stopped in between, it has done a part, each part whole.
        """
        counts = {}
        for kind in KINDS:
            days = getattr(policy, kind.days)
            cutoff = times.to_text(now - timedelta(days=days)) if days else ""
            counts[kind.name] = self._count(kind, cutoff) if dry_run else self._forget(kind, cutoff)
        if not dry_run:
            self._cut_journal()
        return counts

    def _cut_journal(self) -> None:
        """Empties the journal, unless somebody reads: waiting for a reader would hold up every writer."""
        with self.db.waiting(CHECKPOINT_S):
            self.db.first("PRAGMA wal_checkpoint(TRUNCATE)")

    def _count(self, kind: Kind, cutoff: str) -> int:
        count: int = self.db.value(f"SELECT count(*) FROM ({kind.old})", {"cutoff": cutoff})
        return count

    def _forget(self, kind: Kind, cutoff: str) -> int:
        old = [row[0] for row in self.db.all(kind.old, {"cutoff": cutoff})]
        for start in range(0, len(old), BATCH):
            ids = old[start : start + BATCH]
            with self.db.write():
                if kind.indexed:
                    search.unindex(self.db, ids)
                self.db.run(kind.forget, [codec.dump(ids)])
                if kind.indexed:
                    search.index(self.db, ids)  # those that stay, by their headline
        return len(old)

    def backup(self, path: Path) -> None:
        """A consistent copy while the worker runs; `path` appears, or is replaced, when it is complete.

        Raises StoreError, also when `path` is there and is no database.
        """
        if path.exists() and (path.samefile(self.db.path) or not _is_database(path)):
            raise StoreError(f"{path} is in use or is not a database; name another file")
        if not path.parent.is_dir():
            raise StoreError(f"there is no folder {path.parent}")
        copy_to(self.db, path)

    def check(self) -> list[str]:
        """What is wrong with the file, in words; [] when it is sound. Reads all of it."""
        problems = [row[0] for row in self.db.all("PRAGMA integrity_check") if row[0] != "ok"]
        problems += [
            f"row {row['rowid']} of {row['table']} points at a row missing from {row['parent']}"
            for row in self.db.all("PRAGMA foreign_key_check")
        ]
        return problems + self._index_problems()

    def _index_problems(self) -> list[str]:
        lost = self.db.value(
            "SELECT count(*) FROM articles WHERE item_id NOT IN (SELECT id FROM search_docsize)"
        )
        stray = self.db.value(
            "SELECT count(*) FROM search_docsize WHERE id NOT IN (SELECT item_id FROM articles)"
        )
        problems = [f"the search index lacks {lost} articles"] if lost else []
        problems += [f"the search index has {stray} articles that are gone"] if stray else []
        if not self.db.read_only:
            try:
                self.db.run("INSERT INTO search (search) VALUES ('integrity-check')")
            except StoreError as error:
                problems.append(f"the search index is damaged: {error}")
        return problems


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) in (b"SQLite format 3\x00", b"")

"""Full-text search over the stored articles, English and Japanese.

Only the index is stored, so a row is taken out by giving FTS5 the text it was made from: every
`articles` row is indexed with exactly its own title and text, and is unindexed before they change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Any

from monitor.store import codec
from monitor.store.base import Base
from monitor.store.connection import Connection
from monitor.store.snippets import Snippets
from monitor.store.views import OUTLET
from monitor.store.words import parse, split

# The newest hits are ranked, not all: a common word has tens of thousands, and news is read from the top.
POOL = 2000
TITLE_WEIGHT = 6.0

_SEARCH = f"""
WITH hits AS MATERIALIZED (
  SELECT rowid AS item_id, bm25(search, 1.0, {TITLE_WEIGHT}) AS rank FROM search WHERE search MATCH :query
  ORDER BY rowid DESC LIMIT {POOL}
), best AS MATERIALIZED (SELECT * FROM hits ORDER BY rank, item_id DESC LIMIT :limit)
SELECT b.item_id, b.rank, m.id AS match_id, m.story_id, i.outcome, {OUTLET} AS source, s.country, a.lang,
  a.title, a.url, a.text, coalesce(a.published_at, i.published_at) AS published_at,
  v.corridors, v.topics, v.event, v.priority, v.why
FROM best b CROSS JOIN articles a ON a.item_id = b.item_id CROSS JOIN items i ON i.id = b.item_id
CROSS JOIN sources s ON s.id = i.source_id
LEFT JOIN matches m ON m.item_id = b.item_id LEFT JOIN verdicts v ON v.id = m.verdict_id
ORDER BY b.rank, b.item_id DESC
"""

_INDEX = "INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)"
_UNINDEX = "INSERT INTO search (search, rowid, title, text) VALUES ('delete', ?, ?, ?)"
_TEXTS = "SELECT item_id, title, text FROM articles WHERE item_id IN (SELECT value FROM json_each(?))"


class Search(Base):
    """Asking the index."""

    def search(self, query: str, limit: int = 20) -> list[dict[str, Any]]:
        """Matches and near misses with these words, best first; [] when there is nothing to look for.

        Any text is a valid query (see `words.parse`). `snippet` is from the article as it was stored,
        `hits` are (start, end) places in it; `corridors` and `topics` are lists.
        """
        asked = parse(query)
        if not asked.fts():
            return []
        snippets = Snippets(asked.phrases)
        rows = self.db.all(_SEARCH, {"query": asked.fts(), "limit": limit})
        return [_found(row, snippets) for row in rows]

    def reindex(self) -> int:
        """Builds the index anew from the articles; returns how many. The repair for a damaged index."""
        with self.db.write():
            self.db.run("INSERT INTO search (search) VALUES ('delete-all')")
            ids = [row["item_id"] for row in self.db.all("SELECT item_id FROM articles")]
            for start in range(0, len(ids), 500):
                index(self.db, ids[start : start + 500])
        return len(ids)


def _found(row: sqlite3.Row, snippets: Snippets) -> dict[str, Any]:
    found = dict(row)
    found["snippet"], found["hits"] = snippets.of(found.pop("text"))
    for column in ("corridors", "topics"):
        found[column] = list(codec.names(found[column] or "[]"))
    return found


def index(db: Connection, item_ids: Collection[int]) -> None:
    """Adds articles to the index, inside the caller's transaction."""
    _tell(db, _INDEX, item_ids)


def unindex(db: Connection, item_ids: Collection[int]) -> None:
    """Takes articles out of the index; before their text changes or goes, inside the same transaction."""
    _tell(db, _UNINDEX, item_ids)


def _tell(db: Connection, sql: str, item_ids: Collection[int]) -> None:
    rows = db.all(_TEXTS, [codec.dump(list(item_ids))])
    db.run_many(sql, [(row["item_id"], split(row["title"]), split(row["text"])) for row in rows])

"""Reading matches and near misses the way people ask for them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.store import times
from monitor.store.base import Base
from monitor.store.words import parse


@dataclass(frozen=True, slots=True)
class MatchFilter:
    """Which matches to show; what is left empty does not narrow. All that is given must hold."""

    corridor: str = ""
    topic: str = ""
    event: str = ""
    priority: str = ""
    country: str = ""
    lang: str = ""
    source: str = ""  # id or name
    organisation: str = ""  # a part of its name will do
    query: str = ""  # words, as in search
    since: datetime | None = None  # matched then or later
    until: datetime | None = None  # matched before
    min_score: float | None = None
    story_id: int | None = None
    limit: int | None = None
    offset: int = 0


# One condition per field of the filter that needs no preparation.
_CONDITIONS = {
    "corridor": "EXISTS (SELECT 1 FROM json_each(corridors) WHERE value = :corridor)",
    "topic": "EXISTS (SELECT 1 FROM json_each(topics) WHERE value = :topic)",
    "event": "event = :event",
    "priority": "priority = :priority",
    "country": "country = :country",
    "lang": "lang = :lang",
    "source": "(source = :source OR item_id IN (SELECT id FROM items WHERE source_id = :source))",
    "organisation": "EXISTS (SELECT 1 FROM json_each(organisations)"
    " WHERE instr(lower(value), lower(:organisation)))",
    "query": "item_id IN (SELECT rowid FROM search WHERE search MATCH :query)",
    "since": "matched_at >= :since",
    "until": "matched_at < :until",
    "min_score": "score >= :min_score",
    "story_id": "story_id = :story_id",
}

_LISTS = ("corridors", "topics", "organisations", "amounts", "rules")


class Matches(Base):
    """The archive in flat rows."""

    def matches(self, wanted: MatchFilter | None = None) -> Generator[dict[str, Any], None, None]:
        """Rows of `matches_view`, newest first, its JSON columns as lists."""
        wanted = wanted or MatchFilter()
        values = _values(wanted)
        if wanted.query and not values["query"]:
            return
        conditions = [sql for name, sql in _CONDITIONS.items() if values[name] not in ("", None)]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        limit = -1 if wanted.limit is None else wanted.limit
        sql = f"SELECT * FROM matches_view {where} LIMIT :limit OFFSET :offset"
        for row in self.db.each(sql, values | {"limit": limit, "offset": wanted.offset}):
            yield plain(row)

    def near_misses(self, limit: int = 50, since: datetime | None = None) -> list[dict[str, Any]]:
        """Rows of the view `near_misses`, newest first, its JSON columns as lists."""
        rows = self.db.all(
            "SELECT * FROM near_misses WHERE :since IS NULL OR decided_at >= :since LIMIT :limit",
            {"since": times.text_or_none(since), "limit": limit},
        )
        return [plain(row) for row in rows]


def _values(wanted: MatchFilter) -> dict[str, Any]:
    values = {name: getattr(wanted, name) for name in _CONDITIONS}
    return values | {
        "since": times.text_or_none(wanted.since),
        "until": times.text_or_none(wanted.until),
        "query": parse(wanted.query).fts(),
    }


def plain(row: sqlite3.Row) -> dict[str, Any]:
    """A row as a dictionary, with its JSON arrays read."""
    found = dict(row)
    for column in _LISTS:
        if isinstance(found.get(column), str):
            found[column] = json.loads(found[column])
    return found

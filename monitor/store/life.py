"""The whole life of one article, from stored rows alone: why it was reported, or why not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from monitor import urls
from monitor.store.base import Base
from monitor.store.matches import plain

_FIND = """
SELECT id FROM items WHERE identity IN (:url, :canonical)
UNION SELECT m.item_id FROM fingerprints f JOIN matches m ON m.id = f.match_id
  WHERE f.canonical_url = :canonical AND :canonical <> ''
ORDER BY 1 LIMIT 1
"""
# Only when that finds nothing: these read everything.
_FIND_SLOWLY = """
SELECT item_id FROM articles WHERE url = :url UNION SELECT id FROM items WHERE url = :url
UNION SELECT item_id FROM sightings WHERE url = :url ORDER BY 1 LIMIT 1
"""

_ITEM = """
SELECT i.*, s.name AS source_name, s.authority, s.state AS source_state
FROM items i JOIN sources s ON s.id = i.source_id WHERE i.id = ?
"""
_SIGHTINGS = """
SELECT s.source_id, s.guid, coalesce(nullif(s.url, ''), i.url) AS url, s.seen_at
FROM sightings s JOIN items i ON i.id = s.item_id WHERE s.item_id = ? ORDER BY s.seen_at, s.source_id
"""
_ARTICLE = """
SELECT url, title, lang, author, published, published_at, label, extracted_at, length(text) AS chars
FROM articles WHERE item_id = ?
"""
_VERDICTS = "SELECT * FROM verdicts WHERE item_id = ? ORDER BY id"
_PARTS = """
SELECT rule, label, weight, field, start, "end", quote FROM verdict_parts WHERE verdict_id = ? ORDER BY n
"""
_MATCH = "SELECT id, story_id, matched_at, alert FROM matches WHERE item_id = ?"
_STORY = "SELECT * FROM stories WHERE id = ?"
_MEMBERS = """
SELECT id AS match_id, source, title, url, published_at FROM matches_view WHERE story_id = ? ORDER BY id
"""
_JOINS = """
SELECT j.decision, j.score, j.reason, j.decided_at, j.other_match_id, i.title AS other_title
FROM story_joins j LEFT JOIN matches o ON o.id = j.other_match_id LEFT JOIN items i ON i.id = o.item_id
WHERE j.match_id = ? ORDER BY j.id
"""
_CLAIMS = """
SELECT c.digest_name, c.digest_id, c.role, d.kind, d.composed_at, d.window_start, d.window_end
FROM digest_claims c JOIN digests d ON d.id = c.digest_id WHERE c.match_id = ? ORDER BY d.composed_at
"""
_OUTBOX = """
SELECT l.* FROM delivery_log l JOIN digest_claims c ON c.digest_id = l.digest_id
WHERE c.match_id = ? AND c.role IN ('new', 'update') ORDER BY l.id
"""
_FEEDBACK = "SELECT judgement, note, created_at FROM feedback WHERE item_id = ? ORDER BY id"


MAX_ID = 2**63 - 1


class Life(Base):
    """What `monitor explain` tells."""

    def life_of(self, what: str | int) -> dict[str, Any] | None:
        """Everything stored about an item, by its id or address; None when it was never seen.

        Keys: `item`, `sightings`, `article` (None unless its text was kept), `verdicts` (each with its
        `parts`, oldest first), `match`, `story` (with its `members`), `joins`, `claims`, `outbox`,
        `feedback`. Instants are text, as stored.
        """
        item_id = self._find(what)
        item = self.db.first(_ITEM, [item_id]) if item_id is not None else None
        if item is None:
            return None
        match = self.db.first(_MATCH, [item_id])
        of_match = [match["id"]] if match else [None]
        return {
            "item": dict(item),
            "sightings": _dicts(self.db.all(_SIGHTINGS, [item_id])),
            "article": _dict(self.db.first(_ARTICLE, [item_id])),
            "verdicts": [self._verdict(row) for row in self.db.all(_VERDICTS, [item_id])],
            "match": _dict(match),
            "story": self._story(match["story_id"]) if match else None,
            "joins": _dicts(self.db.all(_JOINS, of_match)),
            "claims": _dicts(self.db.all(_CLAIMS, of_match)),
            "outbox": _dicts(self.db.all(_OUTBOX, of_match)),
            "feedback": _dicts(self.db.all(_FEEDBACK, [item_id])),
        }

    def _find(self, what: str | int) -> int | None:
        if isinstance(what, int) or what.isdecimal():
            return int(what) if int(what) <= MAX_ID else None
        if not what:
            return None
        address = {"url": what, "canonical": urls.canonical_url(what)}
        found: int | None = self.db.value(_FIND, address)
        return self.db.value(_FIND_SLOWLY, address) if found is None else found

    def _verdict(self, row: sqlite3.Row) -> dict[str, Any]:
        return plain(row) | {"parts": _dicts(self.db.all(_PARTS, [row["id"]]))}

    def _story(self, story_id: int) -> dict[str, Any]:
        story = self.db.first(_STORY, [story_id])
        return (_dict(story) or {}) | {"members": _dicts(self.db.all(_MEMBERS, [story_id]))}


def _dict(row: sqlite3.Row | None) -> dict[str, Any] | None:
    return None if row is None else dict(row)


def _dicts(rows: Iterable[sqlite3.Row]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]

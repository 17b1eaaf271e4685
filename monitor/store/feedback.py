"""What people thought of articles, and the stored history to try other rules on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from monitor.errors import InputError
from monitor.store import times
from monitor.store.base import Base

JUDGEMENTS = ("good", "bad", "missed")
PAGE = 500  # rows read at a time: a long read keeps the writer's log from being cut back

# The newest judgement of an article counts.
_JUDGED = """
SELECT f.id, f.item_id, f.judgement, f.note, f.created_at, coalesce(i.source_id, '') AS source_id,
  coalesce(nullif(f.url, ''), nullif(a.url, ''), i.url) AS url,
  coalesce(nullif(a.title, ''), i.title, '') AS title, coalesce(nullif(a.text, ''), i.summary, '') AS text,
  coalesce(nullif(a.lang, ''), i.lang, '') AS lang, coalesce(a.published_at, i.published_at) AS published,
  CASE WHEN coalesce(a.text, '') <> '' THEN 'text' ELSE 'teaser' END AS basis
FROM feedback f LEFT JOIN items i ON i.id = f.item_id LEFT JOIN articles a ON a.item_id = f.item_id
WHERE f.id IN (SELECT max(id) FROM feedback GROUP BY coalesce(item_id, url)) ORDER BY f.id
"""

# What rules read of an item: the text where it was kept, else what the source itself said.
_READ = """
SELECT i.id, i.source_id, i.outcome, coalesce(nullif(a.url, ''), i.url) AS url, i.first_seen_at,
  coalesce(nullif(a.title, ''), i.title) AS title,
  coalesce(nullif(a.text, ''), nullif(i.content, ''), i.summary) AS text,
  coalesce(nullif(a.lang, ''), nullif(i.lang, ''), s.lang) AS lang,
  coalesce(a.published_at, i.published_at) AS published,
  CASE WHEN coalesce(a.text, '') <> '' THEN 'text' ELSE 'teaser' END AS basis
FROM items i CROSS JOIN sources s ON s.id = i.source_id LEFT JOIN articles a ON a.item_id = i.id
"""
_HISTORY = f"""{_READ}
WHERE i.id > :after AND i.status = 'done' AND (:since IS NULL OR i.first_seen_at >= :since)
ORDER BY i.id LIMIT :page
"""
_ONE = f"{_READ} WHERE i.id = ?"


class Feedback(Base):
    """What `monitor feedback`, `rules eval --from-feedback` and `rules diff` work on."""

    def feedback(
        self, item_id: int | None, judgement: str, *, now: datetime, note: str = "", url: str = ""
    ) -> int:
        """Keeps a judgement (good, bad or missed) of an item, or of an address never seen; returns its id.

        Raises InputError when there is no such item or judgement.
        """
        if judgement not in JUDGEMENTS:
            raise InputError(f"judgement {judgement!r} is none of {', '.join(JUDGEMENTS)}")
        if item_id is None and not url:
            raise InputError("a judgement needs an item or an address")
        if item_id is not None and not self.db.value("SELECT 1 FROM items WHERE id = ?", [item_id]):
            raise InputError(f"there is no item {item_id}")
        return self.db.insert(
            "INSERT INTO feedback (item_id, url, judgement, note, created_at) VALUES (?, ?, ?, ?, ?)",
            [item_id, url, judgement, note, times.to_text(now)],
        )

    def judged(self) -> Iterator[dict[str, Any]]:
        """Judged articles with what rules read of them; `match` says what the rules should have said."""
        for row in self.db.each(_JUDGED):
            yield dict(row) | {"match": row["judgement"] != "bad"}

    def history(self, since: datetime | None = None) -> Iterator[dict[str, Any]]:
        """Every item read since then, oldest first, with its outcome at the time.

        `text` is the article's where it was kept (`basis` "text"), else the source's own teaser.
        """
        after, at = 0, times.text_or_none(since)
        while rows := self.db.all(_HISTORY, {"after": after, "since": at, "page": PAGE}):
            yield from (dict(row) for row in rows)
            after = rows[-1]["id"]

    def readable(self, item_id: int) -> dict[str, Any] | None:
        """One item as in `history`, also while it is pending; None when there is none."""
        row = self.db.first(_ONE, [item_id])
        return None if row is None else dict(row)

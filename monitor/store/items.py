"""Items: what waits to be processed, and what each came to, stored in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from monitor.errors import StoreError
from monitor.model import Article, Join, PendingItem, Processed, Verdict
from monitor.store import codec, search, stories, times
from monitor.store.base import Base
from monitor.store.connection import Connection
from monitor.store.sources import source_of

# Every source gets its turn: the oldest item of each first, then the second of each. A source with a
# thousand new items does not keep the others waiting, nor does one slow host fill a whole batch.
_PENDING = """
WITH waiting AS (
  SELECT id, row_number() OVER (PARTITION BY source_id ORDER BY id) AS turn FROM items
  WHERE status = 'pending' AND (next_try_at IS NULL OR next_try_at <= :now)
    AND id NOT IN (SELECT value FROM json_each(:exclude))
)
SELECT i.*, s.config, s.enabled, s.url AS source_url FROM waiting w
JOIN items i ON i.id = w.id JOIN sources s ON s.id = i.source_id
ORDER BY w.turn, i.id LIMIT :limit
"""

_DONE = """
UPDATE items SET status = 'done', outcome = :outcome, reason = :reason, extract_status = :extract_status,
  attempts = attempts + 1, first_try_at = coalesce(first_try_at, :now), next_try_at = NULL,
  processed_at = :now, content = ''
WHERE id = :id
"""

_RETRY = """
UPDATE items SET reason = :reason, attempts = attempts + 1, first_try_at = coalesce(first_try_at, :now),
  next_try_at = :retry_at, extract_status = :extract_status
WHERE id = :id AND status = 'pending'
"""

_ARTICLE = """
INSERT INTO articles (item_id, url, title, text, lang, author, published, published_at, label, text_sha256,
  extracted_at)
SELECT :item_id, :url, CASE WHEN :title = '' THEN title ELSE :title END, :text, :lang, :author, :published,
  :published_at, :label, :text_sha256, :now
FROM items WHERE id = :item_id
ON CONFLICT (item_id) DO UPDATE SET url = excluded.url, title = excluded.title, text = excluded.text,
  lang = excluded.lang, author = excluded.author, published = excluded.published,
  published_at = excluded.published_at, label = excluded.label, text_sha256 = excluded.text_sha256,
  extracted_at = excluded.extracted_at
"""

_VERDICT = """
INSERT INTO verdicts (item_id, decided_at, rules_version, basis, match, near_miss, score, priority, event,
  corridors, topics, rules, organisations, programmes, amounts, evidence, why)
VALUES (:item_id, :now, :rules_version, :basis, :match, :near_miss, :score, :priority, :event,
  :corridors, :topics, :rules, :organisations, :programmes, :amounts, :evidence, :why)
"""

_PART = """
INSERT INTO verdict_parts (verdict_id, n, rule, label, weight, field, start, "end", quote)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class Items(Base):
    """The queue between polling and digests."""

    def pending(self, now: datetime, limit: int, exclude: Collection[int] = ()) -> list[PendingItem]:
        """Items whose turn has come, without those in `exclude`; sources take turns."""
        rows = self.db.all(
            _PENDING, {"now": times.to_text(now), "limit": limit, "exclude": codec.dump(list(exclude))}
        )
        return [_pending_item(row) for row in rows]

    def pending_count(self, now: datetime) -> int:
        """How many items could be processed now."""
        count: int = self.db.value(
            "SELECT count(*) FROM items WHERE status = 'pending'"
            " AND (next_try_at IS NULL OR next_try_at <= ?)",
            [times.to_text(now)],
        )
        return count

    def record_outcome(self, processed: Processed, join: Join | None, now: datetime) -> int | None:
        """Stores everything an item came to in one transaction; returns the id of a new match.

        Recorded again, an item that has matched keeps its match and its story, gets the new verdict,
        and None is returned: nobody is alerted twice. Raises StoreError, having stored nothing.
        """
        if processed.outcome == "retry":
            self._retry(processed, now)
            return None
        at = times.to_text(now)
        with self.db.write():
            if not self.db.run(_DONE, _done(processed, at)):
                raise StoreError(f"there is no item {processed.item_id}")
            if processed.article:
                _keep_article(self.db, processed.item_id, processed.article, processed, at)
            if processed.verdict and processed.outcome in ("match", "near-miss"):
                verdict_id = _keep_verdict(self.db, processed, processed.verdict, at)
                if processed.outcome == "match":
                    return stories.keep_match(self.db, processed, verdict_id, join, at)
        return None

    def record_retry(self, item_id: int, reason: str, retry_at: datetime, now: datetime) -> None:
        """Leaves an item pending, to be tried again at `retry_at`; counts the try."""
        self._retry(Processed(item_id, "retry", reason, retry_at=retry_at), now)

    def _retry(self, processed: Processed, now: datetime) -> None:
        self.db.run(
            _RETRY,
            {
                "id": processed.item_id,
                "reason": processed.reason,
                "retry_at": times.text_or_none(processed.retry_at),
                "extract_status": processed.extract_status,
                "now": times.to_text(now),
            },
        )


def _done(processed: Processed, now: str) -> dict[str, object]:
    return {
        "id": processed.item_id,
        "outcome": processed.outcome,
        "reason": processed.reason,
        "extract_status": processed.extract_status,
        "now": now,
    }


def _keep_article(db: Connection, item_id: int, article: Article, processed: Processed, now: str) -> None:
    fingerprint = processed.fingerprint
    search.unindex(db, [item_id])
    db.run(
        _ARTICLE,
        {
            "item_id": item_id,
            "url": article.url,
            "title": article.title,
            "text": article.text,
            "lang": article.lang,
            "author": article.author,
            "published": article.published,
            "published_at": times.text_or_none(article.published_at),
            "label": article.label,
            "text_sha256": fingerprint.text_sha256 if fingerprint else _sha256(article.text),
            "now": now,
        },
    )
    search.index(db, [item_id])


def _sha256(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _keep_verdict(db: Connection, processed: Processed, verdict: Verdict, now: str) -> int:
    verdict_id = db.insert(
        _VERDICT,
        {
            "item_id": processed.item_id,
            "now": now,
            "rules_version": verdict.rules_version,
            "basis": processed.basis,
            "match": int(verdict.match),
            "near_miss": int(verdict.near_miss),
            "score": verdict.score,
            "priority": verdict.priority,
            "event": verdict.event,
            "corridors": codec.dump(verdict.corridors),
            "topics": codec.dump(verdict.topics),
            "rules": codec.dump(verdict.rules),
            "organisations": codec.dump(verdict.organisations),
            "programmes": codec.dump(verdict.programmes),
            "amounts": codec.dump_amounts(verdict.amounts),
            "evidence": codec.dump_evidence(verdict.evidence),
            "why": verdict.why,
        },
    )
    db.run_many(
        _PART,
        [
            (verdict_id, n, part.rule, part.label, part.weight, part.field, part.start, part.end, part.quote)
            for n, part in enumerate(verdict.parts)
        ],
    )
    return verdict_id


def _pending_item(row: sqlite3.Row) -> PendingItem:
    return PendingItem(
        id=row["id"],
        source=source_of(row["config"], row["source_id"], row["source_url"], row["enabled"]),
        url=row["url"],
        canonical_url=row["canonical_url"] or (row["identity"] if row["url"] else ""),
        title=row["title"],
        summary=row["summary"],
        content=row["content"],
        published_at=times.from_text(row["published_at"]),
        first_seen_at=times.instant(row["first_seen_at"]),
        attempts=row["attempts"],
        lang=row["lang"],
        author=row["author"],
        outlet=row["outlet"],
        first_try_at=times.from_text(row["first_try_at"]),
    )

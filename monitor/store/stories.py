"""Stories: which stored matches an article could join, and keeping it with its story."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor import urls
from monitor.model import AUTHORITIES, Article, Fingerprint, Join, Processed, StoryMember
from monitor.store import codec, times
from monitor.store.base import Base
from monitor.store.connection import Connection
from monitor.store.views import OUTLET

# How many recent matches are compared one by one. A busy fortnight of the shipped topic has a tenth.
MAX_RECENT = 1500

_MEMBERS = """
SELECT f.match_id, m.story_id, f.at, f.canonical_url, f.text_sha256, f.simhash, f.features,
  i.source_id, coalesce(nullif(a.title, ''), i.title) AS title
FROM fingerprints f JOIN matches m ON m.id = f.match_id JOIN items i ON i.id = m.item_id
LEFT JOIN articles a ON a.item_id = m.item_id
WHERE f.match_id IN (
  SELECT match_id FROM fingerprints WHERE canonical_url = :url AND :url <> ''
  UNION SELECT match_id FROM fingerprints WHERE text_sha256 = :text_sha256 AND :text_sha256 <> ''
  UNION SELECT b.match_id FROM fingerprint_bands b JOIN fingerprints f ON f.match_id = b.match_id
    WHERE b.band IN (SELECT value FROM json_each(:bands)) AND f.at >= :since
  UNION SELECT * FROM (SELECT match_id FROM fingerprints WHERE at >= :since ORDER BY at DESC LIMIT :limit)
)
ORDER BY f.match_id
"""

_LEADS = f"""
SELECT m.id AS match_id, coalesce(a.published_at, i.published_at, m.matched_at) AS at,
  s.authority, {OUTLET} AS outlet, coalesce(nullif(a.title, ''), i.title) AS title
FROM matches m JOIN items i ON i.id = m.item_id JOIN sources s ON s.id = i.source_id
LEFT JOIN articles a ON a.item_id = m.item_id
WHERE m.story_id = ?
"""


class Stories(Base):
    """Candidates to join."""

    def story_candidates(
        self, fingerprint: Fingerprint, canonical_url: str, since: datetime
    ) -> list[StoryMember]:
        """Matches published after `since`, and those of any age with the same address or text."""
        rows = self.db.all(
            _MEMBERS,
            {
                "url": canonical_url,
                "text_sha256": fingerprint.text_sha256 if fingerprint.bands else "",
                "bands": codec.dump(fingerprint.bands),
                "since": times.to_text(since),
                "limit": MAX_RECENT,
            },
        )
        return [_member(row) for row in rows]


def _member(row: sqlite3.Row) -> StoryMember:
    return StoryMember(
        match_id=row["match_id"],
        story_id=row["story_id"],
        title=row["title"],
        canonical_url=row["canonical_url"],
        published_at=times.from_text(row["at"]),
        fingerprint=codec.fingerprint(row["features"], row["simhash"], row["text_sha256"]),
        source_id=row["source_id"],
    )


def authority_rank(authority: str) -> int:
    """0 for the most trusted; what nobody named ranks last."""
    return AUTHORITIES.index(authority) if authority in AUTHORITIES else len(AUTHORITIES)


def keep_match(
    db: Connection, processed: Processed, verdict_id: int, join: Join | None, now: str
) -> int | None:
    """Stores a match with its story, inside the caller's transaction; None when it is one already."""
    known = db.first("SELECT id, story_id FROM matches WHERE item_id = ?", [processed.item_id])
    if known:
        db.run("UPDATE matches SET verdict_id = ? WHERE id = ?", [verdict_id, known["id"]])
        _settle(db, known["story_id"], "")
        return None
    match_id = db.insert(
        "INSERT INTO matches (item_id, verdict_id, story_id, matched_at, alert) VALUES (?, ?, ?, ?, ?)",
        [processed.item_id, verdict_id, _story(db, join, now), now, int(processed.alert)],
    )
    _keep_decisions(db, match_id, join, now)
    if processed.fingerprint and processed.article:
        _keep_fingerprint(db, match_id, processed.fingerprint, processed.article, now)
    _settle(db, db.value("SELECT story_id FROM matches WHERE id = ?", [match_id]), now)
    return match_id


def _story(db: Connection, join: Join | None, now: str) -> int:
    """The story to join, or a new one; also when that story was pruned since it was chosen."""
    if join and join.story_id and db.value("SELECT 1 FROM stories WHERE id = ?", [join.story_id]):
        return join.story_id
    return db.insert("INSERT INTO stories (first_at, updated_at) VALUES (?, ?)", [now, now])


def _keep_decisions(db: Connection, match_id: int, join: Join | None, now: str) -> None:
    if join is None:
        return
    decision = "joined" if join.story_id else "new"
    rows = [(match_id, join.match_id, decision, join.score, join.reason, now)]
    rows += [(match_id, other, "vetoed", 0.0, reason, now) for other, reason in join.vetoes]
    db.run_many(
        "INSERT INTO story_joins (match_id, other_match_id, decision, score, reason, decided_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )


def _keep_fingerprint(
    db: Connection, match_id: int, fingerprint: Fingerprint, article: Article, now: str
) -> None:
    seen = db.value(
        "SELECT i.published_at FROM matches m JOIN items i ON i.id = m.item_id WHERE m.id = ?", [match_id]
    )
    db.run(
        "INSERT INTO fingerprints (match_id, at, canonical_url, text_sha256, simhash, features)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            match_id,
            times.text_or_none(article.published_at) or seen or now,
            urls.canonical_url(article.url),
            fingerprint.text_sha256,
            f"{fingerprint.simhash:016x}",
            codec.dump_features(fingerprint),
        ],
    )
    db.run_many(
        "INSERT INTO fingerprint_bands (band, match_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(band, match_id) for band in fingerprint.bands],
    )


def _settle(db: Connection, story_id: int, now: str) -> None:
    """Names the story after its leading article: official source first, then earliest."""
    members = db.all(_LEADS, [story_id])
    lead = min(members, key=lambda row: (authority_rank(row["authority"]), row["at"], row["match_id"]))
    db.run(
        "UPDATE stories SET title = ?, lead_match_id = ?, outlets = ?, updated_at = max(updated_at, ?)"
        " WHERE id = ?",
        [lead["title"], lead["match_id"], len({row["outlet"] for row in members}), now, story_id],
    )

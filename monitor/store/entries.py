"""Stories as a digest shows them: the leading article, the other outlets beneath, what is new about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.model import CORRIDORS, PRIORITIES, TOPICS, Amount, DigestEntry, Outlet, Part
from monitor.store import codec, times
from monitor.store.connection import Connection
from monitor.store.stories import authority_rank
from monitor.store.views import OUTLET

_MEMBERS = f"""
SELECT m.id AS match_id, m.story_id, m.item_id, m.matched_at, m.verdict_id, s.authority, s.country,
  {OUTLET} AS outlet, coalesce(nullif(a.title, ''), i.title) AS title,
  coalesce(nullif(a.url, ''), i.url) AS url,
  coalesce(nullif(a.lang, ''), i.lang) AS lang, coalesce(a.published_at, i.published_at) AS published_at,
  v.corridors, v.topics, v.event, v.priority, v.score, v.why, v.organisations, v.programmes, v.amounts,
  v.evidence
FROM matches m JOIN items i ON i.id = m.item_id JOIN sources s ON s.id = i.source_id
JOIN verdicts v ON v.id = m.verdict_id LEFT JOIN articles a ON a.item_id = m.item_id
WHERE m.story_id IN (SELECT value FROM json_each(?)) AND m.matched_at <= ?
"""
_TEXTS = "SELECT item_id, text FROM articles WHERE item_id IN (SELECT value FROM json_each(?))"
_PARTS = """
SELECT * FROM verdict_parts WHERE verdict_id IN (SELECT value FROM json_each(?)) ORDER BY verdict_id, n
"""

Members = Sequence[sqlite3.Row]


def entries(
    db: Connection, stories: Mapping[int, Collection[int]], reported: Collection[int], until: datetime
) -> list[DigestEntry]:
    """One entry per story, by its first new match.

    `stories` gives the new matches of each, which the entry claims; `reported` the matches that were
    shown before. The leading article is the story's, new or not.
    """
    members = _members(db, stories, until)
    leads = [rows[0] for rows in members.values()]
    texts = {row["item_id"]: row["text"] for row in db.all(_TEXTS, [_ids(leads, "item_id")])}
    parts = _parts(db, leads)
    built = [
        _entry(rows, stories[story_id], reported, texts.get(rows[0]["item_id"], ""), parts)
        for story_id, rows in members.items()
    ]
    return sorted(built, key=lambda entry: (entry.matched_at, entry.match_id))


def _ids(rows: Iterable[sqlite3.Row], column: str) -> str:
    return codec.dump([row[column] for row in rows])


def _members(db: Connection, stories: Collection[int], until: datetime) -> dict[int, list[sqlite3.Row]]:
    """The articles of each story, the leading one first."""
    members: dict[int, list[sqlite3.Row]] = {}
    for row in db.all(_MEMBERS, [codec.dump(list(stories)), times.to_text(until)]):
        members.setdefault(row["story_id"], []).append(row)
    for rows in members.values():
        rows.sort(key=_precedence)
    return members


def _precedence(row: sqlite3.Row) -> tuple[int, str, int]:
    """Official source first, then the earliest."""
    return authority_rank(row["authority"]), row["published_at"] or row["matched_at"], row["match_id"]


def _parts(db: Connection, rows: Iterable[sqlite3.Row]) -> dict[int, list[Part]]:
    parts: dict[int, list[Part]] = {}
    for row in db.all(_PARTS, [_ids(rows, "verdict_id")]):
        part = Part(
            row["rule"], row["label"], row["weight"], row["field"], row["start"], row["end"], row["quote"]
        )
        parts.setdefault(row["verdict_id"], []).append(part)
    return parts


def _entry(
    rows: Members,
    claimed: Collection[int],
    reported: Collection[int],
    text: str,
    parts: Mapping[int, list[Part]],
) -> DigestEntry:
    lead = rows[0]
    new = [row for row in rows if row["match_id"] in claimed]
    return DigestEntry(
        story_id=lead["story_id"],
        match_id=lead["match_id"],
        match_ids=tuple(sorted(row["match_id"] for row in new)),
        title=lead["title"],
        url=lead["url"],
        source_name=lead["outlet"],
        authority=lead["authority"],
        country=lead["country"],
        lang=lead["lang"],
        published_at=times.from_text(lead["published_at"]),
        matched_at=times.instant(min(row["matched_at"] for row in new)),
        corridors=_ordered(_union(rows, "corridors"), CORRIDORS),
        topics=_ordered(_union(rows, "topics"), TOPICS),
        event=lead["event"],
        priority=_highest(rows),
        score=max(row["score"] for row in rows),
        why=lead["why"],
        organisations=_union(rows, "organisations"),
        programmes=_union(rows, "programmes"),
        amounts=tuple(_amounts(rows).values()),
        evidence=codec.evidence(lead["evidence"]),
        text=text,
        outlets=_others(rows),
        update=_news([row for row in rows if row["match_id"] in reported], new),
        parts=tuple(parts.get(lead["verdict_id"], ())),
    )


def _union(rows: Members, column: str) -> tuple[str, ...]:
    """What any of the articles names, the leading one's first."""
    return tuple(dict.fromkeys(name for row in rows for name in codec.names(row[column])))


def _ordered(found: Collection[str], vocabulary: Sequence[str]) -> tuple[str, ...]:
    known = tuple(word for word in vocabulary if word in found)
    return known + tuple(word for word in found if word not in vocabulary)


def _highest(rows: Members) -> str:
    priorities = {row["priority"] for row in rows}
    return next((priority for priority in PRIORITIES if priority in priorities), "normal")


def _amounts(rows: Iterable[sqlite3.Row]) -> dict[tuple[str, float], Amount]:
    found = [amount for row in rows for amount in codec.amounts(row["amounts"])]
    return {(amount.currency, amount.value): amount for amount in reversed(found)}


def _others(rows: Members) -> tuple[Outlet, ...]:
    """The other outlets, each once in each language, by its first article in order of precedence."""
    once: dict[tuple[str, str], sqlite3.Row] = {}
    for row in rows:
        once.setdefault((row["outlet"], row["lang"]), row)
    return tuple(
        Outlet(
            match_id=row["match_id"],
            source_name=row["outlet"],
            title=row["title"],
            url=row["url"],
            lang=row["lang"],
            country=row["country"],
            authority=row["authority"],
            published_at=times.from_text(row["published_at"]),
        )
        for row in once.values()
        if row is not rows[0]
    )


def _news(reported: Members, new: Members) -> str:
    """What is new about a story that was shown before: "+3 outlets, amount now £5m"; "" if it was not."""
    if not reported:
        return ""
    outlets = {row["outlet"] for row in new} - {row["outlet"] for row in reported}
    notes = [_count(len(outlets), "outlet")] if outlets else []
    notes += [f"amount now {amount.text}" for amount in _new_amounts(reported, new)]
    official = [row["outlet"] for row in new if row["authority"] == "official"]
    if official and not any(row["authority"] == "official" for row in reported):
        notes.append(f"official source: {official[0]}")
    return ", ".join(notes) or _count(len(new), "article")


def _count(n: int, noun: str) -> str:
    return f"+{n} {noun}" if n == 1 else f"+{n} {noun}s"


def _new_amounts(reported: Members, new: Members) -> list[Amount]:
    """Sums the earlier articles did not name: of each currency the largest."""
    known = _amounts(reported)
    largest: dict[str, Amount] = {}
    for key, amount in _amounts(new).items():
        best: Any = largest.get(amount.currency)
        if key not in known and (best is None or amount.value > best.value):
            largest[amount.currency] = amount
    return list(largest.values())

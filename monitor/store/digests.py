"""Digests: how far each has come, what it has claimed, and recording one with its messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from monitor.model import Coverage, Digest, DigestEntry, DigestState, OutboxRow
from monitor.store import codec, times
from monitor.store.base import Base
from monitor.store.connection import Connection
from monitor.store.entries import entries

# A digest claims all it has looked at, so what is still unclaimed this long before its watermark was
# held back on purpose. The bound keeps a digest that claims little from reading the whole history.
GRACE = timedelta(days=7)
# A source counts as read when it was read this lately; the slowest are polled once a day.
READ_LATELY = timedelta(days=2)

Trouble = tuple[str, str, datetime | None]  # name of the source, reason, since

_UNCLAIMED = """
SELECT m.id, m.story_id FROM matches m
WHERE m.alert AND m.matched_at >= :since AND m.matched_at <= :until
  AND NOT EXISTS (SELECT 1 FROM digest_claims c WHERE c.digest_name = :name AND c.match_id = m.id)
"""

_BETWEEN = """
SELECT id, story_id FROM matches
WHERE matched_at > :since AND matched_at <= :until AND (alert OR :silent_too)
"""

_REPORTED = """
SELECT match_id FROM digest_claims
WHERE digest_name = ? AND story_id IN (SELECT value FROM json_each(?)) AND role IN ('new', 'update')
"""

_KNOWN = "SELECT key FROM outbox WHERE key IN (SELECT value FROM json_each(?))"

# Weeks start on Monday. A story counts in the week of its first match, once per corridor and topic.
_WEEKLY = """
SELECT date(st.first_at, 'weekday 0', '-6 days') AS week, each.value AS label, count(DISTINCT st.id) AS n
FROM stories st JOIN matches m ON m.story_id = st.id JOIN verdicts v ON v.id = m.verdict_id
  JOIN json_each({labels}) AS each
WHERE st.first_at > :since AND st.first_at <= :until
GROUP BY week, label
"""
_WEEKLY_COUNTS = (
    " UNION ALL ".join(_WEEKLY.format(labels=f"v.{column}") for column in ("corridors", "topics"))
    + " ORDER BY week, n DESC, label"
)


class Digests(Base):
    """What composing reads and writes."""

    def digest_state(self, name: str, now: datetime) -> DigestState:
        """How far the digest has come; one never seen before starts now."""
        at = times.to_text(now)
        row = self.db.first("SELECT * FROM digest_state WHERE name = ?", [name])
        if row is None:
            self.db.run(
                "INSERT INTO digest_state (name, configured_at, watermark_at) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                [name, at, at],
            )
            return DigestState(name, times.instant(at), times.instant(at))
        return DigestState(
            name,
            times.instant(row["configured_at"]),
            times.instant(row["watermark_at"]),
            times.from_text(row["last_fire_at"]),
        )

    def unclaimed(self, name: str, until: datetime) -> list[DigestEntry]:
        """Stories with alerting matches that this digest has not claimed, newest last.

        An entry claims its `match_ids`; `update` is set when the digest has shown the story before.
        """
        row = self.db.first("SELECT configured_at, watermark_at FROM digest_state WHERE name = ?", [name])
        if row is None:
            return []
        grace = times.to_text(times.instant(row["watermark_at"]) - GRACE)
        since = max(row["configured_at"], grace)
        found = self.db.all(_UNCLAIMED, {"name": name, "since": since, "until": times.to_text(until)})
        stories = _grouped(found)
        reported = self.db.all(_REPORTED, [name, codec.dump(list(stories))])
        return entries(self.db, stories, {row["match_id"] for row in reported}, until)

    def entries_between(
        self, since: datetime, until: datetime, *, silent_too: bool = False
    ) -> list[DigestEntry]:
        """Stories matched after `since` up to `until`; `silent_too`: those that never alert as well."""
        found = self.db.all(
            _BETWEEN,
            {"since": times.to_text(since), "until": times.to_text(until), "silent_too": int(silent_too)},
        )
        stories = _grouped(found)
        return entries(self.db, stories, frozenset(), until)

    def record_digest(
        self,
        digest: Digest,
        subject: str,
        claims: Sequence[tuple[int, int, str]],
        rows: Sequence[OutboxRow],
        fire_at: datetime | None,
        now: datetime,
    ) -> bool:
        """Stores a digest, its claims (match, story, role) and its messages in one transaction.

        Moves the digest's watermark to the end of its window. False, and nothing stored, when a digest
        of that id exists. Raises StoreError.
        """
        at = times.to_text(now)
        self.digest_state(digest.spec.name, now)
        with self.db.write():
            if not _keep_digest(self.db, digest, subject, at):
                return False
            self.db.run_many(
                "INSERT INTO digest_claims (digest_name, match_id, digest_id, story_id, role)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(digest.spec.name, match, digest.id, story, role) for match, story, role in claims],
            )
            _keep_messages(self.db, rows, at)
            _move_on(self.db, digest, fire_at)
        return True

    def record_request(
        self, digest: Digest, subject: str, rows: Sequence[OutboxRow], now: datetime
    ) -> set[str]:
        """Stores a digest somebody asked for, in one transaction: it claims nothing and moves no watermark.

        Returns the keys of the messages that were not there already; the others are left as they are.
        """
        keys = {row.key for row in rows}
        with self.db.write():
            _keep_digest(self.db, digest, subject, times.to_text(now))
            known = self.db.all(_KNOWN, [codec.dump(sorted(keys))])
            _keep_messages(self.db, rows, times.to_text(now))
        return keys - {row["key"] for row in known}

    def record_messages(self, rows: Sequence[OutboxRow], now: datetime) -> None:
        """Puts messages that carry no digest into the outbox; a key that is there already is left alone."""
        with self.db.write():
            _keep_messages(self.db, rows, times.to_text(now))

    def immediate_count(self, name: str, since: datetime) -> int:
        """How many immediate alerts this digest has composed since then."""
        count: int = self.db.value(
            "SELECT count(*) FROM digests WHERE name = ? AND kind = 'immediate' AND composed_at >= ?",
            [name, times.to_text(since)],
        )
        return count

    def weekly_counts(self, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
        """(Monday of the week, corridor or topic, how many stories began then), by week."""
        rows = self.db.all(
            _WEEKLY_COUNTS,
            {"since": times.to_text(since), "until": times.to_text(until)},
        )
        return [(row["week"], row["label"], row["n"]) for row in rows]

    def message_ids_for_story(self, name: str, story_id: int) -> list[str]:
        """Message-IDs of the mails in which this digest has shown the story, oldest first."""
        rows = self.db.all(
            "SELECT message_id FROM outbox WHERE message_id <> '' AND digest_id IN"
            " (SELECT digest_id FROM digest_claims WHERE digest_name = ? AND story_id = ?"
            "  AND role IN ('new', 'update')) ORDER BY id",
            [name, story_id],
        )
        return list(dict.fromkeys(row["message_id"] for row in rows))

    def coverage(self, now: datetime) -> Coverage:
        """What a digest says of its own completeness: sources read, failing, silent; dead letters."""
        rows = self.db.all("SELECT * FROM sources WHERE enabled ORDER BY state_since, id")
        lately = times.to_text(now - READ_LATELY)
        troubled: dict[str, list[Trouble]] = {"failing": [], "gone": [], "silent": []}
        for row in rows:
            if row["state"] in troubled:
                since = times.from_text(row["state_since"])
                troubled[row["state"]].append((row["name"] or row["id"], row["state_reason"], since))
        return Coverage(
            sources=len(rows),
            read=sum(
                row["state"] in ("ok", "silent") and (row["last_ok_at"] or "") >= lately for row in rows
            ),
            failing=(*troubled["failing"], *troubled["gone"]),
            silent=tuple(troubled["silent"]),
            dead_letters=self.db.value("SELECT count(*) FROM outbox WHERE status = 'dead'"),
        )


def _grouped(rows: Iterable[sqlite3.Row]) -> dict[int, set[int]]:
    """The new matches of each story."""
    stories: dict[int, set[int]] = {}
    for row in rows:
        stories.setdefault(row["story_id"], set()).add(row["id"])
    return stories


def _keep_digest(db: Connection, digest: Digest, subject: str, now: str) -> bool:
    """False when a digest of that id exists."""
    return bool(
        db.run(
            "INSERT INTO digests (id, name, kind, window_start, window_end, composed_at, subject, stories)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            [digest.id, digest.spec.name, digest.kind, times.to_text(digest.window_start),
             times.to_text(digest.window_end), now, subject, len(digest.entries)],
        )
    )  # fmt: skip


def _keep_messages(db: Connection, rows: Sequence[OutboxRow], now: str) -> None:
    db.run_many(
        "INSERT INTO outbox (key, digest_id, digest_name, channel, kind, recipient, subject, payload,"
        " message_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        [
            (row.key, row.digest_id, row.digest_name, row.channel, row.kind, row.recipient, row.subject,
             codec.dump(row.payload), row.message_id, now)
            for row in rows
        ],
    )  # fmt: skip


def _move_on(db: Connection, digest: Digest, fire_at: datetime | None) -> None:
    """The watermark and the served time only ever move forward."""
    fired = times.text_or_none(fire_at)
    db.run(
        "UPDATE digest_state SET watermark_at = max(watermark_at, :end),"
        " last_fire_at = max(coalesce(last_fire_at, :fired), coalesce(:fired, last_fire_at))"
        " WHERE name = :name",
        {"end": times.to_text(digest.window_end), "fired": fired, "name": digest.spec.name},
    )

"""The state of everything in one dictionary, for `monitor status` and the metrics."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitor.store import times
from monitor.store.base import Base
from monitor.store.matches import plain
from monitor.store.service import HEARTBEAT

_COUNTS = {
    "items": "SELECT count(*) FROM items",
    "matches": "SELECT count(*) FROM matches",
    "stories": "SELECT count(*) FROM stories",
    "near_misses": "SELECT count(*) FROM items WHERE outcome = 'near-miss'",
    "pending": "SELECT count(*) FROM items WHERE status = 'pending'",
}
_TROUBLED = """
SELECT id, name, state, state_reason AS reason, state_since AS since, failures, next_poll_at FROM sources
WHERE enabled AND state IN ('failing', 'gone', 'silent')
"""
_DIGESTS = """
SELECT s.*, d.id AS last_id, d.composed_at AS last_composed_at, d.stories AS last_stories
FROM digest_state s LEFT JOIN digests d ON d.id = (
  SELECT id FROM digests WHERE name = s.name AND kind <> 'requested'
  ORDER BY composed_at DESC, id DESC LIMIT 1)
ORDER BY s.name
"""
_LAST_RUNS = (
    "SELECT kind, started_at, ended_at, ok FROM runs WHERE id IN (SELECT max(id) FROM runs GROUP BY kind)"
)
_PREFILTER = """
SELECT coalesce(sum(json_extract(report, '$.prefilter.skipped')), 0) AS skipped,
  coalesce(sum(json_extract(report, '$.prefilter.audited')), 0) AS audited,
  coalesce(sum(json_extract(report, '$.prefilter.missed')), 0) AS missed
FROM runs WHERE kind = 'cycle' AND started_at >= ?
"""


class Status(Base):
    """One look at the whole."""

    def status(self, now: datetime) -> dict[str, Any]:
        """Counts, times and troubles as plain values; instants as text, None where there is none.

        Keys: at, database, heartbeat_at, last_poll_at, next_poll_at, sources (count per state and
        total), troubled (failing, gone and silent sources), items, matches, stories, near_misses,
        pending, pending_due, outbox (count per status), next_outbox_at, digests, runs.
        """
        at = times.to_text(now)
        counts = {name: self.db.value(sql) for name, sql in _COUNTS.items()}
        states = self._tally("SELECT state, count(*) FROM sources WHERE enabled GROUP BY state")
        polls = self.db.first(
            "SELECT max(last_polled_at) AS last, min(CASE WHEN state NOT IN ('gone', 'disabled')"
            " THEN next_poll_at END) AS next FROM sources WHERE enabled"
        )
        return {
            "at": at,
            "database": {"path": str(self.db.path), "bytes": self._bytes()},
            "heartbeat_at": self.db.value("SELECT at FROM state WHERE key = ?", [HEARTBEAT]),
            "last_poll_at": polls["last"] if polls else None,
            "next_poll_at": polls["next"] if polls else None,
            "sources": {"total": sum(states.values()), **states},
            "troubled": [dict(row) for row in self.db.all(_TROUBLED)],
            **counts,
            "pending_due": self.db.value(
                "SELECT count(*) FROM items WHERE status = 'pending'"
                " AND (next_try_at IS NULL OR next_try_at <= ?)",
                [at],
            ),
            "outbox": self._tally("SELECT status, count(*) FROM outbox GROUP BY status"),
            "next_outbox_at": self.db.value(
                "SELECT min(coalesce(retry_at, lease_until, created_at)) FROM outbox"
                " WHERE status IN ('pending', 'retry', 'sending')"
            ),
            "digests": [dict(row) for row in self.db.all(_DIGESTS)],
            "runs": [plain(row) for row in self.db.all(_LAST_RUNS)],
        }

    def prefilter(self, since: datetime) -> dict[str, int]:
        """Pages that were skipped, audited and missed by cycles since then. Reads each cycle's report."""
        return dict(self.db.all(_PREFILTER, [times.to_text(since)])[0])

    def _tally(self, sql: str) -> dict[str, int]:
        return {row[0]: row[1] for row in self.db.all(sql)}

    def _bytes(self) -> int:
        pages: int = self.db.value("PRAGMA page_count")
        return pages * int(self.db.value("PRAGMA page_size"))

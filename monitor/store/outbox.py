"""The outbox: pending → sending → sent, or retry, or dead. Whoever sends holds a lease meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from monitor.model import OutboxRow
from monitor.store import codec, times
from monitor.store.base import Base

# `sending` with a lease that has run out was left by a process that stopped: it is sent again, same key.
_LEASE = """
UPDATE outbox SET status = 'sending', attempts = attempts + 1, lease_until = :lease_until
WHERE id IN (
  SELECT id FROM outbox
  WHERE (status IN ('pending', 'retry') AND (retry_at IS NULL OR retry_at <= :now))
    OR (status = 'sending' AND lease_until <= :now)
  ORDER BY id LIMIT :limit)
RETURNING *
"""

# What the last real try said is worth more than why this one was not made.
_RELEASE = """
UPDATE outbox SET status = CASE WHEN attempts > 1 THEN 'retry' ELSE 'pending' END,
  error = CASE WHEN attempts > 1 THEN error ELSE :reason END,
  attempts = max(attempts - 1, 0), retry_at = :due_at, lease_until = NULL
WHERE id = :id AND status = 'sending'
"""
_SENT = """
UPDATE outbox SET status = 'sent', sent_at = :now, response = :response, error = '', lease_until = NULL,
  retry_at = NULL
WHERE id = :id
"""
_RETRY = """
UPDATE outbox SET status = 'retry', retry_at = :retry_at, error = :error, lease_until = NULL
WHERE id = :id AND status = 'sending'
"""
_DEAD = """
UPDATE outbox SET status = 'dead', error = :error, lease_until = NULL, retry_at = NULL
WHERE id = :id AND status = 'sending'
"""

_NEXT = """
SELECT min(CASE status WHEN 'sending' THEN lease_until ELSE coalesce(retry_at, created_at) END)
FROM outbox WHERE status IN ('pending', 'retry', 'sending')
"""


class Outbox(Base):
    """What sending reads and writes."""

    def claim_due(self, now: datetime, lease_s: float, limit: int) -> list[OutboxRow]:
        """Leases messages that are due, oldest first, and counts the try. Nobody else gets them until
        `lease_s` seconds have passed."""
        leased = {
            "now": times.to_text(now),
            "lease_until": times.to_text(now + timedelta(seconds=lease_s)),
            "limit": limit,
        }
        with self.db.write():
            rows = self.db.all(_LEASE, leased)
        return sorted((_message(row) for row in rows), key=lambda row: row.id)

    def release(self, row_id: int, reason: str, due_at: datetime) -> None:
        """Gives a leased message back untried: the try that leasing counted is taken off again."""
        self.db.run(_RELEASE, {"id": row_id, "reason": reason, "due_at": times.to_text(due_at)})

    def mark_sent(self, row_id: int, response: str, now: datetime) -> None:
        """The receiver took it."""
        self.db.run(_SENT, {"id": row_id, "response": response, "now": times.to_text(now)})

    def mark_retry(self, row_id: int, error: str, retry_at: datetime, now: datetime) -> None:
        """It failed, and is tried again at `retry_at`. A message dropped meanwhile stays dropped."""
        self.db.run(_RETRY, {"id": row_id, "error": error, "retry_at": times.to_text(retry_at)})

    def mark_dead(self, row_id: int, error: str, now: datetime) -> None:
        """It failed for good; `requeue` brings it back."""
        self.db.run(_DEAD, {"id": row_id, "error": error})

    def outbox_rows(self, status: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Messages for people to look at, newest first: the columns of `delivery_log`."""
        return [
            dict(row)
            for row in self.db.all(
                "SELECT * FROM delivery_log WHERE :status IS NULL OR status = :status LIMIT :limit",
                {"status": status, "limit": limit},
            )
        ]

    def requeue(self, ids: Collection[int] | None, now: datetime) -> int:
        """Puts dead or waiting messages back to be sent now, tries counted afresh; None: all of them.

        Returns how many.
        """
        return self.db.run(
            "UPDATE outbox SET status = 'pending', attempts = 0, retry_at = :now, lease_until = NULL"
            " WHERE (:ids IS NULL AND status IN ('dead', 'retry')) OR (status IN ('dead', 'retry', 'dropped')"
            " AND id IN (SELECT value FROM json_each(coalesce(:ids, '[]'))))",
            {"ids": None if ids is None else codec.dump(list(ids)), "now": times.to_text(now)},
        )

    def drop(self, ids: Collection[int], now: datetime) -> int:
        """Gives messages up that are not sent yet; returns how many."""
        return self.db.run(
            "UPDATE outbox SET status = 'dropped', retry_at = NULL, lease_until = NULL"
            " WHERE id IN (SELECT value FROM json_each(?)) AND status IN ('pending', 'retry', 'dead')",
            [codec.dump(list(ids))],
        )

    def next_outbox_at(self) -> datetime | None:
        """When something will be due; None when nothing waits."""
        return times.from_text(self.db.value(_NEXT))


def _message(row: sqlite3.Row) -> OutboxRow:
    return OutboxRow(
        key=row["key"],
        digest_id=row["digest_id"],
        digest_name=row["digest_name"],
        channel=row["channel"],
        kind=row["kind"],
        recipient=row["recipient"],
        subject=row["subject"],
        payload=json.loads(row["payload"]),
        message_id=row["message_id"],
        id=row["id"],
        attempts=row["attempts"],
        created_at=times.instant(row["created_at"]),
    )

"""Small facts of the service: heartbeat, state, runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from monitor.store import codec, times
from monitor.store.base import Base

HEARTBEAT = "heartbeat"


class Service(Base):
    """What the worker remembers of itself."""

    def get_state(self, key: str) -> str | None:
        """A fact put there before; None when there is none."""
        value: str | None = self.db.value("SELECT value FROM state WHERE key = ?", [key])
        return value

    def put_state(self, key: str, value: str, now: datetime) -> None:
        self.db.run(
            "INSERT INTO state (key, value, at) VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at",
            [key, value, times.to_text(now)],
        )

    def heartbeat(self, now: datetime) -> None:
        """Says the worker is alive and can write."""
        self.put_state(HEARTBEAT, "alive", now)

    def heartbeat_at(self) -> datetime | None:
        """When the worker last said so."""
        return times.from_text(self.db.value("SELECT at FROM state WHERE key = ?", [HEARTBEAT]))

    def was_offline(self) -> bool:
        """Whether the last cycle that asked anybody could reach no source at all."""
        return bool(
            self.db.value(
                "SELECT json_extract(report, '$.offline') FROM runs WHERE kind = 'cycle'"
                " AND json_extract(report, '$.sources.polled') > 0 ORDER BY id DESC LIMIT 1"
            )
        )

    def record_run(
        self, kind: str, started_at: datetime, ended_at: datetime, ok: bool, report: Mapping[str, object]
    ) -> int:
        """Keeps the report of one cycle or step; returns its id."""
        return self.db.insert(
            "INSERT INTO runs (kind, started_at, ended_at, ok, report) VALUES (?, ?, ?, ?, ?)",
            [kind, times.to_text(started_at), times.to_text(ended_at), int(ok), codec.dump(report)],
        )

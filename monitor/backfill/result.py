"""What came of a shard, or of a part of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from monitor import dates
from monitor.archives import Record
from monitor.reading import Reading

POISON_KEPT = 200  # a shard's reasons kept in words; all are counted


@dataclass(frozen=True, slots=True)
class Found:
    """A match or near miss, ready to be stored."""

    identity: str
    url: str
    read: Reading
    published_at: datetime
    text_key: str

    @property
    def order(self) -> tuple[datetime, str, str, str]:
        """The same in every run: of one article archived twice the older is kept."""
        return self.published_at, self.identity, self.url, self.text_key


@dataclass(slots=True)
class ShardResult:
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (year, outcome)
    poison: list[tuple[str, str]] = field(default_factory=list)  # (where, why)
    found: list[Found] = field(default_factory=list)

    def count(self, moment: datetime | None, outcome: str) -> None:
        self.counts[(f"{moment:%Y}" if moment else "", outcome)] += 1

    def set_aside(self, record: Record, why: str) -> None:
        """Counted in the year of its archive, if that is known."""
        self.count(dates.to_utc(record.fetched), "failed")
        if len(self.poison) < POISON_KEPT:
            self.poison.append((record.key, why))

    def add(self, part: ShardResult) -> None:
        self.counts.update(part.counts)
        self.poison += part.poison[: POISON_KEPT - len(self.poison)]
        self.found += part.found

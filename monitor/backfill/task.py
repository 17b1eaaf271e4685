"""What is to be read: a shard, the rules, and which articles are wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor import __version__, archives, dates
from monitor.reading import Page


@dataclass(frozen=True, slots=True)
class Window:
    """Which articles are wanted. `source` is a part of the address, "" for all."""

    since: datetime | None = None
    until: datetime | None = None
    source: str = ""

    def holds(self, moment: datetime | None) -> bool:
        if moment is None:
            return self.since is None and self.until is None
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)

    def may_hold(self, page: Page, archived: datetime | None) -> bool:
        """Whether it is worth reading: nothing is younger than its archive, and some name their date."""
        if self.source not in page.url or (archived and self.since and archived < self.since):
            return False
        moment = dates.to_utc(page.published)
        return moment is None or self.holds(moment)


@dataclass(frozen=True, slots=True)
class Task:
    """A shard with everything its process needs. `id` names its result; see `tasks`."""

    id: str
    shard: archives.Shard
    rule_files: Mapping[str, str]
    window: Window


def tasks(shards: Sequence[archives.Shard], rule_files: Mapping[str, str], window: Window) -> list[Task]:
    """One task a shard. Another archive, other rules, another window or program give other ids."""
    digest = hashlib.sha256(f"{__version__}\0{window}\0".encode())
    for path, text in sorted(rule_files.items()):
        digest.update(f"{Path(path).name}\0{text}\0".encode("utf-8", "replace"))
    base = digest.hexdigest()
    ids = [hashlib.sha256(f"{base}\0{shard.id}".encode()).hexdigest()[:24] for shard in shards]
    return [Task(id, shard, rule_files, window) for id, shard in zip(ids, shards, strict=True)]

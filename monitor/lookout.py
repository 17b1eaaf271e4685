"""What is worth telling the engineer: how sources, deliveries, disk, clock and the worker itself are.

Only looks; `operator.py` knows what was told before.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from monitor.model import SourceState
from monitor.operator import WELL, Finding

DISK_LOW, DISK_FINE = 0.10, 0.12  # apart, so that a disk at the border is told once and not every hour
CLOCK_JUMP_S = 60.0
LOST_WORKERS = 3  # in LOST_WITHIN_S: one hostile page is not news
LOST_WITHIN_S = 900.0
STUBBORN_TRIES = 3  # a message refused so often is told, long before it is given up
_TROUBLES = ("failing", "silent", "gone")


class LookoutStore(Protocol):
    """The database as looking sees it. Every method raises StoreError."""

    @property
    def path(self) -> Path: ...

    def source_states(self) -> list[SourceState]: ...

    def outbox_rows(self, status: str | None = None, limit: int = 100) -> list[dict[str, Any]]: ...


class Lookout:
    """Remembers what can only be seen by comparing: the clocks, and how many processes were lost."""

    def __init__(self, store: LookoutStore, now: datetime, *, monotonic: float | None = None) -> None:
        self.store = store
        self._clocks = (now, time.monotonic() if monotonic is None else monotonic)
        self._losses: deque[tuple[float, int]] = deque()
        self._missed = 0
        self._offline_until: datetime | None = None

    def findings(
        self,
        now: datetime,
        *,
        offline: bool = False,
        losses: int = 0,
        missed: int = 0,
        jobs: Mapping[str, str] | None = None,
        refused: str = "",
        damage: Sequence[str] = (),
        monotonic: float | None = None,
    ) -> list[Finding]:
        """How everything is at `now`.

        Args:
            offline: the last cycle could reach no source at all.
            losses: worker processes that crashed since the start.
            missed: articles since the start that the prefilter would have lost, had it not been audited.
            jobs: each job of the scheduler → why its last run failed, "" when it did not.
            refused: what is wrong with a configuration that was not taken over.
            damage: what the last check of the database found.
        """
        tick = time.monotonic() if monotonic is None else monotonic
        return [
            *self._network(now, offline),
            *self._sources(),
            *self._deliveries(),
            *disk(self.store.path.parent),
            *self._clock(now, tick),
            *self._processes(losses, tick),
            *self._prefilter(now, missed),
            *_jobs(jobs or {}),
            _whether("configuration", "refused", refused, "the configuration is right again and in use"),
            _whether("database", "damaged", "; ".join(damage[:5]), "the database is sound again"),
        ]

    def _network(self, now: datetime, offline: bool) -> Iterator[Finding]:
        if offline:
            self._offline_until = now
            yield Finding("network", "down", "no network: not one source could be reached")
        else:
            yield Finding("network", WELL, "the network is back")

    def _sources(self) -> Iterator[Finding]:
        """Each source's state. What was only out of reach with all the others is not its own trouble."""
        for state in self.store.source_states():
            source, polled_at = state.source, state.last_polled_at
            subject, name = f"source:{source.id}", source.name or source.id
            if not source.enabled:
                yield Finding(subject, WELL, f"{name} is no longer polled")
            elif self._offline_until and (polled_at is None or polled_at <= self._offline_until):
                continue
            elif state.state in _TROUBLES:
                reason = f": {state.state_reason}" if state.state_reason else ""
                yield Finding(subject, state.state, f"{name} ({source.id}) is {state.state}{reason}")
            elif state.state == "ok" and not state.failures:
                yield Finding(subject, WELL, f"{name} ({source.id}) is read again")

    def _deliveries(self) -> Iterator[Finding]:
        found: dict[str, Finding] = {}
        for row in self.store.outbox_rows("retry", 500):
            if row["attempts"] >= STUBBORN_TRIES:
                text = f"messages to {row['channel']} are refused again and again: {row['error']}"
                found.setdefault(row["channel"], Finding(f"delivery:{row['channel']}", "refused", text))
        for row in reversed(self.store.outbox_rows("dead", 500)):
            text = f"a message to {row['channel']} was given up: {row['error']}; see `monitor outbox list`"
            found[row["channel"]] = Finding(f"delivery:{row['channel']}", "dead", text)
        sent = {row["channel"] for row in self.store.outbox_rows(None, 500)}
        for channel in sorted(sent - found.keys()):
            yield Finding(f"delivery:{channel}", WELL, f"nothing to {channel} is held up any more")
        yield from found.values()

    def _clock(self, now: datetime, tick: float) -> Iterator[Finding]:
        before, then = self._clocks
        self._clocks = (now, tick)
        jump = (now - before).total_seconds() - (tick - then)
        if abs(jump) > CLOCK_JUMP_S:
            span = timedelta(seconds=round(abs(jump)))
            how = f"forward by {span} (or the machine slept)" if jump > 0 else f"back by {span}"
            text = f"the clock went {how}; if it is wrong now, set it (`timedatectl`)"
            # Each jump is an event of its own: it has no end that could be told.
            yield Finding("clock", f"jumped {now:%Y-%m-%dT%H:%M:%SZ}", text)

    def _processes(self, losses: int, tick: float) -> Iterator[Finding]:
        self._losses.append((tick, losses))
        while self._losses[0][0] < tick - LOST_WITHIN_S:
            self._losses.popleft()
        lost = losses - self._losses[0][1]
        if lost >= LOST_WORKERS:
            text = f"{lost} worker processes died within 15 minutes: is memory short (workers.memory_mb)?"
            yield Finding("processes", "dying", text)
        elif not lost:
            yield Finding("processes", WELL, "worker processes live again")

    def _prefilter(self, now: datetime, missed: int) -> Iterator[Finding]:
        more, self._missed = missed - self._missed, missed
        if more > 0:
            text = f"the prefilter would have lost {more} articles: its audit found them; the log names them"
            yield Finding("prefilter", f"missed {now:%Y-%m-%dT%H:%M:%SZ}", text)


def disk(folder: Path) -> Iterator[Finding]:
    """How full the disk of the database is; nothing near the border."""
    usage = shutil.disk_usage(folder)
    share = usage.free / usage.total if usage.total else 1.0
    free = f"{usage.free / 1e9:.1f} GB ({share:.0%})"
    if share < DISK_LOW:
        text = f"the disk of {folder} has {free} left; nothing is stored any more when it is full"
        yield Finding("disk", "low", text)
    elif share >= DISK_FINE:
        yield Finding("disk", WELL, f"the disk of {folder} has room again: {free}")


def _jobs(jobs: Mapping[str, str]) -> Iterator[Finding]:
    for name, problem in jobs.items():
        yield _whether(
            f"job:{name}", "failing", problem and f"job {name} fails: {problem}", f"job {name} works again"
        )


def _whether(subject: str, state: str, problem: str, well: str) -> Finding:
    return Finding(subject, state, problem) if problem else Finding(subject, WELL, well)

"""One shard from archive to findings, in a process that is kept for the next one."""

from __future__ import annotations

import asyncio
import atexit
import faulthandler
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from monitor import __version__, archives, dates, reading, urls
from monitor.errors import WorkerError
from monitor.workers import Workers

SOURCE_ID = "backfill"
DEADLINE_S = 20.0  # for one page, as live
STALL_S = 600.0  # without a further record: the process gives itself up, and its shard is tried again
SHARD_S = 24 * 3600.0  # for one shard, whatever happens
IN_FLIGHT = 4  # records of one shard under way: enough to keep its worker process busy
POISON_KEPT = 200  # a shard's reasons kept in words; all are counted


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

    def may_hold(self, page: reading.Page, archived: datetime | None) -> bool:
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


@dataclass(frozen=True, slots=True)
class Found:
    """A match or near miss, ready to be stored."""

    identity: str
    url: str
    read: reading.Reading
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


# --- one shard, in its own process ---------------------------------------------------------------


class _Desk:
    """An event loop and a worker process that has the rules, kept from shard to shard of one thread."""

    def __init__(self, rule_files: Mapping[str, str]) -> None:
        self.rule_files = rule_files
        self.loop = asyncio.Runner()
        prepare = partial(reading.prepare, rule_files, prefilter=True)
        self.workers = Workers(processes=1, deadline_s=DEADLINE_S, initializer=prepare)
        atexit.register(self.close)

    def close(self) -> None:
        atexit.unregister(self.close)
        with self.loop:
            self.loop.run(self.workers.close())


class Watchdog:
    """Ends this process when no shard in it moves for so long, even inside a C library that holds all."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._lock = threading.Lock()
        self._shards = 0
        self._fed_at = 0.0
        self._nowhere: int | None = None

    def __enter__(self) -> Watchdog:
        with self._lock:
            self._shards += 1
            self._arm()
        return self

    def __exit__(self, *details: object) -> None:
        with self._lock:
            self._shards -= 1
            if not self._shards:
                faulthandler.cancel_dump_traceback_later()

    def feed(self) -> None:
        if time.monotonic() - self._fed_at > self._stall_s / 20:
            with self._lock:
                self._arm()

    def _arm(self) -> None:
        if self._nowhere is None:
            self._nowhere = os.open(os.devnull, os.O_WRONLY)
        self._fed_at = time.monotonic()
        faulthandler.dump_traceback_later(self._stall_s, exit=True, file=self._nowhere)


_desks = threading.local()
_watchdog = Watchdog(STALL_S)


def run_shard(task: Task) -> ShardResult:
    """Reads, extracts and classifies a whole shard.

    Raises InputError when the archive cannot be seen from here, MonitorError when no worker starts.
    """
    archives.check_here(task.shard)
    desk: _Desk | None = getattr(_desks, "own", None)
    if desk is None or desk.rule_files != task.rule_files:
        close_desk()
        desk = _desks.own = _Desk(task.rule_files)
    with _watchdog:
        return desk.loop.run(_run_shard(desk.workers, task))


def close_desk() -> None:
    """Ends the worker process this thread keeps between shards."""
    desk: _Desk | None = getattr(_desks, "own", None)
    _desks.own = None
    if desk:
        desk.close()


async def _run_shard(workers: Workers, task: Task) -> ShardResult:
    result = ShardResult()
    await workers.run(os.getpid)  # one that does not even start is no fault of a page
    places = asyncio.Semaphore(IN_FLIGHT)
    async with asyncio.TaskGroup() as group:
        for record in archives.records(task.shard):
            _watchdog.feed()
            await places.acquire()
            group.create_task(_record(workers, record, task.window, result)).add_done_callback(
                lambda _: places.release()
            )
    result.found.sort(key=lambda found: found.order)
    result.poison = sorted(result.poison)[:POISON_KEPT]
    return result


async def _record(workers: Workers, record: archives.Record, window: Window, result: ShardResult) -> None:
    page, archived = record.page, dates.to_utc(record.fetched)
    if record.problem and record.page_expected:
        _poison(result, record.key, record.problem)
        return
    if record.problem or not window.may_hold(page, archived):
        result.counts[(_year(archived or dates.to_utc(page.published)), "skipped")] += 1
        return
    try:
        read = await workers.run(reading.read, page)
    except Exception as error:  # the page cost its process, or found a bug: one page, told
        _poison(result, record.key, str(error) if isinstance(error, WorkerError) else repr(error))
        return
    # A page that could not match was not extracted, so its own date is unknown: its archive's has to do.
    moment = _moment(read.published or page.published, record, archived)
    if not window.holds(moment):
        result.counts[(_year(moment), "skipped")] += 1
        return
    outcome = _outcome(read)
    result.counts[(_year(moment), outcome)] += 1
    if outcome in ("match", "near-miss"):
        key = _text_key(read)
        identity = urls.canonical_url(page.url) or f"{SOURCE_ID}|{key}"
        at = moment or datetime(1970, 1, 1, tzinfo=UTC)
        result.found.append(Found(identity, page.url, read, at, key))


def _moment(published: str, record: archives.Record, archived: datetime | None) -> datetime | None:
    """When it was published. No page is younger than the day after its archive, whatever it claims."""
    moment = dates.to_utc(published)
    if archived and (moment is None or moment > archived + timedelta(days=1)):
        return archived
    return moment or dates.to_utc(record.saved)


def _outcome(read: reading.Reading) -> str:
    if read.verdict.match:
        return "match"
    if read.verdict.near_miss:
        return "near-miss"
    return "no-match" if read.status == reading.SKIPPED or read.text or read.title else "unreadable"


def _poison(result: ShardResult, key: str, reason: str) -> None:
    result.counts[("", "failed")] += 1
    if len(result.poison) < POISON_KEPT:
        result.poison.append((key, reason))


def _year(moment: datetime | None) -> str:
    return f"{moment:%Y}" if moment else ""


def _text_key(read: reading.Reading) -> str:
    return hashlib.sha256(f"{read.title}\0{read.text}".encode("utf-8", "replace")).hexdigest()[:32]

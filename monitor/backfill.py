"""Backfill: what today's rules would have caught in an archive of any age.

    shards | read, extract, classify (processes or a Dask cluster) | a result file each | merge by date

Shards are finished one by one and kept as files, so a run that stops goes on where it was. Only when
all are there are the matches written, sorted by date, by the one writer: a run that was stopped, a run on
a cluster and a run in one go leave the same tables. Nothing written here is ever alerted.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from monitor import archives, dates, reading, stories, urls
from monitor.errors import MonitorError, WorkerError
from monitor.model import Article, Fingerprint, Join, NewItem, Processed, StoryMember
from monitor.workers import Workers

SOURCE_ID = "backfill"
DEADLINE_S = 20.0
IN_FLIGHT = 4  # records of one shard under way: enough to keep its worker process busy
STORY_WINDOW = timedelta(days=31)
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


@dataclass(frozen=True, slots=True)
class Task:
    """A shard with everything its process needs."""

    shard: archives.Shard
    rule_files: Mapping[str, str]
    window: Window
    processes: int = 1

    @property
    def id(self) -> str:
        """The name of its result: another archive, other rules or another window give another."""
        digest = hashlib.sha256(f"{self.shard.id}\0{self.window}\0".encode())
        for path, text in sorted(self.rule_files.items()):
            digest.update(f"{Path(path).name}\0{text}\0".encode("utf-8", "replace"))
        return digest.hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Found:
    """A match or near miss, ready to be stored."""

    identity: str
    url: str
    read: reading.Reading
    published_at: datetime


@dataclass(slots=True)
class ShardResult:
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (year, outcome)
    found: list[Found] = field(default_factory=list)
    poison: list[tuple[str, str]] = field(default_factory=list)  # (where, why)


# --- one shard, in its own process ---------------------------------------------------------------


def run_shard(task: Task) -> ShardResult:
    """Reads, extracts and classifies a whole shard. Raises only for a bug."""
    return asyncio.run(_run_shard(task))


async def _run_shard(task: Task) -> ShardResult:
    result = ShardResult()
    prepare = partial(reading.prepare, task.rule_files)
    async with Workers(processes=task.processes, deadline_s=DEADLINE_S, initializer=prepare) as workers:
        running: set[asyncio.Task[None]] = set()
        for record in archives.records(task.shard):
            if len(running) >= IN_FLIGHT:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running.add(asyncio.create_task(_record(workers, record, task.window, result)))
        await asyncio.gather(*running)
    result.found.sort(key=lambda found: (found.published_at, found.identity))
    result.poison.sort()
    return result


async def _record(workers: Workers, record: archives.Record, window: Window, result: ShardResult) -> None:
    if record.problem:
        _poison(result, record.key, record.problem)
        return
    page = record.page
    if window.source and window.source not in page.url:
        return
    try:
        read = await workers.run(reading.read, page)
    except WorkerError as error:
        _poison(result, record.key, str(error))
        return
    moment = dates.to_utc(read.published or page.published or record.fetched, "")
    if not window.holds(moment):
        result.counts[(_year(moment), "skipped")] += 1
        return
    outcome = _outcome(read)
    result.counts[(_year(moment), outcome)] += 1
    if outcome in ("match", "near-miss"):
        identity = urls.canonical_url(page.url) or f"{SOURCE_ID}|{_text_key(read)}"
        result.found.append(Found(identity, page.url, read, moment or datetime(1970, 1, 1, tzinfo=UTC)))


def _outcome(read: reading.Reading) -> str:
    if read.verdict.match:
        return "match"
    if read.verdict.near_miss:
        return "near-miss"
    return "no-match" if read.text or read.title else "unreadable"


def _poison(result: ShardResult, key: str, reason: str) -> None:
    result.counts[("", "failed")] += 1
    if len(result.poison) < POISON_KEPT:
        result.poison.append((key, reason))


def _year(moment: datetime | None) -> str:
    return f"{moment:%Y}" if moment else ""


def _text_key(read: reading.Reading) -> str:
    return hashlib.sha256(f"{read.title}\0{read.text}".encode("utf-8", "replace")).hexdigest()[:32]


# --- all shards ----------------------------------------------------------------------------------

Runner = Callable[[Callable[[Task], ShardResult], Sequence[Task]], Iterator[tuple[Task, Any]]]


class Shelf:
    """The folder where finished shards wait for the merge. Its files are ours: they are unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, task: Task) -> Path:
        return self.folder / f"{task.id}.result"

    def has(self, task: Task) -> bool:
        return self._path(task).exists()

    def put(self, task: Task, result: ShardResult) -> None:
        """Written beside and renamed: a result is there whole or not at all."""
        part = self._path(task).with_suffix(f".part{os.getpid()}")
        with part.open("wb") as file:
            pickle.dump(result, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path(task))

    def get(self, task: Task) -> ShardResult:
        with self._path(task).open("rb") as file:
            result = pickle.load(file)
        if not isinstance(result, ShardResult):
            raise MonitorError(f"{self._path(task)}: not a result of this program; remove it and run again")
        return result


OnShard = Callable[[Task, "ShardResult | None", str], None]


def read_all(
    tasks: Sequence[Task], shelf: Shelf, runner: Runner, on_shard: OnShard
) -> list[tuple[Task, str]]:
    """Works off every shard that is not on the shelf; returns those that failed, with the reason."""
    failed: list[tuple[Task, str]] = []
    open_tasks = []
    for task in tasks:
        if shelf.has(task):
            on_shard(task, shelf.get(task), "kept")
        else:
            open_tasks.append(task)
    for task, result in runner(run_shard, open_tasks) if open_tasks else ():
        if isinstance(result, BaseException):
            failed.append((task, f"{type(result).__name__}: {result}"))
            on_shard(task, None, failed[-1][1])
        else:
            shelf.put(task, result)
            on_shard(task, result, "read")
    return failed


class MergeStore(Protocol):
    def backfill_source(self, source_id: str, now: datetime) -> None: ...

    def story_candidates(
        self, fingerprint: Fingerprint, canonical_url: str, since: datetime
    ) -> list[StoryMember]: ...

    def keep_backfilled(
        self, source_id: str, item: NewItem, processed: Processed, join: Join | None, at: datetime
    ) -> bool:
        """Item, outcome, match and story in one transaction; False when the item is known already."""
        ...


def merge(store: MergeStore, found: Iterable[Found], now: datetime) -> int:
    """Writes matches and near misses in order of date; returns how many were new."""
    store.backfill_source(SOURCE_ID, now)
    unique = {
        each.identity: each
        for each in sorted(found, key=lambda f: (f.published_at, f.identity, f.url), reverse=True)
    }
    new = 0
    for each in sorted(unique.values(), key=lambda f: (f.published_at, f.identity)):
        new += _keep(store, each)
    return new


def _keep(store: MergeStore, found: Found) -> bool:
    read, at = found.read, found.published_at
    article = Article(
        item_id=0,
        url=found.url,
        title=read.title,
        text=read.text,
        lang=read.lang,
        author=read.author,
        published=read.published,
        published_at=at,
        label=read.label,
    )
    matched = read.verdict.match
    mark = stories.fingerprint(article, read.verdict) if matched else None
    canonical = urls.canonical_url(found.url)
    join = None
    if mark:
        candidates = store.story_candidates(mark, canonical, at - STORY_WINDOW)
        join = stories.decide(
            canonical_url=canonical, published_at=at, fingerprint=mark, candidates=candidates
        )
    item = NewItem(
        identity=found.identity,
        guid=found.identity,
        url=found.url,
        canonical_url=canonical,
        title=read.title,
        summary="",
        content="",
        lang=read.lang,
        author=read.author,
        outlet=urls.host_of(found.url),
        published_at=at,
    )
    processed = Processed(
        item_id=0,
        outcome="match" if matched else "near-miss",
        reason=read.verdict.why,
        article=article,
        verdict=read.verdict,
        fingerprint=mark,
        basis=read.basis,
        extract_status=read.status,
        alert=False,
    )
    return store.keep_backfilled(SOURCE_ID, item, processed, join, at)

"""All shards, then the one writer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from monitor import stories, urls
from monitor.backfill.batch import SOURCE_ID
from monitor.backfill.result import Found, ShardResult
from monitor.backfill.shard import run_shard
from monitor.backfill.shelf import Shelf
from monitor.backfill.task import Task
from monitor.model import Article, Fingerprint, Join, NewItem, Processed, StoryMember

STORY_WINDOW = timedelta(days=31)

Runner = Callable[[Callable[[Task], ShardResult], Sequence[Task]], Generator[tuple[Task, Any], None, None]]
OnShard = Callable[[Task, "ShardResult | None", str], None]


def read_all(
    tasks: Sequence[Task], shelf: Shelf, runner: Runner, on_shard: OnShard
) -> list[tuple[Task, str]]:
    """Works off every shard that is not on the shelf; returns those that failed, with the reason."""
    shelf.list(tasks)
    failed: list[tuple[Task, str]] = []
    open_tasks = []
    for task in tasks:
        if shelf.has(task):
            on_shard(task, shelf.summary(task), "kept")
        else:
            open_tasks.append(task)
    with contextlib.closing(runner(run_shard, open_tasks)) as results:
        for task, result in results:
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
    """Writes matches and near misses, which come in order of date; returns how many were new."""
    store.backfill_source(SOURCE_ID, now)
    return sum(_keep(store, each) for each in found)


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

"""Process: pending items become verdicts, matches and stories."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor import dates, reading, stories, urls
from monitor.errors import FetchError, StoreError, WorkerError
from monitor.model import Article, Fetched, FetchRequest, Join, PendingItem, Processed
from monitor.pipeline.ports import Clock, Fetch, ProcessStore, Work
from monitor.pipeline.retries import fetch_again_at, read_again_at
from monitor.pipeline.streams import LINGER_S, batched
from monitor.readiness import Ready, at_once

ACCEPT_PAGE = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessPolicy:
    concurrency: int = 12
    batch: int = 200
    tries: int = 5
    give_up_after: timedelta = timedelta(hours=24)
    max_age: timedelta = timedelta(days=30)  # older articles are noted, not read: archives resurface in feeds
    timeout_s: float = 30.0
    max_body_bytes: int = 5_000_000
    deadline_s: float = 20.0  # for extracting and classifying one page
    story_window: timedelta = timedelta(days=31)
    keep_text: str = "matches"  # matches: and near misses | all | none: addresses and verdicts alone


@dataclass(slots=True)
class ProcessReport:
    """How many items came to which outcome."""

    outcomes: Counter[str] = field(default_factory=Counter)
    matches: list[int] = field(default_factory=list)  # ids of new matches
    # Pages the prefilter turned away: skipped; audited, read in full all the same; missed, wrongly so.
    prefilter: Counter[str] = field(default_factory=Counter)

    @property
    def items(self) -> int:
        return sum(self.outcomes.values())


OnItem = Callable[[PendingItem, Processed], None]


async def process(
    store: ProcessStore,
    fetch: Fetch,
    workers: Work,
    *,
    now: Clock,
    policy: ProcessPolicy | None = None,
    on_item: OnItem | None = None,
    stop: asyncio.Event | None = None,
    ready: Ready = at_once,
) -> ProcessReport:
    """Works off every pending item that is due; returns the counts.

    When `stop` is set, what is under way is dropped: it stays pending and is taken again.
    """
    policy = policy or ProcessPolicy()
    report = ProcessReport()
    step = _Step(fetch, workers, now, policy, report.prefilter)
    taken: set[int] = set()
    while batch := store.pending(now(), policy.batch, exclude=taken):
        taken.update(item.id for item in batch)
        async with contextlib.aclosing(
            batched(batch, step.take, policy.concurrency, linger_s=LINGER_S)
        ) as results:
            async for done in results:
                await ready()
                report.matches += _record_all(store, done, now(), policy)
                for item, processed in done:
                    report.outcomes[processed.outcome] += 1
                    if on_item:
                        on_item(item, processed)
                if stop and stop.is_set():
                    return report
    return report


def _record_all(
    store: ProcessStore, done: Sequence[tuple[PendingItem, Processed]], now: datetime, policy: ProcessPolicy
) -> list[int]:
    """Stores outcomes in one transaction; returns the ids of new matches.

    Where that fails each is stored by itself, so that one that cannot be costs those before it nothing.
    """
    try:
        with store.write():
            ids = [_record(store, item, processed, now, policy) for item, processed in done]
    except StoreError:
        if len(done) == 1:
            raise
        ids = [_record(store, item, processed, now, policy) for item, processed in done]
    return [match_id for match_id in ids if match_id is not None]


def _record(
    store: ProcessStore, item: PendingItem, processed: Processed, now: datetime, policy: ProcessPolicy
) -> int | None:
    join = None
    if processed.outcome == "match" and processed.fingerprint and processed.article:
        canonical = urls.canonical_url(processed.article.url)
        candidates = store.story_candidates(processed.fingerprint, canonical, now - policy.story_window)
        join = stories.decide(
            canonical_url=canonical,
            published_at=processed.article.published_at or item.first_seen_at,
            fingerprint=processed.fingerprint,
            candidates=candidates,
        )
    return store.record_outcome(processed, join, now)


class _Step:
    """One item from pending to outcome; holds what all items share."""

    def __init__(
        self, fetch: Fetch, workers: Work, now: Clock, policy: ProcessPolicy, prefilter: Counter[str]
    ) -> None:
        self.fetch = fetch
        self.workers = workers
        self.now = now
        self.policy = policy
        self.prefilter = prefilter

    async def take(self, item: PendingItem) -> tuple[PendingItem, Processed]:
        return item, await self._outcome(item)

    async def _outcome(self, item: PendingItem) -> Processed:
        if item.published_at and is_too_old(item.published_at, item.first_seen_at, self.policy.max_age):
            return Processed(item.id, "too-old", _age_reason(item.published_at))
        if not item.url or (item.source.full_text and item.content):
            return await self._read(item, None, "")
        try:
            fetched = await self.fetch(self._request(item))
        except FetchError as error:
            retry_at = fetch_again_at(item, error, self.now(), self.policy.tries, self.policy.give_up_after)
            if retry_at:
                return Processed(item.id, "retry", f"page not read: {error}", retry_at=retry_at)
            return await self._read(item, None, f"page not read: {error}")
        return await self._read(item, fetched, "")

    def _request(self, item: PendingItem) -> FetchRequest:
        return FetchRequest(
            url=item.url,
            accept=ACCEPT_PAGE,
            obey_robots=True,
            allow_private=item.source.allow_private,
            timeout_s=self.policy.timeout_s,
            max_body_bytes=self.policy.max_body_bytes,
        )

    async def _read(self, item: PendingItem, fetched: Fetched | None, trouble: str) -> Processed:
        page = _page(item, fetched)
        try:
            read = await self.workers.run(reading.read, page, deadline_s=self.policy.deadline_s)
        except WorkerError as error:
            return await self._without_page(item, fetched, error)
        self._count(read, page.url)
        return conclude(item, read, fetched, trouble, "", self.policy)

    async def _without_page(
        self, item: PendingItem, fetched: Fetched | None, broken: WorkerError
    ) -> Processed:
        """A page that broke its process: a match by its feed's words, else read again while that may help."""
        status = "timeout" if broken.kind == "timeout" else "unreadable"
        trouble = f"page not read: {broken}"
        try:
            read = await self.workers.run(reading.read, _page(item, None), deadline_s=self.policy.deadline_s)
        except WorkerError as second:
            done = Processed(item.id, "unreadable", str(second), extract_status=status)
        else:
            done = conclude(item, read, fetched, trouble, status, self.policy)
        again_at = None if done.outcome in ("match", "too-old") else read_again_at(item, broken, self.now())
        return Processed(item.id, "retry", trouble, retry_at=again_at) if again_at else done

    def _count(self, read: reading.Reading, url: str) -> None:
        self.prefilter["skipped"] += read.status == reading.SKIPPED
        self.prefilter["audited"] += read.audited
        if read.audit_miss:
            self.prefilter["missed"] += 1
            _log.error("the prefilter would have lost %s (%s)", url, read.verdict.why)


def _page(item: PendingItem, fetched: Fetched | None) -> reading.Page:
    return reading.Page(
        body=fetched.body if fetched else None,
        url=fetched.url if fetched else item.url,
        content_type=fetched.content_type if fetched else "",
        title=item.title,
        summary=item.summary,
        content=item.content,
        published=item.published_at.isoformat() if item.published_at else "",
        lang=item.lang or item.source.lang,
        source_id=item.source.id,
        seen_at=item.first_seen_at,
        learn=True,
    )


def is_too_old(published_at: datetime, seen_at: datetime, max_age: timedelta) -> bool:
    return seen_at - published_at > max_age


def _age_reason(published_at: datetime) -> str:
    return f"published {published_at:%Y-%m-%d}, too long before it was first seen"


def conclude(
    item: PendingItem,
    read: reading.Reading,
    fetched: Fetched | None,
    trouble: str,
    status: str,
    policy: ProcessPolicy,
) -> Processed:
    """What one reading comes to. Pure."""
    published_at = item.published_at or dates.to_utc(read.published, item.source.timezone)
    status = status or read.status
    if published_at and is_too_old(published_at, item.first_seen_at, policy.max_age):
        return Processed(item.id, "too-old", _age_reason(published_at), extract_status=status)
    verdict = read.verdict
    outcome = "match" if verdict.match else "near-miss" if verdict.near_miss else "no-match"
    reason = "; ".join(part for part in (trouble or read.reason, verdict.why) if part)
    if outcome == "no-match":
        if not read.text and not read.title and status != reading.SKIPPED:
            outcome = "unreadable"
        if policy.keep_text != "all" or not read.text:
            return Processed(item.id, outcome, reason, basis=read.basis, extract_status=status)
    article = Article(
        item_id=item.id,
        url=fetched.url if fetched else item.url,
        title=read.title,
        text=read.text,
        lang=read.lang,
        author=item.author or read.author,
        published=read.published or (item.published_at.isoformat() if item.published_at else ""),
        published_at=published_at,
        label=read.label,
    )
    return Processed(
        item.id,
        outcome,
        reason,
        article=replace(article, text="") if policy.keep_text == "none" else article,
        verdict=verdict,
        fingerprint=stories.fingerprint(article, verdict) if verdict.match else None,
        basis=read.basis,
        extract_status=status,
    )


__all__ = ["Join", "ProcessPolicy", "ProcessReport", "conclude", "is_too_old", "process"]

"""Poll: due sources become new items, together with the validators that make the next poll cheap."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor import sources, urls
from monitor.errors import FetchError, WorkerError
from monitor.model import (
    Fetched,
    FetchRequest,
    FetchState,
    ParsedFeed,
    Polled,
    SourceState,
)
from monitor.pipeline.polled import Answer, PollPolicy, conclude, polled
from monitor.pipeline.ports import Clock, Fetch, PollStore, Work
from monitor.pipeline.streams import LINGER_S, batched
from monitor.readiness import Ready, at_once

ACCEPT_FEED = (
    "application/atom+xml,application/rss+xml,application/feed+json;q=0.9,application/xml;q=0.8,*/*;q=0.1"
)
ACCEPT_PAGE = "text/html,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.1"
READ_BY_ROBOTS_RULES = frozenset({"page", "sitemap", "watch"})  # a configured feed is fetched as asked
MAX_CHILD_SITEMAPS = 5  # of an index, newest first: news is in the newest


@dataclass(slots=True)
class PollReport:
    polled: list[Polled] = field(default_factory=list)

    @property
    def new(self) -> int:
        return sum(each.new for each in self.polled)

    @property
    def failed(self) -> list[Polled]:
        return [each for each in self.polled if each.status in ("failed", "gone")]


OnPolled = Callable[[Polled], None]


async def poll(
    store: PollStore,
    fetch: Fetch,
    workers: Work,
    due: Sequence[SourceState],
    *,
    now: Clock,
    jitter: Callable[[], float],
    policy: PollPolicy | None = None,
    on_polled: OnPolled | None = None,
    stop: asyncio.Event | None = None,
    ready: Ready = at_once,
    dry_run: bool = False,
) -> PollReport:
    """Polls every source of `due` once; returns what each came to.

    `jitter()` gives 0 to 1 and spreads the next polls. `dry_run` fetches and parses but stores nothing.
    """
    policy = policy or PollPolicy()
    step = _Step(store, fetch, workers, now, policy)
    report = PollReport()
    async with aclosing(batched(_by_host(due), step.ask, policy.concurrency, linger_s=LINGER_S)) as results:
        async for answers in results:
            if not dry_run:
                await ready()
            with nullcontext() if dry_run else store.write():
                came_to = [step.keep(state, answer, jitter(), dry_run=dry_run) for state, answer in answers]
            for each in came_to:
                report.polled.append(each)
                if on_polled:
                    on_polled(each)
            if stop and stop.is_set():
                break
    return report


def _by_host(due: Sequence[SourceState]) -> Iterable[SourceState]:
    """Hosts take turns, so that ten feeds of one slow host do not fill every place."""
    turns: dict[str, int] = {}
    ranked = []
    for state in due:
        host = urls.host_of(state.url or state.source.url)
        turns[host] = turns.get(host, 0) + 1
        ranked.append((turns[host], state))
    return [state for _, state in sorted(ranked, key=lambda pair: pair[0])]


class Validators(Mapping[str, FetchState]):
    """Each URL's own validators, looked up when a redirect leads there: no other way to know all hops."""

    def __init__(self, store: PollStore) -> None:
        self._store = store
        self._found: dict[str, FetchState | None] = {}

    def __getitem__(self, url: str) -> FetchState:
        if url not in self._found:
            self._found[url] = self._store.fetch_states([url]).get(url)
        state = self._found[url]
        if state is None:
            raise KeyError(url)
        return state

    def __iter__(self) -> Iterator[str]:
        return (url for url, state in self._found.items() if state)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Step:
    """One source from due to answered; holds what all sources share."""

    def __init__(self, store: PollStore, fetch: Fetch, workers: Work, now: Clock, policy: PollPolicy) -> None:
        self.store = store
        self.fetch = fetch
        self.workers = workers
        self.now = now
        self.policy = policy

    async def ask(self, state: SourceState) -> tuple[SourceState, Answer]:
        url = state.url or state.source.url
        stored = Validators(self.store)
        try:
            fetched = await self.fetch(self._request(state, url, stored))
        except FetchError as error:
            return state, Answer(error=error)
        return state, await self._parse(state, fetched, stored.get(fetched.url))

    def keep(self, state: SourceState, answer: Answer, jitter: float, *, dry_run: bool) -> Polled:
        """Stores what one answer changes; returns what it came to."""
        record = conclude(self.store, state, answer, self.now(), jitter, self.policy)
        if not dry_run:
            self.store.record_poll(record)
        return polled(record, answer)

    def _request(self, state: SourceState, url: str, stored: Mapping[str, FetchState]) -> FetchRequest:
        source = state.source
        by_rules = source.kind in READ_BY_ROBOTS_RULES
        return FetchRequest(
            url=url,
            validators=stored,
            accept=ACCEPT_PAGE if by_rules else ACCEPT_FEED,
            obey_robots=by_rules,
            allow_private=source.allow_private,
            timeout_s=self.policy.timeout_s,
            max_body_bytes=self.policy.max_body_bytes,
        )

    async def _parse(self, state: SourceState, fetched: Fetched, stored: FetchState | None) -> Answer:
        if fetched.not_modified:
            kept = stored or FetchState(fetched.url)
            return Answer(fetched, fetches=(_remembered(fetched, kept.body_sha256, self.now(), kept),))
        digest = hashlib.sha256(fetched.body).hexdigest()
        remembered = (_remembered(fetched, digest, self.now()),)
        if stored and stored.body_sha256 == digest:
            return Answer(fetched, fetches=remembered, took_ms=fetched.took_ms)
        try:
            feed = await self._feed(state, fetched)
        except WorkerError as error:
            return Answer(fetched, problem=f"could not be parsed: {error}", took_ms=fetched.took_ms)
        if feed.problem and not feed.items and not feed.children:
            # No validators are kept: a 304 to a page that could not be read would hide the mend.
            return Answer(fetched, problem=feed.problem, took_ms=fetched.took_ms)
        if feed.children:
            feed = await self._with_children(state, feed)
        return Answer(fetched, feed, fetches=remembered, took_ms=fetched.took_ms)

    async def _feed(self, state: SourceState, fetched: Fetched) -> ParsedFeed:
        return await self.workers.run(
            sources.parse,
            fetched.body,
            source=state.source,
            url=fetched.url,
            headers=dict(fetched.headers),
            now=self.now(),
            known=self.store.recent_guids(state.source.id),
            deadline_s=self.policy.deadline_s,
        )

    async def _with_children(self, state: SourceState, index: ParsedFeed) -> ParsedFeed:
        """A sitemap index with the entries of its newest sitemaps; what fails is named as a problem."""
        items, problems = list(index.items), [index.problem] if index.problem else []
        for child in index.children[:MAX_CHILD_SITEMAPS]:
            try:
                fetched = await self.fetch(replace(self._request(state, child, {}), validators={}))
                feed = await self._feed(state, fetched)
            except (FetchError, WorkerError) as error:
                problems.append(f"{child}: {error}")
                continue
            items += feed.items
        return replace(index, items=tuple(items), children=(), problem="; ".join(problems))


def _remembered(
    fetched: Fetched, body_sha256: str, now: datetime, kept: FetchState | None = None
) -> FetchState:
    """The validators to send next time; a 304 that brings none keeps those we have (RFC 9110, 15.4.5)."""
    return FetchState(
        url=fetched.url,
        etag=fetched.etag or (kept.etag if kept else ""),
        last_modified=fetched.last_modified or (kept.last_modified if kept else ""),
        body_sha256=body_sha256,
        fetched_at=now,
    )

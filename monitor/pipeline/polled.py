"""Deciding what one poll changes: news or known, healthy or failing, and when to come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import schedule, urls
from monitor.errors import FetchError
from monitor.fetch import redirects
from monitor.health import judge
from monitor.model import (
    Fetched,
    FetchState,
    NewItem,
    ParsedFeed,
    ParsedItem,
    Polled,
    PollRecord,
    Sighting,
    SourceState,
)
from monitor.pipeline.ports import PollStore


@dataclass(frozen=True, slots=True)
class PollPolicy:
    concurrency: int = 100
    timeout_s: float = 30.0
    max_body_bytes: int = 5_000_000
    deadline_s: float = 20.0  # for parsing one document
    first_run: timedelta = timedelta(days=7)  # at a source's first poll, older items are only noted
    first_undated: int = 20  # and of undated ones only so many, from the top of the page, are read


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source answered: a document, or that nothing changed, or why there is none."""

    fetched: Fetched | None = None
    feed: ParsedFeed | None = None
    error: FetchError | None = None
    problem: str = ""  # an answer that could not be read
    fetches: tuple[FetchState, ...] = ()
    took_ms: int = 0

    @property
    def ok(self) -> bool:
        return self.error is None and not self.problem


def conclude(
    store: PollStore, state: SourceState, answer: Answer, now: datetime, jitter: float, policy: PollPolicy
) -> PollRecord:
    """Everything one answer changes, ready to be stored. Reads the database, writes nothing."""
    source = state.source
    failures = 0 if answer.ok else state.failures + 1
    items = answer.feed.items if answer.feed else ()
    new, sightings = sort_out(store, state, items, now, policy)
    dates = [item.published_at or now for item in new if item.status == "pending"]
    recent = sorted([*store.item_dates(source.id), *dates], reverse=True)
    newest = max([item.published_at for item in items if item.published_at], default=None)
    gone = answer.error is not None and answer.error.status == 410
    health = judge(
        state,
        now=now,
        error=str(answer.error) if answer.error else answer.problem,
        failures=failures,
        gone=gone,
        recent=recent,
    )
    adoption = (
        redirects.adopt(state, answer.fetched.redirects, now, readable=answer.ok)
        if answer.fetched
        else redirects.unanswered(state, failures)
    )
    return PollRecord(
        source_id=source.id,
        polled_at=now,
        ok=answer.ok,
        next_poll_at=schedule.next_poll_at(
            source,
            now=now,
            headers=answer.fetched.headers if answer.fetched else {},
            feed=answer.feed,
            hints=state.hints,
            error=answer.error,
            failures=failures,
            recent=recent,
            jitter=jitter,
        ),
        state=health.state,
        state_reason=health.reason,
        failures=failures,
        new_items=tuple(new),
        sightings=tuple(sightings),
        fetches=answer.fetches,
        newest_item_at=newest,
        usual_gap_hours=health.usual_gap_hours,
        permanent_url=adoption.permanent_url,
        permanent_seen=adoption.permanent_seen,
        permanent_since=adoption.permanent_since,
        hints=schedule.hints_of(answer.feed) if answer.feed and not answer.feed.problem else None,
    )


def sort_out(
    store: PollStore, state: SourceState, items: Sequence[ParsedItem], now: datetime, policy: PollPolicy
) -> tuple[list[NewItem], list[Sighting]]:
    """Which items are news: unknown by id here and by address anywhere; the rest are sightings."""
    source_id = state.source.id
    named = {urls.identity(source_id, item.guid, item.url): item for item in reversed(items)}
    pairs = [(item.guid, identity) for identity, item in named.items()]
    guids, identities = store.known(source_id, pairs)
    new: list[NewItem] = []
    sightings: list[Sighting] = []
    undated = 0
    for identity, item in reversed(named.items()):
        if identity in identities:
            sightings.append(Sighting(identity, item.guid, item.url))
        elif item.guid in guids and not _is_reused(item):
            continue  # the same entry under a changed address
        else:
            undated += item.published_at is None
            late = undated > policy.first_undated if item.published_at is None else False
            new.append(_new_item(identity, item, _why_only_noted(state, item, now, late, policy)))
    return new, sightings


def _is_reused(item: ParsedItem) -> bool:
    """Whether an id says so little that another article may carry it too."""
    return len(item.guid) < 3


def _why_only_noted(
    state: SourceState, item: ParsedItem, now: datetime, late: bool, policy: PollPolicy
) -> str:
    """Why an item of a source's first poll is recorded without being read; "" to read it."""
    if state.last_ok_at is not None:
        return ""
    if item.published_at is None:
        return "undated, and far down the page when its source was first polled" if late else ""
    if now - item.published_at > policy.first_run:
        days = policy.first_run.days
        return f"published {item.published_at:%Y-%m-%d}, more than {days} days before the first poll"
    return ""


def _new_item(identity: str, item: ParsedItem, noted: str) -> NewItem:
    return NewItem(
        identity=identity,
        guid=item.guid,
        url=item.url,
        canonical_url=urls.canonical_url(item.url),
        title=item.title,
        summary=item.summary,
        content=item.content,
        lang=item.lang,
        author=item.author,
        outlet=item.outlet,
        published_at=item.published_at,
        status="done" if noted else "pending",
        outcome="too-old" if noted else "",
        reason=noted,
    )


def polled(record: PollRecord, answer: Answer) -> Polled:
    waiting = sum(item.status == "pending" for item in record.new_items)
    pruned = answer.feed.known if answer.feed else 0
    if record.state == "gone":
        status = "gone"
    elif not answer.ok:
        status = "failed"
    else:
        status = "ok" if answer.feed else "unchanged"
    return Polled(
        source_id=record.source_id,
        status=status,
        new=waiting,
        known=pruned + len(record.sightings) + len(record.new_items) - waiting,
        error=str(answer.error or answer.problem or ""),
        error_kind=answer.error.kind if answer.error else "unreadable" if answer.problem else "",
        took_ms=answer.took_ms,
    )

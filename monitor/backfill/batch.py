"""Some records of a shard at a time, from archive to findings: what runs in the shard's own process.

`load` takes the next records out of the archive, `work` reads their pages. Both touch bytes from outside
and may cost their process; the one that asked goes on from the same place with another (see `shard`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from monitor import archives, dates, reading, urls
from monitor.backfill.result import Found, ShardResult
from monitor.backfill.task import Window

SOURCE_ID = "backfill"
BATCH_BYTES = 4_000_000  # of pages held at a time

Read = Callable[[reading.Page], reading.Reading]


class _Place:
    """Where this process is in a shard."""

    def __init__(self, shard: archives.Shard, at: int) -> None:
        self.shard = shard
        self.at = at
        self.records = islice(archives.records(shard), at, None)

    def take(self, most: int) -> Iterator[archives.Record]:
        size = 0
        for record in islice(self.records, most):
            self.at += 1
            yield record
            size += len(record.page.body or b"") + len(record.page.content)
            if size >= BATCH_BYTES:
                return


_place: _Place | None = None
_batch: list[archives.Record] | None = None


def load(shard: archives.Shard, at: int, most: int) -> list[archives.Record]:
    """Takes up to `most` records from number `at` on; returns them without their pages, [] at the end."""
    global _place, _batch
    if _place is None or _place.shard != shard or _place.at != at:
        _place = _Place(shard, at)
    _batch = list(_place.take(most))
    return [replace(record, page=archives.NO_PAGE) for record in _batch]


def work(read: Read, window: Window) -> ShardResult | None:
    """Reads, extracts and classifies what was loaded, once; None when that was another process."""
    global _batch
    if _batch is None:
        return None
    result = ShardResult()
    for record in _batch:
        _record(read, record, window, result)
    _batch = None
    return result


def _record(read: Read, record: archives.Record, window: Window, result: ShardResult) -> None:
    page, archived = record.page, dates.to_utc(record.fetched)
    if record.problem and record.page_expected:
        result.set_aside(record, record.problem)
        return
    if record.problem or not window.may_hold(page, archived):
        result.count(archived or dates.to_utc(page.published), "skipped")
        return
    try:
        said = read(page)
    except MemoryError:  # this process is of no further use
        raise
    except Exception as error:  # the page found a bug: one page, told
        result.set_aside(record, repr(error))
        return
    # A page that could not match was not extracted, so its own date is unknown: its archive's has to do.
    moment = _moment(said.published or page.published, record, archived)
    if not window.holds(moment):
        result.count(moment, "skipped")
        return
    outcome = _outcome(said)
    result.count(moment, outcome)
    if outcome in ("match", "near-miss"):
        result.found.append(_found(page.url, said, moment))


def _found(url: str, said: reading.Reading, moment: datetime | None) -> Found:
    key = hashlib.sha256(f"{said.title}\0{said.text}".encode("utf-8", "replace")).hexdigest()[:32]
    identity = urls.canonical_url(url) or f"{SOURCE_ID}|{key}"
    return Found(identity, url, said, moment or datetime(1970, 1, 1, tzinfo=UTC), key)


def _moment(published: str, record: archives.Record, archived: datetime | None) -> datetime | None:
    """When it was published. No page is younger than the day after its archive, whatever it claims."""
    moment = dates.to_utc(published)
    if archived and (moment is None or moment > archived + timedelta(days=1)):
        return archived
    return moment or dates.to_utc(record.saved)


def _outcome(said: reading.Reading) -> str:
    if said.verdict.match:
        return "match"
    if said.verdict.near_miss:
        return "near-miss"
    return "no-match" if said.status == reading.SKIPPED or said.text or said.title else "unreadable"

"""The whole pipeline over real feeds and real pages, served from loopback by real HTTP."""

from __future__ import annotations

import functools
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import pipeline, reading
from monitor.fetch import Fetcher
from monitor.model import PendingItem, Polled, Processed
from monitor.pipeline import PollPolicy, ProcessPolicy
from monitor.settings import read_rule_files
from monitor.store import open_store
from monitor.workers import Workers
from tests.data_server import DataServer
from tests.ports import Clock

CONFIG = Path(__file__).parent.parent / "config"
READ_ALL = PollPolicy(
    concurrency=8, max_body_bytes=30_000_000, first_run=timedelta(days=36_500), first_undated=10_000
)
OUTCOMES = {"match", "near-miss", "no-match", "unreadable", "too-old"}


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_real_feeds_and_pages_go_through_the_whole_pipeline(test_data: Path, tmp_path: Path) -> None:
    clock = Clock(datetime.now(UTC))
    polled: list[Polled] = []
    outcomes: Counter[str] = Counter()

    def note(item: PendingItem, processed: Processed) -> None:
        outcomes[processed.outcome] += 1
        assert processed.reason

    # As the worker is shipped; every page is read in full in test_extract_real.py.
    prepare = functools.partial(reading.prepare, read_rule_files(CONFIG), prefilter=True)
    with DataServer(test_data) as server, open_store(tmp_path / "monitor.db") as store:
        store.sync_sources(server.sources(smallest=5_000), clock())
        async with Fetcher(user_agent="tests/1", now=clock) as fetch, Workers(initializer=prepare) as workers:
            ask = functools.partial(pipeline.poll, store, fetch, workers, now=clock, jitter=lambda: 0.0)
            report = await ask(store.due_sources(clock()), policy=READ_ALL, on_polled=polled.append)
            # The feeds' links lead out of this machine; what is processed here are the real pages.
            with store.write():
                store.db.run("DELETE FROM items")
            store.sync_sources([server.page_source()], clock())
            await ask(store.due_sources(clock()), policy=READ_ALL)
            done = await pipeline.process(
                store,
                fetch,
                workers,
                now=clock,
                policy=ProcessPolicy(max_age=timedelta(days=36_500)),
                on_item=note,
            )
    rows = {row["file"]: row for row in server.feeds}
    names = {source.id: source.name for source in server.sources()}
    readable = {each.source_id for each in polled if rows[names[each.source_id]]["expected_entries"]}
    unread = [(names[e.source_id], e.error) for e in polled if e.source_id in readable and e.status != "ok"]
    print(
        f"\nfeeds: {len(polled)} polled, {len(readable)} readable, {report.new} new items, failed: {unread}"
    )
    print(f"pages: {done.items} processed, {dict(outcomes)}")
    assert not unread
    assert done.items == len(server.pages)
    assert set(outcomes) <= OUTCOMES

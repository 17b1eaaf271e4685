"""Poll and process: what is new, what is kept, and what a stop or a failure costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monitor import pipeline, reading
from monitor.errors import StoreError
from monitor.model import Join, PollRecord, Processed, Source
from monitor.pipeline import PollPolicy, PollReport, ProcessPolicy, ProcessReport
from monitor.report import RunReport
from monitor.rules.prefilter import Prefilter
from monitor.settings import read_rule_files
from monitor.store import Store, open_store
from tests.ports import Clock, FakeFetch, Inline

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FEED = "https://news.example/feed.xml"
SOURCE = Source("news", FEED, name="News", country="gb", lang="en")
MATCHING = (
    "UK Research and Innovation and the Japan Science and Technology Agency will fund joint semiconductor"
    " research. The UK-Japan agreement was signed in London on Monday by both science ministers. "
) * 3


@cache
def prepared() -> None:
    reading.prepare(read_rule_files(Path(__file__).parent.parent / "config"))


@dataclass
class Bench:
    """Everything the two steps need, on a real database."""

    store: Store
    fetch: FakeFetch
    work: Inline
    clock: Clock

    async def poll(self, **options: object) -> PollReport:
        return await pipeline.poll(
            self.store,
            self.fetch,
            self.work,
            self.store.due_sources(self.clock()),
            now=self.clock,
            jitter=lambda: 0.0,
            policy=PollPolicy(),
            **options,  # type: ignore[arg-type]
        )

    async def process(self, **options: object) -> ProcessReport:
        return await pipeline.process(
            self.store, self.fetch, self.work, now=self.clock, policy=ProcessPolicy(), **options
        )  # type: ignore[arg-type]

    def outcomes(self) -> dict[str, str]:
        return {row["url"]: row["outcome"] for row in self.store.db.all("SELECT url, outcome FROM items")}

    def count(self, table: str) -> int:
        return int(self.store.db.value(f"SELECT count(*) FROM {table}"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    prepared()
    with open_store(tmp_path / "monitor.db") as store:
        clock = Clock(NOW)
        store.sync_sources([SOURCE], clock())
        yield Bench(store, FakeFetch(), Inline(), clock)


def rss(*items: tuple[str, str, datetime | None], ttl: int = 0) -> bytes:
    rows = "".join(
        f"<item><title>{title}</title><link>https://news.example/{slug}</link><guid>{slug}-guid</guid>"
        + (f"<pubDate>{date:%a, %d %b %Y %H:%M:%S} GMT</pubDate>" if date else "")
        + f"<description>About {title}.</description></item>"
        for slug, title, date in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>N</title>{rows}</channel></rss>'.encode()


def page(text: str = MATCHING) -> bytes:
    body = "".join(f"<p>{part}</p>" for part in text.split("\n"))
    return f"<html><body><article><h1>Title</h1>{body}</article></body></html>".encode()


# --- poll ------------------------------------------------------------------------------------


async def test_new_items_wait_and_known_ones_do_not_come_again(bench: Bench) -> None:
    bench.fetch.serve(FEED, rss(("a", "First", NOW)), "application/rss+xml")
    report = await bench.poll()
    assert [(each.status, each.new) for each in report.polled] == [("ok", 1)]
    bench.clock.forward(hours=2)
    bench.fetch.serve(FEED, rss(("b", "Second", NOW), ("a", "First", NOW)), "application/rss+xml")
    report = await bench.poll()
    assert [each.new for each in report.polled] == [1]
    assert bench.count("items") == 2


async def test_validators_come_back_byte_for_byte_and_a_304_costs_nothing(bench: Bench) -> None:
    bench.fetch.serve(FEED, rss(("a", "First", NOW)), "application/rss+xml", etag='W/"odd \\ tag"')
    await bench.poll()
    bench.clock.forward(hours=2)
    report = await bench.poll()
    assert [each.status for each in report.polled] == ["unchanged"]
    assert bench.fetch.requests[1].validators[FEED].etag == 'W/"odd \\ tag"'
    bench.clock.forward(hours=2)
    await bench.poll()  # a 304 that brought no new validators has not dropped the old ones
    assert bench.fetch.requests[2].validators[FEED].etag == 'W/"odd \\ tag"'


async def test_nothing_is_remembered_of_a_poll_that_was_not_committed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ETag stored before its entries would make the next 304 swallow them."""
    bench.fetch.serve(FEED, rss(("a", "First", NOW)), "application/rss+xml", etag='"1"')

    class Stopped(Store):
        def record_poll(self, record: PollRecord) -> int:
            with self.write():
                super().record_poll(record)
                raise StoreError("stopped before the commit")

    whole = bench.store
    bench.store = Stopped(whole.db)
    with pytest.raises(StoreError):
        await bench.poll()
    bench.store = whole
    assert bench.count("items") == 0
    report = await bench.poll()
    assert not bench.fetch.requests[-1].validators
    assert [each.new for each in report.polled] == [1]


async def test_at_the_first_poll_old_items_are_noted_but_not_read(bench: Bench) -> None:
    old = NOW - timedelta(days=30)
    bench.fetch.serve(FEED, rss(("a", "New", NOW), ("b", "Old", old)), "application/rss+xml")
    report = await bench.poll()
    assert [(each.new, each.known) for each in report.polled] == [(1, 1)]
    assert bench.outcomes() == {"https://news.example/a": "", "https://news.example/b": "too-old"}


async def test_a_listing_without_dates_is_not_read_to_its_end_at_first(bench: Bench) -> None:
    bench.fetch.serve(FEED, rss(*((f"n{i}", f"T{i}", None) for i in range(60))), "application/rss+xml")
    report = await bench.poll()
    assert [(each.new, each.known) for each in report.polled] == [(20, 40)]
    rows = bench.store.db.all("SELECT url FROM items WHERE status = 'pending'")
    assert {row["url"] for row in rows} == {f"https://news.example/n{i}" for i in range(20)}


async def test_one_article_in_two_feeds_is_one_item_with_two_sightings(bench: Bench) -> None:
    other = Source("other", "https://other.example/feed")
    bench.store.sync_sources([SOURCE, other], bench.clock())
    bench.fetch.serve(FEED, rss(("a", "First", NOW)), "application/rss+xml")
    tracked = rss(("a", "First", NOW)).replace(b"/a<", b"/a?utm_source=x<").replace(b"a-guid", b"z")
    bench.fetch.serve(other.url, tracked, "application/rss+xml")
    await bench.poll()
    assert bench.count("items") == 1
    assert bench.count("sightings") == 2


async def test_a_source_is_alive_by_what_it_repeats(bench: Bench) -> None:
    other = Source("other", "https://other.example/feed")
    bench.store.sync_sources([SOURCE, other], bench.clock())
    for url in (FEED, other.url):
        bench.fetch.serve(url, rss(("a", "First", NOW)), "application/rss+xml")
    await bench.poll()
    assert bench.count("items") == 1
    assert bench.store.item_dates("news") == bench.store.item_dates("other") == [NOW]
    newest = {state.source.id: state.newest_item_at for state in bench.store.source_states()}
    assert newest == {"news": NOW, "other": NOW}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html><body><h1>Sorry</h1></body></html>", "application/rss+xml"),
        (b"", "application/rss+xml"),
        (b"\x00\x01\x02binary" * 100, "application/octet-stream"),
        (b'{"not": "a feed"}', "application/json"),
    ],
    ids=["an HTML page", "nothing", "binary", "other JSON"],
)
async def test_what_is_no_feed_is_told_of_that_source_and_asked_for_again(
    bench: Bench, body: bytes, content_type: str
) -> None:
    fine = Source("fine", "https://fine.example/feed")
    bench.store.sync_sources([SOURCE, fine], bench.clock())
    bench.fetch.serve(FEED, body, content_type, etag='"x"')
    bench.fetch.serve(fine.url, rss(("a", "First", NOW)), "application/rss+xml")
    report = await bench.poll()
    assert {each.source_id: each.status for each in report.polled} == {"news": "failed", "fine": "ok"}
    assert next(each.error for each in report.polled if each.source_id == "news")
    assert bench.store.fetch_states([FEED]) == {}


async def test_a_parser_that_hangs_costs_its_source_one_poll(bench: Bench) -> None:
    bench.fetch.serve(FEED, rss(("a", "First", NOW)), "application/rss+xml", etag='"1"')
    bench.work.break_on = lambda args: "timeout"
    report = await bench.poll()
    assert [each.status for each in report.polled] == ["failed"]
    bench.work.break_on = lambda args: ""
    bench.clock.forward(days=1)
    report = await bench.poll()
    assert [each.new for each in report.polled] == [1]


async def test_a_source_that_is_gone_is_not_polled_again(bench: Bench) -> None:
    bench.fetch.fail(FEED, "HTTP 410", kind="status", status=410)
    report = await bench.poll()
    assert [each.status for each in report.polled] == ["gone"]
    bench.clock.forward(days=400)
    assert bench.store.due_sources(bench.clock()) == []


async def test_a_failing_source_is_left_alone_for_longer_and_longer(bench: Bench) -> None:
    bench.fetch.fail(FEED, "HTTP 500", kind="status", status=500)
    waits = []
    for _ in range(4):
        await bench.poll()
        state = bench.store.source_states()[0]
        assert state.next_poll_at
        waits.append(state.next_poll_at - bench.clock())
        bench.clock.moment = state.next_poll_at
    assert waits == sorted(waits)
    assert waits[-1] > waits[0]


async def test_a_dry_run_stores_nothing(bench: Bench) -> None:
    bench.fetch.serve(FEED, rss(("a", "First", NOW)), "application/rss+xml")
    report = await bench.poll(dry_run=True)
    assert [each.new for each in report.polled] == [1]
    assert bench.count("items") == 0


# --- process ---------------------------------------------------------------------------------


async def polled(bench: Bench, *slugs: str) -> None:
    bench.fetch.serve(FEED, rss(*((slug, slug.title(), NOW) for slug in slugs)), "application/rss+xml")
    await bench.poll()


async def test_a_matching_page_becomes_a_match_with_its_reasons(bench: Bench) -> None:
    await polled(bench, "a", "b")
    bench.fetch.serve("https://news.example/a", page())
    bench.fetch.serve("https://news.example/b", page("Rice prices fell in the shops of Niigata. " * 10))
    report = await bench.process()
    assert report.outcomes == {"match": 1, "no-match": 1}
    assert bench.count("matches") == 1
    assert bench.count("verdict_parts") > 0
    assert bench.count("articles") == 1  # the text of what did not match is not kept


async def test_a_stop_before_the_commit_leaves_the_item_pending(bench: Bench) -> None:
    await polled(bench, "a")
    bench.fetch.serve("https://news.example/a", page())

    class Stopped(Store):
        def record_outcome(self, processed: Processed, join: object, now: datetime) -> int | None:
            with self.write():
                super().record_outcome(processed, join, now)  # type: ignore[arg-type]
                raise StoreError("stopped before the commit")

    whole = bench.store
    bench.store = Stopped(whole.db)
    with pytest.raises(StoreError):
        await bench.process()
    bench.store = whole
    assert bench.count("matches") == 0
    assert bench.count("stories") == 0
    report = await bench.process()
    assert report.outcomes == {"match": 1}


async def test_an_outcome_that_cannot_be_stored_costs_those_before_it_nothing(bench: Bench) -> None:
    await polled(bench, "a", "b", "c")
    for slug in "abc":
        bench.fetch.serve(f"https://news.example/{slug}", page())
    recorded: list[int] = []

    class Choosy(Store):
        def record_outcome(self, processed: Processed, join: Join | None, now: datetime) -> int | None:
            recorded.append(processed.item_id)
            if [processed.item_id] == list(dict.fromkeys(recorded))[2:]:
                raise StoreError("the third will not go in")
            return super().record_outcome(processed, join, now)

    bench.store = Choosy(bench.store.db)
    with pytest.raises(StoreError, match="third"):
        await bench.process()
    assert len(recorded) > 3  # together first, then one by one
    assert bench.count("matches") == 2


async def test_a_page_that_fails_is_tried_five_times_over_a_day_then_the_feeds_text_is_read(
    bench: Bench,
) -> None:
    await polled(bench, "a")
    url = "https://news.example/a"
    bench.fetch.fail(url, "HTTP 503", kind="status", status=503)
    started = bench.clock()
    tries = 0
    while bench.store.pending_count(bench.clock()) or bench.outcomes()[url] == "":
        if bench.store.pending_count(bench.clock()):
            await bench.process()
            tries += 1
        bench.clock.forward(minutes=10)
        assert tries < 10
    assert tries == 5
    assert timedelta(hours=24) <= bench.clock() - started < timedelta(hours=26)
    row = bench.store.db.all("SELECT outcome, reason FROM items")[0]
    assert row["outcome"] == "no-match"
    assert "503" in row["reason"]


async def test_a_page_that_is_refused_for_good_is_judged_by_the_feeds_text_at_once(bench: Bench) -> None:
    title = "UK and Japan sign semiconductor research agreement"
    bench.fetch.serve(FEED, rss(("a", title, NOW)), "application/rss+xml")
    await bench.poll()
    bench.fetch.fail("https://news.example/a", "HTTP 403", kind="status", status=403)
    report = await bench.process()
    assert report.outcomes == {"match": 1}
    assert bench.store.db.value("SELECT basis FROM verdicts") == "feed"


def breaking(kind: str, *, page_only: bool = True) -> Callable[[tuple[Any, ...]], str]:
    """What makes a process break on the page of /a; without `page_only`, on its teaser too."""
    return lambda args: (
        kind
        if isinstance(args[0], reading.Page)
        and args[0].url.endswith("/a")
        and (args[0].body or not page_only)
        else ""
    )


@pytest.mark.parametrize(("kind", "tries", "status"), [("timeout", 2, "timeout"), ("crash", 5, "unreadable")])
async def test_a_page_that_always_breaks_its_process_costs_that_item_its_page_only(
    bench: Bench, kind: str, tries: int, status: str
) -> None:
    await polled(bench, "a", "b")
    bench.fetch.serve("https://news.example/a", page())
    bench.fetch.serve("https://news.example/b", page())
    bench.work.break_on = breaking(kind)
    report = await bench.process()
    assert report.outcomes == {"retry": 1, "match": 1}
    assert bench.outcomes()["https://news.example/b"] == "match"
    tried = 1
    while bench.outcomes()["https://news.example/a"] == "":
        bench.clock.forward(minutes=1)
        tried += bool((await bench.process()).items)
    assert tried == tries
    row = bench.store.db.all("SELECT outcome, extract_status FROM items WHERE url LIKE '%/a'")[0]
    assert tuple(row) == ("no-match", status)


@pytest.mark.parametrize("page_only", [True, False])
async def test_processes_killed_from_outside_lose_no_article(bench: Bench, page_only: bool) -> None:
    """Memory runs short, or somebody kills them: the page is not to blame, and is read when it is over."""
    await polled(bench, "a")
    bench.fetch.serve("https://news.example/a", page())
    bench.work.break_on = breaking("crash", page_only=page_only)
    assert (await bench.process()).outcomes == {"retry": 1}
    bench.work.break_on = lambda args: ""
    bench.clock.forward(minutes=1)
    assert (await bench.process()).outcomes == {"match": 1}
    assert bench.store.db.value("SELECT basis FROM verdicts") == "page"


async def test_an_article_whose_teaser_matches_does_not_wait_for_its_broken_page(bench: Bench) -> None:
    title = "UK and Japan sign semiconductor research agreement"
    bench.fetch.serve(FEED, rss(("a", title, NOW)), "application/rss+xml")
    await bench.poll()
    bench.fetch.serve("https://news.example/a", page())
    bench.work.break_on = breaking("crash")
    assert (await bench.process()).outcomes == {"match": 1}


async def test_an_article_whose_page_says_it_is_old_is_not_reported(bench: Bench) -> None:
    bench.fetch.serve(FEED, rss(("a", "First", None)), "application/rss+xml")
    await bench.poll()
    dated = page().replace(
        b"<body>",
        b'<head><meta property="article:published_time" content="2021-03-01T09:00:00Z"></head><body>',
    )
    bench.fetch.serve("https://news.example/a", dated)
    report = await bench.process()
    assert report.outcomes == {"too-old": 1}


async def test_two_outlets_with_one_release_are_one_story(bench: Bench) -> None:
    await polled(bench, "a", "b")
    bench.fetch.serve("https://news.example/a", page())
    bench.fetch.serve("https://news.example/b", page(MATCHING + "\nReporting by our London desk."))
    await bench.process()
    assert bench.count("matches") == 2
    assert bench.count("stories") == 1


async def test_what_a_site_repeats_is_learnt_and_cut(bench: Bench) -> None:
    refrain = "Read on in our dossier about chips and the people who make them"
    slugs = [f"p{n}" for n in range(8)]
    items = ((slug, "UK and Japan sign semiconductor research agreement", NOW) for slug in slugs)
    bench.fetch.serve(FEED, rss(*items).replace(b"news.example", b"refrain.example"), "application/rss+xml")
    await bench.poll()
    for n, slug in enumerate(slugs):
        bench.fetch.serve(f"https://refrain.example/{slug}", page(f"{MATCHING} {n}.\n{refrain}\n{MATCHING}"))
    await bench.process()
    texts = [row["text"] for row in bench.store.db.all("SELECT text FROM articles ORDER BY item_id")]
    assert [refrain in text for text in texts] == [True] * 5 + [False] * 3


# --- the prefilter's audit ---------------------------------------------------------------------


async def test_an_article_the_prefilter_would_lose_is_an_error_in_log_report_and_status(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_prefilter", Prefilter(gates=()))  # turns everything away
    monkeypatch.setattr(reading, "_audit_share", 1.0)
    url = "https://news.example/a"
    bench.fetch.serve(FEED, rss(("a", "UK and Japan sign chip agreement", NOW)), "application/rss+xml")
    bench.fetch.serve(url, page())
    await bench.poll()
    report = await bench.process()
    assert report.outcomes == {"match": 1}
    assert [record.levelname for record in caplog.records if url in record.getMessage()] == ["ERROR"]
    told = RunReport(NOW, processed=report).as_dict()
    assert told["prefilter"] == {"skipped": 0, "audited": 1, "missed": 1}
    bench.store.record_run("cycle", NOW, NOW, True, told)
    assert bench.store.prefilter(NOW) == told["prefilter"]
    assert bench.store.prefilter(NOW + timedelta(days=1))["missed"] == 0

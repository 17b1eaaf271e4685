"""Every kind of source from a real server through the poll step into the database."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from monitor import pipeline
from monitor.fetch import Fetcher
from monitor.model import Source
from monitor.pipeline import PollPolicy, PollReport
from monitor.store import Store, open_store
from tests.fetching import AGENT
from tests.ports import Clock, Inline
from tests.servers import Site

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BASE = "https://press.example"


@dataclass(frozen=True)
class Story:
    slug: str
    title: str
    at: datetime | None = NOW - timedelta(hours=5)

    @property
    def url(self) -> str:
        return f"{BASE}/{self.slug}"


FIRST = (
    Story("a", "日英半導体協力の新しい枠組みに合意"),
    Story("b", "Britain & Japan fund a quantum laboratory"),
    Story("c", "A third headline that is long enough to be one"),
)
NEWS = Story("d", "Rapidus names a British partner for its pilot line", NOW + timedelta(hours=1))


# --- one document of each kind ---------------------------------------------------------------


def _822(story: Story) -> str:
    return f"{story.at:%a, %d %b %Y %H:%M:%S} GMT" if story.at else ""


def _iso(story: Story) -> str:
    return f"{story.at:%Y-%m-%dT%H:%M:%SZ}" if story.at else ""


def _rss(version: str, *, dated: bool = True, guid: bool = True) -> Callable[[Sequence[Story]], str]:
    def build(stories: Sequence[Story]) -> str:
        items = "".join(
            f"<item><title>{escape(story.title)}</title><link>{story.url}</link>"
            + (f"<guid isPermaLink='false'>id-{story.slug}</guid>" if guid else "")
            + (f"<pubDate>{_822(story)}</pubDate>" if dated and story.at else "")
            + "</item>"
            for story in stories
        )
        return (
            f"<rss version='{version}'><channel><title>P</title><link>{BASE}/</link>{items}</channel></rss>"
        )

    return build


def _rdf(namespace: str, *, dated: bool) -> Callable[[Sequence[Story]], str]:
    def build(stories: Sequence[Story]) -> str:
        items = "".join(
            f"<item rdf:about='{story.url}'><title>{escape(story.title)}</title><link>{story.url}</link>"
            + (f"<dc:date>{_iso(story)}</dc:date>" if dated else "")
            + "</item>"
            for story in stories
        )
        return (
            "<?xml version='1.0'?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'"
            f" xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns='{namespace}'>"
            f"<channel><title>P</title><link>{BASE}/</link></channel>{items}</rdf:RDF>"
        )

    return build


def _atom(namespace: str, date: str, attributes: str = "") -> Callable[[Sequence[Story]], str]:
    def build(stories: Sequence[Story]) -> str:
        entries = "".join(
            f"<entry><title>{escape(story.title)}</title><id>tag:press.example,2026:{story.slug}</id>"
            f"<link rel='alternate' href='/{story.slug}'/><{date}>{_iso(story)}</{date}></entry>"
            for story in stories
        )
        return f"<feed xmlns='{namespace}' xml:base='{BASE}/'{attributes}><title>P</title>{entries}</feed>"

    return build


def _json(version: str) -> Callable[[Sequence[Story]], str]:
    def build(stories: Sequence[Story]) -> str:
        items = [
            {
                "id": ord(story.slug),  # a number, against the specification
                "url": story.url,
                "title": story.title,
                "content_text": "x",
                "date_published": _iso(story),
            }
            for story in stories
        ]
        return json.dumps(
            {"version": f"https://jsonfeed.org/version/{version}", "title": "P", "items": items}
        )

    return build


def _results(stories: Sequence[Story]) -> str:
    rows = [
        {"title": story.title, "link": story.url, "public_timestamp": _iso(story), "description": "x"}
        for story in stories
    ]
    return json.dumps({"results": rows, "total": len(rows), "start": 0})


def _sitemap(stories: Sequence[Story]) -> str:
    rows = "".join(f"<url><loc>{story.url}</loc><lastmod>{_iso(story)}</lastmod></url>" for story in stories)
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{rows}</urlset>"


def _news_sitemap(stories: Sequence[Story]) -> str:
    rows = "".join(
        f"<url><loc>{story.url}</loc><n:news><n:publication><n:name>P</n:name><n:language>en</n:language>"
        f"</n:publication><n:publication_date>{_iso(story)}</n:publication_date>"
        f"<n:title>{escape(story.title)}</n:title></n:news></url>"
        for story in stories
    )
    spaces = "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'"
    return f"<urlset {spaces}>{rows}</urlset>"


def _page(stories: Sequence[Story]) -> str:
    rows = "".join(
        f"<li><a href='{story.slug}'>{escape(story.title)}</a> <time datetime='{_iso(story)}'></time></li>"
        for story in stories
    )
    return (
        f"<html><head><base href='{BASE}/'></head><body><nav><a href='/about'>About the institute</a></nav>"
        f"<ul id='news'>{rows}</ul></body></html>"
    )


def _google(stories: Sequence[Story]) -> str:
    """Opaque links, which only the engine can resolve: kept as given."""
    items = "".join(
        f"<item><title>{escape(story.title)} - The Press</title><link>{_engine(story)}</link>"
        f"<guid isPermaLink='false'>CBM{story.slug}</guid><pubDate>{_822(story)}</pubDate>"
        f"<source url='{BASE}'>The Press</source></item>"
        for story in stories
    )
    return f"<rss version='2.0'><channel><title>P - Google News</title>{items}</channel></rss>"


def _engine(story: Story) -> str:
    return f"https://news.google.com/rss/articles/CBMi{story.slug * 20}?oc=5"


def _bing(stories: Sequence[Story]) -> str:
    items = "".join(
        f"<item><title>{escape(story.title)}</title><pubDate>{_822(story)}</pubDate><link>"
        f"http://www.bing.com/news/apiclick.aspx?ref=F&amp;url={quote(story.url, safe='')}&amp;c=1</link>"
        "<News:Source>The Press</News:Source></item>"
        for story in stories
    )
    return (
        "<rss version='2.0' xmlns:News='https://www.bing.com/news/search?q=x&amp;format=rss'>"
        f"<channel><title>P - BingNews</title>{items}</channel></rss>"
    )


@dataclass(frozen=True)
class Kind:
    """How to publish stories in one format, and how they should arrive."""

    build: Callable[[Sequence[Story]], str]
    source: dict[str, Any] = field(default_factory=dict)
    titled: bool = True
    dated: bool = True
    url: Callable[[Story], str] = lambda story: story.url
    gzipped: bool = False


NETSCAPE = "http://my.netscape.com/rdf/simple/0.9/"
KINDS = {
    "RSS 0.90": Kind(_rdf(NETSCAPE, dated=False), dated=False),
    "RSS 0.91": Kind(_rss("0.91", dated=False, guid=False), dated=False),
    "RSS 0.92": Kind(_rss("0.92", dated=False, guid=False), dated=False),
    "RSS 2.0": Kind(_rss("2.0")),
    "RDF (RSS 1.0)": Kind(_rdf("http://purl.org/rss/1.0/", dated=True)),
    "Atom 0.3": Kind(_atom("http://purl.org/atom/ns#", "issued", " version='0.3'")),
    "Atom 1.0": Kind(_atom("http://www.w3.org/2005/Atom", "published")),
    "JSON Feed 1": Kind(_json("1")),
    "JSON Feed 1.1": Kind(_json("1.1")),
    "JSON search results": Kind(_results),
    "sitemap": Kind(_sitemap, {"kind": "sitemap"}, titled=False),
    "sitemap, gzip": Kind(_sitemap, {"kind": "sitemap"}, titled=False, gzipped=True),
    "news sitemap": Kind(_news_sitemap, {"kind": "sitemap"}),
    "page by selector": Kind(_page, {"kind": "page", "selector": "#news a"}),
    "page by pattern": Kind(_page, {"kind": "page", "link_pattern": r"press\.example/[a-z]$"}),
    "Google News": Kind(_google, {"kind": "search"}, url=_engine),
    "Bing News": Kind(_bing, {"kind": "search"}),
}


# --- the bench -------------------------------------------------------------------------------


@dataclass
class Bench:
    """A server, a fetcher, a database, and a clock that is moved by hand."""

    site: Site
    store: Store
    clock: Clock

    def publish(self, path: str, body: str | bytes, etag: str) -> str:
        return self.site.page(path, body, etag=f'"{etag}"', content_type="application/octet-stream")

    def configure(self, *sources: Source) -> None:
        self.store.sync_sources(sources, self.clock())

    async def poll(self) -> PollReport:
        """All sources, a day after the last time."""
        self.clock.forward(days=1)
        async with Fetcher(user_agent=AGENT, now=self.clock) as fetch:
            return await pipeline.poll(
                self.store, fetch, Inline(), self.store.due_sources(self.clock()),
                now=self.clock, jitter=lambda: 0.0, policy=PollPolicy(),
            )  # fmt: skip

    def items(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self.store.db.all("SELECT * FROM items ORDER BY id")]

    def sightings(self) -> int:
        return int(self.store.db.value("SELECT count(*) FROM sightings"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Site() as site, open_store(tmp_path / "monitor.db") as store:
        yield Bench(site, store, Clock(NOW - timedelta(days=1)))


def source(url: str, id: str = "press", **options: Any) -> Source:
    return Source(id, url, **{"allow_private": True, "poll_minutes": 60, **options})


# --- every kind ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
async def test_a_kind_arrives_once_and_whole(kind: Kind, bench: Bench) -> None:
    def publish(stories: Sequence[Story]) -> str:
        body = kind.build(stories).encode()
        return bench.publish("/source", gzip.compress(body) if kind.gzipped else body, f"{len(stories)}")

    bench.configure(source(publish(FIRST), **kind.source))
    report = await bench.poll()
    assert [(each.status, each.new, each.error) for each in report.polled] == [("ok", 3, "")]
    rows = bench.items()
    assert [row["url"] for row in rows] == [kind.url(story) for story in FIRST]
    if kind.titled:
        assert [row["title"] for row in rows] == [story.title for story in FIRST]
    assert {row["published_at"] for row in rows} == {_iso(FIRST[0]) if kind.dated else None}
    assert {row["first_seen_at"] for row in rows} == {f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}

    assert [each.status for each in (await bench.poll()).polled] == ["unchanged"]  # answered 304
    assert bench.site.seen[-1].headers["if-none-match"] == '"3"'

    publish((NEWS, *FIRST))
    assert [each.new for each in (await bench.poll()).polled] == [1]
    assert [row["url"] for row in bench.items()][3:] == [kind.url(NEWS)]

    for stories in ((NEWS,), (NEWS, *FIRST)):  # what vanishes is no news, nor is its return
        publish(stories)
        assert [each.new for each in (await bench.poll()).polled] == [0]
    assert len(bench.items()) == 4


async def test_a_sitemap_index_brings_what_its_sitemaps_hold(bench: Bench) -> None:
    child = bench.publish("/map-1.xml.gz", gzip.compress(_sitemap(FIRST).encode()), "1")
    index = bench.publish(
        "/maps.xml", f"<sitemapindex><sitemap><loc>{child}</loc></sitemap></sitemapindex>", "i"
    )
    bench.configure(source(index, kind="sitemap"))
    assert [(each.status, each.new) for each in (await bench.poll()).polled] == [("ok", 3)]
    assert [row["url"] for row in bench.items()] == [story.url for story in FIRST]


async def test_a_watched_page_is_news_when_it_changes_and_only_then(bench: Bench) -> None:
    page = (
        "<html><title>Budget</title><body><div id=ad>{}</div><p id=x>The budget is {} yen</p></body></html>"
    )
    url = bench.publish("/budget", page.format("one", 5), "1")
    bench.configure(source(url, kind="watch", selector="#x"))
    assert [each.new for each in (await bench.poll()).polled] == [1]
    bench.publish("/budget", page.format("two", 5), "2")  # another advertisement is no change
    assert [each.new for each in (await bench.poll()).polled] == [0]
    bench.publish("/budget", page.format("two", 6), "3")
    assert [each.new for each in (await bench.poll()).polled] == [1]
    bench.publish("/budget", page.format("two", 5), "4")  # a state seen before
    assert [each.new for each in (await bench.poll()).polled] == [0]
    assert [row["content"] for row in bench.items()] == ["The budget is 5 yen", "The budget is 6 yen"]


# --- what makes an item the same -------------------------------------------------------------


async def test_one_article_in_five_feeds_is_one_item_with_five_sightings(bench: Bench) -> None:
    kinds = ("RSS 2.0", "RDF (RSS 1.0)", "Atom 1.0", "JSON Feed 1.1", "Bing News")
    story = FIRST[:1]
    bench.configure(
        *(
            source(bench.publish(f"/{n}", KINDS[name].build(story), "1"), f"feed-{n}", **KINDS[name].source)
            for n, name in enumerate(kinds)
        )
    )
    report = await bench.poll()
    assert sorted(each.new for each in report.polled) == [0, 0, 0, 0, 1]
    (row,) = bench.items()
    assert row["canonical_url"] in ("", row["identity"])
    assert bench.sightings() == 5
    assert bench.store.db.value("SELECT count(DISTINCT source_id) FROM sightings") == 5


async def test_ids_that_change_and_tracking_that_comes_bring_nothing_again(bench: Bench) -> None:
    item = "<item><title>T</title><guid>{}</guid><link>{}</link></item>"
    row = f"<rss version='2.0'><channel><title>P</title>{item}</channel></rss>"
    url = bench.publish("/f", row.format("one", f"{BASE}/a"), "1")
    bench.configure(source(url))
    assert (await bench.poll()).new == 1
    for n, (guid, link) in enumerate(
        [("two", f"{BASE}/a"), ("one", f"{BASE}/a?utm_source=rss"), ("one", f"{BASE}/a#top"),
         ("one", f"{BASE}/moved-to-another-address"), ("", f"{BASE}/a")]
    ):  # fmt: skip
        bench.publish("/f", row.format(guid, link), f"n{n}")
        assert (await bench.poll()).new == 0, (guid, link)
    assert len(bench.items()) == 1


async def test_an_id_that_all_entries_share_hides_none_of_them(bench: Bench) -> None:
    def build(stories: Sequence[Story]) -> str:
        return _rss("2.0")(stories).replace("id-a", "same").replace("id-b", "same").replace("id-c", "same")

    bench.configure(source(bench.publish("/f", build(FIRST[:2]), "1")))
    assert (await bench.poll()).new == 2
    bench.publish("/f", build(FIRST), "2")
    assert (await bench.poll()).new == 1
    assert [row["url"] for row in bench.items()] == [story.url for story in FIRST]


async def test_entries_without_id_and_address_are_told_apart_by_what_they_say(bench: Bench) -> None:
    rows = "".join(
        f"<item><title>Notice {n}</title><description>Text {n}</description></item>" for n in range(3)
    )
    feed = f"<rss version='2.0'><channel><title>P</title>{rows}</channel></rss>"
    bench.configure(source(bench.publish("/f", feed, "1")))
    assert (await bench.poll()).new == 3
    bench.publish("/f", feed.replace("<title>P<", "<title>Another<"), "2")
    assert (await bench.poll()).new == 0


async def test_dates_to_come_are_now_and_missing_ones_stay_missing(bench: Bench) -> None:
    stories = (Story("future", "From the future", NOW + timedelta(days=400)), Story("none", "Undated", None))
    bench.configure(source(bench.publish("/f", _rss("2.0")(stories), "1")))
    await bench.poll()
    future, undated = bench.items()
    assert future["published_at"] == future["first_seen_at"] == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    assert (undated["published_at"], undated["first_seen_at"]) == (None, f"{NOW:%Y-%m-%dT%H:%M:%SZ}")


async def test_a_japanese_date_without_a_zone_is_read_in_the_sources_own(bench: Bench) -> None:
    feed = _rss("2.0", dated=False)(FIRST[:1]).replace(
        "</item>", "<pubDate>2026-11-24 08:30:00</pubDate></item>"
    )
    bench.configure(source(bench.publish("/f", feed, "1"), timezone="Asia/Tokyo"))
    await bench.poll()
    assert [row["published_at"] for row in bench.items()] == ["2026-11-23T23:30:00Z"]


async def test_a_source_that_hurts_leaves_the_others_unharmed(bench: Bench) -> None:
    bomb = "<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
    ) + "]><rss version='2.0'><channel><title>&j;</title></channel></rss>"  # fmt: skip
    bench.configure(
        source(bench.publish("/bomb", bomb, "1"), "bomb"),
        source(bench.publish("/good", _rss("2.0")(FIRST), "1"), "good"),
        source(bench.publish("/html", "<html><body>busy</body></html>", "1"), "html"),
        source(bench.site.url("/absent"), "absent"),
    )
    report = await bench.poll()
    came_to = {each.source_id: (each.status, each.new) for each in report.polled}
    assert came_to["good"] == ("ok", 3)
    assert (came_to["html"], came_to["absent"]) == (("failed", 0), ("failed", 0))
    assert came_to["bomb"][1] == 0
    assert len(bench.items()) == 3

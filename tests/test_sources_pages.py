"""Pages without a feed: listings, watched pages, and finding out how to read a site."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ruamel.yaml import YAML

from monitor import sources
from monitor.model import ParsedFeed, Source
from monitor.sources.discover import discover, sitemaps_in_robots
from monitor.sources.watch import changed_lines

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://www.example.go.jp/press/index.html"


def read(body: str, kind: str = "page", *, known: frozenset[str] = frozenset(), **options: str) -> ParsedFeed:
    source = Source(id="desk", url=URL, kind=kind, **options)  # type: ignore[arg-type]
    return sources.parse(body.encode(), source=source, url=URL, headers={}, now=NOW, known=known)


NAV = (
    '<nav><ul class="menu">'
    + "".join(f'<li><a href="/section/{n}">A section with a long name {n}</a></li>' for n in range(12))
    + "</ul></nav>"
)
DEFINITIONS = f"""<!doctype html><html lang="ja"><head><title>報道発表</title>
<base href="/press/2026/"></head>
<body>{NAV}
<dl class="news"><dt>2026年11月20日</dt><dd><a href="a.html">日英半導体協力の進捗を公表しました</a></dd>
<dt>令和8年11月19日</dt><dd><a href="b.html">先端半導体の研究開発拠点の整備に関する公募の結果</a></dd>
<dt>11月18日</dt><dd><a href="../2026/c.html">量子技術の日米共同研究を決定しました</a></dd></dl>
<footer><a href="/privacy">個人情報保護方針についてのご案内はこちらからどうぞ</a></footer></body></html>"""
CARDS = f"""<html lang="en"><body>{NAV}<div class="cards">{
    "".join(
        f'''
<article class="card c{n}"><a class="pic" href="/news/story-{n}/?utm_source=x"><img alt="Picture {n}"></a>
<h3><a href="/news/story-{n}/">Chip maker opens research centre number {n} with partners</a></h3>
<time datetime="2026-11-{10 + n}T09:00:00+00:00">ago</time><p>Lead {n}.</p>
<a href="/news/story-{n}/#more">Read more</a></article>'''
        for n in range(5)
    )
}
</div></body></html>"""


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"selector": "dl.news dd > a"},
        {"selector": "dl.news dd"},
        {"selector": "dt + dd > a"},
        {"link_pattern": r"/press/2026/[abc]\.html$"},
        {"link_pattern": r"^/press/2026/"},
    ],
)
def test_a_ministrys_list_is_read(options: dict[str, str]) -> None:
    feed = read(DEFINITIONS, lang="ja", country="jp", timezone="Asia/Tokyo", **options)
    assert (feed.kind, feed.problem, feed.lang) == ("page", "", "ja")
    assert [item.url for item in feed.items] == [
        f"https://www.example.go.jp/press/2026/{x}.html" for x in "abc"
    ]
    assert [item.published_raw for item in feed.items] == ["2026-11-20", "2026-11-19", "2026-11-18"]
    assert feed.items[0].published_at == datetime(2026, 11, 19, 15, tzinfo=UTC)
    assert feed.items[0].title.startswith("日英半導体")


@pytest.mark.parametrize("options", [{}, {"selector": ".card"}, {"link_pattern": "/news/story-"}])
def test_cards_give_one_item_each_with_its_headline(options: dict[str, str]) -> None:
    items = read(CARDS, **options).items
    assert [item.title for item in items] == [
        f"Chip maker opens research centre number {n} with partners" for n in range(5)
    ]
    assert items[0].published_at == datetime(2026, 11, 10, 9, tzinfo=UTC)
    known = frozenset(item.guid for item in items[:4])
    assert len(read(CARDS, known=known, **options).items) == 1


def test_an_item_that_vanished_is_not_news() -> None:
    known = frozenset(item.guid for item in read(DEFINITIONS).items)
    shorter = DEFINITIONS.replace("<dt>11月18日</dt>", "").replace("../2026/c.html", "a.html")
    assert read(shorter, known=known, selector="dl.news dd > a").items == ()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"selector": "ul.gone a"}, "nothing matches the selector"),
        ({"link_pattern": "/gone/"}, "no link matches"),
        ({"selector": "a[href"}, "selector"),
        ({}, "no link looks like an article"),
    ],
)
def test_a_listing_that_finds_nothing_says_so(options: dict[str, str], problem: str) -> None:
    body = DEFINITIONS if options else "<html><body><p>Under construction</p></body></html>"
    feed = read(body, **options)
    assert feed.items == ()
    assert problem in feed.problem


def test_a_page_source_that_turns_out_a_feed_is_read_as_one() -> None:
    body = '<rss version="2.0"><channel><item><title>T</title></item></channel></rss>'
    assert (read(body).kind, len(read(body).items)) == ("rss", 1)


def test_a_feed_source_that_turns_out_a_page_says_so() -> None:
    feed = read(DEFINITIONS, "feed")
    assert (feed.items, feed.kind) == ((), "")
    assert "HTML page" in feed.problem


# --- watched pages ---------------------------------------------------------------------------


def tender(text: str, clutter: str = "") -> str:
    part = f"<div id='list'><p>{text}</p></div>"
    return f"<html><head><title>Tenders</title></head><body><p>{clutter}</p>{part}</body></html>"


def test_a_watched_page_is_news_when_its_part_changes() -> None:
    (first,) = read(tender("Call 1"), "watch", selector="#list").items
    known = frozenset({first.guid})
    assert read(tender("Call  1", "visitor 7"), "watch", selector="#list", known=known).items == ()
    (second,) = read(tender("Call 2"), "watch", selector="#list", known=known).items
    assert (second.guid != first.guid, second.url, second.title, second.content) == (
        True,
        URL,
        "Tenders",
        "Call 2",
    )


def test_a_watched_part_that_is_gone_is_a_problem_not_news() -> None:
    feed = read(tender("x"), "watch", selector="#gone")
    assert (feed.items, "#gone" in feed.problem) == ((), True)


def test_plain_text_and_data_can_be_watched() -> None:
    assert len(read("Status: open", "watch").items) == 1
    assert len(read('{"status": "open"}', "watch").items) == 1


def test_what_changed_is_the_lines_that_are_new() -> None:
    assert changed_lines("a\nb\nc", "a\nx\nc\nd") == "x\nd"


# --- discovery -------------------------------------------------------------------------------

HEAD = """<html lang="ja"><head><title>Example Institute</title>
<meta property="og:site_name" content="Example: R&amp;D">
<link rel="alternate" type="application/rss+xml" title="Comments Feed" href="/comments/feed/">
<link rel="alternate" type="application/rss+xml" title="News" href="/feed/">
<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/1">
<link rel="alternate" hreflang="en" href="/en/"></head>"""


def test_a_sites_feeds_are_found_and_comments_come_last() -> None:
    page = HEAD + '<body><a href="/feed">RSS</a> <a href="whatsnew.rdf">更新情報</a></body></html>'
    found = [c for c in discover(page, "https://www.example.ac.jp/") if c.kind == "feed"]
    assert [c.url.removeprefix("https://www.example.ac.jp") for c in found] == [
        "/feed/",
        "/whatsnew.rdf",
        "/comments/feed/",
    ]
    entry = YAML(typ="safe").load(found[0].entry)[0]
    assert (entry["kind"], entry["url"], entry["lang"]) == ("feed", "https://www.example.ac.jp/feed/", "ja")
    assert (entry["country"], entry["name"]) == ("jp", "News")


@pytest.mark.parametrize(("page", "count"), [(DEFINITIONS, 3), (CARDS, 5)])
def test_a_selector_is_proposed_that_reads_the_list(page: str, count: int) -> None:
    listing = next(c for c in discover(page, URL) if c.kind == "page")
    assert (listing.count, len(listing.samples)) == (count, count)
    entry = YAML(typ="safe").load(listing.entry)[0]
    assert len(read(page, selector=entry["selector"]).items) == count


def test_a_selector_names_a_class_or_an_id_where_there_is_one() -> None:
    rows = "".join(
        f'<li><a href="/n/{n}">A headline that is long enough, number {n}</a></li>' for n in range(5)
    )
    for attribute, selector in (('class="news"', ".news"), ('id="latest"', "#latest"), ("", "li > a")):
        page = f"<html><body><ul {attribute}>{rows}</ul></body></html>"
        listing = next(c for c in discover(page, URL) if c.kind == "page")
        assert selector in listing.selector
        assert listing.count == 5


def test_a_sitemap_is_offered_as_a_guess() -> None:
    last = discover(DEFINITIONS, URL)[-1]
    assert (last.kind, last.url, last.guess) == ("sitemap", "https://www.example.go.jp/sitemap.xml", True)


def test_robots_name_sitemaps() -> None:
    robots = "Sitemap: https://example.com/a.xml\n sitemap:https://example.com/b.xml.gz\nSitemap: /c"
    assert sitemaps_in_robots(robots) == ["https://example.com/a.xml", "https://example.com/b.xml.gz"]


@pytest.mark.parametrize(
    "page", ["", "   ", "no markup at all", "<html></html>", "<?xml version='1.0'?><a/>"]
)
def test_nothing_to_discover_is_no_error(page: str) -> None:
    assert [c for c in discover(page, URL) if not c.guess] == []

"""JSON Feed, sitemaps, search feeds, OPML: each told by its content."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime

import pytest

from monitor import sources
from monitor.errors import InputError
from monitor.model import ParsedFeed, Source
from monitor.sources import opml, search
from monitor.sources.preview import preview

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://example.com/f"


def read(
    body: str | bytes, kind: str = "feed", *, known: frozenset[str] = frozenset(), **options: str
) -> ParsedFeed:
    data = body.encode() if isinstance(body, str) else body
    source = Source(id="desk", url=URL, kind=kind, **options)  # type: ignore[arg-type]
    return sources.parse(data, source=source, url=URL, headers={}, now=NOW, known=known)


# --- JSON Feed -------------------------------------------------------------------------------


def test_a_json_feed_is_read() -> None:
    feed = read(json.dumps({
        "version": "https://jsonfeed.org/version/1.1", "title": "Desk", "language": "en",
        "home_page_url": "/",
        "items": [
            {"id": "a", "url": "/a", "title": "A &amp; B", "content_html": "<p>One.</p><p>Two.</p>",
             "date_published": "2026-11-22T09:00:00+09:00", "authors": [{"name": "X"}, {"name": "Y"}]},
            {"id": 7, "external_url": "https://other.org/7", "content_text": "Plain",
             "author": {"name": "Z"}},
            {"url": "https://example.com/c/"},
        ],
    }))  # fmt: skip
    assert (feed.kind, feed.problem, feed.home_url) == ("json", "", "https://example.com/")
    a, b, c = feed.items
    assert (a.url, a.title, a.summary, a.author) == ("https://example.com/a", "A & B", "One.\nTwo.", "X, Y")
    assert a.published_at == datetime(2026, 11, 22, tzinfo=UTC)
    assert (b.guid, b.url, b.summary, b.author) == ("7", "https://other.org/7", "Plain", "Z")
    assert (c.guid, c.lang) == ("https://example.com/c", "en")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("[1, 2]", "not a JSON Feed"),
        ('{"a": 1}', "not a JSON Feed"),
        ('{"items": [', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"items": [3, null, {"id": "x"}]}', "only 1 of 3"),
    ],
)
def test_other_json_says_what_it_is_not(body: str, problem: str) -> None:
    assert problem in read(body).problem


def test_wrong_types_and_lone_surrogates_do_no_harm() -> None:
    (item,) = read('{"items": [{"id": "\\ud800x", "url": ["a"], "title": {"b": 1}, "authors": 3}]}').items
    assert (item.guid, item.url, item.title) == ("x", "", "")


# --- sitemaps --------------------------------------------------------------------------------

NEWS = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
  xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <url><loc>https://example.com/1</loc><lastmod>2026-11-23</lastmod>
  <image:image><image:loc>https://example.com/1.jpg</image:loc><image:title>Picture</image:title></image:image>
  <news:news><news:publication><news:name>Desk</news:name><news:language>ja</news:language></news:publication>
  <news:publication_date>2026-11-22T09:00:00+09:00</news:publication_date>
  <news:title>半導体 &amp; AI</news:title>
  </news:news></url><url><loc> https://example.com/2 </loc></url><url></url></urlset>"""
INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://example.com/old.xml</loc>
  <lastmod>2020-01-01</lastmod></sitemap><sitemap><loc>https://example.com/new.xml</loc><lastmod>2026-11-20</lastmod>
  </sitemap></sitemapindex>"""


@pytest.mark.parametrize("body", [NEWS.encode(), gzip.compress(NEWS.encode()), NEWS.encode("utf-16")])
def test_a_news_sitemap_is_read(body: bytes) -> None:
    one, two = read(body, "sitemap").items
    assert (one.title, one.lang, one.outlet, one.guid) == (
        "半導体 & AI",
        "ja",
        "Desk",
        "https://example.com/1",
    )
    assert one.published_at == datetime(2026, 11, 22, tzinfo=UTC)
    assert (two.url, two.published_at) == ("https://example.com/2", None)


def test_prefixes_that_nobody_declared_are_understood() -> None:
    body = """<urlset><url><loc>https://example.com/1</loc><image:image><image:title>Picture</image:title></image:image>
      <news:news><news:title>Chips</news:title></news:news></url></urlset>"""
    assert [(item.url, item.title) for item in read(body, "sitemap").items] == [
        ("https://example.com/1", "Chips")
    ]
    assert (
        len(opml.read_opml(b'<opml><body><x:a/><outline text="a" xmlUrl="https://a.org/f"/></body></opml>'))
        == 1
    )


def test_an_index_names_its_children_newest_first() -> None:
    feed = read(INDEX, "sitemap")
    assert (feed.kind, feed.children) == (
        "sitemapindex",
        ("https://example.com/new.xml", "https://example.com/old.xml"),
    )


def test_a_plain_list_of_addresses_is_a_sitemap() -> None:
    assert [item.url for item in read("https://example.com/1\nhttps://example.com/2\n", "sitemap").items] == [
        "https://example.com/1", "https://example.com/2",
    ]  # fmt: skip


def test_a_pattern_chooses_among_addresses() -> None:
    assert [item.url for item in read(NEWS, "sitemap", link_pattern="/2$").items] == ["https://example.com/2"]
    assert "link_pattern" in read(NEWS, "sitemap", link_pattern="/9$").problem


def test_a_sitemap_cut_off_gives_what_it_had() -> None:
    assert [item.url for item in read(NEWS[: NEWS.index("<url></url>")], "sitemap").items][:1] == [
        "https://example.com/1"
    ]


# --- search feeds ----------------------------------------------------------------------------


def google(address: str, after: bytes = b"\xd2\x01\x00") -> str:
    length = len(address)
    head = bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
    token = base64.urlsafe_b64encode(b"\x08\x13\x22" + head + address.encode() + after).decode()
    return f"https://news.google.com/rss/articles/{token.rstrip('=')}?oc=5"


@pytest.mark.parametrize(
    "address", ["https://example.com/story", "https://example.com/" + "long-" * 30 + "story"]
)
def test_an_address_inside_a_google_link_is_taken_out(address: str) -> None:
    assert search.target(google(address)) == address
    # A mobile address follows in some: only the first is the article.
    assert search.target(google(address, b"\xd2\x01\x1ehttps://amp.example.com/story")) == address


@pytest.mark.parametrize(
    "link",
    [
        "https://news.google.com/rss/articles/CBMiXkFVX3lxTFB0aGlzLWlzLW9wYXF1ZQ?oc=5",
        "https://news.google.com/rss/articles/%%%?oc=5",
        "https://example.com/url?url=https://other.org/",
        "https://www.google.com/url?url=javascript:alert(1)",
        "http://[bad",
    ],
)
def test_other_links_stay_as_given(link: str) -> None:
    assert search.target(link) == link


def test_bing_and_alert_links_lead_to_their_target() -> None:
    bing = "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fexample.com%2fa%3fb%3d1&c=2"
    assert search.target(bing) == "https://example.com/a?b=1"
    assert (
        search.target("https://www.google.com/url?rct=j&sa=t&url=https://example.com/b&ct=ga")
        == "https://example.com/b"
    )


def test_a_search_feeds_outlet_is_named_once() -> None:
    body = f"""<rss version="2.0"><channel><item>
      <title>Chip pact signed - Nikkei Asia</title><guid isPermaLink="false">CBM</guid>
      <link>{google("https://example.com/s")}</link><source url="https://asia.nikkei.com">Nikkei Asia</source>
      </item></channel></rss>"""
    (item,) = read(body, "search").items
    assert (item.title, item.outlet, item.url) == ("Chip pact signed", "Nikkei Asia", "https://example.com/s")


# --- OPML ------------------------------------------------------------------------------------


def test_nested_and_repeated_outlines_are_all_read() -> None:
    body = b"""<opml version="2.0"><body><outline text="Gov"><outline title="UK">
      <outline text="A" xmlUrl="https://a.org/f?x=1&amp;y=2" htmlUrl="https://a.org/" type="rss"/>
      </outline></outline>
      <outline text="B" XMLURL="feed://b.org/f"/><outline text="A again" xmlUrl="https://a.org/f?x=1&amp;y=2"/></body></opml>"""
    a, b, again = opml.read_opml(body)
    assert (a.title, a.xml_url, a.folder, a.line) == ("A", "https://a.org/f?x=1&y=2", ("Gov", "UK"), 2)
    assert (b.xml_url, b.folder) == ("http://b.org/f", ())
    assert (a.repeated, again.repeated) == (False, True)


@pytest.mark.parametrize(
    "outline",
    [
        '<outline text="R&D" xmlUrl="https://a.org/f?x=1&y=2"/>',
        '<outline text="a < b" xmlUrl="https://a.org/f?x=1&y=2" >',
        '<outline text="caf&eacute;" xmlUrl="https://a.org/f?x=1&amp;y=2"/>',
        """<outline text="<a href="https://b.org" rel="x">B</a>" xmlUrl="https://a.org/f?x=1&y=2" a="b"/>""",
        "<outline text='x' xmlUrl='https://a.org/f?x=1&y=2'/></outline>",
    ],
)
def test_a_list_that_is_not_well_formed_is_mended(outline: str) -> None:
    assert [entry.xml_url for entry in opml.read_opml(f"<opml><body>{outline}</body></opml>".encode())] == [
        "https://a.org/f?x=1&y=2"
    ]


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<html><body>no</body></html>", b"\x89PNG\r\n\x1a\n\x00\x00", b"<rss/>"]
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        opml.read_opml(body)


def test_a_fault_beyond_mending_names_its_line() -> None:
    with pytest.raises(InputError, match="line 3"):
        opml.read_opml(b"<opml>\n<body>\n<outline text=>\n</opml>")


def test_sources_survive_a_round_trip() -> None:
    listed = [
        Source(
            id="a",
            url="https://a.org/f?x=1&y=2",
            name='R&D "news"',
            homepage="https://a.org/",
            lang="en",
            category="gov",
        ),
        Source(id="b", url="https://b.org/rss", name="半導体", lang="ja", category="press"),
        Source(id="c", url="https://c.org/rss"),
    ]
    back = opml.read_opml(opml.write_opml(listed).encode())
    assert [(e.title, e.xml_url, e.html_url, e.lang, e.folder) for e in back] == [
        (s.name or s.id, s.url, s.homepage, s.lang, (s.category,) if s.category else ()) for s in listed
    ]


# --- preview ---------------------------------------------------------------------------------


def test_a_preview_has_its_contracts_keys() -> None:
    entry = b"<item><guid>1</guid><title>T</title><pubDate>2026-11-22</pubDate></item>"
    body = b'<rss version="2.0"><channel>' + entry + b"</channel></rss>"
    assert preview("feed.xml", body, URL, now=NOW) == {
        "file": "feed.xml", "kind": "rss", "problem": None,
        "entries": [{"id": "1", "title": "T", "url": "", "published": "2026-11-22T00:00:00Z", "summary": ""}],
    }  # fmt: skip
    assert preview(URL, body, URL, now=NOW, is_url=True)["url"] == URL


def test_a_preview_shows_an_indexs_rows() -> None:
    shown = preview("s.xml", INDEX.encode(), now=NOW)
    assert [(row["url"], row["published"]) for row in shown["entries"]] == [
        ("https://example.com/old.xml", "2020-01-01T00:00:00Z"),
        ("https://example.com/new.xml", "2026-11-20T00:00:00Z"),
    ]  # fmt: skip


def test_a_preview_of_a_list_shows_its_feeds() -> None:
    shown = preview(
        "l.opml", b'<opml><body><outline text="A" xmlUrl="https://a.org/f"/></body></opml>', now=NOW
    )
    assert (shown["kind"], shown["problem"]) == ("opml", None)
    assert [(row["id"], row["title"]) for row in shown["entries"]] == [("https://a.org/f", "A")]


def test_a_preview_of_a_page_says_that_it_is_no_feed() -> None:
    shown = preview("e.html", b"<!doctype html><title>503</title><h1>Unavailable</h1>", URL, now=NOW)
    assert (shown["entries"], shown["kind"]) == ([], "page")
    assert "not a feed" in shown["problem"]
    assert preview("empty", b"", now=NOW)["problem"] == "empty body"

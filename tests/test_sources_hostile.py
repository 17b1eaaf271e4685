"""Whatever comes over the wire gives an outcome in bounded time, and never an exception."""

from __future__ import annotations

import contextlib
import gzip
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import sources
from monitor.errors import InputError
from monitor.model import ParsedFeed, Source
from monitor.sources import sniff
from monitor.sources.discover import discover
from monitor.sources.opml import read_opml

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://example.com/f"
SECONDS = 30.0  # generous: the machine may be busy; without the guards most of these take minutes


def read(body: bytes, kind: str = "feed") -> ParsedFeed:
    feed = sources.parse(body, source=Source(id="x", url=URL, kind=kind), url=URL, headers={}, now=NOW)
    assert pickle.loads(pickle.dumps(feed)) == feed
    return feed


def item(inner: str | bytes, head: bytes = b'<rss version="2.0">') -> bytes:
    inner = inner.encode() if isinstance(inner, str) else inner
    return head + b"<channel><item>" + inner + b"</item></channel></rss>"


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
HOSTILE: dict[str, Callable[[], bytes]] = {
    "entities that multiply": lambda: (
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "ha">' + LAUGHS + b"]>" + item("<title>&l9;</title>")
    ),
    "one entity many times": lambda: (
        b'<!DOCTYPE r [<!ENTITY a "' + b"a" * 50_000 + b'">]>' + item("<title>" + "&a;" * 50_000 + "</title>")
    ),
    "an author of half a megabyte": lambda: item("<author>" + "a" * 500_000 + "</author>"),
    "the same, not well-formed": lambda: item("<author>" + "a." * 250_000 + "</author><title>a & b</title>"),
    "an author in pieces": lambda: item("<author>" + "a<b/>" * 50_000 + "</author>"),
    "a line of two megabytes": lambda: item("<title>" + "x" * 2_000_000 + "</title>"),
    "deep nesting": lambda: item("<a>" * 60_000 + "</a>" * 60_000),
    "deep nesting never closed": lambda: b"<rss><channel><item>" + b"<a>" * 300_000,
    "nothing but angle brackets": lambda: b"<rss>" + b"<" * 1_000_000,
    "nothing but ampersands": lambda: b"<rss><channel><item><title>" + b"&" * 1_000_000,
    "CDATA never closed": lambda: b"<rss><channel><item><title>" + b"<![CDATA[" * 100_000,
    "comments never closed": lambda: b"<rss><channel>" + b"<!--" * 300_000,
    "a tag of fifty thousand attributes": lambda: (
        b"<rss " + b" ".join(b'a%d="x"' % n for n in range(50_000)) + b"><channel><item/></channel></rss>"
    ),
    "a date of a megabyte": lambda: item("<pubDate>" + "1 " * 500_000 + "</pubDate>"),
    "character references out of range": lambda: item(
        "<title>&#99999999999; &#x110000; &#xD800; &#0;</title>"
    ),
    "lone surrogates": lambda: item(b"<title>\xed\xa0\x80 x</title><guid>\xed\xbf\xbf</guid>"),
    "zeros": lambda: b"\x00" * 100_000,
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100,
    "gzip that swells a thousandfold": lambda: gzip.compress(b"<rss>" + b" " * 30_000_000),
    "gzip cut short": lambda: gzip.compress(item("<title>T</title>") * 50)[:-20],
    "gzip that is none": lambda: b"\x1f\x8b\x08\x00" + b"x" * 100,
    "JSON of a million brackets": lambda: b"[" * 1_000_000,
    "JSON with an endless number": lambda: b'{"items": [{"id": ' + b"9" * 10_000 + b"}]}",
    "nested tables": lambda: b"<html><body>" + b"<table><tr><td>" * 100_000,
    "links without end": lambda: (
        b"<html><body><ul>"
        + b"".join(
            b'<li class=c><a href="/n/%d">A headline of some length %d</a>' % (n, n) for n in range(30_000)
        )
    ),
    "a link of two megabytes": lambda: b'<html><body><a href="' + b"/" * 2_000_000 + b'">x</a>',
    "a sitemap address of ten megabytes": lambda: b"<urlset><url><loc>" + b"x" * 10_000_000,
    "sitemap rows never closed": lambda: b"<urlset>" + b"<url>" * 300_000,
    "outlines never closed": lambda: b"<opml><body>" + b'<outline text="a" xmlUrl="' * 30_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_contained(name: str) -> None:
    body, begun = HOSTILE[name](), time.process_time()
    for kind in ("feed", "page", "watch"):
        feed = read(body, kind)
        assert feed.items or feed.problem or feed.kind
    with contextlib.suppress(InputError):
        read_opml(body)
    discover(sniff.open_body(body, {}).text, URL)
    assert time.process_time() - begun < SECONDS


def test_no_entity_reads_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("s") / "secret.txt"
    secret.write_text("hush-hush")
    entity = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    for body in (
        entity + item("<title>&x;</title>"),
        entity + b"<urlset><url><loc>https://example.com/&x;</loc></url></urlset>",
        str(secret).encode(),
        secret.as_uri().encode(),
    ):
        for kind in ("feed", "sitemap", "page", "watch"):
            shown = repr(read(body, kind))
            assert "hush-hush" not in shown
    outlines = read_opml(
        entity + b'<opml><body><outline text="&x;" xmlUrl="https://example.com/"/></body></opml>'
    )
    assert "hush-hush" not in repr(outlines)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty body"),
        (b" \n\t ", "empty body"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "binary data"),
        (b"<!doctype html><html><body>Not here</body></html>", "HTML page"),
        (b"<opml><body/></opml>", "OPML list"),
        (b'<?xml version="1.0"?><soap:Envelope xmlns:soap="s"/>', "root element <envelope>"),
        (b"Internal Server Error", "neither a feed"),
        (b"\x1f\x8b\x08\x00" + b"x" * 100, "broken gzip"),
    ],
)
def test_what_cannot_be_read_says_what_it_is(body: bytes, problem: str) -> None:
    feed = read(body)
    assert (feed.items, feed.kind) == ((), "")
    assert problem in feed.problem


def test_a_long_feed_without_news_is_no_failure() -> None:
    body = b'<rss version="2.0"><channel>' + b"".join(
        b"<item><guid>%d</guid></item>" % n for n in range(5_010)
    )
    body += b"</channel></rss>"
    source = Source(id="x", url=URL)
    first = sources.parse(body, source=source, url=URL, headers={}, now=NOW)
    assert first.problem
    known = frozenset(one.guid for one in first.items)
    again = sources.parse(body, source=source, url=URL, headers={}, now=NOW, known=known)
    assert (again.items, again.problem) == ((), "")


SEEDS = [
    item(
        "<title>a</title><guid>1</guid><link>https://example.com/1</link>"
        "<pubDate>Sun, 22 Nov 2026 09:00 JST</pubDate>"
    ),
    b'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/x/"><entry><id>1</id>'
    b'<title type="html">&lt;b&gt;</title>'
    b'<link href="1"/><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></content></entry></feed>',
    b'{"version": "https://jsonfeed.org/version/1", '
    b'"items": [{"id": "1", "url": "/1", "authors": [{"name": "x"}]}]}',
    b"<urlset><url><loc>https://example.com/1</loc><lastmod>2026-11-22</lastmod></url></urlset>",
    b'<html><body><ul><li><a href="/1">One headline</a><li><a href="/2">Two headlines</a></ul></body></html>',
    b'<opml><body><outline text="a & b" xmlUrl="https://example.com/f?a=1&b=2"/></body></opml>',
]


NOISE = [
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b'"',
    b"\x00",
    b"\xff\xfe",
    b"&#x0;",
    b"<item>",
    b"</channel>",
]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A sound document with pieces cut out, doubled, swapped or replaced by noise."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 30)))
        noise = st.sampled_from(NOISE) | st.binary(max_size=12)
        piece = draw(noise | st.just(b"") | st.just(body[start:end] * 3))
        body = body[:start] + piece + body[end:]
    return draw(st.sampled_from([bytes, gzip.compress, lambda b: b.decode("latin-1").encode("utf-16")]))(body)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken() | st.binary(max_size=200))
def test_broken_documents_give_an_outcome(body: bytes) -> None:
    for kind in ("feed", "page", "watch", "sitemap"):
        feed = read(body, kind)
        assert "cannot be read" not in feed.problem, "a parser raised"
        assert all(one.url == "" or one.url.startswith("http") for one in feed.items)
        assert all(one.guid for one in feed.items)
        repr(feed).encode()
    with contextlib.suppress(InputError):
        read_opml(body)
    discover(sniff.open_body(body, {}).text, URL)

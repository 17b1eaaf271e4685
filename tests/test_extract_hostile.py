"""Pages that are no pages, or are meant to hurt: an outcome with a reason, in bounded time."""

from __future__ import annotations

import pickle
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.extract import extract

HEAD = b"<html><head><title>t</title></head><body>"
PROSE = b"<p>Britain and Japan signed a plan for power chips on Tuesday, officials said in London.</p>"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"", "", "empty", "the body is empty"),
        (b" \r\n\t\x00\x00", "", "empty", "the body is empty"),
        (b"%PDF-1.7 ...", "application/pdf", "not-html", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "not-html", "an image"),
        (b"PK\x03\x04word/document.xml", "", "not-html", "ZIP"),
        (b"\x1f\x8b\x08\x00", "", "not-html", "gzip"),
        (b'{"html": "<p>x</p>"}', "application/json", "not-html", "JSON"),
        (b"<?xml version='1.0'?><rss><channel><item/></channel></rss>", "", "not-html", "a feed"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'></feed>", "", "not-html", "a feed"),
        (b"just words", "text/plain", "not-html", "no markup"),
        (random.Random(1).randbytes(50_000), "text/html", "not-html", "binary"),
        (HEAD + random.Random(2).randbytes(900_000), "text/html", "not-html", "binary"),
        (HEAD + b"<table><tr><td>" * 1_300_000, "", "unreadable", "larger than"),
        (HEAD + b"<p>" + b"<b>x</b>" * 500_000, "", "unreadable", "tags"),
        (HEAD + b"<div " + b" ".join(b"a%d=1" % i for i in range(200_000)) + b">", "", "unreadable",
        "attributes"),
        (HEAD + b"<script>render()</script><div id=app></div>", "", "empty", "scripts"),
        (HEAD + b"<nav><a href=/>Home</a></nav>", "", "empty", "no readable text"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else None,
)  # fmt: skip
def test_an_outcome_with_a_reason(body: bytes, content_type: str, status: str, reason: str) -> None:
    got = extract(body, content_type=content_type, title="From the feed", url="https://example.org/a")
    assert (got.status, got.text) == (status, "")
    assert reason in got.reason
    assert got.title == "From the feed"


@pytest.mark.parametrize(
    "body",
    [
        b"<table><tr><td>" * 30_000,
        b"<p>" + b"<b>x" * 90_000,
        b"<div>" * 90_000 + b"text",
        b"<p>" + b"word " * 400_000,
        b"<p>" + "日本の半導体".encode() * 100_000,
        b"<p>" + b"&" * 1_000_000,
        b"<p>" + b"&amp;lt;" * 200_000,
        b"<p>related" + b" " * 2_000_000 + b"x",
        b"<p>" + b"Subscribe to " * 100_000,
        b"<p>read more read more read more</p>" * 8_000,
        b"<h2>Related articles</h2><a href=x>some link</a>" * 9_000,
        b"<div class=related>a" * 240,
        b"<div class=related>a</div>" * 20_000,
        b"<h1>t</h1>" + b"<span class=date>11/22 1 1 1</span>" * 5_000,
        b"<script type=application/ld+json>" + b"[" * 200_000 + b"</script>",
        b'<script type=application/ld+json>{"@graph":[' + b'{"@type":"Article"},' * 30_000 + b"{}]}</script>",
        b"<meta property=og:title content='" + b"a | " * 300_000 + b"'>",
        b"<p>Comments</p><p>Subscribe to continue reading</p>" * 5_000,
    ],
    ids=lambda value: repr(value[:40]),
)
def test_time_is_bounded(body: bytes) -> None:
    started = time.process_time()
    extract(HEAD + body, url="https://example.org/2026/11/22/a")
    assert time.process_time() - started < 30


def test_text_after_a_monster_of_an_attribute_is_read() -> None:
    """Sites keep their whole state in one attribute: that is long, not hostile."""
    got = extract(HEAD + b"<div data-state='" + b"word " * 50_000 + b"'></div>" + PROSE * 3)
    assert "power chips" in got.text


def test_lone_surrogates_and_controls_do_not_survive() -> None:
    body = (
        HEAD
        + b"<h1>Chips &#xD800;&#x1b;[31m&#x202e;deal</h1><p>&#55357; \x00\x0b Japan&#0; signs &#xFFFF;</p>"
    )
    got = extract(body + PROSE)
    for words in (got.title, got.text):
        words.encode("utf-8")
        assert not set("\x00\x0b\x1b\u202e\uffff") & set(words)


def test_a_page_without_any_title_has_none() -> None:
    assert extract(b"<html><body>" + PROSE * 3 + b"</body></html>").title == ""


def test_the_outcome_travels_between_processes() -> None:
    got = extract(HEAD + PROSE * 3)
    assert pickle.loads(pickle.dumps(got)) == got


def test_the_same_page_gives_the_same_text_every_time() -> None:
    """No state is kept between pages: the extractor's duplicate filter would empty the fourth."""
    assert len({extract(HEAD + PROSE * 5).text for _ in range(6)}) == 1


_PIECES = st.sampled_from(
    ["<p>", "</p>", "<div class=related>", "</div>", "<h1>", "<h2>Related</h2>", "<a href=/x>", "</a>",
    "<table><tr><td>",
     "text here. ", "日本。", "<ul><li>",
     "<script type='application/ld+json'>", '{"@type":"NewsArticle","headline":[1,{}],',
     '"datePublished":{},"articleBody":3,"author":[[]]}', "</script>", "<time datetime='9999-99-99'>",
     "<meta name=date content=x>",
     "<meta property=og:title content='a | b'>", "&#xD800;", "<!--", "-->", "<html lang=ja>", "<svg>",
     "<template>", "\x00"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_PIECES, max_size=30), st.booleans())
def test_no_page_raises(pieces: list[str], want_metadata: bool) -> None:
    got = extract(
        ("<html>" + "".join(pieces)).encode(), url="https://example.org/", want_metadata=want_metadata
    )
    assert got.status in {"ok", "empty", "unreadable", "not-html"}
    assert bool(got.text) == (got.status == "ok")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_bytes_raise(body: bytes, content_type: str) -> None:
    assert extract(b"<p>" + body, content_type=content_type).status

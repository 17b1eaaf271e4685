"""The day a page was published, as the page says it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.extract import extract

PROSE = "<p>Britain and Japan signed a plan for power chips, officials said in London.</p>" * 4
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def published(
    head: str = "", body: str = "", *, lang: str = "en", url: str = "https://news.example/a"
) -> str:
    page = f"<!DOCTYPE html><html lang='{lang}'><head>{head}</head><body>{body}{PROSE}</body></html>"
    return extract(page.encode(), url=url, now=NOW).published


def ld(fields: str) -> str:
    return f'<script type=\'application/ld+json\'>{{"@type":"NewsArticle","headline":"x",{fields}}}</script>'


@pytest.mark.parametrize(
    ("head", "day"),
    [
        (ld('"datePublished":"2026-11-22T09:00:00+09:00"'), "2026-11-22T09:00:00+09:00"),
        (
            ld('"datePublished":"2026-11-22T00:00:00Z","dateModified":"2026-11-23"'),
            "2026-11-22T00:00:00+00:00",
        ),
        (ld('"datePublished":"2026-11-22",'), "2026-11-22"),  # a comma too many
        (
            "<meta property='article:published_time' content='2026-11-22T18:30:00-05:00'>",
            "2026-11-22T18:30:00-05:00",
        ),
        ("<meta name='DC.date.issued' content='2026-11-22'>", "2026-11-22"),
        ("<meta name='pubdate' content='20261122'>", "2026-11-22"),
        (
            "<meta itemprop='datePublished' content='Sun, 22 Nov 2026 10:00:00 GMT'>",
            "2026-11-22T10:00:00+00:00",
        ),
    ],
)
def test_what_machines_are_told(head: str, day: str) -> None:
    assert published(head) == day


@pytest.mark.parametrize(
    ("body", "lang", "day"),
    [
        ("<h1>t</h1><time datetime='2026-11-22T07:00:00Z'>today</time>", "en", "2026-11-22T07:00:00+00:00"),
        ("<h1>t</h1><p class='date'>22 November 2026</p>", "en-GB", "2026-11-22"),
        ("<h1>t</h1><p>November 22, 2026</p>", "en-US", "2026-11-22"),
        ("<h1>t</h1><p class='date'>03/04/2026</p>", "en-GB", "2026-04-03"),
        ("<h1>t</h1><p class='date'>03/04/2026</p>", "en-US", "2026-03-04"),
        ("<h1>見出し</h1><p>2026年11月22日 09時05分</p>", "ja", "2026-11-22T09:05:00+09:00"),
        ("<h1>見出し</h1><div>令和8年11月22日</div>", "ja", "2026-11-22"),
        ("<h1>見出し</h1><span class='date'>１１月２２日</span>", "ja", "2026-11-22"),
        ("<h1>見出し</h1><span class='date'>12月31日</span>", "ja", "2025-12-31"),
    ],
)
def test_what_readers_are_told(body: str, lang: str, day: str) -> None:
    assert published(body=body, lang=lang) == day


def test_the_address_tells_when_the_page_does_not() -> None:
    assert published(url="https://news.example/2026/11/22/chips") == "2026-11-22"


@pytest.mark.parametrize(
    "body",
    [
        "<h1>t</h1><aside><time datetime='2026-01-05'>5 January</time></aside>",
        "<h1>t</h1><div class='related'><time datetime='2026-01-05'>5 January</time></div>",
        "<h1>t</h1><div id='comments'><time datetime='2026-01-05'>5 January</time></div>",
        "<h1>t</h1><p>Updated <time datetime='2026-01-05'>5 January</time></p>",
    ],
)
def test_dates_of_other_things_are_not_taken(body: str) -> None:
    assert published(body=body, url="https://news.example/2026/11/22/chips") == "2026-11-22"


@pytest.mark.parametrize(
    "stamp", ["2031-05-01", "0001-01-01T00:00:00Z", "1970-01-01", "9999-99-99", "soon", ""]
)
def test_an_impossible_date_is_none(stamp: str) -> None:
    assert published(f"<meta property='article:published_time' content='{stamp}'>") == ""


def test_the_feed_is_believed_first_and_the_page_not_searched() -> None:
    head = ld('"datePublished":"2020-01-01"')
    page = f"<html><head>{head}</head><body>{PROSE}</body></html>".encode()
    assert extract(page, published="2026-11-22").published == "2026-11-22"
    assert extract(page, want_metadata=False).published == ""

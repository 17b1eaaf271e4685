"""Titles: whom to believe, and what to take off."""

from __future__ import annotations

import pytest

from monitor.extract import extract

PROSE = "<p>Britain and Japan signed a plan for power chips on Tuesday, officials said in London.</p>" * 4


def title(head: str = "", body: str = "", *, given: str = "", url: str = "https://news.example/a") -> str:
    page = f"<!DOCTYPE html><html><head>{head}</head><body>{body}{PROSE}</body></html>"
    return extract(page.encode(), url=url, title=given).title


@pytest.mark.parametrize(
    ("full", "site", "url", "bare"),
    [
        ("Rapidus opens its fab | Nikkei Asia", "Nikkei Asia", "", "Rapidus opens its fab"),
        ("Rapidus opens its fab - BBC News", "", "https://www.bbc.co.uk/news/1", "Rapidus opens its fab"),
        ("ラピダスが試作を開始：日本経済新聞", "", "https://www.nikkei.com/a", "ラピダスが試作を開始"),
        ("ラピダスが試作を開始 | 港都新聞デジタル", "", "", "ラピダスが試作を開始"),
        ("日英首脳、半導体で合意 - 国際 - 港都新聞", "港都新聞", "", "日英首脳、半導体で合意"),
        ("Chip pact signed :: Tech :: The Harbour Post", "The Harbour Post", "", "Chip pact signed"),
        ("Chip pact signed – Tokyo Herald – 13.06.2026", "Tokyo Herald", "", "Chip pact signed"),
        ("Harbour Post: ministers sign chip pact in Tokyo", "Harbour Post", "",
        "ministers sign chip pact in Tokyo"),
        ("UK-Japan pact: what it means", "The Harbour Post", "", "UK-Japan pact: what it means"),
        ("AI - the next frontier for Japan", "The Harbour Post", "", "AI - the next frontier for Japan"),
        ("Chips | a guide for all the people it affects", "", "",
        "Chips | a guide for all the people it affects"),
    ],
)  # fmt: skip
def test_the_outlet_goes(full: str, site: str, url: str, bare: str) -> None:
    head = f"<meta property='og:title' content='{full}'><meta property='og:site_name' content='{site}'>"
    assert title(head, url=url or "https://x.example/") == bare
    assert (
        title(f"<meta property='og:site_name' content='{site}'>", given=full, url=url or "https://x.example/")
        == bare
    )


def test_the_h1_shows_where_the_headline_ends() -> None:
    assert (
        title("<title>Chips for peace - Some Odd Quarterly</title>", "<h1>Chips for peace</h1>")
        == "Chips for peace"
    )


def test_the_feed_is_believed_first() -> None:
    head = "<meta property='og:title' content='You will not believe this chip'>"
    assert title(head, given="Japan and UK sign chip pact") == "Japan and UK sign chip pact"


def test_then_what_the_page_says_twice() -> None:
    """An og:title that nothing confirms is a section's or a site's; the JSON-LD of some is a description."""
    head = "<meta property='og:title' content='Good Morning Osaka'><title>Chip pact signed in Tokyo</title>"
    assert title(head, "<h1>Chip pact signed in Tokyo</h1>") == "Chip pact signed in Tokyo"


@pytest.mark.parametrize(
    "label",
    [
        "Photo: Getty Images",
        "Image credit: NASA",
        "写真：ロイター",
        "News",
        "Press release",
        "ニュース",
        "The Harbour Post",
    ],
)
def test_a_credit_or_a_section_is_no_title(label: str) -> None:
    site = "<meta property='og:site_name' content='The Harbour Post'>"
    assert title(f"{site}<meta property='og:title' content='{label}'>", f"<h1>{label}</h1>") == ""


def test_the_section_named_by_the_page_is_no_title() -> None:
    data = '{"@type":"NewsArticle","articleSection":"Semiconductors","datePublished":"2026-01-01"}'
    assert title(f"<script type='application/ld+json'>{data}</script>", "<h1>Semiconductors</h1>") == ""


def test_a_title_is_one_clean_line() -> None:
    assert title(given="Chip &amp; AI\n<b>pact</b>\x1b[0m \u202esigned") == "Chip & AI pact[0m signed"

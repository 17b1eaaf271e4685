"""What a source would bring, shown without a configuration or a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.model import ParsedItem, Source
from monitor.sources import feeds, read, sitemaps, sniff

SUMMARY_CHARS = 500
_NO_FEED = "an HTML page, not a feed"


def preview(
    name: str,
    body: bytes,
    url: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    now: datetime,
    source: Source | None = None,
    is_url: bool = False,
) -> dict[str, Any]:
    """The contract of `sources preview --json`: file (or url), kind, entries, problem.

    Every entry of the body is listed, sitemap rows and the sitemaps of an index too, under the id it
    gives itself. `published` is UTC, or None. With `source`, its selector and pattern are used.
    """
    source = source or Source(id="preview", url=url, kind="page")
    feed = read(body, source=source, url=url, headers=headers or {}, now=now)
    items = feed.items
    if feed.kind == "sitemapindex":
        items = index_rows(body, url, headers or {}, now)
    problem = feed.problem
    if feed.kind == "page" and not (source.selector or source.link_pattern):
        problem = (
            f"{_NO_FEED}; {problem}" if problem else f"{_NO_FEED}: these links were guessed from its layout"
        )
    return {
        "url" if is_url else "file": name,
        "kind": feed.kind,
        "entries": [_row(item) for item in items],
        "problem": problem or None,
    }


def index_rows(body: bytes, url: str, headers: Mapping[str, str], now: datetime) -> tuple[ParsedItem, ...]:
    """The sitemaps an index names, as rows with their dates."""
    opened = sniff.open_body(body, headers)
    context = feeds.Context(url=url, now=now)
    return tuple(sitemaps.to_item(row, context) for row in sitemaps.rows_of(opened.text, opened.root))


def _row(item: ParsedItem) -> dict[str, Any]:
    published = item.published_at.strftime("%Y-%m-%dT%H:%M:%SZ") if item.published_at else None
    return {
        "id": item.guid,
        "title": item.title,
        "url": item.url,
        "published": published,
        "summary": item.summary[:SUMMARY_CHARS],
    }

"""What a source would bring, shown without a configuration or a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.errors import InputError
from monitor.model import ParsedItem, Source
from monitor.sources import feeds, opml, read, sitemaps, sniff

SUMMARY_CHARS = 500


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
    gives itself; of an OPML list, the feeds it names. `published` is UTC, or None. With `source`, its
    selector and pattern are used.
    """
    kind, items, problem = _found(
        body, url, headers or {}, now, source or Source("preview", url, kind="page")
    )
    return {
        "url" if is_url else "file": name,
        "kind": kind,
        "entries": [_row(item) for item in items],
        "problem": problem or None,
    }


def _found(
    body: bytes, url: str, headers: Mapping[str, str], now: datetime, source: Source
) -> tuple[str, Sequence[ParsedItem], str]:
    """(kind, entries, problem) of any body."""
    feed = read(body, source=source, url=url, headers=headers, now=now)
    if feed.kind == "sitemapindex":
        return feed.kind, _sitemaps_named(body, url, headers, now), feed.problem
    if not feed.kind and sniff.open_body(body, headers).kind == "opml":
        return _subscriptions(body)
    if feed.kind == "page" and not (source.selector or source.link_pattern):
        problem = feed.problem or "these links were guessed from its layout"
        return feed.kind, feed.items, f"an HTML page, not a feed; {problem}"
    return feed.kind, feed.items, feed.problem


def _sitemaps_named(body: bytes, url: str, headers: Mapping[str, str], now: datetime) -> Sequence[ParsedItem]:
    """The sitemaps of an index, as rows with their dates."""
    opened = sniff.open_body(body, headers)
    context = feeds.Context(url=url, now=now)
    return [sitemaps.to_item(row, context) for row in sitemaps.rows_of(opened.text, opened.root)]


def _subscriptions(body: bytes) -> tuple[str, Sequence[ParsedItem], str]:
    """The feeds that an OPML list names: what `sources import` would take over."""
    try:
        entries = opml.read_opml(body)
    except InputError as error:
        return "", (), str(error)
    rows = [
        ParsedItem(one.xml_url, one.xml_url, title=one.title, summary=" / ".join(one.folder))
        for one in entries
    ]
    return "opml", rows, ""


def _row(item: ParsedItem) -> dict[str, Any]:
    published = item.published_at.strftime("%Y-%m-%dT%H:%M:%SZ") if item.published_at else None
    return {
        "id": item.guid,
        "title": item.title,
        "url": item.url,
        "published": published,
        "summary": item.summary[:SUMMARY_CHARS],
    }

"""JSON Feed 1.0 and 1.1 (jsonfeed.org), which feedparser reads as nothing at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor import text, urls
from monitor.model import ParsedFeed, ParsedItem
from monitor.sources import feeds, jsonresults


def parse(document: str, context: feeds.Context) -> ParsedFeed:
    """Decoded JSON to a feed; `problem` when it is no JSON or no feed."""
    try:
        data = json.loads(document)
    except (ValueError, RecursionError) as error:
        return ParsedFeed("", problem=f"not JSON: {text.clean_line(str(error), limit=120)}")
    if jsonresults.is_results(data):
        return jsonresults.parse(data, context)
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        return ParsedFeed("", problem="JSON, but not a JSON Feed: there is no list of items")
    home = _string(data, "feed_url") or _string(data, "home_page_url")
    context = replace(context, url=context.url or home)  # a file has no address of its own
    rows = [row for row in data["items"] if isinstance(row, dict)]
    items = [_item(row, data, context) for row in rows[: context.max_entries]]
    problem = (
        ""
        if len(items) == len(data["items"])
        else f"only {len(items)} of {len(data['items'])} items were read"
    )
    hubs = [hub for hub in data.get("hubs") or () if isinstance(hub, dict)]
    return ParsedFeed(
        "json",
        tuple(items),
        title=_line(data, "title"),
        home_url=urls.absolute(context.url, _string(data, "home_page_url")),
        lang=_string(data, "language").lower(),
        hub_url=next((url for hub in hubs if (url := urls.absolute(context.url, _string(hub, "url")))), ""),
        problem=problem,
    )


def _item(row: Mapping[str, Any], feed: Mapping[str, Any], context: feeds.Context) -> ParsedItem:
    url = urls.absolute(context.url, _string(row, "url")) or urls.absolute(
        context.url, _string(row, "external_url")
    )
    body = text.plain(_string(row, "content_html")[: feeds.MAX_CONTENT_CHARS * 2]) or text.clean_text(
        _string(row, "content_text")
    )
    summary = text.plain(_string(row, "summary")) or body
    raw = _string(row, "date_published") or _string(row, "date_modified")
    item = ParsedItem(
        guid=text.clean_line(_string(row, "id"), limit=feeds.MAX_GUID_CHARS),
        url=url,
        title=_line(row, "title"),
        summary=summary[: feeds.MAX_SUMMARY_CHARS],
        content=body[: feeds.MAX_CONTENT_CHARS]
        if len(body) > len(summary[: feeds.MAX_SUMMARY_CHARS])
        else "",
        published_at=context.instant(raw),
        published_raw=text.clean_line(raw, limit=200),
        author=_author(row) or _author(feed),
        lang=(_string(row, "language") or _string(feed, "language") or context.lang).lower(),
    )
    return item if item.guid else replace(item, guid=urls.canonical_url(url) or feeds.content_hash(item))


def _author(holder: Mapping[str, Any]) -> str:
    """Version 1.1 has a list of authors, 1.0 a single one."""
    named = holder.get("authors") or [holder.get("author")]
    people = [one for one in named if isinstance(one, dict)] if isinstance(named, list) else []
    return text.clean_line(
        ", ".join(name for one in people[:20] if (name := _string(one, "name"))), limit=500
    )


def _line(holder: Mapping[str, Any], key: str) -> str:
    return text.clean_line(text.plain(_string(holder, key)[:10_000]))


def _string(holder: Mapping[str, Any], key: str) -> str:
    """Ids are numbers in some feeds, against the specification."""
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)

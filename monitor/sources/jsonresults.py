"""JSON search results: a list `results` of rows with `title`, `link`, `public_timestamp` and `description`.

The shape GOV.UK documents for its search interface. A row's `link` is a path of the same site, or an
address elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor import text, urls
from monitor.model import ParsedFeed, ParsedItem
from monitor.sources import feeds


def is_results(data: Any) -> bool:
    """Whether decoded JSON has this shape, an empty search included."""
    if not isinstance(data, dict) or "items" in data or not isinstance(data.get("results"), list):
        return False
    rows = data["results"]
    return any(_is_row(row) for row in rows) if rows else "total" in data


def parse(data: Mapping[str, Any], context: feeds.Context) -> ParsedFeed:
    """Decoded JSON to items; rows without a title or a usable link are named in `problem`."""
    rows = data["results"]
    items = [_item(row, context) for row in rows[: context.max_entries] if _is_row(row)]
    items = [item for item in items if item.url]
    missed = len(rows) - len(items)
    return ParsedFeed(
        "json", tuple(items), problem=f"only {len(items)} of {len(rows)} results were read" if missed else ""
    )


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(key), str) for key in ("title", "link"))


def _item(row: Mapping[str, Any], context: feeds.Context) -> ParsedItem:
    url = urls.absolute(context.url, row["link"])
    raw = row.get("public_timestamp")
    raw = raw if isinstance(raw, str) else ""
    description = row.get("description")
    return ParsedItem(
        guid=urls.canonical_url(url),
        url=url,
        title=text.clean_line(text.plain(row["title"][:10_000])),
        summary=text.plain(description[:20_000])[: feeds.MAX_SUMMARY_CHARS]
        if isinstance(description, str)
        else "",
        published_at=context.instant(raw),
        published_raw=text.clean_line(raw, limit=200),
        lang=context.lang,
    )

"""Everything that is polled, as items: feeds, sitemaps, listing pages, watched pages, search feeds.

bytes | sniff: inflate, decode, tell the kind | the parser of that kind | ParsedFeed
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from monitor.model import ParsedFeed, Source
from monitor.sources import feeds, jsonfeed, pages, search, sitemaps, sniff, watch

__all__ = ["parse", "read"]

log = logging.getLogger(__name__)


def parse(
    body: bytes,
    *,
    source: Source,
    url: str,
    headers: Mapping[str, str],
    now: datetime,
    known: frozenset[str] = frozenset(),
) -> ParsedFeed:
    """What a source's body holds, by its content rather than by its address or declared type.

    `url` is the final address (links are resolved against it), `headers` have lower-case names, and
    entries whose guid is in `known` are left out. Never raises on bad bytes: `problem` says what is
    wrong. Runs in a worker process: arguments and result can be pickled.
    """
    feed = read(body, source=source, url=url, headers=headers, now=now, known=known)
    # Only now: telling entries with a shared id apart changes their guids.
    items = (
        replace(item, title=search.without_outlet(item.title, item.outlet))
        for item in feeds.distinct(feed.items)
    )
    new = tuple(item for item in items if item.guid not in known)
    # A body that was read, if not to its end, and brought nothing new is no failure of its source.
    nothing_new = not new and (bool(feed.items) or feed.known > 0)
    return replace(feed, items=new, problem="" if nothing_new else feed.problem)


def read(
    body: bytes,
    *,
    source: Source,
    url: str,
    headers: Mapping[str, str],
    now: datetime,
    known: frozenset[str] = frozenset(),
) -> ParsedFeed:
    """As `parse`, with ids as their publisher wrote them, even where several entries share one."""
    context = feeds.Context(
        url=url, now=now, zone=source.timezone, lang=source.lang, country=source.country, known=known
    )
    opened = sniff.open_body(body, headers)
    try:
        feed = _parsed(opened, source, context)
    except re.error as error:
        feed = ParsedFeed("", problem=f"link_pattern: {error}")
    # Bytes from anywhere meet five parsers here, and one source must not stop a poll.
    except Exception as error:
        log.warning("parser failed", exc_info=error)
        feed = ParsedFeed("", problem=f"cannot be read: {type(error).__name__}")
    return replace(feed, encoding=opened.encoding, problem=feed.problem or opened.problem)


def _parsed(opened: sniff.Opened, source: Source, context: feeds.Context) -> ParsedFeed:
    if opened.kind in ("empty", "binary"):
        return ParsedFeed("")
    if source.kind == "watch":
        return watch.parse(opened.text, source, context)
    if opened.kind in ("feed", "xml"):
        return feeds.parse(opened.text, opened.root, context)
    if opened.kind == "json":
        return jsonfeed.parse(opened.text, context)
    if opened.kind == "sitemap" or (opened.kind == "text" and sniff.is_url_list(opened.text)):
        return sitemaps.parse(opened.text, opened.root, context, source.link_pattern)
    if opened.kind == "html" and source.kind == "page":
        return pages.parse(opened.text, source, context)
    return ParsedFeed("", problem=_not_a_feed(opened.kind))


def _not_a_feed(kind: str) -> str:
    return {
        "html": "an HTML page, not a feed; use kind: page, or look for its feed with `sources discover`",
        "opml": "an OPML list of feeds, not a feed; read it with `sources import`",
    }.get(kind, "neither a feed nor a sitemap nor a page")

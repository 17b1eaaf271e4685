"""What bytes from outside held: entries of a feed, the text of a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """One entry of a feed, listing or sitemap. Text is plain: no markup, no control characters."""

    guid: str  # the entry's id; else its canonical URL; else a hash of its content
    url: str  # as given, resolved to absolute; "" when the entry has none
    title: str = ""
    summary: str = ""
    content: str = ""  # the feed's own full text, "" when it carries none
    published_at: datetime | None = None
    published_raw: str = ""
    author: str = ""
    lang: str = ""
    outlet: str = ""  # the publisher named by a search feed


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """Everything one polled document gave."""

    kind: str  # rss, atom, rdf, json, sitemap, sitemapindex, page, watch or "" when unreadable
    items: tuple[ParsedItem, ...] = ()
    title: str = ""
    home_url: str = ""
    lang: str = ""
    encoding: str = ""
    ttl_minutes: int | None = None  # RSS ttl or the sy:* period: polling sooner brings nothing
    skip_hours: frozenset[int] = frozenset()  # GMT
    skip_days: frozenset[str] = frozenset()  # English names
    hub_url: str = ""
    children: tuple[str, ...] = ()  # sitemaps named by a sitemap index
    problem: str = ""  # why nothing, or not everything, could be read
    known: int = 0  # entries left out unread because their id was known


@dataclass(frozen=True, slots=True)
class Extracted:
    """A page's readable text, or the reason why there is none.

    `published` is as the page says: YYYY-MM-DD or ISO 8601 with the page's own offset.
    """

    status: str  # ok | empty | unreadable | timeout | not-html | skipped
    reason: str = ""
    title: str = ""
    text: str = ""
    published: str = ""
    author: str = ""
    lang: str = ""  # ja | en | other | ""
    label: str = "article"  # article | teaser | json-ld
    url: str = ""  # the page's own canonical address, if it names one

"""What one answer of a source holds, for people who want to know whether it can be read.

Pure, and run in a worker process as parsing is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cssselect import SelectorError
from lxml.cssselect import CSSSelector
from lxml.html import HtmlElement

from monitor.model import ParsedFeed, Source
from monitor.sources import pages, read, sniff

SAMPLES = 5
_CHARSETS = (
    re.compile(rb"""<\?xml\b[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})""", re.I),
    re.compile(rb"""<meta\b[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I),
)


@dataclass(frozen=True, slots=True)
class Survey:
    """One body, looked at. Hits are None where the source names no selector or no pattern."""

    kind: str = ""  # as ParsedFeed.kind
    root: str = ""  # name of the root element, or json
    entries: int = 0
    undated: int = 0
    newest_at: datetime | None = None
    samples: tuple[tuple[str, str], ...] = ()  # (title, url) of the first
    title: str = ""
    lang: str = ""
    encoding: str = ""
    declared: str = ""  # encoding named by the header, else by the document; "" when by neither
    selector_hits: int | None = None  # elements the selector finds
    pattern_hits: int | None = None  # links whose address the pattern finds
    children: tuple[str, ...] = ()  # of a sitemap index
    problem: str = ""


def survey(body: bytes, *, source: Source, url: str, headers: Mapping[str, str], now: datetime) -> Survey:
    """What `body` holds when it is read as `source` says. Never raises on bad bytes."""
    opened = sniff.open_body(body, headers)
    feed = read(body, source=source, url=url, headers=headers, now=now)
    selected, matched = _hits(opened, feed, source, url)
    dated = [item.published_at for item in feed.items if item.published_at]
    return Survey(
        kind=feed.kind,
        root=opened.root or ("json" if opened.kind == "json" else ""),
        entries=len(feed.items),
        undated=len(feed.items) - len(dated),
        newest_at=max(dated, default=None),
        samples=tuple((item.title, item.url) for item in feed.items[:SAMPLES]),
        title=feed.title,
        lang=feed.lang,
        encoding=feed.encoding,
        declared=declared(body, headers),
        selector_hits=selected,
        pattern_hits=matched,
        children=feed.children,
        problem=feed.problem,
    )


def declared(body: bytes, headers: Mapping[str, str]) -> str:
    """The encoding the header names, else the XML declaration, else a meta element, in lower case."""
    named = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", headers.get("content-type", ""), re.I)
    if named:
        return named[1].lower()
    head = body[:4096]
    found = next((match for pattern in _CHARSETS if (match := pattern.search(head))), None)
    return found[1].decode("ascii").lower() if found else ""


def is_same_encoding(one: str, other: str) -> bool:
    """Whether two names mean encodings that read the same: Shift_JIS and cp932, for one."""
    families = [_family(name) for name in (one, other)]
    return families[0] == families[1] or "ascii" in families


def _family(name: str) -> str:
    try:
        plain = codecs.lookup(name).name
    except LookupError:
        plain = name.lower()
    for family, members in (
        ("shift_jis", ("shift_jis", "cp932", "shift_jis_2004", "shift_jisx0213")),
        ("euc_jp", ("euc_jp", "euc_jis_2004", "euc_jisx0213")),
        ("latin", ("iso8859-1", "cp1252")),
        ("chinese", ("gb2312", "gbk", "gb18030")),
        ("iso2022_jp", ("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_ext")),
    ):
        if plain in members:
            return family
    return plain


def _hits(opened: sniff.Opened, feed: ParsedFeed, source: Source, url: str) -> tuple[int | None, int | None]:
    """(elements the selector finds, links the pattern finds)."""
    if feed.kind in ("sitemap", "sitemapindex"):
        return None, len(feed.items) if source.link_pattern and feed.kind == "sitemap" else None
    if opened.kind != "html" or not (source.selector or source.link_pattern):
        return None, None
    tree = pages.tree_of(opened.text)
    if tree is None:
        return None, None
    return _selected(tree, source.selector), _matched(tree, url, source.link_pattern)


def _selected(tree: HtmlElement, selector: str) -> int | None:
    if not selector:
        return None
    try:
        return len(CSSSelector(selector)(tree))
    except SelectorError:
        return 0


def _matched(tree: HtmlElement, url: str, pattern: str) -> int | None:
    if not pattern:
        return None
    links = pages.links_of(tree.iter("a"), pages.base_of(tree, url))
    return len({link.url for link in pages.matching(links, pattern)})

"""When the page says it was published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

from monitor import dates, text
from monitor.extract.head import Head

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_METAS = (
    "article:published_time", "og:article:published_time", "article:published", "og:published_time",
    "rnews:datepublished", "datepublished", "publishdate", "publish_date", "publish-date", "published_time",
    "publication_date", "publicationdate", "date.published", "pubdate", "article.published",
    "article_date_original",
    "parsely-pub-date", "sailthru.date", "cxenseparse:recs:publishtime", "cxenseparse:publishtime",
    "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date.created", "dcterms.date", "dc.date",
    "prism.publicationdate",
    "citation_publication_date", "originalpublicationdate", "displaydate", "artdate", "newsdate",
    "release_date",
    "iso-8601-publish-date", "datecreated", "date_created", "article:post_date", "timestamp", "date",
    "og:pubdate", "vr:published_time",
    "bt:pubdate", "created", "eomportal-lastupdate",
)  # fmt: skip
_DATE_NAME = re.compile(
    r"(?:^|[\W_])(?:date|time|published?|pub-?date|posted|timestamp|dateline|byline|meta)|date(?:time)?(?:$|[\W_])|Date|Time"
    r"|hizuke|nichiji|day$",
)
_UNFIT_NAME = re.compile(
    r"comment|related|sidebar|rank|widget|footer|update|modif|countdown|calendar|archive|event", re.I
)
_URL_DATE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<sep>[/_-]?)(?P<m>0[1-9]|1[0-2])(?P=sep)(?P<d>0[1-9]|[12]\d|3[01])(?!\d)"
    r"|/(?P<y2>20\d{2})/(?P<m2>[01]?\d)/(?P<d2>[0-3]?\d)(?=/)"
)
_UPDATED = re.compile(r"updated|modified|更新|最終|last ", re.I)
_EARLIEST_YEAR = 1995
_MAX_GUESSED = 8_000  # elements
_MAX_VISIBLE = 400  # elements looked at after the title


def published_of(tree: HtmlElement, head: Head, *, url: str = "", now: datetime | None = None) -> str:
    """The date as the page says it: ISO 8601 with the page's offset, or a bare day; "" for none.

    In this order: JSON-LD, meta elements, time elements, dates written near the title, the address,
    and what htmldate finds without searching far.
    """
    reader = _Reader(head.lang or ("ja" if text.is_japanese(head.title) else ""), now)
    for said in _declared(tree, head):
        if found := reader.read(said):
            return found
    return _written(tree, reader) or reader.in_url(url or head.canonical) or _guessed(tree, reader)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads dates as this page writes them, and leaves out what cannot be right."""

    lang: str
    now: datetime | None

    def read(self, said: str) -> str:
        if not said:
            return ""
        country = "jp" if self.lang.startswith("ja") else ""
        return self._sound(dates.page_date(said, lang=self.lang, country=country, now=self.now))

    def in_url(self, url: str) -> str:
        for match in _URL_DATE.finditer(url):
            year, month, day = (
                match["y"] or match["y2"],
                match["m"] or match["m2"],
                match["d"] or match["d2"],
            )
            try:
                return self._sound(date(int(year), int(month), int(day)).isoformat())
            except ValueError:
                continue
        return ""

    def _sound(self, found: str) -> str:
        """ "" for what lies before the web, or after tomorrow."""
        if not found or int(found[:4]) < _EARLIEST_YEAR:
            return ""
        latest = (self.now + timedelta(days=2)).date().isoformat() if self.now else "2100"
        return found if found[:10] <= latest else ""


def _declared(tree: HtmlElement, head: Head) -> Iterator[str]:
    """What machines are told."""
    yield head.linked.published
    for name in _METAS:
        yield head.metas.get(name, "")
    for element in tree.iter("time", "abbr", "span", "div", "p"):
        stamp = element.get("datetime") or element.get("content") or element.get("title") or ""
        if (element.get("itemprop") or "").lower() in {"datepublished", "datecreated"} or element.get(
            "pubdate"
        ) is not None:
            yield stamp or "".join(element.itertext())
    yield from _times(tree)


def _times(tree: HtmlElement) -> Iterator[str]:
    """time elements, those within or after the headline's article first, updates and comments left out."""
    for element in tree.iter("time"):
        stamp = element.get("datetime") or ""
        if stamp and not _is_elsewhere(element):
            yield stamp


def _is_elsewhere(element: HtmlElement) -> bool:
    """Inside a list of other articles, comments or an update notice."""
    steps = 0
    node: HtmlElement | None = element
    while node is not None and steps < 8:
        if node.tag in {"aside", "footer", "nav", "li"} or _UNFIT_NAME.search(_name(node)):
            return True
        node, steps = node.getparent(), steps + 1
    before = element.getprevious()
    said = (before.tail or "") + "".join(before.itertext()) if before is not None else ""
    parent = element.getparent()
    said += (parent.text or "") if parent is not None else ""
    return bool(_UPDATED.search(said[-40:]))


def _name(node: HtmlElement) -> str:
    return f"{node.get('class') or ''} {node.get('id') or ''}"


def _written(tree: HtmlElement, reader: _Reader) -> str:
    """A date written for readers: in an element named for it, or on its own just after the title."""
    title = next(tree.iter("h1"), None)
    if title is None:
        title = next(tree.iter("h2"), None)
    near = _after(title) if title is not None else iter(())
    return next((found for words in chain(_named_for_dates(tree), near) if (found := reader.read(words))), "")


def _named_for_dates(tree: HtmlElement) -> Iterator[str]:
    for element in tree.iter("time", "span", "p", "div", "li", "dd", "td", "h2", "h3", "h4", "small", "em"):
        name = _name(element)
        if (element.tag == "time" or (name != " " and _DATE_NAME.search(name))) and not _is_elsewhere(
            element
        ):
            yield _short_text(element)


def _after(title: HtmlElement) -> Iterator[str]:
    """The short texts around a headline, in the order of the page."""
    seen = 0
    for element in title.itersiblings():
        for node in element.iter():
            seen += 1
            if seen > _MAX_VISIBLE:
                return
            if isinstance(node.tag, str) and node.text and any(c.isdigit() for c in node.text):
                yield _short_text(node)
    parent = title.getparent()
    if parent is not None and parent.tag != "body" and seen < 20:
        yield from _after(parent)


def _short_text(element: HtmlElement) -> str:
    """The element's text when it is short enough to be a date line, else ""."""
    words = ""
    for piece in element.itertext():
        words += piece
        if len(words) > 160:
            return ""
    words = " ".join(words.split())
    return words if 6 <= len(words) <= 90 and any(c.isdigit() for c in words) else ""


def _guessed(tree: HtmlElement, reader: _Reader) -> str:
    """The last resort; it changes the tree it is given, and large ones cost it seconds."""
    if sum(1 for _ in islice(tree.iter(), _MAX_GUESSED)) == _MAX_GUESSED:
        return ""
    from trafilatura.metadata import find_date  # type: ignore[attr-defined]  # htmldate's, by the one doorway

    try:
        return reader.read(find_date(deepcopy(tree), extensive_search=False, original_date=True) or "")
    except MemoryError:
        raise
    except Exception:  # another's fault: the page then has no date
        return ""

"""Sitemaps, news sitemaps and sitemap indexes (sitemaps.org, Google's news extension).

Read as a stream, without entities or network, so that a large or endless one costs little.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from monitor import text, urls
from monitor.model import ParsedFeed, ParsedItem
from monitor.sources import feeds, sniff

MAX_ROWS = 50_000  # the protocol's limit for one file
MAX_CHILDREN = 1_000
_FIELDS = ("loc", "lastmod", "title", "publication_date", "language", "name")


@dataclass(frozen=True, slots=True)
class Row:
    """One `<url>` or `<sitemap>`."""

    loc: str
    lastmod: str = ""
    title: str = ""
    published: str = ""
    lang: str = ""
    outlet: str = ""


def parse(document: str, root: str, context: feeds.Context, link_pattern: str = "") -> ParsedFeed:
    """Decoded XML (or a list of addresses) to items; an index to its children, newest first."""
    rows = rows_of(document, root)
    kind = "sitemapindex" if root == "sitemapindex" else "sitemap"
    problem = "" if rows else "a sitemap without addresses"
    if len(rows) > MAX_ROWS:
        rows, problem = rows[:MAX_ROWS], f"only the first {MAX_ROWS} addresses were read"
    if kind == "sitemapindex":
        dated = [(url, to_item(row, context).published_at) for row in rows if (url := row.loc)]
        dated.sort(key=lambda pair: -pair[1].timestamp() if pair[1] else 0.0)
        return ParsedFeed(kind, children=tuple(url for url, _ in dated[:MAX_CHILDREN]), problem=problem)
    wanted = re.compile(link_pattern) if link_pattern else None
    items = [to_item(row, context) for row in rows if wanted is None or wanted.search(row.loc)]
    if rows and not items:
        problem = "no address matches link_pattern"
    return ParsedFeed(kind, tuple(items), problem=problem)


def rows_of(document: str, root: str) -> list[Row]:
    """Every row with an address, MAX_ROWS + 1 at most."""
    if not document.lstrip().startswith("<"):
        return [Row(line) for line in document.split()[: MAX_ROWS + 1] if urls.is_http(line)]
    rows: list[Row] = []
    for row in _stream(feeds.tidy(document), "sitemap" if root == "sitemapindex" else "url"):
        if row.loc:
            rows.append(row)
        if len(rows) > MAX_ROWS:
            break
    return rows


def to_item(row: Row, context: feeds.Context) -> ParsedItem:
    """A row as an item. A sitemap's date is when the page changed, unless the news extension says more."""
    raw = row.published or row.lastmod
    url = urls.absolute(context.url, row.loc)
    return ParsedItem(
        guid=row.loc[: feeds.MAX_GUID_CHARS],
        url=url,
        title=text.clean_line(text.plain(row.title)),
        published_at=context.instant(raw),
        published_raw=raw,
        lang=row.lang.lower() or context.lang,
        outlet=text.clean_line(row.outlet, limit=200),
    )


def _stream(data: bytes, element: str) -> Iterator[Row]:
    events = etree.iterparse(
        io.BytesIO(data), events=("end",), recover=True, resolve_entities=False, no_network=True,
        huge_tree=False, load_dtd=False,
    )  # fmt: skip
    try:
        for _, node in events:
            if sniff.name_of(node)[1] != element:
                continue
            found = _fields(node)
            # Rows already read are let go, else the whole tree would stay in memory.
            node.clear()
            while node.getprevious() is not None and (parent := node.getparent()) is not None:
                del parent[0]
            yield Row(
                found.get("loc", ""), found.get("lastmod", ""), found.get("title", ""),
                found.get("publication_date", ""), found.get("language", ""), found.get("name", ""),
            )  # fmt: skip
    except etree.XMLSyntaxError:
        return  # what came before the fault is kept


def _fields(node: etree._Element) -> dict[str, str]:
    """A row's own fields and those of its news extension; an image's or video's title is not its."""
    # Some write the address straight into the row, without <loc>.
    bare = (node.text or "").strip()
    found = {"loc": bare} if urls.is_http(bare) else {}
    for child in node.iterdescendants(etree.Element):
        name = sniff.name_of(child)[1]
        tag = str(child.tag)
        media = "image" in tag or "video" in tag  # by namespace, or by an undeclared prefix
        if name in _FIELDS and not media:
            found.setdefault(name, " ".join("".join(child.itertext()).split())[:8_000])
    return found

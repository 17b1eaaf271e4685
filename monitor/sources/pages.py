"""Listing pages: an HTML page that links to articles, read as a feed.

Which links are articles is said by the source (`selector`, `link_pattern`) or, failing that,
guessed: the largest group of links that repeat one layout with headlines for text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from cssselect import SelectorError
from lxml import etree, html
from lxml.cssselect import CSSSelector

from monitor import dates, text, urls
from monitor.model import ParsedFeed, ParsedItem, Source
from monitor.sources import feeds

MAX_PAGE_CHARS = 5_000_000
MAX_LINKS = 5_000
MAX_ITEMS = 500
_HEADINGS = ("h1", "h2", "h3", "h4", "h5")
_DATE_ROWS = frozenset({"dt", "time", "p", "span", "div"})
_FURNITURE = frozenset({"nav", "header", "footer", "aside", "form"})
_FURNITURE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navi|gnav|menu|breadcrumbs?|footer|sidebar|social|share|sns|pager|pagination|tags?)(?:$|[\s_-])",
    re.I,
)
_NO_HEADLINE = re.compile(
    r"(?:read|see|learn|view|find out|show)?\s*(?:more|all|details?|full (?:story|article))\W*|"
    r"continue reading\W*|"
    r"続きを読む|もっと(?:見|み)る|詳細(?:を見る|はこちら)?|詳しく(?:は(?:こちら)?|見る)|一覧(?:へ|を見る|はこちら)?|こちら|pdf|\W*",
    re.I,
)
_NOT_PAGES = re.compile(r"\.(?:jpe?g|png|gif|svg|webp|ico|css|js|mp[34]|zip|xml|rss|rdf|atom)$", re.I)


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a page with what stands around it."""

    url: str
    title: str
    trust: int  # in the title; see headline()
    node: html.HtmlElement
    block: html.HtmlElement  # the row it stands in


def parse(document: str, source: Source, context: feeds.Context) -> ParsedFeed:
    """The articles a listing page names. `problem` says when the selector or pattern finds none."""
    tree = tree_of(document)
    if tree is None:
        return ParsedFeed("page", problem="no HTML could be read")
    base = base_of(tree, context.url)
    links, problem = _chosen(tree, base, source)
    items = [_item(link, source, context) for link in merged(links)[:MAX_ITEMS]]
    title = text.clean_line(tree.findtext(".//title") or "")
    if not items:
        problem = problem or "no link looks like an article; name a selector or link_pattern"
    return ParsedFeed(
        "page", tuple(items), title=title,
        home_url=context.url, lang=(tree.get("lang") or "").lower()[:20], problem=problem,
    )  # fmt: skip


def tree_of(document: str) -> html.HtmlElement | None:
    """The page's tree, None when there is nothing in it."""
    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    data = text.terminal_safe(document[:MAX_PAGE_CHARS]).encode("utf-8", "replace")
    try:
        tree = html.document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    return tree if isinstance(tree, html.HtmlElement) else None


def base_of(tree: html.HtmlElement, url: str) -> str:
    """The address that relative links start from: the first usable `<base href>`, else the page's."""
    for node in tree.iter("base"):
        if found := urls.absolute(url, node.get("href") or ""):
            return found
    return url


def text_of(document: str, selector: str = "") -> tuple[str, str]:
    """(title, text) of a page, or of the parts a CSS selector names; scripts and styles left out."""
    if not document.lstrip().startswith("<"):
        return "", document
    tree = tree_of(document)
    if tree is None:
        return "", ""
    title = text.clean_line(tree.findtext(".//title") or "")
    try:
        parts = CSSSelector(selector)(tree) if selector else tree.xpath("//body") or [tree]
    except SelectorError:
        return title, ""
    pieces = [etree.tostring(part, encoding="unicode", method="html", with_tail=False) for part in parts]
    return title, "\n".join(text.plain(piece) for piece in pieces)


def links_of(nodes: Iterator[html.HtmlElement], base: str) -> list[Link]:
    """Links to other pages, in page order, with their headline and row."""
    links = []
    for node in nodes:
        url = urls.absolute(base, node.get("href") or "")
        if url and not _NOT_PAGES.search(urlsplit(url).path) and not _is_same_page(url, base):
            links.append(Link(url, *headline(node), node, row_of(node)))
        if len(links) >= MAX_LINKS:
            break
    return links


def headline(node: html.HtmlElement) -> tuple[str, int]:
    """(a link's headline, how far it can be trusted): 3 a heading, 2 the link's own words, 1 what is
    said of a picture or stands above a "read more", 0 nothing."""
    for head in (*node.iter(*_HEADINGS), *islice(node.iterancestors(*_HEADINGS), 1)):
        if found := _line(head):
            return found, 3
    own = _line(node)
    if not _NO_HEADLINE.fullmatch(own):
        return own, 2
    said = (node.get("title"), node.get("aria-label"), *(image.get("alt") for image in node.iter("img")))
    for other in said:
        if other and not _NO_HEADLINE.fullmatch(other.strip()):
            return text.clean_line(other, limit=500), 1
    return next(((found, 1) for head in row_of(node).iter(*_HEADINGS) if (found := _line(head))), (own, 0))


def row_of(node: html.HtmlElement) -> html.HtmlElement:
    """The largest block around a link that leads nowhere else: its row in the list."""
    target, row = _bare(node.get("href")), node
    for parent in islice(node.iterancestors(), 6):
        if parent.tag in ("body", "html", "main"):
            break
        others = {_bare(link.get("href")) for link in islice(parent.iter("a"), 12)} - {target, ""}
        if others:
            break
        row = parent
    return row


def _bare(href: str | None) -> str:
    """A link target without what does not lead elsewhere: fragment and tracking."""
    path, _, query = (href or "").strip().partition("#")[0].partition("?")
    return f"{path}?{query}" if query and "utm_" not in query else path


def is_furniture(node: html.HtmlElement) -> bool:
    """Whether a link stands in navigation, header, footer or the like."""
    for parent in node.iterancestors():
        if parent.tag in _FURNITURE and not (parent.tag == "header" and _inside(parent, "article")):
            return True
        if (
            _FURNITURE_NAMES.search(f"{parent.get('class') or ''} {parent.get('id') or ''}")
            and parent.tag != "body"
        ):
            return True
    return False


def date_near(link: Link, lang: str, country: str, context: feeds.Context) -> str:
    """The date written in a link's row (or, in a definition list, just before it), as ISO 8601."""
    rows = [link.block]
    before = link.block.getprevious()
    if before is not None and before.tag in _DATE_ROWS and next(before.iter("a"), None) is None:
        rows.append(before)
    for row in rows:
        for stamp in row.iter("time"):
            if found := dates.page_date(
                stamp.get("datetime") or "", lang=lang, country=country, now=context.now
            ):
                return found
        words = text.clean_line(" ".join(islice(row.itertext(), 60)), limit=1_000)
        if found := dates.page_date(words, lang=lang, country=country, now=context.now):
            return found
    return ""


# --- choosing --------------------------------------------------------------------------------


def _chosen(tree: html.HtmlElement, base: str, source: Source) -> tuple[list[Link], str]:
    if source.selector:
        try:
            nodes = CSSSelector(source.selector)(tree)
        except SelectorError as error:
            return [], f"selector {source.selector!r}: {error}"
        links = links_of(_anchors(nodes), base)
        problem = "" if links else f"nothing matches the selector {source.selector!r}"
        return matching(links, source.link_pattern), problem
    links = links_of(tree.iter("a"), base)
    if source.link_pattern:
        found = matching(links, source.link_pattern)
        return found, "" if found else f"no link matches {source.link_pattern!r}"
    groups = best_groups(links, base)
    return [link for group in groups for link in group], ""


def _anchors(nodes: Sequence[html.HtmlElement]) -> Iterator[html.HtmlElement]:
    """A selector may name the link, something in it, or the row around it."""
    for node in nodes:
        if not isinstance(node, html.HtmlElement):
            continue
        if node.tag == "a":
            yield node
        elif (around := next(node.iterancestors("a"), None)) is not None:
            yield around
        else:
            yield from node.iter("a")


def matching(links: list[Link], pattern: str) -> list[Link]:
    """Links whose absolute address, or its path, matches."""
    if not pattern:
        return links
    wanted = re.compile(pattern)
    return [link for link in links if wanted.search(link.url) or wanted.search(_path(link.url))]


def best_groups(links: list[Link], base: str) -> list[list[Link]]:
    """The groups of links that look like lists of articles, best first; see `worth`."""
    groups: dict[str, list[Link]] = {}
    for link in links:
        groups.setdefault(signature(link.node), []).append(link)
    ranked = sorted(groups.values(), key=lambda group: worth(group, base), reverse=True)
    best = worth(ranked[0], base) if ranked else 0.0
    return [group for group in ranked[:4] if best and worth(group, base) >= 0.4 * best]


def signature(node: html.HtmlElement) -> str:
    """The layout a link repeats: names and classes of itself and the four elements around it."""
    path = []
    for element in [node, *list(node.iterancestors())[:4]]:
        if element.tag in ("body", "html"):
            break
        classes = sorted(name for name in (element.get("class") or "").split() if not re.search(r"\d", name))
        path.append(f"{name_of(element)}.{'.'.join(classes)}")
    return " < ".join(path)


def worth(group: list[Link], base: str) -> float:
    """How much a group looks like a list of articles: many links, long titles, no navigation."""
    good = {urls.canonical_url(link.url): link for link in group if not is_furniture(link.node)}
    if len(good) < 3:
        return 0.0
    lengths = sorted(_weight(link.title) for link in good.values())
    median = lengths[len(lengths) // 2]
    if median < 16:
        return 0.0
    home = sum(urls.host_of(link.url) == urls.host_of(base) for link in good.values()) / len(good)
    return min(len(good), 40) * min(median, 80) * (0.3 + home)


def _weight(title: str) -> int:
    """Length of a title in Latin letters; a Japanese character says about as much as two and a half."""
    return sum(1 if char < "\u2e80" else 2 for char in title)


def merged(links: list[Link]) -> list[Link]:
    """One link an address: of a picture, a headline and a "read more" the one that says most."""
    best: dict[str, Link] = {}
    for link in links:
        key = urls.canonical_url(link.url)
        if key not in best or link.trust > best[key].trust:
            best[key] = link
    return list(best.values())


def _item(link: Link, source: Source, context: feeds.Context) -> ParsedItem:
    said = date_near(link, source.lang, source.country, context)
    instant = dates.to_utc(said, source.timezone) if said else None
    summary = text.clean_line(" ".join(islice(link.block.itertext(), 200)), limit=feeds.MAX_SUMMARY_CHARS)
    return ParsedItem(
        guid=urls.canonical_url(link.url),
        url=link.url,
        title=link.title,
        summary="" if summary == link.title else summary,
        published_at=min(instant, context.now) if instant else None,
        published_raw=said,
        lang=source.lang,
    )


# --- small things ----------------------------------------------------------------------------


def _line(node: html.HtmlElement) -> str:
    return text.clean_line(" ".join(islice(node.itertext(), 200)), limit=500)


def name_of(node: html.HtmlElement) -> str:
    """The element's name; "" for what is no element."""
    return node.tag if isinstance(node.tag, str) else ""


def _inside(node: html.HtmlElement, tag: str) -> bool:
    return next(node.iterancestors(tag), None) is not None


def _is_same_page(url: str, base: str) -> bool:
    return urls.canonical_url(url) == urls.canonical_url(base)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")

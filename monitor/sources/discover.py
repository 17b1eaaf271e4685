"""From the address of a page to sources that read it: feeds it names, sitemaps, its own listing.

Pure: the caller fetches the page, and may fetch the guesses to see whether they are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from cssselect import SelectorError
from lxml import html
from lxml.cssselect import CSSSelector

from monitor import text, urls
from monitor.model import Source
from monitor.sources import pages

MAX_FEEDS = 20
SAMPLES = 5
_FEED_TYPES = re.compile(
    r"application/(?:rss|atom|rdf|feed)\+(?:xml|json)|text/xml|application/(?:xml|json)", re.I
)
_SURE_TYPES = re.compile(r"application/(?:(?:rss|atom|rdf)\+xml|feed\+json)", re.I)
_FEED_PATH = re.compile(
    r"(?:^|/)(?:rss|feeds?|atom|rdf|index\.(?:rdf|xml))(?:/|\.(?:xml|rdf|php|aspx?|json))?$|\.(?:rss|rdf|atom)$|/feed\.(?:xml|json)$|[?&]feed=rss",
    re.I,
)
_COMMENTS = re.compile(r"comments?(?:/feed|\s+feed|\s+rss|\b.*\bfeed)|コメント(?:の?フィード)?", re.I)
_USUAL_PLACES = ("/feed/", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml")
_PLAIN_CLASS = re.compile(r"[A-Za-z_][A-Za-z_-]{1,40}")
_SEARCHES = ("news.google.com", "www.bing.com")
_NOWHERE = Source("", "")
_COUNTRIES = {"uk": "gb", "jp": "jp", "us": "us", "gov": "us", "mil": "us", "eu": "eu"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to read a site. `guess` is True while nobody has looked whether the address answers."""

    kind: str  # feed | sitemap | page
    url: str
    title: str = ""
    selector: str = ""  # of a listing
    count: int = 0  # links the selector finds
    samples: tuple[tuple[str, str], ...] = ()  # (title, url) of some of them
    guess: bool = False
    source: Source = _NOWHERE  # as it would be configured

    @property
    def entry(self) -> str:
        """YAML for config/sources.yaml."""
        return yaml_entry(self.source)


def discover(document: str, url: str) -> list[Candidate]:
    """Ways to read the page at `url`, the most dependable first: feeds, listing, sitemap."""
    tree = pages.tree_of(document)
    if tree is None:
        return []
    base = pages.base_of(tree, url)
    site = _Site(url, _title_of(tree), (tree.get("lang") or "").strip().lower()[:2])
    feeds_found = [site.candidate("feed", found, name) for found, name in _feeds(tree, base)]
    listings = [site.listing(selector, links) for selector, links in _listings(tree, base)]
    sitemap = site.candidate("sitemap", urls.absolute(url, "/sitemap.xml"), "", guess=True)
    return feeds_found[:MAX_FEEDS] + listings + [sitemap]


def sitemaps_in_robots(robots: str) -> list[str]:
    """The sitemaps that a robots.txt names (RFC 9309 §2.2.4 leaves the line to sitemaps.org)."""
    named = re.findall(r"^\s*sitemap\s*:\s*(\S+)", robots[:500_000], re.I | re.M)
    return list(dict.fromkeys(one for one in named if urls.is_http(one)))[:50]


def guesses(url: str) -> list[str]:
    """Where sites that name no feed often keep one."""
    return [urls.absolute(url, path) for path in _USUAL_PLACES]


def kind_of(kind: str, url: str) -> str:
    """`search` for the feeds of news searches, whose links must be decoded; else `kind`."""
    return "search" if urls.host_of(url) in _SEARCHES else kind


def is_about_comments(candidate: Candidate) -> bool:
    """Whether a feed carries what readers say rather than what the publisher says."""
    return bool(_COMMENTS.search(f"{candidate.title} {candidate.url}"))


def itself(url: str, kind: str, title: str, lang: str) -> Candidate:
    """The candidate of an address that is a feed or sitemap already."""
    return _Site(url, title, lang[:2].lower()).candidate(kind, url, title)


def free_id(base: str, taken: set[str]) -> str:
    """`base`, with a number when it is taken; the answer is taken from now on."""
    found, n = base, 1
    while found in taken:
        n += 1
        found = f"{base}-{n}"
    taken.add(found)
    return found


def yaml_entry(source: Source) -> str:
    """An entry ready to be pasted into config/sources.yaml."""
    lines = [f"- id: {_scalar(source.id)}", f"  name: {_scalar(source.name[:200])}", f"  kind: {source.kind}"]
    for key in ("url", "homepage", "country", "lang", "category", "selector", "link_pattern", "timezone"):
        if value := str(getattr(source, key)):
            lines.append(f"  {key}: {_scalar(value)}")
    if source.allow_private:
        lines.append("  allow_private: true")
    return "\n".join([*lines, f"  poll_minutes: {source.poll_minutes}", ""])


# --- what a site is called -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Site:
    url: str
    title: str
    lang: str

    def candidate(
        self, kind: str, url: str, title: str, *, selector: str = "", guess: bool = False
    ) -> Candidate:
        host = urls.host_of(self.url).removeprefix("www.")
        lang = self.lang if self.lang in ("en", "ja") else ""
        country = _COUNTRIES.get(host.rpartition(".")[2], "")
        source = Source(
            id=_slug(host, kind, url), url=url, name=title or self.title or host, kind=kind,
            homepage=self.url, country=country, lang=lang, category="unsorted", selector=selector,
            timezone="Asia/Tokyo" if country == "jp" else "", poll_minutes=60 if kind == "feed" else 120,
        )  # fmt: skip
        return Candidate(kind, url, title or self.title, selector, guess=guess, source=source)

    def listing(self, selector: str, links: list[pages.Link]) -> Candidate:
        made = self.candidate("page", self.url, "", selector=selector)
        samples = tuple((link.title, link.url) for link in links[:SAMPLES])
        return replace(made, count=len(links), samples=samples)


def _title_of(tree: html.HtmlElement) -> str:
    for node in tree.iter("meta"):
        if (node.get("property") or "").lower() == "og:site_name" and node.get("content"):
            return text.clean_line(node.get("content") or "", limit=200)
    return text.clean_line(tree.findtext(".//title") or "", limit=200)


def _slug(host: str, kind: str, url: str) -> str:
    words = re.findall(r"[a-z0-9]+", urlsplit(url).path.lower()) if kind != "sitemap" else ["sitemap"]
    extra = [
        word for word in words if word not in ("feed", "feeds", "rss", "xml", "rdf", "atom", "index", "html")
    ]
    return "-".join(re.findall(r"[a-z0-9]+", host) + extra[:3])[:60].strip("-") or "source"


def _scalar(value: str) -> str:
    """A YAML scalar; quoted as JSON, which YAML reads, unless it cannot be misread."""
    if re.fullmatch(r"[a-z][a-z0-9-]*", value) and value not in (
        "no",
        "yes",
        "on",
        "off",
        "true",
        "false",
        "null",
        "y",
        "n",
    ):
        return value
    return json.dumps(value, ensure_ascii=False)


# --- feeds -----------------------------------------------------------------------------------


def _feeds(tree: html.HtmlElement, base: str) -> list[tuple[str, str]]:
    """(address, name): what the head names first, then links that look like feeds; comments last."""
    found: dict[str, tuple[str, str]] = {}
    for url, name in [*_alternates(tree, base), *_feed_links(tree, base)]:
        found.setdefault(urls.canonical_url(url), (url, name))
    return sorted(found.values(), key=lambda pair: bool(_COMMENTS.search(f"{pair[1]} {pair[0]}")))


def _alternates(tree: html.HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    for node in tree.iter("link"):
        rel = (node.get("rel") or "").lower().split()
        kind = node.get("type") or ""
        if not ("alternate" in rel or "feed" in rel) or not _FEED_TYPES.match(kind.strip()):
            continue
        url = urls.absolute(base, node.get("href") or "")
        # Plain XML and JSON alternates are as often an API or oEmbed as a feed.
        if url and (_SURE_TYPES.match(kind.strip()) or _FEED_PATH.search(_path(url))):
            yield url, text.clean_line(node.get("title") or "", limit=200)


def _feed_links(tree: html.HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    for node in tree.iter("a"):
        url = urls.absolute(base, node.get("href") or "")
        if url and _FEED_PATH.search(_path(url)):
            yield url, text.clean_line(" ".join(node.itertext()), limit=200)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


# --- listings --------------------------------------------------------------------------------


def _listings(tree: html.HtmlElement, base: str) -> Iterator[tuple[str, list[pages.Link]]]:
    """A selector for each group of links that looks like a list of articles, with what it selects."""
    links = pages.links_of(tree.iter("a"), base)
    seen: list[set[str]] = []
    for group in pages.best_groups(links, base):
        selector = _selector_for(tree, base, group)
        if not selector:
            continue
        found = pages.merged(pages.links_of(iter(CSSSelector(selector)(tree)), base))
        addresses = {link.url for link in found}
        if any(len(addresses & other) * 5 >= len(addresses) * 4 for other in seen):
            continue  # the pictures beside the headlines already proposed
        seen.append(addresses)
        yield selector, found


def _selector_for(tree: html.HtmlElement, base: str, group: list[pages.Link]) -> str:
    """The shortest selector that finds the group and little else; "" when none does.

    One that names a class or an id goes before one that finds as much by element names alone: `li > a`
    takes in every list the page will ever have.
    """
    wanted = {urls.canonical_url(link.url) for link in group}
    best, best_cost = "", (len(wanted) * 0.5 + 1, False)
    for selector in _selectors(group[0].node):
        try:
            nodes = CSSSelector(selector)(tree)
        except SelectorError:
            continue
        found = {urls.canonical_url(link.url) for link in pages.links_of(iter(nodes), base)}
        cost = (len(found - wanted), not re.search(r"[.#]", selector))
        if wanted <= found and cost < best_cost:
            best, best_cost = selector, cost
            if cost == (0, False):
                break
    return best


def _selectors(node: html.HtmlElement) -> Iterator[str]:
    """From the link outwards: `a.title`, `h3 > a`, `li.item > h3 > a`, … up to an element with an id."""
    path = [_step(node)]
    if "." in path[0]:
        yield path[0]
    for parent in list(node.iterancestors())[:7]:
        if parent.tag in ("body", "html"):
            break
        name = parent.get("id") or ""
        if _PLAIN_CLASS.fullmatch(name):
            yield " ".join([f"#{name}", path[-1]])
            yield f"#{name} " + " > ".join(reversed(path))
        step = _step(parent)
        if "." in step:
            yield f"{step} {path[0]}"
        path.append(step)
        yield " > ".join(reversed(path))


def _step(node: html.HtmlElement) -> str:
    classes = [name for name in (node.get("class") or "").split() if _PLAIN_CLASS.fullmatch(name)]
    return f"{pages.name_of(node)}.{classes[0]}" if classes else pages.name_of(node)

"""From a page's bytes to its readable text, or to the reason why there is none."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from monitor import text
from monitor.extract import furniture
from monitor.extract.authors import author_of
from monitor.extract.body import lines_of
from monitor.extract.boilerplate import Surroundings, is_prose, trim
from monitor.extract.head import Head, read_head
from monitor.extract.layout import fold, linked_lines, prune
from monitor.extract.load import Unreadable, load
from monitor.extract.published import published_of
from monitor.extract.titles import title_of
from monitor.model import Extracted

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_TEASER_CHARS = 1_500  # a text with a pay wall's marks that is longer than this is whole
_MIN_LINKED_BODY = 250


def extract(
    body: bytes,
    *,
    url: str = "",
    content_type: str = "",
    title: str = "",
    published: str = "",
    want_metadata: bool = True,
    boilerplate: frozenset[str] = frozenset(),
    now: datetime | None = None,
) -> Extracted:
    """What there is to read on a page. Never raises on what the page may be.

    `title` and `published` are what a feed said and are trusted before the page. Without
    `want_metadata` neither is looked for in the page, nor the author. `boilerplate` holds line
    hashes learnt from the same source (see site.Learner). `now` bounds dates and fills in years.
    """
    try:
        tree = load(body, content_type)
    except Unreadable as problem:
        return Extracted(problem.status, problem.reason, title=text.clean_line(title), published=published, url=url)
    return _read(tree, url=url, title=title, published=published, want=want_metadata, boilerplate=boilerplate, now=now)


def _read(
    tree: HtmlElement,
    *,
    url: str,
    title: str,
    published: str,
    want: bool,
    boilerplate: frozenset[str],
    now: datetime | None,
) -> Extracted:
    head = read_head(tree, url)
    named = title_of(tree, head, given=title, url=url)
    said = published
    if want and not said:
        said = published_of(tree, head, url=url, now=now)
    author = author_of(tree, head) if want else ""
    script_driven = _is_script_driven(tree)
    walled = head.linked.is_free is False or head.first("article:content_tier") in {"locked", "metered"}
    prune(tree)
    linked = linked_lines(tree)
    lines, headings = lines_of(tree)
    walled = walled or any(len(line) < 200 and furniture.PAYWALL.search(line) for line in lines[-12:])
    titles = frozenset(fold(t) for t in (named, title, head.title, head.first("og:title"), head.linked.headline) if t)
    around = Surroundings(named, linked, headings, boilerplate, titles)
    body_text = "\n".join(trim(lines, around))
    label = "article"
    ...
    whole = text.plain(head.linked.body) if len(head.linked.body) >= _MIN_LINKED_BODY else ""
    if len(whole) > 1.5 * len(body_text):
        body_text, label = whole, "json-ld"
    elif walled and len(body_text) < _TEASER_CHARS:
        label = "teaser"
    lang = text.language(body_text or named, head.lang)
    if not body_text:
        reason = "the page's text is made by scripts" if script_driven else "no readable text"
        return Extracted("empty", reason, title=named, published=said, author=author, lang=lang, url=head.canonical or url)
    return Extracted(
        "ok", "", title=named, text=body_text, published=said, author=author, lang=lang, label=label, url=head.canonical or url
    )


def _is_script_driven(tree: HtmlElement) -> bool:
    return sum(1 for _ in tree.iter("script")) >= 1

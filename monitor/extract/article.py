"""From a page's bytes to its readable text, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from monitor import text
from monitor.extract.authors import author_of
from monitor.extract.body import lines_of
from monitor.extract.boilerplate import Surroundings, is_notice, prose_chars, trim
from monitor.extract.head import Head, read_head
from monitor.extract.layout import fold, join_parts, linked_lines, paragraphs, prune, run_chars
from monitor.extract.load import Unreadable, load
from monitor.extract.published import published_of
from monitor.extract.skim import skim_tree
from monitor.extract.titles import title_of
from monitor.model import Extracted

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_TEASER_CHARS = 1_500  # a text with a pay wall's marks that is longer than this is whole
_MIN_LINKED_BODY = 250
_LITTLE_PROSE = 300  # characters; with less, another reading of the page is tried
SKIPPED = "skipped"  # the status of a page that was not worth reading
_PARTED = 0.6  # of the page's prose: with less, the article may stand in several boxes


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
    worth: Callable[[str], bool] | None = None,
) -> Extracted:
    """What there is to read on a page. Never raises on what the page may be.

    `title` and `published` are what a feed said and are trusted before the page. Without
    `want_metadata` the page is not searched for a date or an author. `boilerplate` holds line
    hashes learnt from the same source (see site.Learner). `now` bounds dates and fills in years.
    `worth` is asked once furniture is cut, with the title and all text that the article could still
    have (see skim); when it says no, the rest is spared and the status is SKIPPED.
    """
    known = Extracted("ok", title=text.clean_line(title), published=published, url=url)
    try:
        tree = load(body, content_type)
    except Unreadable as problem:
        return replace(known, status=problem.status, reason=problem.reason)
    head = read_head(tree, url)
    known = replace(
        known,
        title=title_of(tree, head, given=title, url=url),
        published=published or (published_of(tree, head, url=url, now=now) if want_metadata else ""),
        author=author_of(tree, head) if want_metadata else "",
        url=head.canonical or url,
    )
    has_scripts = next(tree.iter("script"), None) is not None
    prose = prune(tree)
    if worth and not _is_worth_reading(worth, known.title, tree, head):
        return replace(known, status=SKIPPED)
    found = _with_text(known, tree, head, prose, boilerplate)
    if not found.text and has_scripts:
        return replace(found, reason="the page's text is made by scripts")
    return found


def _is_worth_reading(worth: Callable[[str], bool], title: str, tree: HtmlElement, head: Head) -> bool:
    skimmed = skim_tree(tree)
    return skimmed is None or worth("\n".join((title, text.plain(head.linked.body), skimmed)))


def _with_text(
    known: Extracted, tree: HtmlElement, head: Head, prose: int, boilerplate: frozenset[str]
) -> Extracted:
    """`known` with the text of the pruned tree, its label and its language."""
    titles = (known.title, head.title, head.first("og:title"), head.linked.headline)
    around = Surroundings(linked_lines(tree), boilerplate, frozenset(fold(t) for t in titles if t))
    lines = _lines(tree, around, prose)
    found, label = _best(trim(lines, around), head, _is_walled(head, lines))
    lang = text.language(found or known.title, head.lang)
    if not found:
        return replace(known, status="empty", reason="no readable text", lang=lang)
    return replace(known, text=found, label=label, lang=lang)


def _lines(tree: HtmlElement, around: Surroundings, prose: int) -> list[str]:
    """The text as the extractor has it, or a second reading where that gave too little."""
    lines = lines_of(tree)
    found = prose_chars(lines, around)
    if sum(map(run_chars, lines)) < _PARTED * prose and join_parts(tree):
        joined = lines_of(tree)
        if prose_chars(joined, around) > found:
            lines, found = joined, prose_chars(joined, around)
    if found < _LITTLE_PROSE:
        others = paragraphs(tree)
        if prose_chars(others, around) > 2 * found:
            lines = others
    return lines


def _best(lines: list[str], head: Head, walled: bool) -> tuple[str, str]:
    """The page's own text, or the one its JSON-LD carries when that is much longer; with its label."""
    own = "\n".join(lines)
    linked = text.plain(head.linked.body) if len(head.linked.body) >= _MIN_LINKED_BODY else ""
    if len(linked) > 1.5 * len(own):
        return linked, "json-ld"
    return own, "teaser" if walled and len(own) < _TEASER_CHARS else "article"


def _is_walled(head: Head, lines: list[str]) -> bool:
    """Whether the page says that it gives the beginning only."""
    if head.linked.is_free is False or head.first("article:content_tier") in {"locked", "metered"}:
        return True
    return any(map(is_notice, lines[-12:]))

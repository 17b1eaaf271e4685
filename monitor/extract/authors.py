"""Who wrote it, as the page says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor import text
from monitor.extract.head import Head

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_BY = re.compile(r"^(?:written\s+)?by\s*:?\s+|^(?:文|取材|執筆|著者?|筆者)\s*[:：＝=／/・]\s*", re.I)


def author_of(tree: HtmlElement, head: Head) -> str:
    """The authors' names in one line; "" when the page names none."""
    named = head.linked.author or head.first(
        "author", "article:author", "dc.creator", "parsely-author", "sailthru.author"
    )
    if not named or "://" in named:
        named = _by_line(tree)
    return _BY.sub("", text.clean_line(text.plain(named), limit=200))


def _by_line(tree: HtmlElement) -> str:
    """A short element marked as the author."""
    for element in tree.iter("a", "span", "address", "p", "div"):
        rel, prop = element.get("rel") or "", element.get("itemprop") or ""
        if (
            "author" in rel.split()
            or prop in {"author", "author name"}
            or element.get("class") in {"author", "byline"}
        ):
            words = text.clean_line("".join(element.itertext()))
            if 1 < len(words) <= 80:
                return words
    return ""

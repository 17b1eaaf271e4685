"""What a page says of its article in JSON-LD (schema.org), read tolerantly."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml.html import HtmlElement

_MAX_SCRIPT_CHARS = 1_000_000
_MAX_NODES = 3_000
_ARTICLE = re.compile(r"(?:article|posting|report|pressrelease)$", re.I)
_PAGE = re.compile(r"^(?:web|item|article|about)?page$", re.I)
# Other articles hang below these: lists of links, updates, comments.
_ELSEWHERE = frozenset(
    {
        "itemListElement", "liveBlogUpdate", "comment", "comments", "mentions", "isPartOf", "relatedLink",
        "review",
        "citation", "video", "image", "publisher", "potentialAction", "breadcrumb", "about", "hasPart",
    }
)  # fmt: skip
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_WRAPPERS = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*;?\s*$"
)


@dataclass(frozen=True, slots=True)
class LinkedArticle:
    """The fields of the page's main article; "" or None where it says nothing."""

    headline: str = ""
    body: str = ""
    published: str = ""
    author: str = ""
    publisher: str = ""
    section: str = ""
    is_free: bool | None = None
    kind: str = ""


def linked_article(tree: HtmlElement) -> LinkedArticle:
    """The page's article as its JSON-LD has it; an article before a web page, a fuller one first."""
    best, best_rank = LinkedArticle(), 0
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "") and script.text and len(script.text) < _MAX_SCRIPT_CHARS:
            for node in _nodes(_load(script.text)):
                rank = _rank(node)
                if rank > best_rank:
                    best, best_rank = _read(node), rank
    return best


def _load(raw: str) -> Any:
    """The script as JSON, None when it is beyond repair."""
    cleaned = _WRAPPERS.sub("", raw)
    for attempt in (cleaned, _TRAILING_COMMA.sub(r"\1", cleaned), html.unescape(cleaned)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Every object that may be the page's own, breadth first and without recursion."""
    waiting, seen = [data], 0
    while waiting and seen < _MAX_NODES:
        node = waiting.pop(0)
        seen += 1
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            yield node
            waiting.extend(v for k, v in node.items() if k not in _ELSEWHERE and isinstance(v, dict | list))


def _types(node: dict[str, Any]) -> list[str]:
    kinds = node.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return [kind.rpartition("/")[2] for kind in kinds if isinstance(kind, str)]


def _rank(node: dict[str, Any]) -> int:
    kinds = _types(node)
    filled = sum(bool(node.get(key)) for key in ("headline", "datePublished", "articleBody", "author"))
    if any(_ARTICLE.search(kind) for kind in kinds):
        return 10 + filled if filled else 0
    return filled if any(_PAGE.search(kind) for kind in kinds) else 0


def _read(node: dict[str, Any]) -> LinkedArticle:
    return LinkedArticle(
        headline=_text(node.get("headline")) or _text(node.get("name")),
        body=_text(node.get("articleBody")),
        published=_text(node.get("datePublished")) or _text(node.get("dateCreated")),
        author=", ".join(dict.fromkeys(_names(node.get("author")))),
        publisher=next(_names(node.get("publisher")), ""),
        section=_text(node.get("articleSection")),
        is_free=_truth(node.get("isAccessibleForFree")),
        kind=next(iter(_types(node)), ""),
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "\n\n".join(part for part in value if isinstance(part, str))
    return html.unescape(value).strip() if isinstance(value, str) else ""


def _names(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        name = one.get("name") if isinstance(one, dict) else one
        if (text := _text(name)) and "://" not in text:
            yield text


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None

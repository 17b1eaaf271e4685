"""All the text a page could give, cheaply: what a prefilter looks through before any extraction.

Nothing here chooses. Whatever the extractor might read is in the skim, with a mark (`JOINT`) where an
element begins or ends: the extractor may join the two sides or part them, so whoever asks must accept
both. `skim` uses lexbor's tree, six times as fast as the one the extractor works on; `skim_tree` looks at
the extractor's own, once the furniture that often names every country there is has been cut out of it.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from monitor.extract.load import Unreadable, decoded

if TYPE_CHECKING:
    from lxml.html import HtmlElement
    from selectolax.lexbor import LexborHTMLParser

JOINT = "^"  # ASCII, so that an English page stays in the interpreter's one-byte strings
MAX_TAGS = 30_000  # lexbor's cost grows with the square of the nesting
# What makes the extractor fall back on a page's JSON-LD: properties of schema.org that hold running text.
_HOLDS_TEXT = re.compile(
    r"articleBody|reviewBody|recipeInstructions|acceptedAnswer|\"(?:Product|VideoObject|HowTo)\""
)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\([nrtbf])|\\(.)", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
# Elements whose text lexbor keeps out of the tree although the extractor reads it; text in an attribute;
# readings between the characters of a word.
_BEYOND = "template, frameset, noembed, ruby, math, #data-preloaded"


def skim(body: bytes, content_type: str = "", *, titles: bool = True) -> str | None:
    """The page's text with JOINT at the borders of elements; None when only the extractor can tell.

    `titles` adds what the page declares as its titles, for an article whose feed named none.
    """
    try:
        page = decoded(body, content_type)
    except Unreadable:
        return None  # refused as cheaply there, with the reason
    markup = page.encode("utf-8", "replace")
    if len(markup) > 3 * MAX_TAGS and markup.count(b"<") > MAX_TAGS:
        return None
    return _text(markup, titles)


def _text(markup: bytes, titles: bool) -> str | None:
    from selectolax.lexbor import LexborHTMLParser  # here: only a worker needs it

    tree = LexborHTMLParser(markup)
    beyond = tree.css_first(_BEYOND)
    if beyond is not None and tree.css_first("template") is not None:
        shown = markup.replace(b"<template", b"<x-hidden").replace(b"</template", b"</x-hidden")
        tree = LexborHTMLParser(shown)
        beyond = tree.css_first(_BEYOND)
    if tree.root is None or beyond is not None:
        return None
    pieces = _declared(tree) if titles else []
    pieces += _linked(tree, titles)
    tree.strip_tags(["script", "style"])
    pieces.append(tree.root.text(deep=True, separator=JOINT))
    return "\n".join(pieces)


def _declared(tree: LexborHTMLParser) -> list[str]:
    return [meta.attributes.get("content") or "" for meta in tree.css("meta[content]")]


def _linked(tree: LexborHTMLParser, titles: bool) -> list[str]:
    """The JSON-LD that may stand in for the text, its escapes and entities resolved."""
    found = []
    for script in tree.css("script[type*='ld+json' i]"):
        raw = script.text()
        if titles or _HOLDS_TEXT.search(raw):
            raw = _ESCAPE.sub(_unescaped, raw) if "\\" in raw else raw
            found.append(_TAG.sub(JOINT, html.unescape(html.unescape(raw))))
    return found


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return " " if found[2] else found[3]


def skim_tree(tree: HtmlElement) -> str | None:
    """The same of a tree without its scripts; None when only the extractor can tell."""
    if next(tree.iter("ruby", "rt", "math"), None) is not None:
        return None
    if tree.find(".//div[@id='data-preloaded']") is not None:
        return None
    return JOINT.join(tree.itertext())

"""Cutting furniture out of the tree before the text is read, by layout: links, labels, names.

Cut before extraction rather than after it: the extractor measures link density over what is left,
and has less to do.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from monitor.extract import furniture

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Nothing readable, or not the article's: gone with all that is in them.
_DEAD = (
    "script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "embed", "nav", "button",
    "input", "select", "textarea", "dialog", "map", "audio", "video", "link", "meta", "img", "picture",
    "source", "footer", "label", "option", "legend", "menu",
)  # fmt: skip
_BOXES = (
    "div", "section", "aside", "ul", "ol", "dl", "table", "p", "span", "header", "blockquote", "figcaption",
    "li", "dd", "small", "a",
)  # fmt: skip
_HEADINGS = ("h2", "h3", "h4", "h5", "h6", "dt", "strong", "p", "div", "header", "summary", "caption")
_WHOLE = frozenset({"body", "html", "main", "article"})
_MAX_LABEL_CHARS = 40
_MAX_CLIMB = 4
_MAX_LABELS = 100
_MEASURED = 40  # times the page may be read for measuring its boxes
_MAX_PARTS = 30
_SHORT_RUN = 80
_MIN_PART = 300  # characters of prose


def prune(tree: HtmlElement) -> int:
    """Takes furniture out of the tree in place; returns how much prose was in it before."""
    from lxml import etree

    etree.strip_elements(tree, *_DEAD, with_tail=False)
    total = max(1, len(_words(tree)))
    prose = max(1, _prose(tree))
    budget = _MEASURED * total
    for element in _named(tree):
        if budget < 0:  # boxes within boxes without end
            break
        if _is_in(element, tree):
            chars = len(_words(element))
            budget -= chars
            if chars < 0.3 * total and not _holds_article(element, prose):
                remove(element)
    for label in _labels(tree)[:_MAX_LABELS]:
        if _is_in(label, tree):
            _cut_section(label, total, prose)
    return prose


def _words(element: HtmlElement) -> str:
    return "".join(element.text_content().split())


def _named(tree: HtmlElement) -> list[HtmlElement]:
    """The outermost elements with names of furniture."""
    found = []
    for element in tree.iter(*_BOXES):
        name = element.get("class"), element.get("id")
        if name != (None, None) and _is_named_so(*name):
            found.append(element)
    return found


@functools.lru_cache(maxsize=16_384)
def _is_named_so(css_class: str | None, css_id: str | None) -> bool:
    return furniture.names_furniture(f"{css_class or ''} {css_id or ''}"[:300])


def _labels(tree: HtmlElement) -> list[HtmlElement]:
    return [e for e in tree.iter(*_HEADINGS) if (words := _label_text(e)) and _is_label(words)]


@functools.lru_cache(maxsize=16_384)
def _is_label(words: str) -> bool:
    return bool(furniture.LABEL.match(words))


def _label_text(element: HtmlElement) -> str:
    """The whole text of a small element, "" for a larger one."""
    if (children := len(element)) > 2:
        return ""
    words = element.text or ""
    if len(words) > 200 or (not children and len(words) < 2):
        return ""
    if children:
        words = ""
        for piece in element.itertext():
            words += piece.strip() and piece
            if len(words) > 200:  # a wrapper: its text may be the whole page's
                return ""
    words = " ".join(words.split())
    return words if 2 <= len(words) <= _MAX_LABEL_CHARS else ""


def _holds_article(element: HtmlElement, all_prose: int) -> bool:
    """Whether the headline, or prose in some quantity, is inside."""
    if element.find(".//h1") is not None or element.get("itemprop") == "articleBody":
        return True
    prose = _prose(element)
    return prose > 600 or prose > 0.3 * all_prose


def _prose(element: HtmlElement) -> int:
    """Characters of running text, links left out; one of Japanese counts for two."""
    return sum(_run(block) for block in element.iter("p", "div", "td", "section", "article"))


def _run(block: HtmlElement) -> int:
    """Of one paragraph, or of the text that stands in a box without one."""
    if block.tag == "p":
        chars = run_chars(block.text_content())
        return chars and chars - _link_chars(block)
    words = block.text or ""
    for child in block:
        if child.tail:
            words += child.tail
    return run_chars(words)


def run_chars(words: str) -> int:
    """How much running text a paragraph is: 0 for a short one; a character of Japanese counts for two."""
    words = words.strip()
    chars = len(words) if words.isascii() else 2 * len(words)
    return chars if chars > _SHORT_RUN else 0


def _link_chars(element: HtmlElement) -> int:
    return sum(len(a.text_content().strip()) for a in element.iter("a"))


def _cut_section(label: HtmlElement, total: int, prose: int) -> None:
    """The label with the list it stands over: its box when that holds little else, or what follows."""
    box = label
    for _ in range(_MAX_CLIMB):
        parent = box.getparent()
        if parent is None or parent.tag in _WHOLE or not _is_list_like(parent, label, total, prose):
            break
        box = parent
    if box is label or not _is_more_than(box, label):
        _cut_followers(box)
    remove(box)


def _is_more_than(box: HtmlElement, label: HtmlElement) -> bool:
    return len(_words(box)) > len(_words(label)) + 10


def _is_list_like(box: HtmlElement, label: HtmlElement, total: int, prose: int) -> bool:
    """Mostly links, or hardly any text at all."""
    if len(_words(box)) > 0.4 * total or _holds_article(box, prose):
        return False
    chars = len(_words(box)) - len(_words(label))
    return chars <= 10 or _link_chars(box) >= 0.5 * chars


def _cut_followers(label: HtmlElement) -> None:
    """The link-laden siblings that follow a label."""
    for _ in range(30):
        following = label.getnext()
        if following is None or (label.tail and label.tail.strip()):
            return
        chars = len(_words(following))
        if chars and _link_chars(following) < 0.6 * chars:
            return
        remove(following)


def _is_in(element: HtmlElement, tree: HtmlElement) -> bool:
    """Whether the element still hangs in the tree."""
    node: HtmlElement | None = element
    while node is not None:
        if node is tree:
            return True
        node = node.getparent()
    return False


def remove(element: HtmlElement) -> None:
    """Takes an element out and leaves the text after it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        previous = element.getprevious()
        if previous is not None:
            previous.tail = (previous.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def linked_lines(tree: HtmlElement) -> frozenset[str]:
    """The folded texts of blocks that are links and nothing else."""
    found = set()
    for anchor in tree.iter("a"):
        if (anchor.get("href") or "#").startswith("#"):  # a heading's own anchor, a footnote
            continue
        words = fold(anchor.text_content())
        if len(words) > 1:
            found.add(words)
            block = anchor.getparent()
            while block is not None and block.tag in {
                "span",
                "strong",
                "b",
                "em",
                "i",
                "font",
                "h2",
                "h3",
                "h4",
            }:
                block = block.getparent()
            if block is not None and block.tag in {"p", "li", "div", "dd", "td"} and len(block) <= 6:
                whole = fold(block.text_content())
                if len(whole) <= 300 and _link_chars(block) >= 0.8 * len(whole):
                    found.add(whole)
    return frozenset(found)


def fold(line: str) -> str:
    """A line without blanks, for comparing what two readers made of one place."""
    return "".join(line.split())


def join_parts(tree: HtmlElement) -> bool:
    """Moves the parts of an article that stands in several boxes of one name into the first.

    Advertisements cut long articles so. Parts share tag, class and parent's class, and each holds
    prose; whole articles that follow each other have headlines of their own and are left alone.
    """
    groups: dict[tuple[str, str, str], list[HtmlElement]] = {}
    for box in tree.iter("div", "section"):
        parent = box.getparent()
        if (name := box.get("class")) and parent is not None:
            groups.setdefault((str(box.tag), name, parent.get("class") or ""), []).append(box)
    joined = False
    for boxes in groups.values():
        parts = [box for box in boxes if _is_part(box)] if 1 < len(boxes) <= _MAX_PARTS else []
        for part in parts[1:]:
            parts[0].extend(list(part))
            joined = True
    return joined


def _is_part(box: HtmlElement) -> bool:
    """Prose in paragraphs of its own, and no headline."""
    own = sum(_run(child) for child in box if child.tag == "p")
    return own > _MIN_PART and box.find(".//h1") is None and box.find(".//h2/a") is None


def paragraphs(tree: HtmlElement) -> list[str]:
    """The running text of the box that holds most of it, for when the extractor finds nothing.

    Each paragraph speaks for its parent, and half as loud for its grandparent.
    """
    scores: dict[HtmlElement, float] = {}
    for block in tree.iter("p", "div", "td", "section", "article"):
        if run := _run(block):
            near = block.getparent() if block.tag == "p" else block
            far = near.getparent() if near is not None else None
            for box, weight in ((near, 1.0), (far, 0.5)):
                if box is not None:
                    scores[box] = scores.get(box, 0.0) + weight * run
    if not scores:
        return []
    best = max(scores, key=lambda box: scores[box])
    return [" ".join(block.text_content().split()) for block in _outermost_runs(best)]


def _outermost_runs(box: HtmlElement) -> list[HtmlElement]:
    blocks = [
        block
        for block in box.iter("p", "h2", "h3", "blockquote")
        if block.tag != "p" or _run(block) or len(block)
    ]
    return blocks or [box]

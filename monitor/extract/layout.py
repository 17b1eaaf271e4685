"""Cutting furniture out of the tree before the text is read, by layout: links, labels, names.

Cut before extraction rather than after it: the extractor measures link density over what is left,
and has less to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.extract import furniture

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Nothing readable, or not the article's: gone with all that is in them.
_DEAD = frozenset(
    {
        "script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "embed", "nav", "button",
        "input", "select", "textarea", "dialog", "map", "audio", "video", "link", "meta",
    }
)  # fmt: skip
_BOXES = frozenset({"div", "section", "aside", "ul", "ol", "dl", "table", "p", "span", "footer", "header", "blockquote", "figcaption", "li", "dd", "small", "a"})
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6", "dt", "strong", "b", "p", "div", "span", "header", "summary", "caption", "th", "li", "a"})
_WHOLE = frozenset({"body", "html", "main", "article"})
_MAX_LABEL_CHARS = 40
_MAX_CLIMB = 4


class _Measure:
    """Text and link lengths of elements, each counted once."""

    def __init__(self, tree: HtmlElement) -> None:
        self.total = max(1, len(_words(tree)))

    def share(self, element: HtmlElement) -> float:
        return len(_words(element)) / self.total


def _words(element: HtmlElement) -> str:
    return "".join("".join(element.itertext()).split())


def prune(tree: HtmlElement) -> None:
    """Takes furniture out of the tree in place."""
    dead, named, labels = _sort_out(tree)
    for element in dead:
        remove(element)
    measure = _Measure(tree)
    for element in named:
        if measure.share(element) < 0.3 and not _holds_article(element):
            remove(element)
    for label in labels:
        if _is_in(label, tree):
            _cut_section(label, measure)


def _sort_out(tree: HtmlElement) -> tuple[list[HtmlElement], list[HtmlElement], list[HtmlElement]]:
    """One walk: elements without text, elements named like furniture, labels of lists."""
    dead, named, labels = [], [], []
    for element in tree.iter():
        tag = element.tag
        if tag in _DEAD:
            dead.append(element)
        elif tag in _BOXES and (name := f"{element.get('class') or ''} {element.get('id') or ''}") != " ":
            if furniture.ELEMENT.search(name):
                named.append(element)
                continue
        if tag in _HEADINGS and (words := _label_text(element)) and furniture.LABEL.match(words):
            labels.append(element)
    return dead, named, labels


def _label_text(element: HtmlElement) -> str:
    """The whole text of a small element, "" for a larger one."""
    if len(element) > 3:
        return ""
    if (element.text and len(element.text) > 200) or len(element) == 0 and not element.text:
        return ""
    words = " ".join("".join(element.itertext()).split())
    return words if 2 <= len(words) <= _MAX_LABEL_CHARS else ""


def _holds_article(element: HtmlElement) -> bool:
    """Whether the headline, or prose in some quantity, is inside."""
    if element.find(".//h1") is not None:
        return True
    if element.get("itemprop") == "articleBody":
        return True
    prose = 0
    for paragraph in element.iter("p"):
        words = "".join(paragraph.itertext()).strip()
        if len(words) > 80 or (len(words) > 40 and not words.isascii()):
            prose += len(words) - _link_chars(paragraph)
    return prose > 600


def _link_chars(element: HtmlElement) -> int:
    return sum(len("".join(a.itertext()).strip()) for a in element.iter("a"))


def _cut_section(label: HtmlElement, measure: _Measure) -> None:
    """The label with the list it stands over: its box when that holds little else, or what follows."""
    box = label
    for _ in range(_MAX_CLIMB):
        parent = box.getparent()
        if parent is None or parent.tag in _WHOLE or not _is_list_like(parent, label, measure):
            break
        box = parent
    if box is label or not _is_more_than(box, label):
        _cut_followers(box)
    remove(box)


def _is_more_than(box: HtmlElement, label: HtmlElement) -> bool:
    return len(_words(box)) > len(_words(label)) + 10


def _is_list_like(box: HtmlElement, label: HtmlElement, measure: _Measure) -> bool:
    """Mostly links, or hardly any text at all."""
    if measure.share(box) > 0.4 or _holds_article(box):
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
        words = fold("".join(anchor.itertext()))
        if len(words) > 1:
            found.add(words)
            block = anchor.getparent()
            while block is not None and block.tag in {"span", "strong", "b", "em", "i", "font", "h2", "h3", "h4"}:
                block = block.getparent()
            if block is not None and block.tag in {"p", "li", "div", "dd", "td"} and len(block) <= 6:
                whole = fold("".join(block.itertext()))
                if len(whole) <= 300 and _link_chars(block) >= 0.8 * len(whole):
                    found.add(whole)
    return frozenset(found)


def fold(line: str) -> str:
    """A line without blanks, for comparing what two readers made of one place."""
    return "".join(line.split())

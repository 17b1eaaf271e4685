"""OPML: lists of feeds, as readers exchange them (opml.org, version 2.0)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from monitor import text
from monitor.errors import InputError
from monitor.model import Source
from monitor.sources import feeds, sniff

_OUTLINE = re.compile(r"<outline(?=\s)", re.I)
# An attribute whose value may hold quotes and angle brackets that should have been escaped: it ends
# where another attribute or the end of the tag follows.
_LOOSE_ATTRIBUTE = re.compile(
    r"\s+(?P<key>[\w:.-]{1,60})\s*=\s*(?P<quote>[\"'])(?P<value>.{0,5000}?)(?P=quote)"
    r"(?=\s+[\w:.-]{1,60}\s*=\s*[\"']|\s*/?>\s*(?:<|\Z))",
    re.S,
)
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});)")


@dataclass(frozen=True, slots=True)
class OpmlEntry:
    """One subscription. `folder` is where it hangs, outermost first; `line` counts from 1."""

    title: str
    xml_url: str
    html_url: str = ""
    folder: tuple[str, ...] = ()
    lang: str = ""
    description: str = ""
    line: int = 0
    repeated: bool = False  # the same address stood further up


def read_opml(body: bytes) -> list[OpmlEntry]:
    """Every outline with an address, in order, repeated ones included and marked.

    A list that is not well-formed is mended as far as it can be. Raises InputError with the line
    when nothing can be recovered.
    """
    opened = sniff.open_body(body, {})
    if opened.kind in ("empty", "binary", "html", "json", "text"):
        raise InputError(f"not an OPML list: {opened.problem or opened.kind}")
    root, fault = _tree(opened.text)
    outlines = [] if root is None else list(_outlines(root))
    if not outlines and fault:
        raise InputError(f"not well-formed: {fault}")
    if not outlines and opened.root != "opml":
        raise InputError(f"not an OPML list: its root element is <{opened.root}>")
    seen: set[str] = set()
    entries = []
    for node, folder in outlines:
        entry = _entry(node, folder, seen)
        seen.add(entry.xml_url)
        entries.append(entry)
    return entries


def write_opml(sources: Iterable[Source], title: str = "Sources") -> str:
    """An OPML 2.0 list, one folder a category; what read_opml reads back."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = _safe(title)
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for source in sources:
        parent = body
        if source.category:
            if source.category not in folders:
                name = _safe(source.category)
                folders[source.category] = etree.SubElement(body, "outline", text=name, title=name)
            parent = folders[source.category]
        name = _safe(source.name or source.id)
        outline = etree.SubElement(
            parent, "outline", type="rss", text=name, title=name, xmlUrl=_safe(source.url)
        )
        for key, value in (("htmlUrl", source.homepage), ("language", source.lang)):
            if value:
                outline.set(key, _safe(value))
    etree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"


def _tree(document: str) -> tuple[etree._Element | None, str]:
    """(root, what was wrong): read strictly, else mended and recovered."""
    try:
        return etree.fromstring(feeds.tidy(document), _parser(recover=False)), ""
    except (etree.XMLSyntaxError, ValueError) as error:
        fault = text.clean_line(str(error), limit=200)
    try:
        return etree.fromstring(feeds.tidy(_mended(document)), _parser(recover=True)), fault
    except (etree.XMLSyntaxError, ValueError):
        return None, fault


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(recover=recover, resolve_entities=False, no_network=True, huge_tree=False)


def _mended(document: str) -> str:
    """The usual faults put right: unescaped ampersands, quotes and markup in attributes."""
    pieces, done = [], 0
    for match in _OUTLINE.finditer(document):
        if match.start() < done:
            continue
        pieces.append(_BARE_AMPERSAND.sub("&amp;", document[done : match.end()]))
        done = match.end()
        while attribute := _LOOSE_ATTRIBUTE.match(document, done):
            value = html.escape(html.unescape(attribute["value"]))
            pieces.append(f' {attribute["key"]}="{value}"')
            done = attribute.end()
    return "".join([*pieces, _BARE_AMPERSAND.sub("&amp;", document[done:])])


def _outlines(root: etree._Element) -> Iterator[tuple[etree._Element, tuple[str, ...]]]:
    """Outlines with an address and the folders above them, without recursion."""
    folder: list[str] = []
    for event, node in etree.iterwalk(root, events=("start", "end")):
        if sniff.name_of(node)[1] != "outline":
            continue
        if event == "end":
            folder.pop()
            continue
        if _attribute(node, "xmlurl"):
            yield node, tuple(name for name in folder if name)
        folder.append(_label(node))


def _entry(node: etree._Element, folder: tuple[str, ...], seen: set[str]) -> OpmlEntry:
    address = _address(_attribute(node, "xmlurl"))
    return OpmlEntry(
        title=_label(node) or address,
        xml_url=address,
        html_url=_address(_attribute(node, "htmlurl")),
        folder=folder,
        lang=_attribute(node, "language")[:20].lower(),
        description=text.clean_line(_attribute(node, "description"), limit=500),
        line=int(node.sourceline or 0),
        repeated=address in seen,
    )


def _address(value: str) -> str:
    """`feed:` was once a scheme of its own, before or instead of http."""
    value = text.clean_line(value, limit=4_000)
    if value.lower().startswith("feed:"):
        value = value[5:] if "://" in value[5:] else "http:" + value[5:]
    return value


def _label(node: etree._Element) -> str:
    return text.clean_line(text.plain(_attribute(node, "title") or _attribute(node, "text")), limit=300)


def _attribute(node: etree._Element, name: str) -> str:
    """Attribute names in any case: xmlUrl, xmlurl, xmlURL are all in use."""
    for key, value in node.attrib.items():
        if str(key).lower() == name:
            return str(value).strip()
    return ""


def _safe(value: str) -> str:
    return text.clean_line(value, limit=4_000)

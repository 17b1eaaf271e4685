"""Bytes to a tree, after the cheap questions that keep monsters out.

A worker's deadline is the last resort; what is here answers at once for the usual hostile or
mistaken body: binaries, feeds, JSON, a million tags, a tag of a million attributes.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, cast

from monitor import text

if TYPE_CHECKING:  # at run time inside load(): whoever only hands work to a worker need not have the parser
    from lxml.etree import HTMLParser
    from lxml.html import HtmlElement

MAX_BYTES = 6_000_000
MAX_TAGS = 100_000  # the longest encyclopaedia pages have 40,000; the extractor takes a second for 50,000
MAX_ATTRIBUTES = 10_000  # of one tag: the parser compares each with all others
_SNIFF = 2_048
_BINARY = (
    (b"%PDF-", "PDF"), (b"PK\x03\x04", "a ZIP archive or office document"), (b"\x1f\x8b", "gzip data"),
    (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"), (b"GIF8", "an image"), (b"RIFF", "media"),
    (b"\xd0\xcf\x11\xe0", "an office document"), (b"\x00\x00\x00\x18ftyp", "media"), (b"ID3", "media"),
    (b"\x28\xb5\x2f\xfd", "zstd data"), (b"BZh", "bzip2 data"), (b"\x7fELF", "a program"), (b"OggS", "media"),
)  # fmt: skip
_OTHER_TYPES = re.compile(
    r"^\s*(?:image|audio|video|font)/|^\s*application/(?:pdf|zip|octet-stream|json)\b", re.I
)
_FEED = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^>]*-->\s*)*<(?:rss|feed|rdf:RDF|urlset|sitemapindex)\b")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_ANY_TAG = re.compile(
    r"<(?:!doctype html|html|head|body|div|p|article|main|section|table|h1|span|br|meta)\b", re.I
)
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
# libxml2 takes `<html ... />` for the whole document (launchpad.net/bugs/1955915).
_SELF_CLOSED_HTML = re.compile(r"(<html\b[^<>]{0,2000}?)\s*/>", re.I)
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32)])  # bytes below 0x80 are never part of another character


class Unreadable(Exception):
    """Why there is no tree: `status` as in model.Extracted."""

    def __init__(self, status: str, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status}: {reason}")


def load(body: bytes, content_type: str = "") -> HtmlElement:
    """The page's tree. Raises Unreadable."""
    page = decoded(body, content_type)
    _refuse_monsters(page)
    return _parse(page)


def decoded(body: bytes, content_type: str = "") -> str:
    """The page's markup as text. Raises Unreadable for what is no page."""
    if not body.strip(b" \t\r\n\x00"):
        raise Unreadable("empty", "the body is empty")
    if len(body) > MAX_BYTES:
        raise Unreadable("unreadable", f"larger than {MAX_BYTES // 1_000_000} MB")
    _refuse_other_kinds(body, content_type)
    page, _ = text.decode(body, content_type)
    _refuse_non_markup(page)
    return page


@functools.cache
def _parser() -> HTMLParser:
    """One class for every element, looked up in C: lxml.html's own choice by tag name is Python.

    Comments and instructions go at once. No `huge_tree`: nesting ends at libxml2's 256 levels.
    """
    from lxml import etree
    from lxml.html import HtmlElement

    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, collect_ids=False,
        default_doctype=False, huge_tree=False,
    )  # fmt: skip
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))
    return parser


def _parse(page: str) -> HtmlElement:
    from lxml import etree

    page = _SELF_CLOSED_HTML.sub(r"\1>", page[:_SNIFF], count=1) + page[_SNIFF:]
    try:
        tree = etree.fromstring(page.encode("utf-8", "replace").translate(None, _CONTROLS), _parser())
    except etree.XMLSyntaxError:
        tree = None
    if tree is None or len(tree) == 0:
        raise Unreadable("not-html", "no markup that a parser understands")
    return cast("HtmlElement", tree)


def _refuse_other_kinds(body: bytes, content_type: str) -> None:
    for magic, kind in _BINARY:
        if body.startswith(magic):
            raise Unreadable("not-html", f"{kind}, not a page")
    if _OTHER_TYPES.match(content_type) and not _ANY_TAG.search(body[:_SNIFF].decode("latin-1")):
        raise Unreadable("not-html", f"served as {text.clean_line(content_type.split(';')[0], limit=60)}")


def _refuse_non_markup(page: str) -> None:
    start = page[:_SNIFF]
    if len(_NO_TEXT.findall(start)) * 20 > len(start):
        raise Unreadable("not-html", "binary data")
    if start.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}:
        raise Unreadable("not-html", "JSON or script, not a page")
    if _FEED.match(start):
        raise Unreadable("not-html", "a feed or sitemap, not a page")
    if not _ANY_TAG.search(page[:200_000]):
        raise Unreadable("not-html", "no markup")


def _refuse_monsters(page: str) -> None:
    tags = page.split("<")
    if len(tags) > MAX_TAGS:
        raise Unreadable("unreadable", f"{len(tags)} tags, more than {MAX_TAGS}")
    for tag in tags[1:]:
        if len(tag) > MAX_ATTRIBUTES and len(_QUOTED.sub("", tag).partition(">")[0].split()) > MAX_ATTRIBUTES:
            raise Unreadable("unreadable", f"a tag of more than {MAX_ATTRIBUTES} attributes")

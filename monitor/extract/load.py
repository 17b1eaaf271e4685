"""Bytes to a tree, after the cheap questions that keep monsters out.

A worker's deadline is the last resort; what is here answers at once for the usual hostile or
mistaken body: binaries, feeds, JSON, a million tags, a tag of a million attributes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor import text

if TYPE_CHECKING:  # at run time inside load(): whoever only hands work to a worker need not have the parser
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
_ANY_TAG = re.compile(r"<(?:!doctype html|html|head|body|div|p|article|main|section|table|h1|span|br|meta)\b", re.I)
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{20000,}")


class Unreadable(Exception):
    """Why there is no tree: `status` as in model.Extracted."""

    def __init__(self, status: str, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status}: {reason}")


def load(body: bytes, content_type: str = "") -> HtmlElement:
    """The page's tree. Raises Unreadable."""
    from trafilatura.utils import load_html

    if not body.strip(b" \t\r\n\x00"):
        raise Unreadable("empty", "the body is empty")
    if len(body) > MAX_BYTES:
        raise Unreadable("unreadable", f"larger than {MAX_BYTES // 1_000_000} MB")
    _refuse_other_kinds(body, content_type)
    page, _ = text.decode(body, content_type)
    _refuse_non_markup(page)
    _refuse_monsters(page)
    tree = load_html(page)
    if tree is None:
        raise Unreadable("not-html", "no markup that a parser understands")
    return tree


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
    if (tags := page.count("<")) > MAX_TAGS:
        raise Unreadable("unreadable", f"{tags} tags, more than {MAX_TAGS}")
    for tag in _LONG_TAG.finditer(page):
        if len(tag[0].split()) > MAX_ATTRIBUTES:
            raise Unreadable("unreadable", f"a tag of more than {MAX_ATTRIBUTES} attributes")

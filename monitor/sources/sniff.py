"""What a body is, told by its bytes: suffixes and content types lie too often.

`open_body` inflates, decodes and names the kind, in bounded time and memory.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lxml import etree

from monitor import text

MAX_BODY_BYTES = 52_428_800  # the sitemap protocol's limit for one file, inflated
MAX_ATTRIBUTES = 1_000  # of one tag
HEAD_CHARS = 200_000  # searched for the root element
_ROOTS = {
    "rss": "feed", "rdf": "feed", "feed": "feed", "channel": "feed", "urlset": "sitemap",
    "sitemapindex": "sitemap", "opml": "opml", "html": "html", "head": "html", "body": "html",
}  # fmt: skip
# Comments, processing instructions and declarations before the root, each possibly unfinished.
_PROLOGUE = re.compile(r"<!--.*?(?:-->|\Z)|<\?(?!xml\b).*?(?:\?>|\Z)", re.S)
_TAG = re.compile(r"<(?:!doctype\s+(?P<doctype>\w+)|(?P<name>[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?))", re.I)
_FEED_ROOT = re.compile(r"<(?:\?xml\b|(?:rss|rdf:RDF|feed|urlset|sitemapindex|opml)[\s>])", re.I)
_XML_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,200}encoding\s*=", re.I)
_WESTERN = re.compile(
    r"(?:<(?:\w+:)?language>\s*|\blang=[\"'])(?:en|fr|de|es|pt|it|nl|sv|da|nb|no|fi)\b", re.I
)
_LONG_TAG = re.compile(r"<(?P<name>[A-Za-z][^\s<>/=]{0,100})[^<>]{5000,}")
_ODD = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\ufffd]")  # controls but blanks, form feed and escape
_TEXT_URLS = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Opened:
    """A body made readable. `kind` is feed, sitemap, opml, json, html, xml, text, binary or empty."""

    kind: str
    text: str = ""
    encoding: str = ""
    root: str = ""  # local name of the root element, lower case
    problem: str = ""


def open_body(body: bytes, headers: Mapping[str, str], *, max_bytes: int = MAX_BODY_BYTES) -> Opened:
    """Bytes as received to text with its kind; `problem` says when something was cut or unreadable."""
    body, problem = inflate(body, max_bytes)
    if not body.strip(b"\x00 \t\r\n"):
        return Opened("empty", problem=problem or "empty body")
    if len(body) > max_bytes:
        body, problem = body[:max_bytes], f"cut at {max_bytes} bytes"
    decoded, encoding = _decoded(body, headers.get("content-type", ""))
    if _is_binary(decoded):
        return Opened("binary", encoding=encoding, problem=problem or "binary data")
    decoded = _LONG_TAG.sub(_bounded, decoded)
    kind, root, start = kind_of(decoded)
    return Opened(kind, decoded[start:], encoding, root, problem)


def inflate(body: bytes, max_bytes: int) -> tuple[bytes, str]:
    """gzip bytes inflated to at most `max_bytes`; anything else as it is. Returns (bytes, problem)."""
    if body[:2] != b"\x1f\x8b":
        return body, ""
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, max_bytes)
    except zlib.error as error:
        return b"", f"broken gzip data: {error}"
    if inflater.unconsumed_tail:
        return plain, f"cut at {max_bytes} bytes after inflating"
    return plain, "" if inflater.eof else "gzip data ends early"


def _decoded(body: bytes, content_type: str) -> tuple[str, str]:
    """(text, encoding). What an XML document says of itself goes before the header, which is often
    only the server's default (RFC 7303 has it the other way round); where neither says anything, the
    language may tell Western European bytes from Central European ones."""
    if _XML_ENCODING.match(body[:300]):
        content_type = ""
    decoded, encoding = text.decode(body, content_type)
    if encoding in ("cp1250", "cp1254", "cp1257") and _WESTERN.search(decoded[:20_000]):
        return body.decode("cp1252", "replace"), "cp1252"
    return decoded, encoding


def _bounded(match: re.Match[str]) -> str:
    """A tag without its attributes when they are more than anybody writes: parsers compare each with
    each, and fifty thousand take a minute."""
    tag = match[0]
    if tag.count("=") < MAX_ATTRIBUTES and len(tag.split(maxsplit=MAX_ATTRIBUTES)) < MAX_ATTRIBUTES:
        return tag
    return f"<{match['name']}{'/' if tag.endswith('/') else ''}"


def kind_of(decoded: str) -> tuple[str, str, int]:
    """(kind, root element, where the document begins) of decoded text."""
    start = _begin(decoded)
    head = decoded[start : start + HEAD_CHARS]
    if head[:1] in ("{", "["):
        return "json", "", start
    root, doctype = _root(head)
    kind = _ROOTS.get(root, "")
    if kind in ("feed", "sitemap", "opml"):
        return kind, root, start
    if doctype == "html" or kind == "html":
        return _late_feed(decoded, start) or ("html", "html", start)
    if late := _late_feed(decoded, start):
        return late
    if root:
        return ("xml" if head.startswith("<?xml") else "html"), root, start
    return "text", "", start


def name_of(node: etree._Element) -> tuple[str, str]:
    """(namespace, local name in lower case) of an element; ("", "") for comments and the like.

    etree.QName refuses the names that recovered documents have, such as `news:title` undeclared.
    """
    tag = node.tag
    return _split(tag) if isinstance(tag, str) else ("", "")


@lru_cache(maxsize=1024)  # a feed of forty entries has three hundred elements and a dozen names
def _split(tag: str) -> tuple[str, str]:
    space, _, name = tag.rpartition("}")
    return space.lstrip("{"), name.rpartition(":")[2].lower()


def is_url_list(decoded: str) -> bool:
    """Whether text is a sitemap in its plain form: one address a line."""
    lines = decoded[:HEAD_CHARS].split()
    return bool(lines) and all(_TEXT_URLS.match(line) for line in lines[:50])


def _begin(decoded: str) -> int:
    """Past blanks, BOMs and control characters."""
    match = re.match("[\\s\x00-\x1f\ufeff\ufffd\ufffe]*", decoded)
    return match.end() if match else 0


def _root(head: str) -> tuple[str, str]:
    """Local name of the first element in lower case, and what a doctype names."""
    doctype = ""
    for match in _TAG.finditer(_PROLOGUE.sub(" ", head)):
        if match["doctype"]:
            doctype = match["doctype"].lower()
            continue
        return match["name"].rpartition(":")[2].lower(), doctype
    return "", doctype


def _late_feed(decoded: str, start: int) -> tuple[str, str, int] | None:
    """A feed behind junk (a warning printed by the server, a blank page's beginning)."""
    for match in islice(_FEED_ROOT.finditer(decoded, start, start + HEAD_CHARS), 20):
        root, _ = _root(decoded[match.start() : match.start() + 5_000])
        kind = _ROOTS.get(root, "")
        if match.start() > start and kind not in ("", "html"):
            return kind, root, match.start()
    return None


def _is_binary(decoded: str) -> bool:
    """More than one character in ten is a control or undecodable: no text anybody wrote."""
    sample = decoded[:4_000]
    return len(_ODD.findall(sample)) * 10 > len(sample)

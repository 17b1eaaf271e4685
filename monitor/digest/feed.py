"""Digests as an Atom feed (RFC 4287): an entry per story, with an id that never changes.

An updated story keeps its id and gets a new `updated`, so a reader shows it again instead of twice.
"""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from monitor.digest.render import fragment
from monitor.digest.view import StoryView
from monitor.model import Digest, DigestEntry

MAX_ENTRIES = 200
_ATOM = "http://www.w3.org/2005/Atom"
_NAMESPACE = uuid.UUID(
    "7c5a4b0e-5d0b-5d63-9d0f-6f2f0f7a1b52"
)  # ours alone; changing it makes all entries new
_GENERATOR = "japan-tech-monitor"

FeedEntry = Mapping[str, object]


def entry(digest: Digest, story: DigestEntry, shown: StoryView) -> dict[str, object]:
    """One story of `digest` as plain JSON for `merged`."""
    return {
        "id": _urn(f"{digest.spec.name}|story|{story.story_id}"),
        "title": shown.title,
        "url": shown.url,
        "updated": _instant(digest.window_end),
        "published": _instant(story.published_at or story.matched_at),
        "author": shown.meta[0] if shown.meta else _GENERATOR,
        "categories": [*story.corridors, *story.topics],
        "html": fragment(shown, digest.spec.lang),
    }


def merged(existing: bytes, name: str, title: str, entries: Sequence[FeedEntry]) -> bytes:
    """The feed of digest `name` with `entries` put in or replaced, newest first, at most MAX_ENTRIES.

    `existing` is the feed as written before; what is not such a feed is replaced.
    """
    kept = {_text(node, "id"): node for node in _read(existing)}
    for item in entries:
        kept[str(item["id"])] = _node(item)
    nodes = sorted(kept.values(), key=lambda node: (_text(node, "updated"), _text(node, "id")), reverse=True)
    return _feed(name, title, nodes[:MAX_ENTRIES])


def _read(existing: bytes) -> Iterable[ET.Element]:
    if not existing:
        return []
    try:
        return ET.fromstring(existing).findall(f"{{{_ATOM}}}entry")
    except ET.ParseError:
        return []


def _feed(name: str, title: str, nodes: Sequence[ET.Element]) -> bytes:
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "id", _urn(f"{name}|feed"))
    _add(root, "title", title)
    _add(root, "updated", _text(nodes[0], "updated") if nodes else "1970-01-01T00:00:00Z")
    _add(root, "generator", _GENERATOR)
    author = ET.SubElement(root, f"{{{_ATOM}}}author")
    _add(author, "name", _GENERATOR)
    root.extend(nodes)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _node(item: FeedEntry) -> ET.Element:
    node = ET.Element(f"{{{_ATOM}}}entry")
    for key in ("id", "title", "updated", "published"):
        _add(node, key, str(item[key]))
    author = ET.SubElement(node, f"{{{_ATOM}}}author")
    _add(author, "name", str(item["author"]))
    if item["url"]:
        ET.SubElement(node, f"{{{_ATOM}}}link", rel="alternate", href=str(item["url"]))
    categories = item["categories"]
    for term in categories if isinstance(categories, list) else []:
        ET.SubElement(node, f"{{{_ATOM}}}category", term=str(term))
    _add(node, "content", str(item["html"])).set("type", "html")
    return node


def _add(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{_ATOM}}}{name}")
    child.text = text
    return child


def _text(node: ET.Element, name: str) -> str:
    return node.findtext(f"{{{_ATOM}}}{name}") or ""


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, name)}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

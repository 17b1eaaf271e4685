"""Search feeds: the article's own address inside the search engine's link, and its outlet.

A link that only the engine can resolve stays as it was given.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import parse_qs, urlsplit

from monitor import urls

# Where each engine's redirects keep their target: (host, path, parameter).
_REDIRECTS = (
    (re.compile(r"(?:www\.|cn\.)?bing\.com"), re.compile(r"/news/apiclick\.aspx", re.I), "url"),
    (re.compile(r"(?:www\.)?google\.[a-z.]{2,6}"), re.compile(r"/url"), "url"),
    (re.compile(r"(?:www\.)?google\.[a-z.]{2,6}"), re.compile(r"/url"), "q"),
    (re.compile(r"news\.google\.com"), re.compile(r"/news/url"), "url"),
)
_GOOGLE_ARTICLE = re.compile(r"/(?:rss/|__i/rss/rd/)?articles/([\w-]{16,4000})=*$")
_ADDRESS = re.compile(rb"https?://[\x21-\x7e]{4,2000}")


def target(link: str) -> str:
    """The article's address when `link` carries it, else `link` as given."""
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
        parameters = parse_qs(parts.query, max_num_fields=100)
    except ValueError:
        return link
    for hosts, paths, name in _REDIRECTS:
        if hosts.fullmatch(host) and paths.fullmatch(parts.path):
            for value in parameters.get(name, []):
                if urls.is_http(value):
                    return value
    if host == "news.google.com" and (match := _GOOGLE_ARTICLE.fullmatch(parts.path)):
        return _inside(match[1]) or link
    return link


def _inside(token: str) -> str:
    """The address in an article token of the older kind (base64 of a message that holds it as text)."""
    try:
        message = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return ""
    found = _ADDRESS.search(message)
    if found is None:
        return ""
    address = found[0].decode("ascii")
    # The byte before a text gives its length; without it a following field would be taken along.
    length = message[found.start() - 1] if found.start() else 0
    if length >= 0x80 or found.start() < 2:
        return address if urls.is_http(address) else ""
    if found.start() > 1 and message[found.start() - 2] >= 0x80:
        length = (message[found.start() - 2] & 0x7F) | (length << 7)
    return address[:length] if urls.is_http(address[:length]) else ""


def without_outlet(title: str, outlet: str) -> str:
    """A search engine's headline without the " - Outlet" it appends."""
    if not outlet:
        return title
    for dash in (" - ", " – ", " | "):
        if title.endswith(dash + outlet) and len(title) > len(outlet) + len(dash):
            return title[: -len(dash + outlet)].rstrip()
    return title

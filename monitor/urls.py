"""Addresses: made absolute, and brought to one form for telling whether two name the same page.

The canonical form is for comparing only; what is fetched and shown is the address as given.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from courlan.clean import TRACKERS_RE

MAX_URL_CHARS = 8_000

# Trackers of newsrooms and mailers that the general list does not name.
_MORE_TRACKERS = frozenset(
    "_hsenc _hsmi amp cmp cmpid guccounter guce_referrer guce_referrer_sig icid linkid ocid sfnsn "
    "smid smtyp spm sref taid wt.mc_id xtor yptr".split()
)
# Words the general list takes for tracking but sites also use to number their articles
# (`?cid=12`, `?uid=34`): losing an article costs more than asking for one twice.
_MAY_IDENTIFY = frozenset("cid eid uid gid clid keyword kwd session source_id".split())
# Keys that mean nothing on one site though they may elsewhere.
_SITE_TRACKERS = {"news.google.com": frozenset({"oc", "hl", "gl", "ceid"})}
_DEFAULT_PORTS = frozenset({80, 443})
_PATH_SAFE = "/!$&'()*+,;=:@-._~"
_QUERY_SAFE = _PATH_SAFE + "?"
_PERCENT = re.compile("%([0-9A-Fa-f]{2})")
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]*:[0-9a-f:.]*")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_REMOVED = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def is_http(url: str) -> bool:
    """Whether `url` is an absolute http or https address with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def absolute(base: str, link: str) -> str:
    """`link` as seen from `base`; "" unless it leads to an http or https address."""
    link = _tidy(link)
    if not link or len(link) > MAX_URL_CHARS:
        return ""
    try:
        joined = urljoin(base, link)
    except ValueError:
        return ""
    return joined if is_http(joined) else ""


def host_of(url: str) -> str:
    """The host in lower case and IDNA form, without port or final dot; "" when there is none."""
    try:
        host = urlsplit(_tidy(url)).hostname or ""
    except ValueError:
        return ""
    return _ascii_host(host)


@lru_cache(maxsize=512)  # an item's is asked for twice or three times within a moment
def canonical_url(url: str) -> str:
    """The form two spellings of one address share; "" when it is not http or https.

    http counts as https; host in lower-case IDNA; default ports, user names, fragments, tracking
    parameters and a final slash go; dots are resolved, parameters sorted, percent signs spelt one
    way (RFC 3986 §6.2). Fragments that name a page of a script-driven site (`#!`, `#/`) stay.
    Applying it twice changes nothing.
    """
    url = _tidy(url)
    if len(url) > MAX_URL_CHARS:
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = _ascii_host(parts.hostname or "")
    if parts.scheme.lower() not in ("http", "https") or not host:
        return ""
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port not in _DEFAULT_PORTS:
        netloc += f":{port}"
    query = _clean_query(parts.query, host)
    fragment = _spell(parts.fragment, _QUERY_SAFE) if parts.fragment.startswith(("!", "/")) else ""
    path = _clean_path(parts.path)
    return f"https://{netloc}{path}" + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def identity(source_id: str, guid: str, url: str) -> str:
    """What makes an item the same item everywhere: its canonical URL, else its guid within its source.

    A watched page is one URL with many states, so there the guid (the state's hash) decides.
    """
    if guid.startswith("watch:"):
        return f"{source_id}|{guid}"
    return canonical_url(url) or f"{source_id}|{guid}"


def _tidy(url: str) -> str:
    return _REMOVED.sub("", url).strip().replace(" ", "%20").replace("\u3000", "%20")


def _ascii_host(host: str) -> str:
    """The host in IDNA form; "" when it is none."""
    try:
        host = (
            host.lower().encode("idna" if not host.isascii() else "ascii").decode("ascii").lower().rstrip(".")
        )
    except UnicodeError:
        return ""
    return host if _HOST.fullmatch(host) else ""


def _clean_path(path: str) -> str:
    kept: list[str] = []
    for segment in _spell(path, _PATH_SAFE).split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept)


def _clean_query(query: str, host: str) -> str:
    on_site = _SITE_TRACKERS.get(host, frozenset())
    pieces = [_spell(piece, _QUERY_SAFE) for piece in query.replace("&amp;", "&").split("&") if piece]
    return "&".join(sorted(piece for piece in pieces if not _is_tracking(piece, on_site)))


def _is_tracking(piece: str, on_site: frozenset[str]) -> bool:
    key = piece.partition("=")[0].lower()
    if "=" not in piece or key in _MAY_IDENTIFY:
        return False  # a bare `?p1234` is often the page's own number
    if key in _MORE_TRACKERS or key in on_site:
        return True
    match = TRACKERS_RE.search(key)
    if match is None:
        return False
    # The list matches beginnings of words: `ref` is a tracker, `reference` and `gallery` are not.
    rest = key[match.end() :]
    return match.group().endswith("_") or not rest or not rest[0].isalnum()


def _spell(part: str, safe: str) -> str:
    """Percent-encoding in one spelling: unreserved characters plain, all else in upper case."""

    def one(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else match[0].upper()

    decoded = _PERCENT.sub(one, part)
    return quote(decoded, safe=safe + "%", encoding="utf-8", errors="replace")


def unquoted(part: str) -> str:
    """Percent-encoded text as characters, undecodable bytes as U+FFFD."""
    return unquote_to_bytes(part.encode("utf-8", "replace")).decode("utf-8", "replace")

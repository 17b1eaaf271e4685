"""Header fields: what is sent, and what is kept of what comes back."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping

import httpx

from monitor.model import FetchState

MAX_FIELDS = 200
MAX_VALIDATOR = 1024  # a longer one would only bring 431s; without it the next request is unconditional

# Fields that carry a list may come in several lines, RFC 9110 section 5.3. Joining two lines of
# any other field would invent a value nobody sent; its first line counts.
_LISTS = frozenset({"cache-control", "link", "vary", "content-language", "content-encoding"})
_DROPPED = frozenset({"set-cookie", "set-cookie2"})


def fold(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Field lines as a mapping with lower-case names. Values are latin-1, so every byte survives."""
    folded: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        if name in _DROPPED:
            continue
        if name not in folded:
            folded[name] = value
        elif name in _LISTS:
            folded[name] += f", {value}"
    return folded


def conditions(state: FetchState | None) -> list[tuple[bytes, bytes]]:
    """The conditional fields for one URL: its own validators byte for byte, or none at all."""
    if state is None:
        return []
    fields = ((b"if-none-match", state.etag), (b"if-modified-since", state.last_modified))
    return [(name, value.encode("latin-1")) for name, value in fields if is_sendable(value)]


def credentials(url: httpx.URL) -> list[tuple[bytes, bytes]]:
    """Basic authentication for `https://user:password@host/`, sent to that URL and no other."""
    if not url.userinfo:
        return []
    pair = f"{url.username}:{url.password}".encode()
    return [(b"authorization", b"Basic " + b64encode(pair))]


def is_sendable(value: str) -> bool:
    """Whether a stored validator can be sent back as it is."""
    return 0 < len(value) <= MAX_VALIDATOR and all(
        (" " <= char <= "\xff" and char != "\x7f") or char == "\t" for char in value
    )


def validators(headers: Mapping[str, str], sent: FetchState | None, status: int) -> tuple[str, str]:
    """(etag, last_modified) to remember. A 304 may leave out what it confirms: then the sent ones stay."""
    etag, modified = (
        value if is_sendable(value) else ""
        for value in (headers.get("etag", ""), headers.get("last-modified", ""))
    )
    if status == 304 and sent is not None:
        return etag or sent.etag, modified or sent.last_modified
    return etag, modified

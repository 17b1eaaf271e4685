"""Secrets cut out of text: those that are known, whole or in part, and what looks like one."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"
_SHORTEST = 4  # what is shorter would be found in half of all words
_SHORTEST_PATH = 8
_TOKEN = re.compile(r"(?=[^/]*\d)[^/?&=]{12,}")  # a part of an address that is its key, hardly a word
_PATTERNS = (
    (re.compile(r"(https?://hooks\.slack(?:-gov)?\.com/)[^\s\"'<>\\]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@\"'\\]+:[^/\s@\"'\\]*(?=@)"), HIDDEN),
    (re.compile(r"(?i)(authorization\W{1,4}(?:bearer|basic))\s+[A-Za-z0-9._~+/=-]+"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)([?&](?:[a-z0-9]+[_-])?(?:token|key|apikey|password|passwd|secret|sig|signature)=)[^&\s\"'<>\\]+"
        ),
        rf"\1{HIDDEN}",
    ),
)


class Redactor:
    """Replaces known secrets, and what looks like one, in text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        parts = {part for secret in secrets for part in (secret, *_parts(secret)) if len(part) >= _SHORTEST}
        forms = {form for part in parts for form in _forms(part)}
        # Longest first: a secret may contain another.
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def _parts(secret: str) -> Iterator[str]:
    """What of a secret address gives it away: many a server repeats the path that it does not know."""
    try:
        address = urlsplit(secret.strip())
        password = address.password
    except ValueError:
        return
    if not address.scheme or not address.netloc:
        return
    yield unquote(password or "")
    for part in (address.path, f"{address.path}?{address.query}" if address.query else ""):
        if len(part) >= _SHORTEST_PATH:
            yield part
    yield from _TOKEN.findall(f"{address.path}?{address.query}")


def _forms(secret: str) -> Iterator[str]:
    """A secret as it can appear: plain, in JSON, in a URL, in a Python literal, in a login."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="")
    yield quote(secret)
    yield repr(secret)[1:-1]
    yield b64encode(secret.encode("utf-8", "replace")).decode().rstrip("=")

"""The place in an article that shows best why a search found it, from the text as it was stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from monitor.store.words import Phrase

WIDTH = 160  # characters
LEAD_IN = 30  # of them before the first hit
MAX_HITS = 200  # looked at in one article
MAX_CHARS = 100_000  # looked through in one article: twenty of any length are shown at once

Place = tuple[int, int]


class Snippets:
    """Cuts snippets for one query."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self.patterns = [re.compile(phrase.pattern(), re.IGNORECASE) for phrase in phrases]

    def of(self, text: str) -> tuple[str, list[Place]]:
        """The snippet, in one line, and the places of the hits in it."""
        hits = self._hits(text[:MAX_CHARS])
        start = _best_start(hits)
        start, end = _trimmed(text, start, start + WIDTH)
        snippet = re.sub(r"\s", " ", text[start:end])
        places = _merged((max(a, start), min(b, end)) for a, b, _ in hits if a < end and b > start)
        before, after = "…" if start else "", "…" if end < len(text) else ""
        shift = len(before) - start
        return before + snippet + after, [(a + shift, b + shift) for a, b in places]

    def _hits(self, text: str) -> list[tuple[int, int, int]]:
        """(start, end, which phrase) in the original text, in order."""
        folded, origin = fold(text)
        hits: list[tuple[int, int, int]] = []
        for n, pattern in enumerate(self.patterns):
            for match in pattern.finditer(folded):
                hits.append((origin[match.start()], origin[match.end()], n))
                if len(hits) >= MAX_HITS * (n + 1):
                    break
        return sorted(hits)


def fold(text: str) -> tuple[str, Sequence[int]]:
    """NFKC of a text, and for each of its characters (and its end) the place in the original."""
    if unicodedata.is_normalized("NFKC", text):
        return text, range(len(text) + 1)
    folded: list[str] = []
    origin: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and (unicodedata.combining(text[end]) or text[end] in "ﾞﾟ"):
            end += 1
        piece = unicodedata.normalize("NFKC", text[start:end])
        folded.append(piece)
        origin += [start] * len(piece)
        start = end
    return "".join(folded), [*origin, len(text)]


def _best_start(hits: Sequence[tuple[int, int, int]]) -> int:
    """Where a snippet holds most of the different phrases; the first such place."""
    best, best_count = 0, 0
    for start, _, _ in hits:
        reach = start + WIDTH - LEAD_IN
        count = len({n for a, b, n in hits if a >= start and b <= reach})
        if count > best_count:
            best, best_count = max(0, start - LEAD_IN), count
    return best


def _trimmed(text: str, start: int, end: int) -> Place:
    """Moves the edges to a blank nearby, so that no word is cut where words have blanks between them."""
    end = min(end, len(text))
    if start:
        blank = re.compile(r"\s").search(text, start, min(start + LEAD_IN // 2, end))
        start = blank.end() if blank else start
    if end < len(text):
        blanks = [match.start() for match in re.compile(r"\s").finditer(text, max(start, end - 20), end)]
        end = blanks[-1] if blanks else end
    return start, end


def _merged(places: Iterable[Place]) -> list[Place]:
    merged: list[Place] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged

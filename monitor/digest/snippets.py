"""Quotes around the evidence, cut at sentence borders, with the hits marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from monitor.model import Evidence
from monitor.text import is_japanese

_LATIN_CHARS = 300
_CJK_CHARS = 150  # as much to read: a CJK character carries about two Latin ones
_NEARBY = 20  # characters to look for a word border in

Span = tuple[int, int]  # start and end, code points

# A sentence ends at a full stop followed by a blank and something that can begin one, at any CJK
# stop, or at a line's end.
_BORDER = re.compile(
    r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9£$€¥\u3040-\u9fff])|(?<=[。！？])[」』）]?|\n+"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:[A-Z]\.(?:[A-Z]\.)*|Dr|Mr|Mrs|Ms|Prof|Inc|Co|Corp|Ltd|No|St|vs|approx|Jan|Feb|Mar|Apr|Jun|Jul"
    r"|Aug|Sep|Sept|Oct|Nov|Dec|Gov|Sen|Rep|Gen)\.?$"
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A quote as (text, is a hit) pieces; joined they are the article's own words, blanks folded."""

    pieces: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)


def snippets(text: str, evidence: Sequence[Evidence], *, limit: int = 2) -> tuple[Snippet, ...]:
    """Up to `limit` quotes from `text`, in its order: the sentences with the most different hits.

    Evidence from the title gives none. Offsets that do not fit the text are left out.
    """
    hits = _merged(text, evidence)
    if not hits:
        return ()
    hit_sentences = list(_with_hits(text, hits))
    best = sorted(hit_sentences, key=lambda found: (-_variety(text, found[1]), found[0]))[:limit]
    return tuple(_snippet(text, span, inside) for span, inside in sorted(best))


def _merged(text: str, evidence: Sequence[Evidence]) -> list[Span]:
    """Where the text was hit: ordered, overlaps joined."""
    spans = sorted(
        (e.start, e.end) for e in evidence if e.field == "text" and 0 <= e.start < e.end <= len(text)
    )
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def sentence_spans(text: str) -> Iterator[Span]:
    """The sentences of an English or Japanese text as (start, end), blanks around them left out."""
    start = 0
    for border in _BORDER.finditer(text):
        if "\n" not in border[0] and _ABBREVIATION.search(text, max(0, border.start() - 12), border.start()):
            continue
        yield from _stripped(text, start, border.end())
        start = border.end()
    yield from _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _with_hits(text: str, hits: Sequence[Span]) -> Iterator[tuple[Span, list[Span]]]:
    """Every sentence with hits, and the parts of the hits inside it. One pass over both."""
    first = 0  # the first hit that does not end before the sentence
    for span in sentence_spans(text):
        while first < len(hits) and hits[first][1] <= span[0]:
            first += 1
        if first == len(hits):
            return
        last = first
        while last < len(hits) and hits[last][0] < span[1]:
            last += 1
        if last > first:
            yield span, [(max(start, span[0]), min(end, span[1])) for start, end in hits[first:last]]


def _variety(text: str, hits: Sequence[Span]) -> int:
    return len({text[start:end].lower() for start, end in hits})


# --- cutting ---------------------------------------------------------------------------------


def _snippet(text: str, span: Span, hits: Sequence[Span]) -> Snippet:
    start, end = _window(text, span, hits)
    inside = [(max(a, start), min(b, end)) for a, b in hits if a < end and b > start]
    pieces = list(_pieces(text, start, end, inside))
    if start > span[0]:
        pieces.insert(0, ("…", False))
    if end < span[1]:
        pieces.append(("…", False))
    return Snippet(tuple(pieces))


def _window(text: str, span: Span, hits: Sequence[Span]) -> Span:
    """The part of a long sentence to quote: around its first hit, cut between words."""
    most = _CJK_CHARS if is_japanese(text[span[0] : span[1]]) else _LATIN_CHARS
    start, end = span
    if end - start <= most:
        return start, end
    lead = (most - min(hits[0][1] - hits[0][0], most)) // 3
    if hits[0][0] - start > lead:
        start = _word_border(text, hits[0][0] - lead, hits[0][0])
    if end - start > most:
        end = _word_border(text, start + most, start + most - _NEARBY)
    return start, end


def _word_border(text: str, at: int, towards: int) -> int:
    """A place near `at`, looking `towards`, where a word begins or ends; `at` in text without blanks."""
    step = 1 if towards > at else -1
    for place in range(at, max(at - _NEARBY, towards) if step < 0 else min(at + _NEARBY, towards), step):
        if text[place : place + 1].isspace():
            return place + 1 if step > 0 else place
    return at


def _pieces(text: str, start: int, end: int, hits: Sequence[Span]) -> Iterator[tuple[str, bool]]:
    marks = [start, *(mark for hit in hits for mark in hit), end]
    for n, (a, b) in enumerate(pairwise(marks)):
        piece = re.sub(r"\s+", " ", text[a:b])
        if piece:
            yield piece, n % 2 == 1

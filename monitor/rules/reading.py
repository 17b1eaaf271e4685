"""One document read once: folded text, segments and the hits of every concept, ready to be asked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.model import Document
from monitor.rules.matcher import Hit, find, without_masked
from monitor.rules.names import Found, counted, resolve
from monitor.rules.normalise import Folded, fold
from monitor.rules.segments import Segments, is_cjk, join_wrapped, segment

if TYPE_CHECKING:
    from monitor.rules.ruleset import RuleSet

Span = tuple[int, int, int]  # start, end, sentence: into the reading's text
_GAP = "\n\n\n"  # between title and text; no form holds a line break
MOST_CHARS = 400_000  # of one document; the rest of a longer one is not read
_HEADING = re.compile(r"[^\n]{8,160}(?=\n|$)")
_CREDIT = re.compile(
    r"^(?:photo|image|credit|source|file photo|by |news$|news story|press release"
    r"|home\b|menu|skip|share|updated"
    r"|published|posted|\d|写真|画像|提供|出典|ホーム|トップ|\[|\()"
    r"|\b(?:getty|reuters/|ap photo|min read|all rights)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Reading:
    """A document as rules see it. `text` is title, gap and text, folded; spans are code points into it."""

    document: Document
    text: str
    title_end: int  # where the title ends (a heading taken from the text included)
    body_start: int  # where the text begins; 0 when there is no title
    segments: Segments
    folded_title: Folded
    folded_text: Folded
    hits: dict[int, list[Hit]]
    names: list[Hit]
    japanese: bool
    regions: dict[str, tuple[int, int]]  # what title:, lead:, top: and body: cover
    cache: dict[object, list[Span]] = field(default_factory=dict)

    def place(self, start: int, end: int) -> tuple[str, int, int]:
        """Field and code-point offsets, in the text as given, of a span of the reading."""
        if start < self.body_start:
            return ("title", *self.folded_title.span(start, min(end, len(self.folded_title.text))))
        return ("text", *self.folded_text.span(start - self.body_start, end - self.body_start))

    def spans(self, hits: Iterable[Hit]) -> list[Span]:
        """Hits with the sentence each stands in."""
        sentences = self.segments.sentences
        return [(start, end, bisect_right(sentences, start) - 1) for start, end, _, _ in hits]


def read(document: Document, ruleset: RuleSet) -> Reading:
    """Reads a document with the concepts of a rule set. Linear; at most 400,000 characters count."""
    folded_title = fold(document.title[:MOST_CHARS].strip("\n ") if document.title.strip() else "")
    folded_text = fold(document.text[:MOST_CHARS])
    body = join_wrapped(folded_text.text)
    title = folded_title.text.replace("\n", " ")
    text = f"{title}{_GAP}{body}" if title else body
    body_start = len(title) + len(_GAP) if title else 0
    segments = segment(text, body_start)
    capitals = _capitals(text)
    hits, masks = find(ruleset.lexicon, text, capitals)
    return _settle(document, ruleset, text, body_start, segments, (folded_title, folded_text), hits, masks)


def _settle(
    document: Document,
    ruleset: RuleSet,
    text: str,
    body_start: int,
    segments: Segments,
    folded: tuple[Folded, Folded],
    hits: dict[int, list[Hit]],
    masks: dict[int, list[tuple[int, int]]],
) -> Reading:
    """Masks applied, furniture dropped, names resolved."""
    tail = segments.tail if segments.tail < len(text) else 0
    words: dict[int, list[Hit]] = {}
    found_names: list[Found] = []
    for number, found in hits.items():
        kept = without_masked(found, masks[number]) if number in masks else found
        if tail:
            kept = [hit for hit in kept if hit[0] < tail]
        if number in ruleset.name_concepts:
            found_names += [(start, -end, number, entity, strength) for start, end, entity, strength in kept]
        elif kept and (kept := counted(kept)):
            words[number] = kept
    names = resolve(found_names, ruleset.lexicon.entities, text, segments.sentence, segments.bylines)
    for number, hit in names:
        words.setdefault(number, []).append(hit)
    resolved = [hit for _, hit in names]
    heading = body_start or _heading_end(text)
    size = len(text)
    regions = {
        "title": (0, heading),
        "lead": (body_start, segments.lead_end),
        "top": (body_start, segments.top_end),
        "body": (body_start, size),
    }
    return Reading(
        document, text, heading, body_start, segments, folded[0], folded[1], words, resolved,
        is_cjk(text), regions,
    )  # fmt: skip


def _heading_end(text: str) -> int:
    """Where an untitled text's heading ends: a short first line without a stop, else its first sentence."""
    first = _HEADING.match(text)
    if first and not re.search(r"[.!?。][\"')\]」』]*$", first[0].rstrip()) and not _CREDIT.search(first[0]):
        return first.end()
    stop = re.compile(r"(?<=[a-z0-9)\"'%])\.(?=[ \n]|$)|。").search(text, 25, 600)
    return stop.end() if stop else min(len(text), 200)


def _capitals(text: str) -> list[tuple[int, int]]:
    """Lines written wholly in capitals (at least eight letters), where case tells nothing."""
    if text.isascii() and text.islower():
        return []
    found = []
    for line in re.finditer(r"[^\n]{8,400}", text):
        words = line[0]
        if words.isupper() and sum(map(str.isalpha, words)) >= 8 and words.isascii():
            found.append(line.span())
    return found

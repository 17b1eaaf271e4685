"""All forms of all concepts found in one pass, then checked where they stand.

One Aho–Corasick automaton reads the folded text once, whatever the number of rules; case, word edges
and Japanese script edges are checked only where a pattern was found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from monitor.rules.concepts import Concept, Entity
from monitor.rules.forms import OPEN, PLURAL, Form
from monitor.rules.forms import haystack as to_haystack

# Letters and digits that continue a Latin word. ASCII plus Latin-1 and its extensions, never kana or kanji:
# a Unicode word boundary would lose AI in AI半導体.
_WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789") | {
    chr(n) for n in range(0x00DF, 0x0250) if chr(n).isalpha() and chr(n) != "÷"
}
_NOT_AFTER = _WORD | {"$"}  # US$1.5bn is money, not the country
_PAD = "   "
_SURROGATES = re.compile("[\ud800-\udfff]")


# One form found in the text: start and end in the folded text, number of the entity, strength. A plain tuple,
# because a text has hundreds of them.
Hit = tuple[int, int, int, int]


class _Entry(NamedTuple):
    concept: int
    entity: int
    strength: int
    cased: str
    edge: bool
    prefix: bool
    word: bool
    mask: bool

    @property
    def plain(self) -> bool:
        """Nothing left to check once the word's edges are right."""
        return not (self.cased or self.edge or self.prefix or self.mask)


@dataclass(slots=True)
class Lexicon:
    """The compiled forms of every concept."""

    concept_ids: dict[str, int]
    entities: list[Entity]
    # By pattern: left edge checked?, right edge, entries with nothing more to check, entries with checks.
    table: list[tuple[bool, int, tuple[tuple[int, int, int], ...], tuple[_Entry, ...]]]
    patterns: list[str]
    automaton: AhoCorasick | None = field(init=False)

    def __post_init__(self) -> None:
        self.automaton = _automaton(self.patterns) if self.patterns else None

    def __reduce__(self) -> tuple[Any, ...]:
        # The automaton lives outside Python and cannot be pickled; it is the quickest part to make again.
        return Lexicon, (self.concept_ids, self.entities, self.table, self.patterns)

    @property
    def size(self) -> int:
        return len(self.patterns)


def compile_lexicon(concepts: Iterable[Concept]) -> Lexicon:
    """Compiles concepts; forms that several concepts share are one pattern with several entries."""
    ids: dict[str, int] = {}
    entities: list[Entity] = []
    known: dict[Entity, int] = {}
    slots: dict[tuple[str, bool, int], list[_Entry]] = {}
    for concept in concepts:
        number = ids.setdefault(concept.id, len(ids))
        for form, entity in concept.forms:
            if entity not in known:
                known[entity] = len(entities)
                entities.append(entity)
            _add(slots, form, number, known[entity], mask=False)
        for form in concept.masks:
            _add(slots, form, number, -1, mask=True)
    patterns = [pattern for pattern, _, _ in slots]
    table = [
        (
            left,
            right,
            tuple(dict.fromkeys(e[:3] for e in entries if e.plain)),
            tuple(dict.fromkeys(e for e in entries if not e.plain)),
        )
        for (_, left, right), entries in slots.items()
    ]
    return Lexicon(ids, entities, table, patterns)


def _automaton(patterns: Sequence[str]) -> AhoCorasick:
    return AhoCorasick(patterns, matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA)


def _add(
    slots: dict[tuple[str, bool, int], list[_Entry]], form: Form, concept: int, entity: int, *, mask: bool
) -> None:
    entry = _Entry(concept, entity, form.strength, form.cased, form.edge, form.prefix, form.word, mask)
    for pattern in form.patterns:
        slots.setdefault((pattern, form.left, form.right), []).append(entry)


def find(
    lexicon: Lexicon, text: str, capitals: Sequence[tuple[int, int]] = ()
) -> tuple[dict[int, list[Hit]], dict[int, list[tuple[int, int]]]]:
    """Hits and mask spans by concept number, in text order.

    `capitals` are stretches written wholly in capitals, where case tells nothing.
    """
    hits: dict[int, list[Hit]] = {}
    masks: dict[int, list[tuple[int, int]]] = {}
    if lexicon.automaton is None or not text:
        return hits, masks
    # The padding lets checks look past both ends (index -1 is the last blank) without a test of their own.
    lower = to_haystack(text) + _PAD
    table = lexicon.table
    word, not_after = _WORD, _NOT_AFTER
    cased = ""
    for number, start, end in _positions(lexicon.automaton, lower):
        left, right, simple, checked = table[number]
        if left and lower[start - 1] in word:
            continue
        stop = end
        if right and lower[end] in not_after:
            stop = _word_end(lower, end, right)
            if not stop:
                continue
        for concept, entity, strength in simple:
            if concept in hits:
                hits[concept].append((start, stop, entity, strength))
            else:
                hits[concept] = [(start, stop, entity, strength)]
        if checked:
            cased = cased or text.replace("-", " ").replace("/", " ")
            for entry in checked:
                if _holds(entry, lower, cased, start, end, capitals):
                    if entry.mask:
                        masks.setdefault(entry.concept, []).append((start, stop))
                    else:
                        hits.setdefault(entry.concept, []).append((start, stop, entry.entity, entry.strength))
    for found in hits.values():
        if len(found) > 1:
            found.sort()
    return hits, masks


def _positions(automaton: AhoCorasick, lower: str) -> list[tuple[int, int, int]]:
    try:
        found: list[tuple[int, int, int]] = automaton.find_matches_as_indexes(lower, overlapping=True)
    except UnicodeEncodeError:  # half of a character pair: valid in a Python string, unknown to the automaton
        found = automaton.find_matches_as_indexes(_SURROGATES.sub("\ufffd", lower), overlapping=True)
    return found


def _holds(
    entry: _Entry, lower: str, cased: str, start: int, end: int, capitals: Sequence[tuple[int, int]]
) -> bool:
    if entry.cased and not _case_holds(entry, cased, start, end, capitals):
        return False
    if entry.edge and not _edge_holds(lower, start, end):
        return False
    return not entry.prefix or _prefix_holds(lower, start, end)


def _word_end(lower: str, end: int, right: int) -> int:
    """Where the word ends after an allowed ending; 0 when the neighbour forbids the hit."""
    if right == OPEN:
        while lower[end] in _WORD:
            end += 1
        return end
    if right == PLURAL:
        if lower[end] == "s" and lower[end + 1] not in _NOT_AFTER:
            return end + 1
        if lower[end] == "e" and lower[end + 1] == "s" and lower[end + 2] not in _NOT_AFTER:
            return end + 2
    return 0


def _case_holds(entry: _Entry, cased: str, start: int, end: int, capitals: Sequence[tuple[int, int]]) -> bool:
    found = cased[start:end]
    shouted = bool(capitals) and within(start, capitals)
    if found == entry.cased:
        # In JOIN US FOR A WEBINAR the pronoun looks like the country; with THE before it, it is the country.
        return not (entry.word and shouted) or cased[max(0, start - 4) : start] == "THE "
    return shouted and found == entry.cased.upper()


def _script(character: str) -> str:
    if "ァ" <= character <= "ヺ" or character == "ー":
        return "katakana"
    if "\u3400" <= character <= "\u9fff" or character == "々":
        return "kanji"
    if "ぁ" <= character <= "ゖ":
        return "hiragana"
    return ""


def _edge_holds(lower: str, start: int, end: int) -> bool:
    first, last = _script(lower[start]), _script(lower[end - 1])
    before, after = _script(lower[start - 1]), _script(lower[end])
    if last == "katakana" and lower[end] == "ー":
        after = _script(lower[end + 1])
    return not (first and first == before) and not (last and last == after)


def _prefix_holds(lower: str, start: int, end: int) -> bool:
    """One kanji that stands for a country before a name: 米IBM, 英アーム; not 新米, 欧米, 玄米パン."""
    before, after = _script(lower[start - 1]), lower[end]
    starts_word = before in {"", "hiragana"} and lower[start - 1] not in "おご"
    return starts_word and (after in _WORD or _script(after) == "katakana" or after in "「『")


def within(index: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether one of the spans (ascending, apart) holds the index."""
    n = bisect_right(spans, index, key=lambda span: span[0]) - 1
    return n >= 0 and spans[n][0] <= index < spans[n][1]


def without_masked(hits: list[Hit], masks: list[tuple[int, int]]) -> list[Hit]:
    """The hits that no mask span covers. Both are walked once, in text order."""
    spans = sorted(masks)
    longest = max(end - start for start, end in spans)
    kept: list[Hit] = []
    n = 0
    for hit in hits:
        start, end = hit[0], hit[1]
        while n < len(spans) and spans[n][0] < start - longest:
            n += 1
        k = n
        while k < len(spans) and spans[k][0] <= start and spans[k][1] < end:
            k += 1
        if not (k < len(spans) and spans[k][0] <= start):
            kept.append(hit)
    return kept


__all__ = ["Hit", "Lexicon", "compile_lexicon", "find", "within", "without_masked"]

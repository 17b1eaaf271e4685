"""All forms of all concepts found in one pass, then checked where they stand.

One Aho–Corasick automaton reads the folded text once, whatever the number of rules; case, word edges
and Japanese script edges are checked only where a pattern was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from monitor.rules.concepts import Concept, Entity
from monitor.rules.forms import FREE, OPEN, PLURAL, Form
from monitor.rules.forms import haystack as to_haystack

# Letters and digits that continue a Latin word. ASCII plus Latin-1 and its extensions, never kana or kanji:
# a Unicode word boundary would lose AI in AI半導体.
_WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789") | {
    chr(n) for n in range(0x00DF, 0x0250) if chr(n).isalpha() and chr(n) != "÷"
}
_NOT_AFTER = _WORD | {"$"}  # US$1.5bn is money, not the country
_PAD = "   "


class Hit(NamedTuple):
    """One form found in the text: code points into the folded text."""

    start: int
    end: int
    entity: int  # index into the lexicon's entities
    strength: int


class _Entry(NamedTuple):
    concept: int
    entity: int
    strength: int
    cased: str
    edge: bool
    prefix: bool
    word: bool
    mask: bool


@dataclass(slots=True)
class Lexicon:
    """The compiled forms of every concept."""

    concept_ids: dict[str, int]
    entities: list[Entity]
    automaton: AhoCorasick | None
    table: list[tuple[bool, int, tuple[_Entry, ...]]]
    patterns: list[str]

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
    table = [(left, right, tuple(dict.fromkeys(entries))) for (_, left, right), entries in slots.items()]
    automaton = (
        AhoCorasick(patterns, matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA)
        if patterns
        else None
    )
    return Lexicon(ids, entities, automaton, table, patterns)


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
    cased = ""
    for number, start, end in lexicon.automaton.find_matches_as_indexes(lower, overlapping=True):
        left, right, entries = table[number]
        if left and lower[start - 1] in _WORD:
            continue
        stop = end
        if right != FREE and lower[end] in _NOT_AFTER:
            stop = _word_end(lower, end, right)
            if not stop:
                continue
        for entry in entries:
            if entry.cased:
                cased = cased or text.replace("-", " ").replace("/", " ")
                if not _case_holds(entry, cased, start, end, capitals):
                    continue
            if (entry.edge and not _edge_holds(lower, start, end)) or (
                entry.prefix and not _prefix_holds(lower, start, end)
            ):
                continue
            if entry.mask:
                masks.setdefault(entry.concept, []).append((start, stop))
            else:
                hits.setdefault(entry.concept, []).append(Hit(start, stop, entry.entity, entry.strength))
    for found in hits.values():
        if len(found) > 1:
            found.sort()
    return hits, masks


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
    shouted = any(begin <= start < finish for begin, finish in capitals)
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


def without_masked(hits: list[Hit], masks: list[tuple[int, int]]) -> list[Hit]:
    """The hits that no mask span covers."""
    if not masks:
        return hits
    spans = sorted(masks)
    kept: list[Hit] = []
    n = 0
    longest = max(end - start for start, end in spans)
    for hit in hits:
        while n < len(spans) and spans[n][0] < hit.start - longest:
            n += 1
        covered = False
        k = n
        while k < len(spans) and spans[k][0] <= hit.start:
            if spans[k][1] >= hit.end:
                covered = True
                break
            k += 1
        if not covered:
            kept.append(hit)
    return kept


__all__ = ["Hit", "Lexicon", "compile_lexicon", "find", "without_masked"]

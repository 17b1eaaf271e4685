"""The fewest words that would make an expression hold in a document, and where they would have to stand.

A word that the text already has elsewhere is preferred to one of the concept's list: it is the better
hint of what a rule overlooks. Nothing here is believed unread: `lifts` judges the document so filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.model import Document
from monitor.rules.concepts import Concept
from monitor.rules.language import AllOf, AnyOf, AtLeast, Field, Name, Near, Node, Not, Text
from monitor.rules.matcher import within
from monitor.rules.query import REGIONS, ask, holds
from monitor.rules.reading import Reading, Span
from monitor.rules.ruleset import RuleSet
from monitor.rules.segments import is_cjk

MOST_WORDS = 2  # more would not be one thing that was missing
MOST_TERMS = 12  # of a concept's list
MOST_LOOKED_AT = 200  # places of one expression
LONGEST_WORD = 40  # characters: longer places are sentences, not words


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a word stands in the document as given; `sentence` counts from 1, 0 in the title."""

    field: str
    start: int
    end: int
    sentence: int


@dataclass(frozen=True, slots=True)
class Word:
    """One word to put in, at an offset of a field as given."""

    terms: tuple[str, ...]  # any of them would do; the first is put in
    field: str
    at: int
    region: str = ""  # title, lead, top or body when the expression asks for it
    beside: str = ""  # the word it has to stand near
    stands: Stand | None = None  # it is in the text already, elsewhere
    again: bool = False  # it is where it should be, not often enough


Filling = tuple[Word, ...]


class Filler:
    """Fills expressions of one rule set into one reading."""

    def __init__(self, reading: Reading, ruleset: RuleSet) -> None:
        self.reading, self.ruleset = reading, ruleset
        numbers = ruleset.lexicon.concept_ids.items()
        self.concepts = {number: ruleset.concepts[name] for name, number in numbers}

    def filling(self, node: Node, region: str = "") -> Filling | None:
        """Words that would make `node` hold in the region; () when it does, None when words cannot."""
        if holds(node, self.reading, self.ruleset, region):
            return ()
        match node:
            case Name() | Text():
                return self._placed(self._word(node), region)
            case AllOf(parts):
                return _joined(self.filling(part, region) for part in parts)
            case AnyOf(parts):
                return _shortest(self.filling(part, region) for part in parts)
            case Not(part):
                return self.emptying(part, region)
            case Field(field, part):
                return self.filling(part, field) if field in REGIONS else None
            case AtLeast(count, part):
                there = len(self._spans(part, region))
                word = self._word(part) if count - there == 1 else None
                return self._placed(replace(word, again=there > 0), region) if word else None
            case Near():
                return self._near(node, region)

    def emptying(self, node: Node, region: str = "") -> Filling | None:
        """Words that would make `node` no longer hold: only what is counted for its absence can be put in."""
        if not holds(node, self.reading, self.ruleset, region):
            return ()
        match node:
            case Not(part):
                return self.filling(part, region)
            case AllOf(parts):
                return _shortest(self.emptying(part, region) for part in parts)
            case AnyOf(parts):
                return _joined(self.emptying(part, region) for part in parts)
            case Field(field, part) if field in REGIONS:
                return self.emptying(part, field)
        return None

    # --- proximity ------------------------------------------------------------------------

    def _near(self, node: Near, region: str) -> Filling | None:
        left, right = self._spans(node.left, region), self._spans(node.right, region)
        if left and right:
            return self._moved(left, right, node, region)
        if left:
            return self._beside(self._word(node.right), left[0], region, after=True)
        if right:
            return self._beside(self._word(node.left), right[0], region, after=not node.ordered)
        return None

    def _moved(self, left: Sequence[Span], right: Sequence[Span], node: Near, region: str) -> Filling | None:
        """Both are there, too far apart: the shorter of the closest two is put beside the other."""
        a, b = min(((a, b) for a in left[:40] for b in right[:40]), key=lambda pair: _gap(*pair))
        if b[1] - b[0] <= a[1] - a[0]:
            return self._beside(self._standing(b), a, region, after=True)
        return self._beside(self._standing(a), b, region, after=not node.ordered)

    def _beside(self, word: Word | None, span: Span, region: str, *, after: bool) -> Filling | None:
        if word is None:
            return None
        field, start, end = self.reading.place(span[0], span[1])
        source = self.reading.document.title if field == "title" else self.reading.document.text
        beside = " ".join(source[start:end].split())
        return (replace(word, field=field, at=end if after else start, region=region, beside=beside),)

    def _placed(self, word: Word | None, region: str) -> Filling | None:
        """At the end of the title, else at the beginning of the text, which every other region holds."""
        if word is None:
            return None
        if region == "title":
            field, _, at = self.reading.place(0, self.reading.regions["title"][1])
        elif self.reading.body_start < len(self.reading.text):
            field, at, _ = self.reading.place(self.reading.body_start, self.reading.body_start + 1)
        else:
            field, at = "text", 0
        return (replace(word, field=field, at=at, region=region),)

    # --- words ----------------------------------------------------------------------------

    def _word(self, node: Node) -> Word | None:
        """A word that makes `node` hold wherever it stands: one of the text's own, else of its list."""
        match node:
            case AnyOf(parts):
                words = [word for part in parts if (word := self._word(part))]
                return min(words, key=lambda word: word.stands is None, default=None)
            case AtLeast(1, part):
                return self._word(part)
            case Name() | Text():
                own = [span for span in self._spans(node) if span[1] - span[0] <= LONGEST_WORD]
                terms = () if own else tuple(self._terms(node))
                return self._standing(own[0]) if own else Word(terms, "", 0) if terms else None
        return None

    def _standing(self, span: Span) -> Word | None:
        if span[1] - span[0] > LONGEST_WORD:
            return None
        field, start, end = self.reading.place(span[0], span[1])
        source = self.reading.document.title if field == "title" else self.reading.document.text
        first = self.reading.segments.sentence(self.reading.body_start)
        sentence = 0 if field == "title" else span[2] - first + 1
        return Word((source[start:end],), "", 0, stands=Stand(field, start, end, sentence))

    def _spans(self, node: Node, region: str = "") -> list[Span]:
        """Places outside by-lines, where nothing is counted."""
        found = ask(node, self.reading, self.ruleset, region)[:MOST_LOOKED_AT]
        bylines = self.reading.segments.bylines
        return [span for span in found if span[2] >= 0 and not within(span[0], bylines)]

    def _terms(self, node: Name | Text) -> list[str]:
        """Forms of the concept in the language of the text, as they are written in its list."""
        name = node.id if isinstance(node, Name) else self.ruleset.literals[node.form]
        members, homes = self.ruleset.reach[name]
        terms = [
            form.written
            for concept in (*(self.concepts[number] for number in members), *self._gathering(homes))
            for form, entity in concept.forms
            if (not homes or homes.intersection(entity.homes) or not concept.homes)
            and "*" not in form.written and not form.prefix and not form.edge
        ]  # fmt: skip
        japanese = self.reading.japanese
        ours = [term for term in dict.fromkeys(terms) if is_cjk(term) == japanese]
        return (ours or terms)[:MOST_TERMS]

    def _gathering(self, homes: frozenset[str]) -> Iterator[Concept]:
        """Concepts that hold a name with one of these homes."""
        for concept in self.ruleset.concepts.values():
            if any(homes.intersection(entity.homes) for _, entity in concept.forms[:1]):
                yield concept


def _gap(a: Span, b: Span) -> tuple[int, int]:
    return abs(a[2] - b[2]), max(a[0], b[0]) - min(a[1], b[1])


def _joined(fillings: Iterable[Filling | None]) -> Filling | None:
    words: Filling = ()
    for filling in fillings:
        if filling is None or len(words) + len(filling) > MOST_WORDS:
            return None
        words += filling
    return words


def _shortest(fillings: Iterable[Filling | None]) -> Filling | None:
    """The fewest words; of equally few, those that stand in the text already."""
    known = [filling for filling in fillings if filling is not None]
    return min(known, key=lambda words: (len(words), sum(w.stands is None for w in words)), default=None)


def filled(document: Document, words: Filling) -> Document:
    """The document with the first term of each word put in its place."""
    fields = {"title": document.title, "text": document.text}
    for word in sorted(words, key=lambda word: -word.at):
        text = fields[word.field]
        fields[word.field] = f"{text[: word.at]} {word.terms[0]} {text[word.at :]}"
    return replace(document, **fields)

"""What would have made a near miss a match: the boosts that did not count, and the words they wanted.

Each is tried: the document with those words in place has been judged, and matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from monitor.model import Document
from monitor.rules.classify import Outcome, judge, telling
from monitor.rules.explain import written
from monitor.rules.filling import Filler, Filling, Word, filled
from monitor.rules.query import holds
from monitor.rules.reading import Reading, read
from monitor.rules.ruleset import Boost, Rule, RuleSet

MOST = 3  # shown for one rule, and as many terms for one word
TRIED = 12  # fillings judged for one rule: each costs a reading of the document
_REGIONS = {"title": "in the title", "lead": "in the opening", "top": "near the top", "body": "in the text"}


@dataclass(frozen=True, slots=True)
class Lift:
    """One way over the threshold."""

    rule: str
    short: float  # by how much the rule fell short
    boost: str
    weight: float  # what it would have added; negative: what it took
    wanted: str  # its condition, as written
    words: Filling  # with these in place the article matches
    quote: str = ""  # without `words`: what it was taken for


@dataclass(frozen=True, slots=True)
class _Way:
    boost: Boost
    words: Filling

    @property
    def rank(self) -> tuple[int, int, float]:
        return len(self.words), sum(word.stands is None for word in self.words), -abs(self.boost.weight)


def lifts(document: Document, ruleset: RuleSet) -> tuple[Lift, ...]:
    """Ways over the threshold for every rule that nearly held, best first; () unless it is a near miss."""
    reading = read(document, ruleset)
    outcomes = [judge(rule, reading, ruleset) for rule in ruleset.by_kind["corridor"]]
    if any(outcome.matched for outcome in outcomes):
        return ()
    return tuple(lift for o in outcomes if o.nearly for lift in _lifts(o, reading, ruleset))


def _lifts(outcome: Outcome, reading: Reading, ruleset: RuleSet) -> list[Lift]:
    rule, short = outcome.rule, round(outcome.rule.threshold - outcome.score, 3)
    filler = Filler(reading, ruleset)
    found: list[Lift] = []
    ways: dict[Filling, _Way] = {}
    for way in sorted(_ways(rule, short, filler), key=lambda way: way.rank):
        ways.setdefault(way.words, way)  # one word may turn several boosts
    for way in list(ways.values())[:TRIED]:
        words = _proved(way.words, rule, reading.document, ruleset)
        if words:
            wanted = written(way.boost.when, ruleset.defined)
            found.append(Lift(rule.id, short, way.boost.name, way.boost.weight, wanted, words))
        if len(found) == MOST:
            break
    filled_in = {lift.boost for lift in found}
    costs = [lift for lift in _costs(outcome, short, reading, ruleset) if lift.boost not in filled_in]
    return found + costs


def _ways(rule: Rule, short: float, filler: Filler) -> Iterator[_Way]:
    """Boosts heavy enough to close the gap alone, with the words that would turn them."""
    for boost in rule.boosts:
        if abs(boost.weight) < short:
            continue
        words = filler.filling(boost.when) if boost.weight > 0 else filler.emptying(boost.when)
        if words:
            yield _Way(boost, words)


def _costs(outcome: Outcome, short: float, reading: Reading, ruleset: RuleSet) -> list[Lift]:
    """Deductions without which it would have matched."""
    spans = {label: places for label, _, places in outcome.parts}
    heavy = [b for b in outcome.rule.boosts if b.weight <= -short and b.name in spans]
    heavy = [b for b in heavy if holds(b.when, reading, ruleset)]
    told = []
    for boost in sorted(heavy, key=lambda boost: boost.weight)[:MOST]:
        place = telling(spans[boost.name])
        quote = " ".join(reading.text[place[0] : place[1]].split()) if place else ""
        wanted = written(boost.when, ruleset.defined)
        told.append(Lift(outcome.rule.id, short, boost.name, boost.weight, wanted, (), quote))
    return told


def _proved(words: Filling, rule: Rule, document: Document, ruleset: RuleSet) -> Filling | None:
    """The words, each with those of its terms that make the rule hold; None when they do not."""
    if len(words) > 1:
        return words if _matches(words, rule, document, ruleset) else None
    (word,) = words
    good = []
    for term in word.terms:
        if _matches((replace(word, terms=(term,)),), rule, document, ruleset):
            good.append(term)
        if len(good) == MOST or (word.terms.index(term) >= MOST and not good):
            break
    return (replace(word, terms=tuple(good)),) if good else None


def _matches(words: Filling, rule: Rule, document: Document, ruleset: RuleSet) -> bool:
    return judge(rule, read(filled(document, words), ruleset), ruleset).matched


# --- in words ------------------------------------------------------------------------------


def told(lift: Lift) -> str:
    """One line for people: the word, where it was wanted, and what that would have added."""
    if not lift.words:
        quote = f" [{lift.quote}]" if lift.quote else ""
        return f"without {lift.weight:+g} {lift.boost}{quote}"
    words = " and ".join(map(_word, lift.words))
    effect = "" if lift.weight > 0 else "takes away "
    return f"{words}: {effect}{lift.weight:+g} {lift.boost}"


def _word(word: Word) -> str:
    terms = " or ".join(f"“{term}”" for term in word.terms)
    where = f"{terms} {'once more ' if word.again else ''}{_REGIONS.get(word.region, 'in the text')}"
    if word.beside:
        where = f"{terms} beside “{_cut(word.beside)}”" + (f" {_REGIONS[word.region]}" if word.region else "")
    if word.stands is None or word.again:
        return where
    at = "the title" if word.stands.field == "title" else f"sentence {word.stands.sentence}"
    return f"{where} (it stands in {at})"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:28]} … {text[-28:]}"

"""One document against a rule set: the verdict, with every reason."""

from __future__ import annotations

from dataclasses import dataclass

from monitor import money
from monitor.model import CORRIDORS, EVENTS, TOPICS, Document, Evidence, Part, Verdict
from monitor.rules.query import ask, holds
from monitor.rules.reading import Reading, Span, read
from monitor.rules.ruleset import Rule, RuleSet

LONGEST_QUOTE = 240
LONGEST_REASON = 60  # words quoted in the one line of reasons
REASONS = 5
MOST_EVIDENCE = 24
MOST_NAMES = 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule came to on one document."""

    rule: Rule
    gate: bool  # `when` holds
    vetoed: bool  # `unless` holds
    score: float = 0.0
    parts: tuple[tuple[str, float, tuple[Span, ...]], ...] = ()  # label, weight, places

    @property
    def matched(self) -> bool:
        return self.gate and not self.vetoed and self.score >= self.rule.threshold

    @property
    def nearly(self) -> bool:
        """Below the threshold by no more than `near`."""
        short = self.rule.threshold - self.score
        return self.gate and not self.vetoed and 0 < short <= self.rule.near


def classify(document: Document, ruleset: RuleSet) -> Verdict:
    """What the rules say of a document. Pure: the same document and rules give the same verdict."""
    reading = read(document, ruleset)
    outcomes = [judge(rule, reading, ruleset) for rule in ruleset.by_kind["corridor"]]
    return verdict(reading, outcomes, ruleset)


def judge(rule: Rule, reading: Reading, ruleset: RuleSet) -> Outcome:
    """One rule on one reading. Boosts are asked only once the gate is open."""
    gate = ask(rule.when, reading, ruleset)
    if not gate:
        return Outcome(rule, gate=False, vetoed=False)
    vetoed = bool(rule.unless is not None and ask(rule.unless, reading, ruleset))
    parts = [(rule.why, rule.score, tuple(gate[:4]))]
    for boost in rule.boosts:
        spans = ask(boost.when, reading, ruleset)
        if spans:
            parts.append((boost.name, boost.weight, tuple(spans[:2])))
    return Outcome(rule, True, vetoed, round(sum(weight for _, weight, _ in parts), 3), tuple(parts))


def verdict(reading: Reading, outcomes: list[Outcome], ruleset: RuleSet) -> Verdict:
    """The verdict of the corridor rules' outcomes; labels are added whether or not anything matched."""
    matched = [outcome for outcome in outcomes if outcome.matched]
    nearly = [outcome for outcome in outcomes if outcome.nearly] if not matched else []
    shown = matched or nearly
    best = max(shown or [o for o in outcomes if o.gate], key=lambda outcome: outcome.score, default=None)
    score = best.score if best else 0.0
    corridors = {outcome.rule.value for outcome in matched}
    topics = {r.value for r in ruleset.by_kind["topic"] if points(r, reading, ruleset) is not None}
    organisations, programmes = _named(reading, ruleset)
    parts = _parts(reading, best) if best else ()
    return Verdict(
        match=bool(matched),
        near_miss=bool(nearly),
        score=score,
        priority=_priority(reading, score, ruleset) if matched else None,
        corridors=tuple(c for c in CORRIDORS if c in corridors),
        topics=tuple(t for t in TOPICS if t in topics),
        rules=tuple(dict.fromkeys(outcome.rule.id for outcome in shown)),
        event=_event(reading, ruleset),
        organisations=organisations,
        programmes=programmes,
        amounts=tuple(money.amounts_in(reading.folded_title, reading.folded_text)),
        evidence=_evidence(reading, shown),
        parts=parts,
        why=_why(best, parts, bool(matched)),
        rules_version=ruleset.version,
    )


def points(rule: Rule, reading: Reading, ruleset: RuleSet) -> float | None:
    """The score of a label rule without its places; None when it does not hold."""
    if not holds(rule.when, reading, ruleset):
        return None
    if rule.unless is not None and holds(rule.unless, reading, ruleset):
        return None
    score = rule.score + sum(b.weight for b in rule.boosts if holds(b.when, reading, ruleset))
    return score if score >= rule.threshold else None


def _event(reading: Reading, ruleset: RuleSet) -> str | None:
    """The event whose rule scores highest; the earlier of the vocabulary's list wins a draw."""
    scores: dict[str, float] = {}
    for rule in ruleset.by_kind["event"]:
        score = points(rule, reading, ruleset)
        if score is not None:
            scores[rule.value] = max(scores.get(rule.value, 0.0), score)
    if not scores:
        return "other" if ruleset.by_kind["event"] else None
    return max(scores, key=lambda event: (scores[event], -EVENTS.index(event)))


def _priority(reading: Reading, score: float, ruleset: RuleSet) -> str:
    for rule in ruleset.by_kind["priority"]:
        if (rule.from_score is None or score >= rule.from_score) and points(
            rule, reading, ruleset
        ) is not None:
            return rule.value
    return "normal"


def _named(reading: Reading, ruleset: RuleSet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    organisations: dict[str, None] = {}
    programmes: dict[str, None] = {}
    entities = ruleset.lexicon.entities
    for hit in reading.names:
        entity = entities[hit[2]]
        if entity.name and entity.kind == "organisation":
            organisations[entity.name] = None
        elif entity.name and entity.kind == "programme":
            programmes[entity.name] = None
    return tuple(organisations)[:MOST_NAMES], tuple(programmes)[:MOST_NAMES]


# --- reasons ---------------------------------------------------------------------------------


def _quote(reading: Reading, span: Span) -> tuple[str, int, int, str]:
    field, start, end = reading.place(span[0], min(span[1], span[0] + LONGEST_QUOTE))
    source = reading.document.title if field == "title" else reading.document.text
    return field, start, end, source[start:end]


def telling(spans: tuple[Span, ...]) -> Span | None:
    """The place that says most: the longest that can be quoted whole."""
    placed = [span for span in spans if span[2] >= 0]
    short = [span for span in placed if span[1] - span[0] <= LONGEST_QUOTE]
    return max(short or placed, key=lambda span: span[1] - span[0], default=None)


def _parts(reading: Reading, outcome: Outcome) -> tuple[Part, ...]:
    parts = []
    for label, weight, spans in outcome.parts:
        shown = telling(spans)
        field, start, end, quote = _quote(reading, shown) if shown else ("", 0, 0, "")
        parts.append(Part(outcome.rule.id, label, weight, field, start, end, quote))
    return tuple(parts)


def _evidence(reading: Reading, outcomes: list[Outcome]) -> tuple[Evidence, ...]:
    found: dict[tuple[str, int, int], Evidence] = {}
    for outcome in outcomes:
        for _, weight, spans in outcome.parts:
            for span in spans:
                if span[2] >= 0 and weight > 0:
                    field, start, end, quote = _quote(reading, span)
                    found.setdefault((field, start, end), Evidence(field, start, end, quote, outcome.rule.id))
    return tuple(list(found.values())[:MOST_EVIDENCE])


def _why(best: Outcome | None, parts: tuple[Part, ...], matched: bool) -> str:
    """One line for people: the heaviest parts with the words they were given for."""
    if best is None:
        return "no rule's `when` holds"
    if best.vetoed and not matched:
        return f"{best.rule.id} is ruled out by its `unless`"
    reasons = _reasons(best, parts)
    if matched:
        return f"{best.rule.id} {best.score:g}: {reasons}"
    return f"{best.rule.id} reaches {best.score:g} of {best.rule.threshold:g}: {reasons}"


def _reasons(best: Outcome, parts: tuple[Part, ...]) -> str:
    """Words are quoted once each; the gate, which every match of the rule shares, comes last."""
    told: set[str] = set()
    lines = []
    for part in sorted(parts, key=lambda p: (p.label == best.rule.why, -abs(p.weight)))[:REASONS]:
        quote = " ".join(part.quote.split())
        words = f": {quote}" if quote and quote not in told and len(quote) <= LONGEST_REASON else ""
        told.add(quote)
        lines.append(f"{part.weight:+g} {part.label}{words}")
    return "; ".join(lines)

"""How a verdict came about: every rule, each part of its score, what was missing, the hits in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.model import Document, Verdict
from monitor.rules.classify import Outcome, judge, telling, verdict
from monitor.rules.language import AllOf, AnyOf, AtLeast, Field, Name, Near, Node, Not, Text
from monitor.rules.query import ask
from monitor.rules.reading import Reading, read
from monitor.rules.ruleset import RuleSet

SNIPPET = 60  # characters shown on each side of a hit


@dataclass(frozen=True, slots=True)
class Mark:
    """One concept found in the text as given."""

    concept: str
    name: str  # canonical name, "" for a plain term
    field: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class RuleAccount:
    """What one rule came to, in words."""

    rule: str
    result: str  # match | near miss | below threshold | ruled out | not met
    score: float
    threshold: float
    parts: tuple[tuple[str, float, str], ...]  # label, weight, quote
    missing: tuple[str, ...]  # the conditions of `when` that did not hold, as written


@dataclass(frozen=True, slots=True)
class Explanation:
    verdict: Verdict
    rules: tuple[RuleAccount, ...]
    marks: tuple[Mark, ...]


def explain(document: Document, ruleset: RuleSet) -> Explanation:
    """The verdict with the whole account of it."""
    reading = read(document, ruleset)
    outcomes = [judge(rule, reading, ruleset) for rule in ruleset.by_kind["corridor"]]
    labels = [
        judge(rule, reading, ruleset)
        for kind in ("topic", "event", "priority")
        for rule in ruleset.by_kind[kind]
    ]
    accounts = [_account(o, reading, ruleset) for o in outcomes]
    accounts += [_account(o, reading, ruleset) for o in labels if o.gate]
    return Explanation(verdict(reading, outcomes, ruleset), tuple(accounts), _marks(reading, ruleset))


def _account(outcome: Outcome, reading: Reading, ruleset: RuleSet) -> RuleAccount:
    rule = outcome.rule
    if outcome.matched:
        result = "match"
    elif outcome.vetoed:
        result = "ruled out"
    elif outcome.nearly:
        result = "near miss"
    else:
        result = "below threshold" if outcome.gate else "not met"
    parts = []
    for label, weight, spans in outcome.parts:
        shown = telling(spans)
        parts.append((label, weight, reading.text[shown[0] : shown[1]] if shown else ""))
    missing = () if outcome.gate else tuple(_missing(rule.when, reading, ruleset))
    return RuleAccount(rule.id, result, outcome.score, rule.threshold, tuple(parts), missing)


def _missing(node: Node, reading: Reading, ruleset: RuleSet) -> list[str]:
    if isinstance(node, AllOf):
        return [line for part in node.parts for line in _missing(part, reading, ruleset)]
    return [] if ask(node, reading, ruleset) else [written(node, ruleset.defined)]


def written(node: Node, defined: Mapping[Node, str], inner: bool = False) -> str:
    """An expression as an analyst would write it; a defined part is given by its name."""
    if node in defined:
        return f"@{defined[node]}"
    match node:
        case Name(id):
            return f"@{id}"
        case Text(form):
            return f'"{form}"' if " " in form else form
        case AllOf(parts):
            text = " AND ".join(written(part, defined, True) for part in parts)
        case AnyOf(parts):
            text = " OR ".join(written(part, defined, True) for part in parts)
        case Not(part):
            return f"NOT {written(part, defined, True)}"
        case Near(left, right, reach, ordered):
            operator = f"{'THEN' if ordered else 'NEAR'}/{reach}"
            text = f"{written(left, defined, True)} {operator} {written(right, defined, True)}"
        case AtLeast(count, part):
            return f"ATLEAST/{count}({written(part, defined)})"
        case Field(field, part):
            return f"{field}:{written(part, defined, True)}"
    return f"({text})" if inner else text


def _marks(reading: Reading, ruleset: RuleSet) -> tuple[Mark, ...]:
    ids = {number: name for name, number in ruleset.lexicon.concept_ids.items()}
    marks = []
    for number, hits in reading.hits.items():
        for hit in hits:
            field, start, end = reading.place(hit[0], hit[1])
            source = reading.document.title if field == "title" else reading.document.text
            name = ruleset.lexicon.entities[hit[2]].name
            marks.append(Mark(ids[number].removeprefix("="), name, field, start, end, source[start:end]))
    return tuple(sorted(marks, key=lambda mark: (mark.field != "title", mark.start, mark.end)))


def format_explanation(explanation: Explanation, document: Document) -> str:
    """The account as plain text for a terminal: verdict, rules, then the text with hits in [brackets]."""
    found = explanation.verdict
    head = "MATCH" if found.match else "near miss" if found.near_miss else "no match"
    lines = [
        f"{head}  score {found.score:g}  {', '.join(found.corridors) or '-'}  event {found.event or '-'}"
    ]
    lines += [f"topics: {', '.join(found.topics) or '-'}", f"why: {found.why}", ""]
    for account in explanation.rules:
        lines.append(f"{account.rule}: {account.result} ({account.score:g} of {account.threshold:g})")
        lines += [
            f"  {weight:+g}  {label}" + (f"  [{_short(quote)}]" if quote else "")
            for label, weight, quote in account.parts
        ]
        lines += [f"  missing: {line}" for line in account.missing]
    lines += [
        "",
        "title: " + marked(document.title, explanation.marks, "title"),
        marked(document.text, explanation.marks, "text"),
    ]
    return "\n".join(lines)


def _short(quote: str) -> str:
    line = " ".join(quote.split())
    return line if len(line) <= 2 * SNIPPET else f"{line[:SNIPPET]} … {line[-SNIPPET:]}"


def marked(text: str, marks: tuple[Mark, ...], field: str) -> str:
    """The text with each hit as [hit|concept, concept]; overlapping hits share one bracket."""
    out: list[str] = []
    done = 0
    groups: list[tuple[int, int, list[str]]] = []
    for mark in marks:
        if mark.field != field:
            continue
        if groups and mark.start < groups[-1][1]:
            start, end, names = groups.pop()
            groups.append(
                (start, max(end, mark.end), names if mark.concept in names else [*names, mark.concept])
            )
        else:
            groups.append((mark.start, mark.end, [mark.concept]))
    for start, end, names in groups:
        out += (text[done:start], f"[{text[start:end]}|{', '.join(names)}]")
        done = end
    return "".join([*out, text[done:]])

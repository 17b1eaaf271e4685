"""Asks an expression of a reading: the places where it holds.

Every node gives a list of spans in text order, empty when it does not hold. Proximity looks from each place
of one side to the nearest of the other, so cost grows with the hits, never with their product.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from monitor.rules.language import AllOf, AnyOf, AtLeast, Field, Name, Near, Node, Not, Text
from monitor.rules.reading import Reading, Span

if TYPE_CHECKING:
    from monitor.rules.ruleset import RuleSet

REGIONS = frozenset({"title", "lead", "top", "body"})
HOLDS: list[Span] = [(0, 0, -1)]  # holds, without a place to show
_WORDS = re.compile(r"[A-Za-z0-9À-ɏ'&.+]+|[\u3040-\u30ff\u3400-\u9fff]")
_CJK_PER_WORD = 2.5  # Japanese characters that say about as much as one English word


def ask(node: Node, reading: Reading, ruleset: RuleSet, region: str = "") -> list[Span]:
    """The spans where `node` holds in the region ("" everywhere, title, lead, top or body)."""
    key = (id(node), region)  # nodes are shared and outlive the reading
    known = reading.cache.get(key)
    if known is None:
        known = _ASK[type(node)](node, reading, ruleset, region)
        reading.cache[key] = known
    return known


def holds(node: Node, reading: Reading, ruleset: RuleSet, region: str = "") -> bool:
    """Whether `node` holds at all; stops at the first part that settles it."""
    kind = type(node)
    if kind is AnyOf:
        return any(holds(part, reading, ruleset, region) for part in node.parts)  # type: ignore[union-attr]
    if kind is AllOf:
        return all(holds(part, reading, ruleset, region) for part in node.parts)  # type: ignore[union-attr]
    if kind is Not:
        return not holds(node.part, reading, ruleset, region)  # type: ignore[union-attr]
    if kind is Field and node.field in REGIONS:  # type: ignore[union-attr]
        return holds(node.part, reading, ruleset, node.field)  # type: ignore[union-attr]
    return bool(ask(node, reading, ruleset, region))


def _ask_name(node: Name, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    return _within(_concept(node.id, reading, ruleset), reading, region)


def _ask_text(node: Text, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    return _within(_concept(ruleset.literals[node.form], reading, ruleset), reading, region)


def _ask_all_of(node: AllOf, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    found = []
    for part in node.parts:
        spans = ask(part, reading, ruleset, region)
        if not spans:
            return []
        found.append(spans)
    return _merged(found)


def _ask_any_of(node: AnyOf, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    return _merged([ask(part, reading, ruleset, region) for part in node.parts])


def _ask_not(node: Not, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    return [] if holds(node.part, reading, ruleset, region) else HOLDS


def _ask_near(node: Near, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    left = ask(node.left, reading, ruleset, region)
    return _near(left, ask(node.right, reading, ruleset, region), node, reading) if left else []


def _ask_at_least(node: AtLeast, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    spans = ask(node.part, reading, ruleset, region)
    return spans if len(spans) >= node.count else []


def _ask_field(node: Field, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    if node.field in REGIONS:
        return ask(node.part, reading, ruleset, node.field)
    document = reading.document
    language = document.lang or ("ja" if reading.japanese else "en")
    value = {"url": document.url, "source": document.source_id, "lang": language}[node.field]
    return HOLDS if _mentions(node.part, value.lower(), whole=node.field != "url") else []


_ASK: dict[type, Callable[[Any, Reading, RuleSet, str], list[Span]]] = {
    Name: _ask_name, Text: _ask_text, AllOf: _ask_all_of, AnyOf: _ask_any_of, Not: _ask_not, Near: _ask_near,
    AtLeast: _ask_at_least, Field: _ask_field,
}  # fmt: skip


def _merged(lists: list[list[Span]]) -> list[Span]:
    filled = [spans for spans in lists if spans]
    if len(filled) < 2:
        return filled[0] if filled else []
    merged = sorted({span for spans in filled for span in spans if span[2] >= 0})
    return merged or HOLDS


def _concept(name: str, reading: Reading, ruleset: RuleSet) -> list[Span]:
    """All places of a concept, those of the concepts it includes too."""
    known = reading.cache.get(name)
    if known is not None:
        return known
    members, homes = ruleset.reach[name]
    hits = [hit for number in members for hit in reading.hits.get(number, ())]
    spans = reading.spans(hits)
    if homes:
        fitting = ruleset.entities_of(homes)
        spans += reading.spans([hit for hit in reading.names if hit[2] in fitting])
    spans = sorted(set(spans)) if len(spans) > 1 else spans
    reading.cache[name] = spans
    return spans


def _within(spans: list[Span], reading: Reading, region: str) -> list[Span]:
    if not region or not spans:
        return spans
    first, last = reading.regions[region]
    if first <= spans[0][0] and spans[-1][0] < last:
        return spans
    return spans[bisect_left(spans, (first,)) : bisect_left(spans, (last,))]


def _mentions(node: Node, value: str, *, whole: bool) -> bool:
    """Whether an attribute of the document is, or for an address contains, what the expression asks for."""
    match node:
        case Text(form):
            wanted = form.lower()
            if wanted.endswith("*"):
                return value.startswith(wanted[:-1]) if whole else wanted[:-1] in value
            return value == wanted if whole else wanted in value
        case AnyOf(parts):
            return any(_mentions(part, value, whole=whole) for part in parts)
        case AllOf(parts):
            return all(_mentions(part, value, whole=whole) for part in parts)
        case Not(part):
            return not _mentions(part, value, whole=whole)
    return False


# --- proximity -------------------------------------------------------------------------------


def _near(left: list[Span], right: list[Span], node: Near, reading: Reading) -> list[Span]:
    if not left or not right or left[0][2] < 0 or right[0][2] < 0:
        return []
    close = _closeness(node.reach, reading)
    # Two plain terms must stand apart: one dual-home name is not two actors. A span that is itself the
    # result of NEAR may enclose the other: "UK and Japan sign" holds an act between its two actors.
    apart = not (_composed(node.left) or _composed(node.right))
    starts = [span[0] for span in right]
    found: set[Span] = set()
    for span in left:
        at = bisect_left(starts, span[0])
        for n in (at, at + 1, at - 1, at - 2) if not node.ordered else (at, at + 1):
            if not 0 <= n < len(right):
                continue
            other = right[n]
            overlap = other[0] < span[1] and span[0] < other[1]
            if (overlap and apart) or (node.ordered and other[0] < span[1]):
                continue
            if overlap or close(span, other):
                first, last = (span, other) if span[0] <= other[0] else (other, span)
                found.add((first[0], max(first[1], last[1]), first[2]))
                break
    return sorted(found)


def _composed(node: Node) -> bool:
    match node:
        case Near():
            return True
        case AnyOf(parts) | AllOf(parts):
            return any(map(_composed, parts))
        case AtLeast(_, part) | Field(_, part):
            return _composed(part)
    return False


def _closeness(reach: str, reading: Reading) -> Callable[[Span, Span], bool]:
    if reach == "s":
        return lambda a, b: a[2] == b[2]
    if reach == "2s":
        return lambda a, b: abs(a[2] - b[2]) < 2
    line = reading.segments.line
    if reach == "p":
        return lambda a, b: line(a[0]) == line(b[0])
    most = int(reach)
    text = reading.text

    def close(a: Span, b: Span) -> bool:
        begin, end = (a[1], b[0]) if a[0] <= b[0] else (b[1], a[0])
        if end - begin > most * 30 + 10:
            return False
        words = 0.0
        for word in _WORDS.findall(text, begin, end):
            words += 1 if word.isascii() else 1 / _CJK_PER_WORD
        return words <= most

    return close

"""Asks an expression of a reading: the places where it holds.

Every node gives a list of spans in text order, empty when it does not hold. Proximity looks from each place
of one side to the nearest of the other, so cost grows with the hits, never with their product.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.rules.language import AllOf, AnyOf, AtLeast, Field, Name, Near, Node, Not, Text
from monitor.rules.reading import Reading, Span

if TYPE_CHECKING:
    from monitor.rules.ruleset import RuleSet

HOLDS: list[Span] = [(0, 0, -1)]  # holds, without a place to show
_WORDS = re.compile(r"[A-Za-z0-9À-ɏ'&.+]+|[\u3040-\u30ff\u3400-\u9fff]")
_CJK_PER_WORD = 2.5  # Japanese characters that say about as much as one English word


def ask(node: Node, reading: Reading, ruleset: RuleSet, region: str = "") -> list[Span]:
    """The spans where `node` holds in the region ("" everywhere, title, lead or body)."""
    key = (id(node), region)  # nodes are shared and outlive the reading
    known = reading.cache.get(key)
    if known is None:
        known = _ask(node, reading, ruleset, region)
        reading.cache[key] = known
    return known


def _ask(node: Node, reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    match node:
        case Name(name):
            return _within(_concept(name, reading, ruleset), reading, region)
        case Text(form):
            return _within(_concept(ruleset.literals[form], reading, ruleset), reading, region)
        case AllOf(parts):
            return _all_of(parts, reading, ruleset, region)
        case AnyOf(parts):
            return _merged([ask(part, reading, ruleset, region) for part in parts])
        case Not(part):
            return [] if ask(part, reading, ruleset, region) else HOLDS
        case Near(left, right):
            first = ask(left, reading, ruleset, region)
            if not first:
                return []
            return _near(first, ask(right, reading, ruleset, region), node, reading)
        case AtLeast(count, part):
            spans = ask(part, reading, ruleset, region)
            return spans if len(spans) >= count else []
        case Field(field, part):
            return _field(field, part, reading, ruleset)
    raise AssertionError(node)


def _all_of(parts: tuple[Node, ...], reading: Reading, ruleset: RuleSet, region: str) -> list[Span]:
    found = []
    for part in parts:
        spans = ask(part, reading, ruleset, region)
        if not spans:
            return []
        found.append(spans)
    return _merged(found)


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
        spans += reading.spans([hit for hit in reading.names if hit.entity in fitting])
    spans = sorted(set(spans)) if len(spans) > 1 else spans
    reading.cache[name] = spans
    return spans


def _within(spans: list[Span], reading: Reading, region: str) -> list[Span]:
    if not region or not spans:
        return spans
    if region == "title":
        return [span for span in spans if span[0] < reading.title_end]
    first = reading.body_start
    last = {"lead": reading.segments.lead_end, "top": reading.segments.top_end}.get(region, len(reading.text))
    return [span for span in spans if first <= span[0] < last]


def _field(name: str, part: Node, reading: Reading, ruleset: RuleSet) -> list[Span]:
    if name in ("title", "lead", "top", "body"):
        return ask(part, reading, ruleset, name)
    document = reading.document
    value = {"url": document.url, "source": document.source_id, "lang": document.lang or _language(reading)}[
        name
    ]
    return HOLDS if _mentions(part, value.lower(), whole=name != "url") else []


def _language(reading: Reading) -> str:
    return "ja" if reading.japanese else "en"


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

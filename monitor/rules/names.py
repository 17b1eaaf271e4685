"""Which of the found names count.

The longest name wins, subsidiaries lend no second home, weak forms need company.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.rules.concepts import Entity
from monitor.rules.matcher import Hit, within

# start, minus end (so that the longest comes first), concept, entity, strength
Found = tuple[int, int, int, int, int]
# Country words that make a subsidiary when they follow a company's name: IBM Japan, Fujitsu UK.
_LOCAL = frozenset({"japan", "uk", "britain", "america", "usa", "us", "ジャパン"})
_WEAK = 0


def resolve(
    found: list[Found],
    entities: list[Entity],
    text: str,
    sentence: Callable[[int], int],
    hidden: list[tuple[int, int]],
) -> list[tuple[int, Hit]]:
    """The names that count, as (concept, hit) in text order. `hidden` are by-lines: datelines do not act."""
    if not found:
        return []
    found.sort()
    names: list[Found] = []
    reach = last_start = -1
    for hit in found:
        start, end = hit[0], -hit[1]
        if entities[hit[3]].kind == "programme":
            names.append(hit)  # UK-Japan Digital Partnership leaves both countries standing
            continue
        if end <= reach and not (start == last_start and end == reach):
            continue  # inside a longer name: University of Washington hides Washington
        reach, last_start = end, start
        names.append(hit)
    if hidden:
        names = [hit for hit in names if not within(hit[0], hidden)]
    names = _without_lonely_weak(_without_subsidiary_words(names, entities, text), entities, sentence)
    return [(concept, (start, -end, entity, strength)) for start, end, concept, entity, strength in names]


def _without_subsidiary_words(names: list[Found], entities: list[Entity], text: str) -> list[Found]:
    """Drops the country word of "IBM Japan" and 日本IBM: one company, not two actors."""
    dropped: set[int] = set()
    for n in range(len(names) - 1):
        this, after = names[n], names[n + 1]
        gap = after[0] + this[1]  # the end is kept negative
        if not 0 <= gap <= 1:
            continue
        one, other = entities[this[3]], entities[after[3]]
        if one.kind == "organisation" and other.kind == "place":
            local = text[after[0] : -after[1]].lower() in _LOCAL
            if local and text[-this[1] : after[0]] in {" ", ""} and text[-after[1] : 1 - after[1]] != "-":
                dropped.add(n + 1)
        elif other.kind == "organisation" and not gap and "jp" not in other.homes:
            dropped.update([n] if text[this[0] : -this[1]] == "日本" else ())
    return [hit for n, hit in enumerate(names) if n not in dropped] if dropped else names


def _without_lonely_weak(
    names: list[Found], entities: list[Entity], sentence: Callable[[int], int]
) -> list[Found]:
    """A weak form counts beside a strong one of its name anywhere, or in the same sentence as a strong name
    of its concept or of an organisation: BT is an abbreviation of much, but not in "NEC and BT".
    """
    weak = {sentence(hit[0]) for hit in names if hit[4] == _WEAK}
    if not weak:
        return names
    strong = [hit for hit in names if hit[4] != _WEAK]
    known = {hit[3] for hit in strong}
    beside: set[tuple[int, int]] = set()
    for hit in strong:
        at = sentence(hit[0])
        if at in weak:
            beside.add((hit[2], at))
            if entities[hit[3]].kind == "organisation":
                beside.add((-1, at))

    def counts(hit: Found) -> bool:
        at = sentence(hit[0])
        company = entities[hit[3]].kind == "organisation" and (-1, at) in beside
        return hit[3] in known or company or (hit[2], at) in beside

    return [hit for hit in names if hit[4] != _WEAK or counts(hit)]


def counted(hits: list[Hit]) -> list[Hit]:
    """Word hits that count: weak ones only when the concept has a stronger one in the document."""
    for hit in hits:
        if hit[3] != _WEAK:
            return hits
    return []

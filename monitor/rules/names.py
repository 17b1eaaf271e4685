"""Which of the found names count: the longest wins, subsidiaries lend no second home, weak ones need company."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from monitor.rules.concepts import Entity
from monitor.rules.matcher import Hit

# Country words that make a subsidiary when they follow a company's name: IBM Japan, Fujitsu UK.
_LOCAL = frozenset({"japan", "uk", "britain", "america", "usa", "us", "ジャパン", "uk limited"})
_WEAK = 0


class NameHit(NamedTuple):
    start: int
    end: int
    concept: int
    entity: int
    strength: int


def resolve(
    found: list[NameHit],
    entities: list[Entity],
    text: str,
    sentence: Callable[[int], int],
    hidden: list[tuple[int, int]],
) -> list[NameHit]:
    """Names in text order. `hidden` are by-lines: a dateline is not an actor."""
    if not found:
        return []
    found.sort(key=lambda hit: (hit.start, -hit.end))
    names: list[NameHit] = []
    reach = last_start = -1
    for hit in found:
        if entities[hit.entity].kind == "programme":
            names.append(hit)  # UK-Japan Digital Partnership leaves both countries standing
            continue
        if hit.end <= reach and not (hit.start == last_start and hit.end == reach):
            continue  # inside a longer name: University of Washington hides Washington
        reach, last_start = hit.end, hit.start
        names.append(hit)
    if hidden:
        names = [hit for hit in names if not any(start <= hit.start < end for start, end in hidden)]
    names = _without_subsidiary_words(names, entities, text)
    return _without_lonely_weak(names, sentence)


def _without_subsidiary_words(names: list[NameHit], entities: list[Entity], text: str) -> list[NameHit]:
    """Drops the country word of "IBM Japan" and 日本IBM: one company, not two actors."""
    dropped: set[int] = set()
    for n in range(len(names) - 1):
        this, after = names[n], names[n + 1]
        one, other = entities[this.entity], entities[after.entity]
        gap = text[this.end : after.start]
        if one.kind == "organisation" and other.kind == "place" and gap in {" ", ""}:
            if text[after.start : after.end].lower() in _LOCAL and text[after.end : after.end + 1] != "-":
                dropped.add(n + 1)
        elif (
            one.kind == "place"
            and other.kind == "organisation"
            and not gap
            and text[this.start : this.end] == "日本"
            and "jp" not in other.homes
        ):
            dropped.add(n)
    return [hit for n, hit in enumerate(names) if n not in dropped] if dropped else names


def _without_lonely_weak(names: list[NameHit], sentence: Callable[[int], int]) -> list[NameHit]:
    """A weak form counts beside a strong one: of the same name anywhere, or of its concept in the sentence."""
    if all(hit.strength != _WEAK for hit in names):
        return names
    strong_entities = {hit.entity for hit in names if hit.strength != _WEAK}
    strong_places = {(hit.concept, sentence(hit.start)) for hit in names if hit.strength != _WEAK}
    return [
        hit
        for hit in names
        if hit.strength != _WEAK
        or hit.entity in strong_entities
        or (hit.concept, sentence(hit.start)) in strong_places
    ]


def counted(hits: list[Hit]) -> list[Hit]:
    """Word hits that count: weak ones only when the concept has a stronger one in the document."""
    if any(hit.strength != _WEAK for hit in hits):
        return hits
    return []

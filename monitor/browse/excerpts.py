"""The sentences that decided, with the words that did marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AROUND = 90  # characters shown on either side of a place
MOST = 6  # excerpts of one article


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`pieces` are (text, marked) in order."""

    field: str
    pieces: tuple[tuple[str, bool], ...]


def excerpts(title: str, text: str, evidence: Iterable[Mapping[str, Any]]) -> list[Excerpt]:
    """Places named by the evidence, near ones in one excerpt; a place the text has lost shows its quote."""
    fields = {"title": title, "text": text}
    spans: dict[str, list[tuple[int, int]]] = {"title": [], "text": []}
    lost: list[Excerpt] = []
    for place in evidence:
        span = _place(fields.get(place["field"], ""), place)
        if span and place["field"] in spans:
            spans[place["field"]].append(span)
        else:
            lost.append(Excerpt(place["field"], ((place["quote"], True),)))
    found = [
        Excerpt(field, _pieces(fields[field], group))
        for field, places in spans.items()
        for group in _near(_merged(_smallest(places)))
    ]
    return [*found, *lost][:MOST]


def _place(text: str, place: Mapping[str, Any]) -> tuple[int, int] | None:
    start, end, quote = place["start"], place["end"], place["quote"]
    if text[start:end] == quote:
        return start, end
    at = text.find(quote) if quote else -1
    return (at, at + len(quote)) if at >= 0 else None


def _smallest(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that hold others: a whole sentence marked marks nothing."""
    places = sorted(set(places), key=lambda span: span[1] - span[0])
    kept: list[tuple[int, int]] = []
    for start, end in places:
        if not any(start <= s and e <= end for s, e in kept):
            kept.append((start, end))
    return kept


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _near(places: Iterable[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    groups: list[list[tuple[int, int]]] = []
    for span in places:
        if groups and span[0] - groups[-1][-1][1] <= AROUND:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _pieces(text: str, places: Sequence[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    start, end = max(0, places[0][0] - AROUND), min(len(text), places[-1][1] + AROUND)
    pieces = [("…" if start else "", False)]
    at = start
    for first, last in places:
        pieces += [(text[at:first], False), (text[first:last], True)]
        at = last
    pieces += [(text[at:end], False), ("…" if end < len(text) else "", False)]
    return tuple((piece.replace("\n", " "), marked) for piece, marked in pieces if piece)

"""Which stories a digest shows, in which order, and which it only counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor.model import AUTHORITIES, PRIORITIES, DigestEntry, DigestSpec

_ONLY_MORE = re.compile(r"\+\d+ (?:outlet|article)s?")


def is_wanted(entry: DigestEntry, spec: DigestSpec) -> bool:
    """Whether the digest's filter lets the story through; an empty filter lets everything."""
    return (
        _meets(spec.corridors, entry.corridors)
        and _meets(spec.topics, entry.topics)
        and _meets(spec.priorities, (entry.priority,))
        and _meets(spec.authorities, (entry.authority,))
        and _meets(spec.langs, (entry.lang,))
        and entry.score >= spec.min_score
    )


def _meets(asked: Sequence[str], given: Sequence[str]) -> bool:
    return not asked or any(value in asked for value in given)


def select(
    entries: Iterable[DigestEntry], spec: DigestSpec
) -> tuple[tuple[DigestEntry, ...], tuple[DigestEntry, ...]]:
    """The stories to show, most important first, and those that are only counted ("12 more")."""
    ranked = sorted((entry for entry in entries if is_wanted(entry, spec)), key=_rank)
    return tuple(ranked[: spec.max_stories]), tuple(ranked[spec.max_stories :])


def filtered(entries: Iterable[DigestEntry], spec: DigestSpec) -> tuple[DigestEntry, ...]:
    """The stories the digest's filter keeps out, in the order given."""
    return tuple(entry for entry in entries if not is_wanted(entry, spec))


def is_urgent(entry: DigestEntry) -> bool:
    """Whether a story goes out at once: of high priority, and new or changed in substance.

    That more outlets carry what has been reported can wait for the next digest.
    """
    if entry.priority != "high":
        return False
    return not entry.update or not _ONLY_MORE.fullmatch(entry.update.strip())


def _rank(entry: DigestEntry) -> tuple[int, bool, float, int, datetime, int]:
    """Priority, what is new before what is updated, score, trust in the source, then the earliest."""
    return (
        _position(PRIORITIES, entry.priority),
        bool(entry.update),
        -entry.score,
        _position(AUTHORITIES, entry.authority),
        entry.published_at or entry.matched_at,
        entry.story_id,
    )


def _position(order: Sequence[str], value: str) -> int:
    return order.index(value) if value in order else len(order)

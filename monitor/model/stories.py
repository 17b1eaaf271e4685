"""What stories are compared by, and the decision to join one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model.verdicts import Amount


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What stories are compared by; see stories.py."""

    text_sha256: str  # of the normalised text
    simhash: int  # 64 bits
    bands: tuple[int, ...] = ()  # of the simhash, for look-up; none for a short text
    title_tokens: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    corridors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()  # named in the title, for the country-pair veto
    names: tuple[str, ...] = ()  # proper names no list holds: capitalised words, Latin and katakana runs
    title_names: tuple[str, ...] = ()  # those of the names that stand in the title
    numbers: tuple[str, ...] = ()  # figures with a unit or many digits
    amounts: tuple[Amount, ...] = ()
    event_dates: tuple[str, ...] = ()  # YYYY-MM-DD or --MM-DD
    ordinals: tuple[str, ...] = ()  # "second plant", 第2工場
    lang: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class StoryMember:
    """A stored match as a candidate to join."""

    match_id: int
    story_id: int
    title: str
    canonical_url: str
    published_at: datetime | None
    fingerprint: Fingerprint
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Which story an article belongs to and why; `story_id` None starts a new one."""

    story_id: int | None
    match_id: int | None  # the member it was joined to
    reason: str
    score: float = 0.0
    vetoes: tuple[tuple[int, str], ...] = ()  # (match_id, reason) of candidates turned down

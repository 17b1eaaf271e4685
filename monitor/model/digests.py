"""Digests, their messages and their delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.model.verdicts import Amount, Evidence, Part


@dataclass(frozen=True, slots=True)
class Outlet:
    """One outlet that carries a story."""

    match_id: int
    source_name: str
    title: str
    url: str
    lang: str
    country: str
    authority: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class DigestEntry:
    """One story as a digest shows it: the leading article first, the other outlets beneath."""

    story_id: int
    match_id: int  # the leading article
    match_ids: tuple[int, ...]  # everything this entry claims
    title: str
    url: str
    source_name: str
    authority: str
    country: str
    lang: str
    published_at: datetime | None
    matched_at: datetime
    corridors: tuple[str, ...]
    topics: tuple[str, ...]
    event: str | None
    priority: str
    score: float
    why: str
    organisations: tuple[str, ...]
    programmes: tuple[str, ...]
    amounts: tuple[Amount, ...]
    evidence: tuple[Evidence, ...]
    text: str  # the article's, for snippets around the evidence
    outlets: tuple[Outlet, ...] = ()  # the others
    update: str = ""  # "+3 outlets": set when the story was already reported by this digest
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a digest says about its own completeness."""

    sources: int
    read: int
    failing: tuple[tuple[str, str, datetime | None], ...] = ()  # (name, reason, since)
    silent: tuple[tuple[str, str, datetime | None], ...] = ()
    dead_letters: int = 0


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A channel with its recipients, as one digest uses it. Secrets stay with the channel itself."""

    channel: str  # the name in monitor.yaml
    kind: str  # file | email | slack | webhook | apprise
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DigestSpec:
    """One digest, as configured in `config/digests.yaml`."""

    name: str
    title: str = ""
    zone: str = "UTC"
    lang: str = "en"  # of the labels: en | ja
    at: str = "08:00"  # local time HH:MM, unless `cron` is set
    cron: str = ""  # five fields, weekdays by name
    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    holidays: str = ""  # country whose public holidays are left out
    quiet: str = ""  # "22:00-07:00": immediate alerts wait until it ends
    immediate: bool = False  # stories of high priority at once
    immediate_cap: int = 5  # a day
    weekly: bool = False  # a round-up with bars
    empty: str = "skip"  # skip | send
    max_stories: int = 30
    corridors: tuple[str, ...] = ()  # empty: all
    topics: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    min_score: float = 0.0
    channels: tuple[ChannelSpec, ...] = ()
    browse_url: str = ""


@dataclass(frozen=True, slots=True)
class DigestState:
    """How far a digest has come, as remembered."""

    name: str
    configured_at: datetime  # its first window starts here
    watermark_at: datetime  # everything matched before has been composed
    last_fire_at: datetime | None = None  # the last scheduled time that was served


@dataclass(frozen=True, slots=True)
class Digest:
    """A composed digest, ready to be rendered."""

    id: str  # deterministic: name, kind and window
    spec: DigestSpec
    kind: str  # scheduled | immediate | weekly | first-look | requested | preview
    window_start: datetime
    window_end: datetime
    entries: tuple[DigestEntry, ...]
    coverage: Coverage
    more: int = 0  # stories that did not fit
    weekly_counts: tuple[tuple[str, str, int], ...] = ()  # (week or label, corridor or topic, stories)
    in_reply_to: str = ""  # Message-ID of the alert this one updates


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message to one recipient. `key` is the same however often it is composed or sent."""

    key: str
    digest_id: str
    digest_name: str
    channel: str
    kind: str
    recipient: str
    subject: str
    payload: Mapping[str, object]  # what the channel needs, frozen at compose time
    message_id: str = ""
    id: int = 0
    attempts: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A channel's receipt."""

    response: str  # what the receiver said, without secrets

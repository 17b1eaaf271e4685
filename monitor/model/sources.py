"""Sources, and what is remembered of them between polls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model.fetching import FetchState


@dataclass(frozen=True, slots=True)
class Source:
    """One place that is polled, as configured in `config/sources.yaml`."""

    id: str
    url: str
    name: str = ""
    kind: str = "feed"  # one of SOURCE_KINDS; a feed's dialect is told by its content
    homepage: str = ""
    country: str = ""  # ISO 3166 alpha-2 lower case, or "int"
    lang: str = ""  # "en", "ja" or "" when mixed
    category: str = ""
    authority: str = "press"  # one of AUTHORITIES
    poll_minutes: int = 60
    selector: str = ""  # CSS selector of the links (page) or of the watched part (watch)
    link_pattern: str = ""  # regular expression searched in absolute link targets (page, sitemap)
    timezone: str = ""  # IANA zone of dates without an offset
    allow_private: bool = False  # loopback and private addresses may be fetched: demo and tests
    full_text: bool = False  # the feed carries whole articles: do not fetch the pages
    terms: str = ""  # "restrict": the publisher's terms restrict automated use
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class PollHints:
    """What a feed asks of its readers. Remembered, because a 304 brings no copy to read it from."""

    ttl_minutes: int | None = None
    skip_hours: frozenset[int] = frozenset()  # GMT
    skip_days: frozenset[str] = frozenset()  # English names


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source with what the database remembers of it, for deciding when to poll next."""

    source: Source
    state: str = "new"  # new | ok | failing | silent | gone | disabled
    state_reason: str = ""
    failures: int = 0  # in a row
    next_poll_at: datetime | None = None
    last_polled_at: datetime | None = None
    last_ok_at: datetime | None = None
    newest_item_at: datetime | None = None
    permanent_url: str = ""  # where a 301/308 has been pointing
    permanent_seen: int = 0  # how often in a row
    permanent_since: datetime | None = None
    url: str = ""  # the URL to poll: the configured one, or a permanent redirect taken over
    hints: PollHints = PollHints()


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item never seen before. `status` "pending" is read next; "done" was only noted (`reason`)."""

    identity: str  # canonical URL, else source and guid
    guid: str
    url: str
    canonical_url: str
    title: str
    summary: str
    content: str
    lang: str
    author: str
    outlet: str
    published_at: datetime | None
    status: str = "pending"
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A known item seen again under another source or guid."""

    identity: str
    guid: str
    url: str


@dataclass(frozen=True, slots=True)
class PollRecord:
    """Everything one poll changes, stored in one transaction: items and validators together."""

    source_id: str
    polled_at: datetime
    ok: bool
    next_poll_at: datetime | None  # None: never again
    state: str
    state_reason: str
    failures: int
    new_items: tuple[NewItem, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    fetches: tuple[FetchState, ...] = ()
    newest_item_at: datetime | None = None
    usual_gap_hours: float | None = None
    permanent_url: str = ""
    permanent_seen: int = 0
    permanent_since: datetime | None = None
    hints: PollHints | None = None  # None: the poll brought no copy, keep what is stored


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll of one source came to; `error` empty when it worked."""

    source_id: str
    status: str  # ok | unchanged | failed | gone
    new: int = 0
    known: int = 0
    error: str = ""
    error_kind: str = ""  # FetchError.kind, or "unreadable"
    took_ms: int = 0

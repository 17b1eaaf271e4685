"""The words everything else speaks: plain frozen records, no I/O.

A record's name says which stage it has passed:
`Source` → `Fetched` → `ParsedItem` → `Article` → `Verdict` → `Match` → `Digest` → `Delivery`.

Instants end in `_at` and are aware UTC datetimes; lists are tuples; absent is `None` or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# --- vocabulary of answers -------------------------------------------------------------------

CORRIDORS = ("uk-japan", "us-japan")
TOPICS = (
    "semiconductors", "ai", "quantum", "telecoms", "cyber", "digital-government", "space",
    "clean-energy", "biotech", "robotics", "defence-dual-use", "critical-minerals", "supply-chain",
    "skills", "rd-funding", "startups-investment", "industrial-policy", "standards-regulation",
    "export-controls", "science-research",
)  # fmt: skip
EVENTS = (
    "agreement", "joint-statement", "funding", "investment", "rd-programme", "visit-talks",
    "event-workshop", "company-partnership", "policy", "analysis", "other",
)  # fmt: skip
PRIORITIES = ("high", "normal", "low")
AUTHORITIES = ("official", "industry", "thinktank", "press", "aggregator")  # most to least trusted
SOURCE_KINDS = ("feed", "page", "sitemap", "watch", "search")


# --- sources ---------------------------------------------------------------------------------


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


# --- fetching --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FetchState:
    """What is remembered of one URL. Validators are kept byte for byte, quotes and `W/` included."""

    url: str
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One polite GET. `validators` maps a URL to its own FetchState: none is ever sent elsewhere."""

    url: str
    validators: Mapping[str, FetchState] = field(default_factory=dict)
    accept: str = "*/*"
    obey_robots: bool = False  # pages, listings and sitemaps; a configured feed is fetched as asked
    allow_private: bool = False
    timeout_s: float = 30.0
    max_body_bytes: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Redirect:
    status: int
    from_url: str
    to_url: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back. `status` is 200 or 304 (then `body` is empty); anything else is a FetchError."""

    url: str  # final, after redirects
    requested_url: str
    status: int
    body: bytes
    headers: Mapping[str, str]  # lower-case names
    redirects: tuple[Redirect, ...] = ()
    etag: str = ""
    last_modified: str = ""
    took_ms: int = 0

    @property
    def not_modified(self) -> bool:
        return self.status == 304

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


# --- parsing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """One entry of a feed, listing or sitemap. Text is plain: no markup, no control characters."""

    guid: str  # the entry's id; else its canonical URL; else a hash of its content
    url: str  # as given, resolved to absolute; "" when the entry has none
    title: str = ""
    summary: str = ""
    content: str = ""  # the feed's own full text, "" when it carries none
    published_at: datetime | None = None
    published_raw: str = ""
    author: str = ""
    lang: str = ""
    outlet: str = ""  # the publisher named by a search feed


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """Everything one polled document gave."""

    kind: str  # rss, atom, rdf, json, sitemap, sitemapindex, page, watch or "" when unreadable
    items: tuple[ParsedItem, ...] = ()
    title: str = ""
    home_url: str = ""
    lang: str = ""
    encoding: str = ""
    ttl_minutes: int | None = None  # RSS ttl or the sy:* period: polling sooner brings nothing
    skip_hours: frozenset[int] = frozenset()  # GMT
    skip_days: frozenset[str] = frozenset()  # English names
    hub_url: str = ""
    children: tuple[str, ...] = ()  # sitemaps named by a sitemap index
    problem: str = ""  # why nothing, or not everything, could be read
    known: int = 0  # entries left out unread because their id was known


@dataclass(frozen=True, slots=True)
class Extracted:
    """A page's readable text, or the reason why there is none.

    `published` is as the page says: YYYY-MM-DD or ISO 8601 with the page's own offset.
    """

    status: str  # ok | empty | unreadable | timeout | not-html
    reason: str = ""
    title: str = ""
    text: str = ""
    published: str = ""
    author: str = ""
    lang: str = ""  # ja | en | other | ""
    label: str = "article"  # article | teaser | json-ld
    url: str = ""  # the page's own canonical address, if it names one


# --- classifying -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """What rules read. `title` may be empty: then the text stands alone."""

    text: str
    title: str = ""
    url: str = ""
    lang: str = ""
    source_id: str = ""
    published: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    text: str
    currency: str  # ISO 4217
    value: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quoted place. Offsets are code points into the field's text as given."""

    field: str  # title | text
    start: int
    end: int
    quote: str
    rule: str


@dataclass(frozen=True, slots=True)
class Part:
    """One named addend of a score: "+4 title: Rapidus"."""

    rule: str
    label: str
    weight: float
    field: str = ""
    start: int = 0
    end: int = 0
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one document, with every reason."""

    match: bool
    near_miss: bool = False
    score: float = 0.0
    priority: str | None = None  # of a match; None otherwise
    corridors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # ids of the rules that matched (or nearly did)
    event: str | None = None
    organisations: tuple[str, ...] = ()  # canonical names
    programmes: tuple[str, ...] = ()
    amounts: tuple[Amount, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[Part, ...] = ()
    why: str = ""  # one line for people: the parts that decided, or what was missing
    rules_version: str = ""


# --- items and matches -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PendingItem:
    """An item waiting to be processed, as stored."""

    id: int
    source: Source
    url: str
    canonical_url: str
    title: str
    summary: str
    content: str
    published_at: datetime | None
    first_seen_at: datetime
    attempts: int
    lang: str = ""
    author: str = ""
    outlet: str = ""
    first_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """A page's readable text, ready to be classified."""

    item_id: int
    url: str
    title: str
    text: str
    lang: str = ""
    author: str = ""
    published: str = ""  # as the page says
    published_at: datetime | None = None
    label: str = "article"  # article | teaser | json-ld | feed


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


@dataclass(frozen=True, slots=True)
class Processed:
    """The outcome of one item, ready to be stored in one transaction."""

    item_id: int
    outcome: str  # match | near-miss | no-match | too-old | unreadable | skipped | retry
    reason: str
    article: Article | None = None  # kept for matches and near misses only
    verdict: Verdict | None = None
    fingerprint: Fingerprint | None = None
    basis: str = "page"  # page | feed | teaser: which text was read
    retry_at: datetime | None = None  # with outcome "retry"
    extract_status: str = ""
    alert: bool = True  # False: stored, never sent (backfill, changed rules)


# --- digests and delivery --------------------------------------------------------------------


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
class ChannelSpec:
    """A channel with its recipients, as one digest uses it. Secrets stay with the channel itself."""

    channel: str  # the name in monitor.yaml
    kind: str  # file | email | slack | webhook | apprise
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """A composed digest, ready to be rendered."""

    id: str  # deterministic: name, kind and window
    spec: DigestSpec
    kind: str  # scheduled | immediate | weekly | first-look | preview
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


# --- what a poll leaves behind ---


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


# --- reports ---------------------------------------------------------------------------------


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

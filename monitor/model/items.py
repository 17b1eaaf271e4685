"""Items on their way from pending to stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model.sources import Source
from monitor.model.stories import Fingerprint
from monitor.model.verdicts import Verdict


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

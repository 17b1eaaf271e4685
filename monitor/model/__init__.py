"""The words everything else speaks: plain frozen records, no I/O.

A record's name says which stage it has passed:
`Source` → `Fetched` → `ParsedItem` → `Article` → `Verdict` → `Match` → `Digest` → `Delivery`.

Instants end in `_at` and are aware UTC datetimes; lists are tuples; absent is `None` or empty.
"""

from monitor.model.digests import (
    ChannelSpec,
    Coverage,
    Delivery,
    Digest,
    DigestEntry,
    DigestSpec,
    DigestState,
    OutboxRow,
    Outlet,
)
from monitor.model.fetching import (
    Fetched,
    FetchRequest,
    FetchState,
    Redirect,
)
from monitor.model.items import (
    Article,
    PendingItem,
    Processed,
)
from monitor.model.parsing import (
    Extracted,
    ParsedFeed,
    ParsedItem,
)
from monitor.model.sources import (
    NewItem,
    Polled,
    PollHints,
    PollRecord,
    Sighting,
    Source,
    SourceState,
)
from monitor.model.stories import (
    Fingerprint,
    Join,
    StoryMember,
)
from monitor.model.verdicts import (
    Amount,
    Document,
    Evidence,
    Part,
    Verdict,
)
from monitor.model.vocabulary import (
    AUTHORITIES,
    CORRIDORS,
    EVENTS,
    PRIORITIES,
    SOURCE_KINDS,
    TOPICS,
)

__all__ = [
    "AUTHORITIES",
    "CORRIDORS",
    "EVENTS",
    "PRIORITIES",
    "SOURCE_KINDS",
    "TOPICS",
    "Amount",
    "Article",
    "ChannelSpec",
    "Coverage",
    "Delivery",
    "Digest",
    "DigestEntry",
    "DigestSpec",
    "DigestState",
    "Document",
    "Evidence",
    "Extracted",
    "FetchRequest",
    "FetchState",
    "Fetched",
    "Fingerprint",
    "Join",
    "NewItem",
    "OutboxRow",
    "Outlet",
    "ParsedFeed",
    "ParsedItem",
    "Part",
    "PendingItem",
    "PollHints",
    "PollRecord",
    "Polled",
    "Processed",
    "Redirect",
    "Sighting",
    "Source",
    "SourceState",
    "StoryMember",
    "Verdict",
]

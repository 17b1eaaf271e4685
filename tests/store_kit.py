"""Builders for tests of the store: a desk's database in a few words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from monitor.model import (
    Amount,
    Article,
    Digest,
    DigestSpec,
    Evidence,
    Fingerprint,
    Join,
    NewItem,
    OutboxRow,
    Part,
    PollRecord,
    Processed,
    Source,
    Verdict,
)
from monitor.store import Store

NOW = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)  # a Monday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

METI = Source(id="meti", url="https://www.meti.go.jp/rss", name="METI", country="jp", authority="official")
BBC = Source(id="bbc", url="https://www.bbc.co.uk/rss", name="BBC", country="uk", lang="en")
NIKKEI = Source(id="nikkei", url="https://www.nikkei.com/rss", name="日経", country="jp", lang="ja")
SEARCH = Source(id="gnews", url="https://news.google.com/rss", name="News search", authority="aggregator")
SOURCES = (METI, BBC, NIKKEI, SEARCH)


def item(n: int | str, source: Source = BBC, **changes: Any) -> NewItem:
    url = f"https://{source.id}.example/{n}"
    plain = NewItem(
        identity=url, guid=f"guid-{n}", url=f"{url}?utm_source=rss", canonical_url=url, title=f"Headline {n}",
        summary=f"Teaser {n}", content="", lang="en", author="", outlet="", published_at=NOW - HOUR,
    )  # fmt: skip
    return replace(plain, **changes)


def polled(source: Source, *items: NewItem, at: datetime = NOW, **changes: Any) -> PollRecord:
    plain = PollRecord(source.id, at, True, at + HOUR, "ok", "", 0, new_items=items)
    return replace(plain, **changes)


def verdict(**changes: Any) -> Verdict:
    plain = Verdict(
        match=True,
        score=6.0,
        priority="normal",
        corridors=("uk-japan",),
        topics=("semiconductors",),
        rules=("uk-japan-chips",),
        event="agreement",
        organisations=("Rapidus",),
        parts=(Part("uk-japan-chips", "title: Rapidus", 4.0, "title", 0, 7, "Rapidus"),
               Part("uk-japan-chips", "日英 near 半導体", 2.0, "text", 0, 5, "日英半導体")),
        evidence=(Evidence("text", 0, 5, "日英半導体", "uk-japan-chips"),),
        why="+4 title: Rapidus; +2 日英 near 半導体",
        rules_version="abc",
    )  # fmt: skip
    return replace(plain, **changes)


def fingerprint(text: str, **changes: Any) -> Fingerprint:
    sha = sha256(text.encode()).hexdigest()
    value = int(sha[:16], 16)
    plain = Fingerprint(sha, value, tuple(n << 16 | value >> (16 * n) & 0xFFFF for n in range(4)))
    return replace(plain, **changes)


def money(text: str, value: float) -> Amount:
    return Amount(text, "GBP", value)


def desk(store: Store, at: datetime = NOW) -> Store:
    """The four sources configured."""
    store.sync_sources(SOURCES, at)
    return store


def shown(store: Store, source: Source, *items: NewItem, at: datetime = NOW) -> list[int]:
    """Items a poll brought; returns their ids."""
    store.record_poll(polled(source, *items, at=at))
    identities = [each.identity for each in items]
    return [store.db.value("SELECT id FROM items WHERE identity = ?", [identity]) for identity in identities]


def matched(
    store: Store, source: Source, n: int | str, *, title: str = "", text: str = "", at: datetime = NOW,
    joins: int | None = None, published: datetime | None = NOW - HOUR, judged: Verdict | None = None,
    alert: bool = True, outlet: str = "", near_miss: bool = False, lang: str = "en",
) -> int:  # fmt: skip
    """One article from poll to match (or near miss): returns the match's id (or the item's)."""
    new = item(n, source, outlet=outlet, published_at=published)
    (item_id,) = shown(store, source, new, at=at)
    text = text or f"Japan and the UK agree on chips, says report {n} of {source.name}."
    article = Article(
        item_id, new.canonical_url, title or f"Headline {n}", text, lang, published_at=published
    )
    said = judged or verdict()
    if near_miss:
        said = replace(said, match=False, near_miss=True, priority=None)
    processed = Processed(
        item_id,
        "near-miss" if near_miss else "match",
        "1 short of the threshold" if near_miss else "",
        article,
        said,
        fingerprint(text, organisations=said.organisations, amounts=said.amounts),
        extract_status="ok",
        alert=alert,
    )
    join = None
    if joins is not None:
        member = store.db.value("SELECT min(id) FROM matches WHERE story_id = ?", [joins])
        join = Join(joins, member, "shares Rapidus", 0.7)
    match_id = store.record_outcome(processed, join, at)
    return item_id if near_miss else match_id or 0


def digest(store: Store, name: str, at: datetime, *, kind: str = "scheduled") -> Digest:
    """The digest of everything unclaimed, as compose would make it."""
    entries = tuple(store.unclaimed(name, at))
    start = store.digest_state(name, at).watermark_at
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return Digest(f"{name}|{kind}|{stamp}", DigestSpec(name), kind, start, at, entries, store.coverage(at))


def message(made: Digest, recipient: str = "desk@example.org", **changes: Any) -> OutboxRow:
    plain = OutboxRow(
        key=f"{made.id}|{recipient}", digest_id=made.id, digest_name=made.spec.name, channel="mail",
        kind="email", recipient=recipient, subject="3 stories", payload={"text": "日英"},
        message_id=f"<{made.id}.{recipient}>",
    )  # fmt: skip
    return replace(plain, **changes)


def sent(store: Store, name: str, at: datetime, recipients: Iterable[str] = ("desk@example.org",)) -> Digest:
    """A digest of everything unclaimed: claimed, composed, and accepted by its receivers."""
    made = digest(store, name, at)
    claims = [(match, entry.story_id, "update" if entry.update else "new")
              for entry in made.entries for match in entry.match_ids]  # fmt: skip
    store.record_digest(made, "3 stories", claims, [message(made, to) for to in recipients], at, at)
    for row in store.claim_due(at, 60, 100):
        store.mark_sent(row.id, "250 ok", at)
    return made

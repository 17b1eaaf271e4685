"""Sources: the configuration taken over, the state of polling, and what one poll leaves behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime

from monitor.errors import StoreError
from monitor.model import FetchState, NewItem, PollRecord, Sighting, Source, SourceState
from monitor.store import codec, times
from monitor.store.base import Base

# A permanent redirect counted this often has been taken over. Who counts holds the number below it
# until the redirect may be believed (fetch/redirects.py).
TAKEN_OVER = 5

_SYNC = """
INSERT INTO sources (id, name, kind, url, homepage, country, lang, category, authority, config, enabled,
  state, state_since, next_poll_at, created_at)
VALUES (:id, :name, :kind, :url, :homepage, :country, :lang, :category, :authority, :config, :enabled,
  CASE WHEN :enabled THEN 'new' ELSE 'disabled' END, :now, :now, :now)
ON CONFLICT (id) DO UPDATE SET
  name = excluded.name, kind = excluded.kind, homepage = excluded.homepage, country = excluded.country,
  lang = excluded.lang, category = excluded.category, authority = excluded.authority,
  config = excluded.config, url = excluded.url, enabled = excluded.enabled
"""

# Before the upsert: a source with another address, or switched on again, starts afresh, and is due at once.
_RESTART = """
UPDATE sources SET state = 'new', state_since = :now, state_reason = '', failures = 0, next_poll_at = :now,
  permanent_url = '', permanent_seen = 0, permanent_since = NULL
WHERE id = :id AND :enabled AND (url <> :url OR kind <> :kind OR NOT enabled)
"""

_SWITCH_OFF = """
UPDATE sources SET enabled = 0, state = 'disabled', state_since = :now, state_reason = :reason
WHERE id = :id AND state <> 'disabled'
"""

# A source is due when its time has come, or when it has never been polled; "no next time" after a poll
# means never again.
_DUE = """
SELECT * FROM sources
WHERE enabled AND state NOT IN ('gone', 'disabled')
  AND (next_poll_at <= :now OR (next_poll_at IS NULL AND last_polled_at IS NULL))
ORDER BY next_poll_at, id
"""

_NEW_ITEM = """
INSERT INTO items (source_id, identity, url, canonical_url, title, summary, content, lang, author, outlet,
  published_at, first_seen_at, status, outcome, reason, processed_at)
VALUES (:source_id, :identity, :url, CASE WHEN :canonical_url <> :identity THEN :canonical_url ELSE '' END,
  :title, :summary, CASE WHEN :status = 'done' THEN '' ELSE :content END, :lang, :author, :outlet,
  :published_at, :now, :status, :outcome, :reason, CASE WHEN :status = 'done' THEN :now END)
ON CONFLICT (identity) DO NOTHING
"""

_ITEM_COLUMNS = tuple(each.name for each in fields(NewItem))

_SIGHTING = """
INSERT INTO sightings (source_id, guid, item_id, url, seen_at)
SELECT :source_id, :guid, id, CASE WHEN :url <> url THEN :url ELSE '' END, :now
FROM items WHERE identity = :identity
ON CONFLICT DO NOTHING
"""

_FETCH = """
INSERT INTO fetches (url, etag, last_modified, body_sha256, fetched_at)
VALUES (:url, :etag, :last_modified, :body_sha256, :fetched_at)
ON CONFLICT (url) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified,
  body_sha256 = excluded.body_sha256, fetched_at = excluded.fetched_at
"""

_POLLED = """
UPDATE sources SET
  state_since = CASE WHEN state = :state THEN state_since ELSE :now END,
  state = :state, state_reason = :state_reason, failures = :failures, next_poll_at = :next_poll_at,
  last_polled_at = :now, last_ok_at = CASE WHEN :ok THEN :now ELSE last_ok_at END,
  newest_item_at = max(coalesce(newest_item_at, :newest_item_at), coalesce(:newest_item_at, newest_item_at)),
  usual_gap_hours = coalesce(:usual_gap_hours, usual_gap_hours), hints = coalesce(:hints, hints),
  permanent_url = :permanent_url, permanent_seen = :permanent_seen, permanent_since = :permanent_since
WHERE id = :source_id
"""


class Sources(Base):
    """Everything polling needs to know, and everything it found."""

    def sync_sources(self, sources: Iterable[Source], now: datetime) -> None:
        """Takes the configuration over; sources no longer in it are switched off, their items stay."""
        rows = [_configured(source, times.to_text(now)) for source in sources]
        with self.db.write():
            self.db.run_many(_RESTART, rows)
            self.db.run_many(_SYNC, rows)
            listed = {row["id"] for row in rows}
            stored = [row["id"] for row in self.db.all("SELECT id FROM sources")]
            off = {row["id"]: "switched off in the configuration" for row in rows if not row["enabled"]}
            off |= {id: "no longer in the configuration" for id in stored if id not in listed}
            self.db.run_many(
                _SWITCH_OFF,
                [{"id": id, "reason": reason, "now": times.to_text(now)} for id, reason in off.items()],
            )

    def source_states(self) -> list[SourceState]:
        """Every source there ever was, by id; `source.enabled` tells those that are polled."""
        return [_state(row) for row in self.db.each("SELECT * FROM sources ORDER BY id")]

    def ask_by(self, ids: Collection[str], by: datetime) -> None:
        """Sources that would be left alone for longer are due at `by`: the network failed, not they."""
        self.db.run(
            "UPDATE sources SET next_poll_at = :by"
            " WHERE id IN (SELECT value FROM json_each(:ids)) AND next_poll_at > :by",
            {"ids": codec.dump(list(ids)), "by": times.to_text(by)},
        )

    def due_sources(self, now: datetime) -> list[SourceState]:
        """Sources to poll now, longest waiting first."""
        return [_state(row) for row in self.db.each(_DUE, {"now": times.to_text(now)})]

    def set_source_state(self, source_id: str, state: str, reason: str, now: datetime) -> None:
        """Changes the state outside a poll; `state_since` moves only when the state is another."""
        self.db.run(
            "UPDATE sources SET state_since = CASE WHEN state = :state THEN state_since ELSE :now END,"
            " state = :state, state_reason = :reason WHERE id = :id",
            {"id": source_id, "state": state, "reason": reason, "now": times.to_text(now)},
        )

    def fetch_states(self, urls: Collection[str]) -> dict[str, FetchState]:
        """What is remembered of these URLs; those never fetched are missing."""
        rows = self.db.all(
            "SELECT * FROM fetches WHERE url IN (SELECT value FROM json_each(?))", [codec.dump(list(urls))]
        )
        return {row["url"]: _fetch_state(row) for row in rows}

    def known(self, source_id: str, pairs: Sequence[tuple[str, str]]) -> tuple[set[str], set[str]]:
        """Of (guid, identity) pairs: the guids this source has shown, the identities anybody has."""
        guids = self.db.all(
            "SELECT guid FROM sightings WHERE source_id = ? AND guid IN (SELECT value FROM json_each(?))",
            [source_id, codec.dump([guid for guid, _ in pairs])],
        )
        identities = self.db.all(
            "SELECT identity FROM items WHERE identity IN (SELECT value FROM json_each(?))",
            [codec.dump([identity for _, identity in pairs])],
        )
        return {row[0] for row in guids}, {row[0] for row in identities}

    def recent_guids(self, source_id: str, limit: int = 2000) -> frozenset[str]:
        """The ids this source showed last, for skipping entries before they are parsed."""
        rows = self.db.all(
            "SELECT guid FROM sightings WHERE source_id = ? ORDER BY seen_at DESC LIMIT ?", [source_id, limit]
        )
        return frozenset(row["guid"] for row in rows)

    def item_dates(self, source_id: str, limit: int = 50) -> list[datetime]:
        """Dates of the newest items the source showed, newest first; items without a date are left out.

        What another source showed first counts too: an aggregator is alive by what it repeats.
        """
        rows = self.db.all(
            "SELECT i.published_at FROM sightings s JOIN items i ON i.id = s.item_id"
            " WHERE s.source_id = ? AND i.published_at IS NOT NULL ORDER BY i.published_at DESC LIMIT ?",
            [source_id, limit],
        )
        return [times.instant(row["published_at"]) for row in rows]

    def record_poll(self, record: PollRecord) -> int:
        """Stores items, validators and the source's state in one transaction; returns how many were new.

        Raises StoreError, having stored nothing.
        """
        now = times.to_text(record.polled_at)
        with self.db.write():
            new = self.db.run_many(
                _NEW_ITEM, [_new_item(record.source_id, item, now) for item in record.new_items]
            )
            seen: list[NewItem | Sighting] = [*record.new_items, *record.sightings]
            self.db.run_many(_SIGHTING, [_seen(record.source_id, one, now) for one in seen])
            self.db.run_many(_FETCH, [_fetch_row(fetch, now) for fetch in record.fetches])
            if not self.db.run(_POLLED, _polled(record, now)):
                raise StoreError(f"source {record.source_id!r} was never configured")
        return new


def _configured(source: Source, now: str) -> dict[str, object]:
    columns = ("id", "name", "kind", "url", "homepage", "country", "lang", "category", "authority")
    row: dict[str, object] = {column: getattr(source, column) for column in columns}
    return row | {"config": codec.dump_source(source), "enabled": int(source.enabled), "now": now}


def _new_item(source_id: str, item: NewItem, now: str) -> dict[str, object]:
    row = {column: getattr(item, column) for column in _ITEM_COLUMNS}  # asdict would copy every value
    return row | {"source_id": source_id, "published_at": times.text_or_none(item.published_at), "now": now}


def _seen(source_id: str, seen: NewItem | Sighting, now: str) -> dict[str, object]:
    return {"source_id": source_id, "guid": seen.guid, "identity": seen.identity, "url": seen.url, "now": now}


def _fetch_row(fetch: FetchState, now: str) -> dict[str, object]:
    return {
        "url": fetch.url,
        "etag": fetch.etag,
        "last_modified": fetch.last_modified,
        "body_sha256": fetch.body_sha256,
        "fetched_at": times.text_or_none(fetch.fetched_at) or now,
    }


def _polled(record: PollRecord, now: str) -> dict[str, object]:
    return {
        "source_id": record.source_id,
        "now": now,
        "ok": int(record.ok),
        "state": record.state,
        "state_reason": record.state_reason,
        "failures": record.failures,
        "next_poll_at": times.text_or_none(record.next_poll_at),
        "newest_item_at": times.text_or_none(record.newest_item_at),
        "usual_gap_hours": record.usual_gap_hours,
        "hints": codec.dump_hints(record.hints) if record.hints else None,
        "permanent_url": record.permanent_url,
        "permanent_seen": record.permanent_seen,
        "permanent_since": times.text_or_none(record.permanent_since),
    }


def _fetch_state(row: sqlite3.Row) -> FetchState:
    return FetchState(
        url=row["url"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        body_sha256=row["body_sha256"],
        fetched_at=times.from_text(row["fetched_at"]),
    )


def source_of(config: str, source_id: str, url: str, enabled: int) -> Source:
    """A source from its stored configuration; it is off as soon as the row says so."""
    return replace(codec.source(config, source_id, url), enabled=bool(enabled))


def _state(row: sqlite3.Row) -> SourceState:
    return SourceState(
        source=source_of(row["config"], row["id"], row["url"], row["enabled"]),
        state=row["state"],
        state_reason=row["state_reason"],
        failures=row["failures"],
        next_poll_at=times.from_text(row["next_poll_at"]),
        last_polled_at=times.from_text(row["last_polled_at"]),
        last_ok_at=times.from_text(row["last_ok_at"]),
        newest_item_at=times.from_text(row["newest_item_at"]),
        permanent_url=row["permanent_url"],
        permanent_seen=row["permanent_seen"],
        permanent_since=times.from_text(row["permanent_since"]),
        url=row["permanent_url"] if row["permanent_seen"] >= TAKEN_OVER else row["url"],
        hints=codec.hints(row["hints"]),
    )

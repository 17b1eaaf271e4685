"""Archived articles, stored with their true dates and never alerted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from monitor.model import Join, NewItem, Processed
from monitor.store import times
from monitor.store.items import Items

_SOURCE = """
INSERT INTO sources (id, name, kind, url, enabled, state, state_since, state_reason, created_at)
VALUES (?, 'Archives', 'feed', '', 0, 'disabled', ?, 'filled by `monitor backfill`', ?)
ON CONFLICT (id) DO NOTHING
"""

_ITEM = """
INSERT INTO items (source_id, identity, url, canonical_url, title, lang, author, outlet, published_at,
  first_seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (identity) DO NOTHING
"""


class Backfill(Items):
    """What `monitor backfill` writes."""

    def backfill_source(self, source_id: str, now: datetime) -> None:
        """The source that archived articles belong to; never polled."""
        at = times.to_text(now)
        self.db.run(_SOURCE, [source_id, at, at])

    def keep_backfilled(
        self, source_id: str, item: NewItem, processed: Processed, join: Join | None, at: datetime
    ) -> bool:
        """Item, outcome, match and story in one transaction, as if found at `at`; False when it is known.

        Raises StoreError, having stored nothing.
        """
        with self.db.write():
            moment = times.to_text(at)
            row = [
                source_id, item.identity, item.url, item.canonical_url, item.title, item.lang, item.author,
                item.outlet, times.text_or_none(item.published_at), moment,
            ]  # fmt: skip
            if not self.db.run(_ITEM, row):
                return False
            item_id = self.db.value("SELECT id FROM items WHERE identity = ?", [item.identity])
            article = replace(processed.article, item_id=item_id) if processed.article else None
            self.record_outcome(replace(processed, item_id=item_id, article=article), join, at)
        return True

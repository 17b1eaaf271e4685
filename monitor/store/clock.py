"""Plans made by a clock that was ahead: when it comes back they lie in the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.store import times
from monitor.store.base import Base

# No clock that shows an earlier time is right: a machine without a battery wakes up in 1970.
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST_RETRY = timedelta(days=1)  # the longest wait for a page or a receiver
LONGEST_LEASE = timedelta(hours=1)

# The wait begins anew, so that no publisher is asked early. But to a clock that is ahead all feeds look like
# ones that seldom bring anything: after a success, what is configured and what the feed asks for are enough.
_WAIT_S = "strftime('%s', next_poll_at) - strftime('%s', last_polled_at)"
_OWN_WAIT_S = (
    "60 * max(coalesce(json_extract(config, '$.poll_minutes'), 60),"
    " coalesce(json_extract(hints, '$.ttl_minutes'), 0))"
)
_NEW_WAIT = f"iif(failures, {_WAIT_S}, min({_WAIT_S}, {_OWN_WAIT_S})) || ' seconds'"

# What was done stays written as it was; only what is planned, or waits to be reported, is brought back.
_BRING_BACK = (
    f"UPDATE sources SET next_poll_at = strftime('%Y-%m-%dT%H:%M:%SZ', :now, {_NEW_WAIT}),"
    " last_polled_at = :now, last_ok_at = min(last_ok_at, :now), state_since = min(state_since, :now)"
    " WHERE last_polled_at > :now",
    "UPDATE sources SET next_poll_at = :now WHERE last_polled_at IS NULL AND next_poll_at > :now",
    "UPDATE items SET next_try_at = :now, first_try_at = min(first_try_at, :now)"
    " WHERE status = 'pending' AND (first_try_at > :now OR next_try_at > :longest_retry)",
    # News looked old to a clock a month ahead.
    "UPDATE items SET status = 'pending', outcome = '', reason = '', processed_at = NULL,"
    " first_seen_at = :now WHERE status = 'done' AND outcome = 'too-old' AND first_seen_at > :now",
    "UPDATE matches SET matched_at = :now WHERE matched_at > :now"
    " AND NOT EXISTS (SELECT 1 FROM digest_claims WHERE match_id = matches.id)",
    "UPDATE digest_state SET configured_at = min(configured_at, :now),"
    " watermark_at = min(watermark_at, :now), last_fire_at = min(last_fire_at, :now)"
    " WHERE max(configured_at, watermark_at, coalesce(last_fire_at, '')) > :now",
    "UPDATE outbox SET retry_at = :now WHERE status IN ('pending', 'retry') AND retry_at > :longest_retry",
    "UPDATE outbox SET lease_until = :now WHERE status = 'sending' AND lease_until > :longest_lease",
)


class Clock(Base):
    """What the worker does when the clock went back."""

    def bring_back(self, now: datetime) -> int:
        """What was planned by a clock that was ahead is planned anew from `now`; returns how many rows.

        Nothing when `now` cannot be right itself. Raises StoreError, having changed nothing.
        """
        if now < EARLIEST:
            return 0
        moments = {
            "now": times.to_text(now),
            "longest_retry": times.to_text(now + LONGEST_RETRY),
            "longest_lease": times.to_text(now + LONGEST_LEASE),
        }
        with self.db.write():
            return sum(self.db.run(sql, moments) for sql in _BRING_BACK)

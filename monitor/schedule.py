"""When a source may be polled again: pure functions of what its last answer said.

    configured interval | the source's own rhythm | what server and feed ask for | jitter | skipHours

Everything a publisher says only lengthens the interval; jitter is added, never taken away.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from monitor.errors import FetchError
from monitor.model import ParsedFeed, PollHints, Source

FLOOR = timedelta(minutes=15)
DAY = timedelta(hours=24)  # the longest a cache header, a rhythm or a failure puts a poll off
MAX_TTL = timedelta(days=7)  # the longest a feed's own ttl or sy period does
MAX_RETRY_AFTER = timedelta(days=7)
BUSY_PAUSE = timedelta(hours=4)  # after 429 and 403, at the first time
RHYTHM_SHARE = 48  # a source with something new every two days is asked once an hour
MAX_JITTER = timedelta(minutes=20)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?([0-9]{1,10})", re.IGNORECASE)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def next_poll_at(
    source: Source,
    *,
    now: datetime,
    headers: Mapping[str, str] | None = None,
    feed: ParsedFeed | None = None,
    hints: PollHints | None = None,
    error: FetchError | None = None,
    failures: int = 0,
    recent: Sequence[datetime] = (),
    jitter: float = 0.0,
) -> datetime | None:
    """The earliest moment of the next poll; None after 410: never again.

    Args:
        headers: of the answer, lower-case names; of a 304 too.
        feed: what was parsed; None after a 304 or a failure.
        hints: what the feed last asked for (`hints_of`), used when there is no `feed`.
        error: why the poll failed, if it did.
        failures: failed polls in a row, this one included; unreadable answers count.
        recent: dates of the source's newest items, in any order.
        jitter: 0 to 1, how much of the random extra to use.
    """
    if error is not None and error.status == 410:
        return None
    asked = hints_of(feed) if feed is not None and not feed.problem else hints or PollHints()
    base = floor_of(source)
    if error is not None or failures:
        wait = max(backoff(base, error, failures), ttl_of(asked))
    else:
        wait = max(base, rhythm(recent, now), freshness(headers or {}, now), ttl_of(asked))
    extra = min(wait / 10, MAX_JITTER) * min(max(jitter, 0.0), 1.0)
    return after_skips(whole_second(now + wait + extra), asked, jitter)


def whole_second(moment: datetime) -> datetime:
    """The moment or the next whole second: instants are stored without fractions, and never early."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def floor_of(source: Source) -> timedelta:
    """The configured interval, at least a quarter of an hour for other people's servers."""
    configured = timedelta(minutes=source.poll_minutes)
    return configured if source.allow_private else max(configured, FLOOR)


# --- what the publisher says -----------------------------------------------------------------


def hints_of(feed: ParsedFeed) -> PollHints:
    """What a feed asks of its readers, to be remembered for the polls that bring no new copy."""
    return PollHints(feed.ttl_minutes, feed.skip_hours, feed.skip_days)


def ttl_of(hints: PollHints) -> timedelta:
    """RSS ttl or sy period; zero when there is none."""
    minutes = min(max(hints.ttl_minutes or 0, 0), MAX_TTL // timedelta(minutes=1))
    return timedelta(minutes=minutes)


def freshness(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long the answer stays fresh, at most a day: max-age, else Expires (RFC 9111 section 4.2.1).

    Age is taken off: a copy from a cache has used up a part of it.
    """
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    if found:
        age = _seconds(headers.get("age", "")) or timedelta()
        return min(max(timedelta(seconds=int(found[1])) - age, timedelta()), DAY)
    expires = _http_date(headers.get("expires", ""))
    if expires is None:
        return timedelta()
    sent_at = _http_date(headers.get("date", "")) or now
    return min(max(expires - sent_at, timedelta()), DAY)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Retry-After in either form, RFC 9110 section 10.2.3, at most a week; None when absent or nonsense."""
    value = headers.get("retry-after", "")
    wait = _seconds(value)
    if wait is None:
        moment = _http_date(value)
        wait = None if moment is None else max(moment - now, timedelta())
    return None if wait is None else min(wait, MAX_RETRY_AFTER)


def _seconds(value: str) -> timedelta | None:
    value = value.strip()
    if not re.fullmatch(r"[0-9]+", value):
        return None
    return timedelta(seconds=int(value[:10]))


def _http_date(value: str) -> datetime | None:
    """An HTTP date as aware UTC; None when it is none, `Expires: 0` for one."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


# --- rhythm and failure ----------------------------------------------------------------------


def rhythm(recent: Sequence[datetime], now: datetime) -> timedelta:
    """A share of the source's usual gap, or of the time since its newest item if that is longer.

    Zero for a source that has no history; at most a day for one that sleeps.
    """
    dates = sorted({date for date in recent if date <= now}, reverse=True)
    if not dates:
        return timedelta()
    gaps = [(newer - older).total_seconds() for newer, older in itertools.pairwise(dates)]
    usual = timedelta(seconds=statistics.median(gaps)) if gaps else timedelta()
    return min(max(usual, now - dates[0]) / RHYTHM_SHARE, DAY)


def backoff(base: timedelta, error: FetchError | None, failures: int) -> timedelta:
    """How long to leave a failing source alone: doubling, at most a day, never sooner than a success.

    A server that said when gets at least that. 429 and 403 start at four hours.
    """
    doublings = 1 << min(max(failures, 1) - 1, 16)
    first = base
    if error is not None and error.status in (403, 429):
        first = max(base, BUSY_PAUSE)
    elif error is not None and error.kind == "robots" and error.retry_after_s is None:
        first = DAY  # the rules are read again after a day
    wait = max(base, min(first * doublings, DAY))
    if error is not None and error.retry_after_s is not None:
        asked = timedelta(seconds=min(max(error.retry_after_s, 0.0), MAX_RETRY_AFTER.total_seconds()))
        wait = max(wait, asked)
    return wait


# --- hours and days to leave out -------------------------------------------------------------


def after_skips(moment: datetime, hints: PollHints, jitter: float = 0.0) -> datetime:
    """The first moment from `moment` on that is outside skipHours and skipDays (GMT).

    A feed that forbids every hour of the week is not believed.
    """
    if not hints.skip_hours and not hints.skip_days:
        return moment
    for hours in range(8 * 24):
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        if hour.hour % 24 not in hints.skip_hours and WEEKDAYS[hour.weekday()] not in hints.skip_days:
            # Not on the stroke of the hour, where everybody else is.
            late = timedelta(minutes=15) * min(max(jitter, 0.0), 1.0)
            return moment if not hours else whole_second(hour + late)
    return moment

"""Whether a source is well: failing when it cannot be read, silent when it brings nothing new for too long.

A source is measured against its own rhythm, not against a fixed number of days: a ministry that
publishes twice a month is not silent after a week, a news wire is after a few days. Weekends, the public
holidays of its country and the turn of the year do not count.
"""

from __future__ import annotations

import functools
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor.model import SourceState

FAILING_AFTER = 3  # failed polls in a row: one bad night is not news
SILENT_FACTOR = 6.0  # times the usual gap
SILENT_FLOOR = timedelta(days=3)
SILENT_CAP = timedelta(days=120)
RHYTHM_NEEDS = 5  # dates; fewer say nothing about a rhythm
SILENT_UNKNOWN = timedelta(days=60)  # for a source with a few items and no rhythm yet


@dataclass(frozen=True, slots=True)
class Health:
    """A source's state (see SourceState), the reason in words, and its usual gap between items."""

    state: str
    reason: str = ""
    usual_gap_hours: float | None = None


def judge(
    state: SourceState,
    *,
    now: datetime,
    error: str,
    failures: int,
    gone: bool,
    recent: Sequence[datetime],
) -> Health:
    """The source's health after one poll.

    Args:
        error: why this poll failed, "" when it was read.
        failures: failed polls in a row, this one included.
        gone: the server said 410.
        recent: dates of the source's newest items, newest first, this poll's included.
    """
    gap = usual_gap(recent)
    hours = round(gap.total_seconds() / 3600, 2) if gap else None
    if gone:
        return Health("gone", "the server says it is gone for good (410); remove or replace it", hours)
    if error and failures >= FAILING_AFTER:
        return Health("failing", error, hours)
    if error:
        # Not failing yet: what was known of it still stands.
        kept = state.state if state.state in ("new", "ok", "silent", "failing") else "ok"
        return Health(kept, f"{failures} of {FAILING_AFTER} failures: {error}", hours)
    quiet = silence(recent, gap, now, state.source.country)
    return Health("silent", quiet, hours) if quiet else Health("ok", "", hours)


def usual_gap(recent: Sequence[datetime]) -> timedelta | None:
    """The median time between a source's items; None when there are too few to tell."""
    dates = sorted(set(recent), reverse=True)
    if len(dates) < RHYTHM_NEEDS:
        return None
    gaps = [(newer - older).total_seconds() for newer, older in itertools.pairwise(dates)]
    return timedelta(seconds=statistics.median(gaps))


def silence(recent: Sequence[datetime], gap: timedelta | None, now: datetime, country: str) -> str:
    """Why the source counts as silent, or ""."""
    if not recent:
        return ""
    newest = max(recent)
    waited = working_time(newest, now, country)
    if gap is None:
        return f"nothing new since {newest:%Y-%m-%d}" if waited > SILENT_UNKNOWN else ""
    allowed = min(max(gap * SILENT_FACTOR, longest_gap(recent) * 1.5, SILENT_FLOOR), SILENT_CAP)
    if waited <= allowed:
        return ""
    return f"nothing new since {newest:%Y-%m-%d}; usually something every {_span(gap)}"


def longest_gap(recent: Sequence[datetime]) -> timedelta:
    """The longest pause its history shows: what happened before may happen again."""
    dates = sorted(set(recent))
    return max((newer - older for older, newer in itertools.pairwise(dates)), default=timedelta())


def working_time(start: datetime, end: datetime, country: str) -> timedelta:
    """The time between two moments without weekends and the country's public holidays."""
    if end - start > timedelta(days=400):
        return end - start
    off = 0
    day = start.date() + timedelta(days=1)
    while day < end.date():
        off += is_day_off(day, country)
        day += timedelta(days=1)
    return max(end - start - timedelta(days=off), timedelta())


def is_day_off(day: date, country: str) -> bool:
    """Whether hardly anybody publishes there on that day.

    Offices close between Christmas and New Year nearly everywhere, in Japan until 3 January, without
    any law that would make these days holidays.
    """
    turn_of_year = (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 3)
    return day.weekday() >= 5 or turn_of_year or day in _holidays(country.upper(), day.year)


@functools.lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    import holidays  # here: it loads every country, and most commands judge no source

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except (NotImplementedError, KeyError):
        return frozenset()  # "int", or a country the library does not know


def _span(gap: timedelta) -> str:
    hours = gap.total_seconds() / 3600
    if hours < 1.5:
        return "hour"
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"


def changes(before: Sequence[SourceState], after: Sequence[SourceState]) -> list[tuple[str, str, str, str]]:
    """(source id, old state, new state, reason) of each source whose state changed in a way worth telling."""
    told = {"failing", "silent", "gone"}
    old = {state.source.id: state.state for state in before}
    return [
        (state.source.id, old[state.source.id], state.state, state.state_reason)
        for state in after
        if state.source.id in old
        and old[state.source.id] != state.state
        and (state.state in told or old[state.source.id] in told)
        and state.source.enabled
    ]

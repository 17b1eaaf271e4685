"""A source is told to be failing or silent when a person would say so, and once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitor.health import Health, changes, is_day_off, judge, usual_gap, working_time
from monitor.model import Source, SourceState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = Source("meti", "https://ministry.test/feed", country="jp")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WEDNESDAY = at("2026-11-11T12:00")


def every(gap: timedelta, newest: datetime, count: int = 30) -> list[datetime]:
    return [newest - n * gap for n in range(count)]


def weekdays(newest: datetime, count: int = 30) -> list[datetime]:
    """One item on each working day, the last one at `newest`."""
    days = (newest - n * DAY for n in range(count * 2))
    return [day for day in days if day.weekday() < 5][:count]


def health(
    recent: Sequence[datetime] = (), *, state: str = "ok", now: datetime = WEDNESDAY, country: str = "jp",
    error: str = "", failures: int = 0, gone: bool = False,
) -> Health:  # fmt: skip
    known = SourceState(replace(SOURCE, country=country), state=state)
    return judge(known, now=now, error=error, failures=failures, gone=gone, recent=recent)


# --- failing ---


@pytest.mark.parametrize(
    ("before", "failures", "after"),
    [("ok", 1, "ok"), ("ok", 2, "ok"), ("ok", 3, "failing"), ("failing", 9, "failing"), ("new", 1, "new"),
     ("new", 3, "failing"), ("silent", 1, "silent")],
)  # fmt: skip
def test_a_source_fails_after_three_polls_in_a_row(before: str, failures: int, after: str) -> None:
    judged = health(state=before, error="the server answered 500", failures=failures)
    assert judged.state == after
    assert "the server answered 500" in judged.reason


def test_one_good_poll_makes_a_failing_source_well() -> None:
    assert health(every(DAY, WEDNESDAY), state="failing") == Health("ok", "", 24.0)


def test_410_is_gone_at_once_and_says_what_to_do() -> None:
    judged = health(error="the server answered 410", failures=1, gone=True)
    assert judged.state == "gone"
    assert "remove or replace" in judged.reason


# --- silent ---

NOT_SILENT = {
    "a source without any history": [],
    "a source with two items, a month old": every(DAY, WEDNESDAY - 30 * DAY, 2),
    "a wire that paused for a day": every(10 * timedelta(minutes=1), WEDNESDAY - DAY),
    "a daily source after four days": every(DAY, WEDNESDAY - 4 * DAY),
    "a weekly source after a month": every(7 * DAY, WEDNESDAY - 30 * DAY),
    "a source that has paused that long before": [
        *every(HOUR, WEDNESDAY - 9 * DAY, 10), *every(HOUR, WEDNESDAY - 18 * DAY, 10)],
}  # fmt: skip
SILENT = {
    "a source with two items, a quarter old": (every(DAY, WEDNESDAY - 95 * DAY, 2), "since 2026-08-08"),
    "a wire that stopped a week ago": (every(HOUR, WEDNESDAY - 7 * DAY), "every hour"),
    "a daily source after two weeks": (every(DAY, WEDNESDAY - 14 * DAY), "every 24 hours"),
    "a weekly source after three months": (every(7 * DAY, WEDNESDAY - 90 * DAY), "every 7 days"),
    "a yearly source after three years": (every(365 * DAY, WEDNESDAY - 3 * 365 * DAY), "every 365 days"),
    "a source that publishes in bursts": (
        [WEDNESDAY - (20 + n) * DAY for n in range(3) for _ in range(9)] + every(HOUR, WEDNESDAY - 20 * DAY),
        "nothing new since 2026-10-22"),
}  # fmt: skip


@pytest.mark.parametrize("recent", NOT_SILENT.values(), ids=NOT_SILENT.keys())
def test_is_not_silent(recent: list[datetime]) -> None:
    assert health(recent).state == "ok"


@pytest.mark.parametrize(("recent", "reason"), SILENT.values(), ids=SILENT.keys())
def test_is_silent(recent: list[datetime], reason: str) -> None:
    judged = health(recent)
    assert judged.state == "silent"
    assert reason in judged.reason


def test_golden_week_is_no_silence_in_japan_but_is_in_america() -> None:
    """2 to 6 May 2026: all of them days off in Japan, only the weekend in America."""
    recent = every(4 * HOUR, at("2026-05-01T10:00"))
    assert health(recent, now=at("2026-05-07T10:00"), country="jp").state == "ok"
    assert health(recent, now=at("2026-05-07T10:00"), country="us").state == "silent"


def test_the_turn_of_the_year_is_no_silence_anywhere() -> None:
    recent = weekdays(at("2026-12-23T10:00"))
    for country in ("jp", "gb", "us", "int", ""):
        assert health(recent, now=at("2027-01-07T10:00"), country=country).state == "ok"


def test_a_country_nobody_has_heard_of_has_weekends_only() -> None:
    assert is_day_off(date(2026, 11, 14), "zz")
    assert not is_day_off(date(2026, 11, 3), "zz")
    assert is_day_off(date(2026, 11, 3), "jp")  # Culture Day


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [("2026-11-09T10:00", "2026-11-10T10:00", DAY), ("2026-11-06T18:00", "2026-11-09T18:00", DAY),
     ("2026-11-10T10:00", "2026-11-10T09:00", timedelta()), ("2020-01-01T00:00", "2026-01-01T00:00", None)],
    ids=["one working day", "from Friday to Monday", "a date in the future", "years"],
)  # fmt: skip
def test_working_time(start: str, end: str, expected: timedelta | None) -> None:
    assert working_time(at(start), at(end), "jp") == (
        expected if expected is not None else at(end) - at(start)
    )


def test_a_rhythm_needs_some_history() -> None:
    assert usual_gap(every(DAY, WEDNESDAY, 4)) is None
    assert usual_gap(every(DAY, WEDNESDAY, 5)) == DAY
    assert usual_gap([WEDNESDAY] * 50) is None


# --- telling ---


def states(**named: str) -> list[SourceState]:
    return [
        SourceState(replace(SOURCE, id=name), state=state, state_reason="why")
        for name, state in named.items()
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("ok", "failing", True), ("failing", "ok", True), ("ok", "silent", True), ("silent", "ok", True),
     ("failing", "gone", True), ("silent", "failing", True), ("new", "failing", True),
     ("new", "ok", False), ("ok", "ok", False), ("failing", "failing", False), ("gone", "gone", False)],
)  # fmt: skip
def test_a_change_of_state_is_told_once(old: str, new: str, told: bool) -> None:
    expected: list[Any] = [("a", old, new, "why")] if told else []
    assert changes(states(a=old), states(a=new)) == expected


def test_a_source_that_was_switched_off_or_is_new_is_not_told() -> None:
    off = [replace(state, source=replace(state.source, enabled=False)) for state in states(a="gone")]
    assert changes(states(a="ok"), off) == []
    assert changes([], states(a="failing")) == []

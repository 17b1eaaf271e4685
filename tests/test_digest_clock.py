"""Digests come at the hour their readers were promised, once, whatever clocks and holidays do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.digest import clock, cron
from tests.fakes import spec

LONDON, TOKYO, NEW_YORK = (ZoneInfo(name) for name in ("Europe/London", "Asia/Tokyo", "America/New_York"))
EVERY_DAY = cron.WEEKDAYS


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def served(made, start: datetime, end: datetime, step: timedelta = timedelta(minutes=10)) -> list[datetime]:
    """What a worker that looks every `step` would serve."""
    fires, last, now = [], start, start
    while now <= end:
        fire_at = clock.due_at(made, last, now)
        if fire_at:
            fires.append(fire_at)
            last = fire_at
        now += step
    return fires


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        (LONDON, "2026-03-22T14:05", "2026-04-05T14:05"),
        (LONDON, "2026-10-18T14:05", "2026-11-01T14:05"),
        (NEW_YORK, "2026-03-01T14:05", "2026-03-15T14:05"),
        (NEW_YORK, "2026-10-25T14:05", "2026-11-08T14:05"),
        (TOKYO, "2026-03-22T14:05", "2026-04-05T14:05"),
    ],
    ids=["London spring", "London autumn", "New York spring", "New York autumn", "Tokyo"],
)
@pytest.mark.parametrize("at", ["08:00", "01:30", "02:30", "00:00", "23:59"])
def test_a_fortnight_across_the_change_has_fourteen_digests(
    zone: ZoneInfo, start: str, end: str, at: str
) -> None:
    made = spec(zone=zone.key, at=at, days=EVERY_DAY)
    fires = served(made, utc(start), utc(end))
    assert len(fires) == 14
    assert len({fire.astimezone(zone).date() for fire in fires}) == 14, "one on each local day"
    changed = [fire for fire in fires if f"{fire.astimezone(zone):%H:%M}" != at]
    assert len(changed) <= 1, "only a time that does not exist is moved"


def test_a_time_that_the_clock_skips_is_served_an_hour_later() -> None:
    made = spec(at="01:30", days=EVERY_DAY)
    (fire,) = clock.fires_on(made, date(2026, 3, 29))
    assert fire.astimezone(LONDON).isoformat() == "2026-03-29T02:30:00+01:00"


def test_a_time_that_the_clock_repeats_is_served_the_first_time() -> None:
    made = spec(at="01:30", days=EVERY_DAY)
    assert clock.fires_on(made, date(2026, 10, 25)) == [utc("2026-10-25T00:30")]


def test_eight_in_london_stays_eight_in_summer() -> None:
    made = spec()
    assert clock.next_at(made, utc("2026-03-27T12:00")) == utc("2026-03-30T07:00")


def test_what_was_missed_while_down_is_owed_once() -> None:
    made = spec()
    fires = served(made, utc("2026-06-01T08:30"), utc("2026-06-01T09:00"))
    assert fires == []
    late = clock.due_at(made, utc("2026-06-01T07:00"), utc("2026-06-05T13:00"))
    assert late == utc("2026-06-05T07:00")
    assert clock.due_at(made, late, utc("2026-06-05T13:10")) is None


def test_nothing_is_owed_from_before_a_digest_existed() -> None:
    assert clock.due_at(spec(), None, utc("2026-06-05T13:00")) is None


@pytest.mark.parametrize(
    ("country", "holiday"),
    [
        ("gb", "2026-04-06"),  # Easter Monday: in England, not in all of the United Kingdom
        ("GB-SCT", "2026-01-02"),
        ("jp", "2026-05-06"),  # substitute holiday
        ("us", "2026-11-26"),
    ],
)
def test_public_holidays_are_left_out(country: str, holiday: str) -> None:
    day = date.fromisoformat(holiday)
    assert clock.fires_on(spec(holidays=country), day) == []
    assert clock.fires_on(spec(), day), "a working day to everybody else"


def test_weekends_are_left_out_and_friday_evening_leads_to_monday() -> None:
    assert clock.next_at(spec(zone="Asia/Tokyo"), utc("2026-06-05T00:00")) == utc("2026-06-07T23:00")


def test_a_round_up_comes_once_a_week_and_a_holiday_moves_it() -> None:
    made = spec(weekly=True, holidays="gb")
    fires = served(made, utc("2026-03-30T12:00"), utc("2026-04-20T12:00"))
    days = [f"{fire.astimezone(LONDON):%a %d}" for fire in fires]
    assert days == ["Tue 07", "Mon 13", "Mon 20"]  # 6 April is Easter Monday


def test_a_round_up_on_friday_before_easter_moves_past_the_weekend() -> None:
    made = spec(weekly=True, days=("fri",), holidays="gb")
    fires = served(made, utc("2026-03-30T12:00"), utc("2026-04-12T12:00"))
    assert [f"{fire:%m-%d}" for fire in fires] == ["04-07", "04-10"]


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("30 8,17 * * mon-fri", "2026-06-01T08:00", "2026-06-01T16:30"),
        ("0 8 1-7 * mon", "2026-06-02T08:00", "2026-07-06T07:00"),
        ("*/20 9 * * *", "2026-06-01T08:05", "2026-06-01T08:20"),
        ("0 0 29 feb *", "2026-06-01T08:00", "2028-02-29T00:00"),
        ("0 8 * jan,jul sat,sun", "2026-06-01T08:00", "2026-07-04T07:00"),
    ],
)
def test_cron_lines(line: str, after: str, expected: str) -> None:
    assert clock.next_at(spec(cron=line), utc(after)) == utc(expected)


@pytest.mark.parametrize(
    "line",
    [
        "0 8 * * 1",
        "0 8 * *",
        "60 8 * * *",
        "0 8 5-1 * *",
        "x 8 * * *",
        "*/0 8 * * *",
        "0 8 0 * *",
        "*-3 8 * * *",
    ],
)
def test_cron_lines_that_mean_nothing_are_refused(line: str) -> None:
    with pytest.raises(ValueError):
        cron.parse(line)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "Europe/Londn"}, "zone"),
        ({"at": "8am"}, "at"),
        ({"cron": "0 8 * * 1"}, "cron"),
        ({"cron": "0 8 30 feb *"}, "cron"),
        ({"days": ("monday",)}, "days"),
        ({"days": ()}, "days"),
        ({"holidays": "xx"}, "holidays"),
        ({"quiet": "22:00"}, "quiet"),
    ],
)
def test_a_schedule_that_cannot_work_is_named(changes: dict, field: str) -> None:
    assert [name for name, _ in clock.problems(spec(**changes), utc("2026-06-01T00:00"))] == [field]


def test_a_schedule_that_works_has_no_problems() -> None:
    assert not list(clock.problems(spec(holidays="jp", quiet="22:00-07:00"), utc("2026-06-01T00:00")))


@pytest.mark.parametrize(
    ("quiet", "local", "until"),
    [
        ("22:00-07:00", "2026-06-01T23:30", "2026-06-02T07:00"),
        ("22:00-07:00", "2026-06-01T06:59", "2026-06-01T07:00"),
        ("22:00-07:00", "2026-06-01T07:00", None),
        ("12:00-13:00", "2026-06-01T12:30", "2026-06-01T13:00"),
        ("12:00-13:00", "2026-06-01T11:59", None),
        ("", "2026-06-01T03:00", None),
    ],
)
def test_quiet_hours_in_the_readers_zone(quiet: str, local: str, until: str | None) -> None:
    made = spec(quiet=quiet, zone="Asia/Tokyo")
    now = datetime.fromisoformat(local).replace(tzinfo=TOKYO)
    assert clock.is_quiet(made, now) == (until is not None)
    expected = datetime.fromisoformat(until).replace(tzinfo=TOKYO) if until else now
    assert clock.quiet_until(made, now) == expected


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)),
    st.integers(0, 23),
    st.sampled_from(
        ["Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Africa/Casablanca"]
    ),
)
def test_the_next_time_is_owed_when_it_comes_and_not_before(naive: datetime, hour: int, zone: str) -> None:
    now = naive.replace(tzinfo=UTC)
    made = spec(zone=zone, at=f"{hour:02}:15")
    fire_at = clock.next_at(made, now)
    assert clock.due_at(made, now, fire_at - timedelta(seconds=1)) is None
    assert clock.due_at(made, now, fire_at) == fire_at
    assert clock.due_at(made, fire_at, fire_at + timedelta(minutes=1)) is None

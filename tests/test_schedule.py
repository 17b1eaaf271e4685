"""When a source may be asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FetchError
from monitor.model import ParsedFeed, PollHints, Source
from monitor.schedule import (
    DAY,
    FLOOR,
    MAX_JITTER,
    WEEKDAYS,
    after_skips,
    floor_of,
    freshness,
    hints_of,
    next_poll_at,
    retry_after,
    rhythm,
    ttl_of,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SOURCE = Source("s", "https://news.test/feed", poll_minutes=60)
FRESH = [NOW - 10 * MINUTE * n for n in range(20)]  # a busy source: something every ten minutes


def wait(source: Source = SOURCE, **facts: Any) -> timedelta:
    moment = next_poll_at(source, now=NOW, **{"recent": FRESH, **facts})
    assert moment is not None
    return moment - NOW


def error(status: int | None = None, kind: str = "status", **fields: Any) -> FetchError:
    return FetchError("failed", status=status, kind=kind, **fields)


# --- after an answer ---


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, HOUR),
        ({"headers": {"cache-control": "max-age=60"}}, HOUR),
        ({"headers": {"cache-control": "public, max-age=7200"}}, 2 * HOUR),
        ({"headers": {"cache-control": "Max-Age = \"7200\""}}, 2 * HOUR),
        ({"headers": {"cache-control": "s-maxage=9999, max-age=7200"}}, 2 * HOUR),
        ({"headers": {"cache-control": "max-age=7200", "age": "1800"}}, 1.5 * HOUR),
        ({"headers": {"cache-control": "max-age=99999999"}}, DAY),
        ({"headers": {"cache-control": "max-age=soon"}}, HOUR),
        ({"headers": {"cache-control": "no-store"}}, HOUR),
        ({"headers": {"expires": "Wed, 25 Nov 2026 15:00:00 GMT"}}, 3 * HOUR),
        ({"headers": {"expires": "Wed, 25 Nov 2026 15:00:00 GMT", "cache-control": "max-age=7200"}},
         2 * HOUR),
        ({"headers": {"expires": "Wed, 25 Nov 2026 05:00:00 GMT", "date": "Wed, 25 Nov 2026 02:00:00 GMT"}},
         3 * HOUR),
        ({"headers": {"expires": "0"}}, HOUR),
        ({"headers": {"expires": "Thu, 01 Jan 1970 00:00:00 GMT"}}, HOUR),
        ({"headers": {"expires": "Wed, 25 Nov 9999 15:00:00 GMT"}}, DAY),
        ({"feed": ParsedFeed("rss", ttl_minutes=180)}, 3 * HOUR),
        ({"feed": ParsedFeed("rss", ttl_minutes=10)}, HOUR),
        ({"feed": ParsedFeed("rss", ttl_minutes=-10)}, HOUR),
        ({"feed": ParsedFeed("rss", ttl_minutes=10**12)}, 7 * DAY),
        ({"hints": PollHints(ttl_minutes=180)}, 3 * HOUR),
        ({"feed": ParsedFeed("rss"), "hints": PollHints(ttl_minutes=180)}, HOUR),
        ({"feed": ParsedFeed("rss", ttl_minutes=180), "headers": {"cache-control": "max-age=36000"}},
         10 * HOUR),
    ],
    ids=[
        "the configured interval by default",
        "a shorter max-age changes nothing",
        "a longer max-age is waited for",
        "max-age in a strange spelling",
        "s-maxage is for shared caches",
        "a copy from a cache has aged already",
        "max-age counts for a day at most",
        "max-age that is no number",
        "no-store says nothing about polling",
        "Expires is waited for",
        "max-age goes before Expires",
        "Expires is measured by the server's own clock",
        "Expires: 0",
        "Expires in the past",
        "Expires in another age",
        "ttl is waited for",
        "a shorter ttl changes nothing",
        "a negative ttl",
        "an endless ttl counts for a week at most",
        "a remembered ttl counts after a 304",
        "a new copy without ttl lifts the remembered one",
        "the longest of all counts",
    ],
)  # fmt: skip
def test_after_an_answer(facts: dict[str, Any], expected: timedelta) -> None:
    assert wait(**facts) == expected


def test_other_people_s_servers_are_asked_every_quarter_of_an_hour_at_most() -> None:
    assert wait(Source("s", "https://news.test/", poll_minutes=1)) == FLOOR
    assert wait(Source("s", "http://127.0.0.1/", poll_minutes=1, allow_private=True)) == MINUTE


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ([], timedelta()),
        ([NOW], timedelta()),
        ([NOW - 48 * HOUR], HOUR),
        ([NOW - n * timedelta(days=7) for n in range(9)], 3.5 * HOUR),
        ([NOW - timedelta(days=10), *(NOW - timedelta(days=10, hours=n) for n in range(9))], 5 * HOUR),
        ([NOW - timedelta(days=400)], DAY),
        ([NOW + timedelta(days=3), NOW], timedelta()),
    ],
    ids=["no history", "something just now", "one item two days ago", "something every week",
         "busy until ten days ago", "asleep for a year", "dates in the future"],
)  # fmt: skip
def test_a_quiet_source_is_asked_less_often(recent: list[datetime], expected: timedelta) -> None:
    assert rhythm(recent, NOW) == expected


# --- after a failure ---


@pytest.mark.parametrize(
    ("failure", "failures", "expected"),
    [
        (error(500), 1, HOUR), (error(500), 2, 2 * HOUR), (error(500), 3, 4 * HOUR), (error(500), 9, DAY),
        (error(500), 10**9, DAY), (error(404), 3, 4 * HOUR), (error(None, "dns"), 2, 2 * HOUR),
        (error(None, "timeout"), 1, HOUR), (error(429), 1, 4 * HOUR), (error(429), 2, 8 * HOUR),
        (error(403), 1, 4 * HOUR), (error(403), 9, DAY),
        (error(429, retry_after_s=60), 1, 4 * HOUR), (error(429, retry_after_s=36000), 1, 10 * HOUR),
        (error(503, retry_after_s=7200), 1, 2 * HOUR), (error(503, retry_after_s=60), 1, HOUR),
        (error(503, retry_after_s=1e12), 1, 7 * DAY), (error(503, retry_after_s=-5), 1, HOUR),
        (error(None, "robots"), 1, DAY), (error(None, "robots", retry_after_s=3600), 1, HOUR),
        (None, 3, 4 * HOUR),
    ],
    ids=["a first 500", "a second", "a third", "many", "very many", "404", "no such name", "a timeout",
         "a first 429", "a second 429", "a first 403", "many 403s",
         "a short Retry-After with 429", "a long Retry-After with 429", "503 with a Retry-After",
         "503 with a short Retry-After", "503 with an endless Retry-After", "503 with a negative one",
         "robots.txt forbids it", "robots.txt could not be read", "an unreadable answer"],
)  # fmt: skip
def test_after_a_failure(failure: FetchError | None, failures: int, expected: timedelta) -> None:
    assert wait(error=failure, failures=failures) == expected


def test_after_410_never() -> None:
    assert next_poll_at(SOURCE, now=NOW, error=error(410), failures=1) is None


def test_a_failing_source_is_not_asked_sooner_than_its_ttl() -> None:
    assert wait(error=error(500), failures=1, hints=PollHints(ttl_minutes=300)) == 5 * HOUR


@pytest.mark.parametrize(
    ("value", "expected"),
    [("120", timedelta(seconds=120)), (" 0 ", timedelta()), ("Wed, 25 Nov 2026 13:00:00 GMT", HOUR),
     ("Wed, 25 Nov 2026 11:00:00 GMT", timedelta()), ("Wednesday, 25-Nov-26 13:00:00 GMT", HOUR),
     ("Wed Nov 25 13:00:00 2026", HOUR), ("9" * 5000, 7 * DAY), ("-1", None), ("soon", None), ("", None),
     ("1.5", None), ("٣", None), ("Wed, 99 Nov 2026 13:00:00 GMT", None)],
)  # fmt: skip
def test_retry_after_in_every_form(value: str, expected: timedelta | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == expected


# --- hours and days to leave out ---


@pytest.mark.parametrize(
    ("hours", "days", "expected"),
    [
        ({13}, (), datetime(2026, 11, 25, 14, 0, tzinfo=UTC)),
        (set(range(13, 24)) | set(range(8)), (), datetime(2026, 11, 26, 8, 0, tzinfo=UTC)),
        ((), {"Wednesday"}, datetime(2026, 11, 26, 0, 0, tzinfo=UTC)),
        ({0}, {"Wednesday", "Thursday"}, datetime(2026, 11, 27, 1, 0, tzinfo=UTC)),
        ({12}, {"Sunday"}, datetime(2026, 11, 25, 13, 0, tzinfo=UTC)),
        (set(range(24)), (), datetime(2026, 11, 25, 13, 0, tzinfo=UTC)),
        ((), set(WEEKDAYS), datetime(2026, 11, 25, 13, 0, tzinfo=UTC)),
    ],
    ids=["the next hour", "the whole night", "today", "two days and an hour", "another time",
         "every hour, which is not believed", "every day, which is not believed"],
)  # fmt: skip
def test_skips(hours: set[int], days: set[str], expected: datetime) -> None:
    feed = ParsedFeed("rss", skip_hours=frozenset(hours), skip_days=frozenset(days))
    assert next_poll_at(SOURCE, now=NOW, feed=feed, recent=FRESH) == expected
    assert next_poll_at(SOURCE, now=NOW, hints=hints_of(feed), recent=FRESH) == expected


# --- always ---

spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40))
hints = st.builds(
    PollHints,
    st.none() | st.integers(-10, 10**6),
    st.frozensets(st.integers(0, 23), max_size=20),
    st.frozensets(st.sampled_from(WEEKDAYS), max_size=5),
)


@given(
    minutes=st.integers(1, 3000), jitter=st.floats(0, 1), hints=hints, gaps=st.lists(spans, max_size=20),
    max_age=st.integers(0, 10**7), failures=st.integers(0, 40),
    status=st.sampled_from([None, 403, 404, 429, 503]),
)  # fmt: skip
def test_never_earlier_than_anybody_allows_and_never_out_of_sight(
    minutes: int, jitter: float, hints: PollHints, gaps: list[timedelta], max_age: int, failures: int,
    status: int | None,
) -> None:  # fmt: skip
    source = Source("s", "https://news.test/", poll_minutes=minutes)
    headers = {"cache-control": f"max-age={max_age}"}
    problem = error(status) if status else None
    facts: dict[str, Any] = {
        "now": NOW, "headers": headers, "hints": hints, "error": problem, "failures": failures,
        "recent": [NOW - gap for gap in gaps],
    }  # fmt: skip
    without = next_poll_at(source, **facts)
    moment = next_poll_at(source, **facts, jitter=jitter)
    assert without is not None
    assert moment is not None
    assert moment >= NOW + max(floor_of(source), timedelta(minutes=min(hints.ttl_minutes or 0, 7 * 1440)))
    if not failures and not problem:
        assert moment >= NOW + freshness(headers, NOW)
    assert moment.hour not in hints.skip_hours
    assert WEEKDAYS[moment.weekday()] not in hints.skip_days
    assert moment <= NOW + timedelta(days=16)
    if not hints.skip_hours and not hints.skip_days:
        assert without <= moment <= without + MAX_JITTER + timedelta(seconds=1)


def test_a_fraction_of_a_second_is_never_rounded_away() -> None:
    """Instants are stored in whole seconds; cutting one off would ask a moment too early."""
    moment = next_poll_at(SOURCE, now=NOW + timedelta(microseconds=1), recent=FRESH)
    assert moment == NOW + HOUR + timedelta(seconds=1)


def test_skipping_ends_for_a_moment_in_another_zone() -> None:
    moment = datetime.fromisoformat("2026-11-26T08:30:00+09:00")  # 23:30 GMT the day before
    assert after_skips(moment, PollHints(skip_hours=frozenset({23}))) == datetime(2026, 11, 26, tzinfo=UTC)


# --- what a run of mutations found untested ---


def test_a_source_that_publishes_every_two_days_is_asked_once_an_hour() -> None:
    source = Source("s", "https://news.test/feed", poll_minutes=15)
    assert wait(source, recent=[NOW, NOW - 2 * DAY, NOW - 4 * DAY]) == HOUR


@pytest.mark.parametrize(
    ("jitter", "expected"),
    [(0.5, 63 * MINUTE), (1.0, 66 * MINUTE), (7.0, 66 * MINUTE), (-1.0, HOUR)],
)
def test_jitter_adds_a_tenth_at_most(jitter: float, expected: timedelta) -> None:
    assert wait(jitter=jitter) == expected


def test_after_skipped_hours_it_comes_up_to_a_quarter_of_an_hour_late() -> None:
    hints = PollHints(skip_hours=frozenset({13, 14}))
    assert wait(hints=hints) == 3 * HOUR
    assert wait(hints=hints, jitter=1.0) == 3 * HOUR + 15 * MINUTE
    assert wait(hints=hints, jitter=9.0) == 3 * HOUR + 15 * MINUTE


@pytest.mark.parametrize("zone", ["-0000", "+0900", "EST"])
def test_a_date_of_a_server_is_read_in_its_own_zone(zone: str) -> None:
    hour = {"-0000": 15, "+0900": 24, "EST": 10}[zone]
    said = NOW.replace(hour=hour % 24) + (DAY if hour == 24 else timedelta())
    value = f"{said:%a, %d %b %Y %H:%M:%S} {zone}"
    assert retry_after({"retry-after": value}, NOW) == 3 * HOUR


def test_a_feed_that_asks_for_nothing_adds_nothing() -> None:
    assert ttl_of(PollHints()) == timedelta()
    assert ttl_of(PollHints(ttl_minutes=-5)) == timedelta()

"""Dates as people write them, read as they meant them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import dates

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "zone", "expected"),
    [
        ("Sun, 22 Nov 2026 09:00:00 +0900", "", "2026-11-22T00:00"),
        ("Sun, 22 Nov 2026 09:00:00 JST", "", "2026-11-22T00:00"),
        ("Mon, 22 Jun 2026 09:00 BST", "", "2026-06-22T08:00"),
        ("22 Nov 26 09:00 EST", "", "2026-11-22T14:00"),
        ("Sun, 22 Nov 2026 09:00:00 EST", "Australia/Sydney", "2026-11-21T23:00"),
        ("Sun, 22 Nov 2026 09:00:00 CST", "Asia/Shanghai", "2026-11-22T01:00"),
        ("Sun, 22 Nov 2026 09:00:00 CST", "", "2026-11-22T15:00"),
        ("Sun, 22 Nov 2026 09:00:00 GMT+0900", "", "2026-11-22T00:00"),
        ("Jul 22, 2026 10:00pm PT", "", "2026-07-23T05:00"),
        ("Sun Nov 22 09:30:00 JST 2026", "", "2026-11-22T00:30"),
        ("Sun Nov 22 09:30:00 2026", "", "2026-11-22T09:30"),
        ("2026-11-22T09:00:00.123+09:00", "", "2026-11-22T00:00"),
        ("2026-11-22T09:00:00Z", "Asia/Tokyo", "2026-11-22T09:00"),
        ("2026-11-22 09:00:00 UTC", "Asia/Tokyo", "2026-11-22T09:00"),
        ("2026-11-22 09:00", "Asia/Tokyo", "2026-11-22T00:00"),
        ("2026-11-22 09:00", "", "2026-11-22T09:00"),
        ("2026-11-22", "Asia/Tokyo", "2026-11-21T15:00"),
        ("20261122T093000Z", "", "2026-11-22T09:30"),
        ("2026年11月22日 09:00", "Asia/Tokyo", "2026-11-22T00:00"),
        ("令和8年11月22日", "Asia/Tokyo", "2026-11-21T15:00"),
        ("Sunday, November 22, 2026", "", "2026-11-22T00:00"),
        ("Sun, 1 Nov 2026 24:00:00 GMT", "", "2026-11-01T23:59"),
        ("1763802000", "", "2025-11-22T09:00"),
        ("2026-10", "", "2026-10-01T00:00"),
        ("Fri, 05/03/2026 - 15:21", "", "2026-05-03T15:21"),
        ("Sun, 22 Nov 2026 09:00:00 XYZ", "Asia/Tokyo", "2026-11-22T00:00"),
    ],
)
def test_feed_dates_are_instants(raw: str, zone: str, expected: str) -> None:
    found = dates.parse_feed_date(raw, zone, NOW)
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M") == expected
    assert found.utcoffset() == timedelta()


@pytest.mark.parametrize(
    "raw", ["", "soon", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "31 Nov 2026", "2026-13-01"]
)
def test_no_date_is_none(raw: str) -> None:
    assert dates.parse_feed_date(raw, "", NOW) is None


def test_a_date_to_come_is_now() -> None:
    assert dates.parse_feed_date("2030-01-01T00:00:00Z", "", NOW) == NOW
    assert dates.parse_feed_date("Tue, 24 Nov 2026 21:00:00 JST", "", NOW) == NOW


def test_an_unknown_zone_of_a_source_is_utc() -> None:
    assert dates.parse_feed_date("2026-11-22 09:00", "Mars/Base", NOW) == datetime(
        2026, 11, 22, 9, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2026年11月22日", "2026-11-22"),
        ("２０２６年１１月２２日（日）", "2026-11-22"),
        ("令和8年11月22日", "2026-11-22"),
        ("令和元年5月1日", "2019-05-01"),
        ("平成31年4月30日", "2019-04-30"),
        ("昭和64年1月7日", "1989-01-07"),
        ("R8.11.22", "2026-11-22"),
        ("2026/11/22", "2026-11-22"),
        ("2026.11.22", "2026-11-22"),
        ("公開日：2026年11月22日", "2026-11-22"),
        ("Published on 22nd of November, 2026", "2026-11-22"),
        ("Nov. 22, 2026", "2026-11-22"),
        ("Sunday 22 November 2026", "2026-11-22"),
        ("2026-11-22T09:00:00+09:00", "2026-11-22T09:00:00+09:00"),
        ("2026-11-22T09:00:00Z", "2026-11-22T09:00:00+00:00"),
        ("22 November 2026 at 9:30 a.m. EST", "2026-11-22T09:30:00-05:00"),
        ("Sun, 22 Nov 2026 09:00:00 JST", "2026-11-22T09:00:00+09:00"),
        ("2026年11月22日 9時30分（日本時間）", "2026-11-22T09:30:00+09:00"),
        ("22 November 2026, 09:30", "2026-11-22"),
        ("no date here", ""),
        ("2026年13月40日", ""),
    ],
)
def test_page_dates_are_repeated_as_they_stand(raw: str, expected: str) -> None:
    assert dates.page_date(raw) == expected


@pytest.mark.parametrize(
    ("lang", "country", "expected"),
    [
        ("en", "us", "2026-03-04"),
        ("en", "gb", "2026-04-03"),
        ("de", "", "2026-04-03"),
        ("en-US", "", "2026-03-04"),
    ],
)
def test_day_or_month_first_is_settled_by_the_country(lang: str, country: str, expected: str) -> None:
    assert dates.page_date("03/04/2026", lang=lang, country=country) == expected
    assert dates.page_date("25/04/2026", lang=lang, country=country) == "2026-04-25"


def test_a_time_on_a_japanese_page_is_japans() -> None:
    assert dates.page_date("2026年11月22日 午後3時05分", lang="ja") == "2026-11-22T15:05:00+09:00"
    assert dates.page_date("2026/11/22 15:05", country="jp") == "2026-11-22T15:05:00+09:00"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("11月22日", "2026-11-22"), ("11月25日", "2026-11-25"), ("12月1日", "2025-12-01"), ("2月30日", "")],
)
def test_a_date_without_a_year_is_the_latest_one(raw: str, expected: str) -> None:
    assert dates.page_date(raw, now=NOW) == expected
    assert dates.page_date(raw) == "", "without a clock there is no telling"


@pytest.mark.parametrize(
    ("said", "zone", "expected"),
    [
        ("2026-11-22", "Asia/Tokyo", "2026-11-21T15:00:00+00:00"),
        ("2026-11-22", "", "2026-11-22T00:00:00+00:00"),
        ("2026-11-22T09:00:00+09:00", "Europe/London", "2026-11-22T00:00:00+00:00"),
    ],
)
def test_what_a_page_says_becomes_an_instant(said: str, zone: str, expected: str) -> None:
    found = dates.to_utc(said, zone)
    assert found is not None
    assert found.isoformat() == expected
    assert dates.to_utc("gibberish", zone) is None


@given(st.datetimes(min_value=datetime(1972, 1, 1), max_value=datetime(2026, 11, 1)), st.integers(-12, 14))
def test_iso_and_rfc_forms_of_an_instant_agree(moment: datetime, hours: int) -> None:
    sign = "+" if hours >= 0 else "-"
    rfc = moment.strftime(f"%a, %d %b %Y %H:%M:%S {sign}{abs(hours):02}00")
    iso = moment.strftime(f"%Y-%m-%dT%H:%M:%S{sign}{abs(hours):02}:00")
    assert dates.parse_feed_date(rfc, "", NOW) == dates.parse_feed_date(iso, "", NOW) is not None


@given(st.text(max_size=80) | st.text(alphabet="0123456789年月日時分:/-. TZ+午後令和novamp,", max_size=60))
def test_any_text_is_a_date_or_none(raw: str) -> None:
    found = dates.parse_feed_date(raw, "Asia/Tokyo", NOW)
    assert found is None or found <= NOW
    said = dates.page_date(raw, now=NOW)
    assert said == "" or dates.to_utc(said) is not None or said[:4] in ("0001", "9999")

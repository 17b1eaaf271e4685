"""Dates as feeds and pages write them.

Two readers of one grammar: `parse_feed_date` gives an instant in UTC, `page_date` repeats what a
page says, in ISO 8601. Zone names come from the table below and never default silently to UTC when
they are known: feedparser and the standard library read "09:00 JST" as 09:00 UTC.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_CHARS = 300  # of a date string; what is longer is not one
_NEAR = 60  # characters between a date and the time that belongs to it, zone included

# Hours east of Greenwich. Names in use in feeds; where two countries share one, see _AMBIGUOUS.
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "ist": 5.5, "cet": 1, "cest": 2,
    "met": 1, "mez": 1, "mest": 2, "mesz": 2, "eet": 2, "eest": 3, "sast": 2, "msk": 3, "trt": 3, "gst": 4,
    "pkt": 5, "ict": 7, "wib": 7, "hkt": 8, "sgt": 8, "myt": 8, "pht": 8, "awst": 8, "jst": 9, "kst": 9,
    "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
    "nst": -3.5, "ndt": -2.5, "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5,
    "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10, "brt": -3, "art": -3,
}  # fmt: skip
_SEASONAL = {
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
}  # fmt: skip
# A name that means something else to a source whose own zone begins so.
_AMBIGUOUS = {
    "cst": (("Asia/", 8.0),),
    "ist": (("Europe/Dublin", 1.0), ("Asia/Jerusalem", 2.0), ("Asia/Tel_Aviv", 2.0)),
    "est": (("Australia/", 10.0),), "edt": (("Australia/", 11.0),),
    "ast": (("Asia/", 3.0),),
}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1)
    for name in names.split()
}  # fmt: skip
_ERAS = {
    "令和": 2018,
    "平成": 1988,
    "昭和": 1925,
    "大正": 1911,
    "明治": 1867,
    "r": 2018,
    "h": 1988,
    "s": 1925,
}
_MONTH = "(?P<mon>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")(?![a-z])\.?"
_DAY_NAME = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"

_CLOCK = re.compile(
    r"(?P<half>午前|午後|正午)?\s*(?<!\d)(?P<h>\d{1,2})\s*(?:[:.]|時)\s*(?P<min>\d{2})(?!\d)分?"
    r"(?:\s*[:.]?\s*(?P<s>\d{2})(?!\d)秒?(?:[.,]\d{1,9})?)?\s*(?P<ampm>[ap]\.?\s?m\b\.?)?"
    r"|(?P<half2>午前|午後)?\s*(?<!\d)(?P<h2>\d{1,2})\s*(?:時(?!間)|(?P<ampm2>[ap]\.?\s?m\b\.?))"
)
_OFFSET = re.compile(
    r"\s*(?:\(?(?:etc/)?(?:utc|gmt)\)?)?\s*(?P<sign>[+\-−])(?P<oh>\d{1,2}):?(?P<om>\d{2})?(?!\d)"
    r"|\s*\(?(?P<name>[a-z]{1,5})\b(?![+\-]\d)|\s*\(?(?P<japan>日本時間)"
)
_ISO = re.compile(r"(?<!\d)(?P<y>\d{4})\s?-\s?(?P<m>\d{1,2})\s?-\s?(?P<d>\d{1,2})(?!\d)(?P<t>t)?")
_COMPACT = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:t?(?P<c>\d{4}(?:\d{2})?))?(?!\d)"
)
_JAPANESE = re.compile(
    r"(?:(?P<era>令和|平成|昭和|大正|明治)\s*(?P<ey>元|\d{1,2})\s*年|(?<!\d)(?P<y>\d{4})\s*年)"
    r"\s*(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*日"
)
_ERA_DOTS = re.compile(
    r"(?<![a-z])(?P<era>令和|平成|昭和|r|h|s)\s*(?P<ey>元|\d{1,2})\s*[./・]\s*(?P<m>\d{1,2})\s*[./・]\s*(?P<d>\d{1,2})(?!\d)"
)
_YEARLESS = re.compile(r"(?<![\d年])(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*日")
_YEAR_FIRST = re.compile(r"(?<!\d)(?P<y>\d{4})\s?[/.年]\s?(?P<m>\d{1,2})\s?[/.月]\s?(?P<d>\d{1,2})(?!\d)")
_DAY_MONTH = re.compile(
    rf"{_DAY_NAME}(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s\-]+(?:of\s+)?{_MONTH}[\s,\-]+(?P<y>\d{{4}}|\d{{2}}(?![\d:]))"
)
_MONTH_DAY = re.compile(
    rf"{_DAY_NAME}(?<![a-z]){_MONTH}[\s\-]+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*,\s*|\s+|-)(?P<y>\d{{4}})(?!\d)"
)
_CTIME = re.compile(
    rf"(?<![a-z]){_MONTH}\s+(?P<d>\d{{1,2}})\s+(?P<clock>\d{{1,2}}:\d{{2}}(?::\d{{2}})?)\s*"
    r"(?P<zone>[a-z]{1,5}|[+\-]\d{4})?\s+(?P<y>\d{4})(?!\d)"
)
_NUMBERS = re.compile(
    r"(?<![\d./-])(?P<a>\d{1,2})(?P<sep>[/.\-])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})(?![\d/])"
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_YEAR_MONTH = re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})|(?P<y2>\d{4})")
_MONTH_FIRST_COUNTRIES = frozenset({"us", "ph", "pr", "fm"})
_OLDEST = datetime(1971, 1, 1, tzinfo=UTC)  # zero in disguise: a publisher's missing date


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a date string says: a day, and perhaps a time and a zone."""

    day: date
    clock: time | None = None
    zone: str | timedelta | None = None  # a name still to be looked up, an offset, or nothing

    @property
    def naive(self) -> datetime:
        return datetime.combine(self.day, self.clock or time())


# --- public ----------------------------------------------------------------------------------


def parse_feed_date(
    raw: str, default_zone: str, now: datetime, *, month_first: bool = True
) -> datetime | None:
    """The instant a feed's date string names, aware and in UTC; None when it names none.

    `default_zone` (an IANA name, or "" for UTC) is that of dates without a zone. An instant after
    `now` becomes `now`: a feed that is ahead of time must not hide what comes after it.
    """
    instant = _stamp(raw.strip(), default_zone) or _instant(_folded(raw), default_zone, now, month_first)
    return None if instant is None or instant < _OLDEST else min(instant, now)


def page_date(raw: str, *, lang: str = "", country: str = "", now: datetime | None = None) -> str:
    """A page's date as ISO 8601: with time and offset where the page gives both, else YYYY-MM-DD.

    `lang` and `country` settle 03/04/2026. A time without an offset is kept only on Japanese pages,
    whose country has one zone. A date without a year is the latest that is not after `now`; without
    `now` it is not read. "" when there is no date in `raw`.
    """
    text = _folded(raw)
    country, lang = country.lower(), lang.lower()
    moment = _read(text, now, month_first=is_month_first(lang, country))
    if moment is None:
        return ""
    zone = _zone_of(moment, "")
    if zone is None and moment.clock and (country == "jp" or lang.startswith("ja")):
        zone = timezone(timedelta(hours=9))
    if moment.clock is None or zone is None:
        return moment.day.isoformat()
    return moment.naive.replace(tzinfo=zone).isoformat(timespec="seconds")


def to_utc(said: str, zone: str = "") -> datetime | None:
    """The instant of a string made by `page_date`, in UTC; a bare day begins at midnight in `zone`."""
    try:
        moment = datetime.fromisoformat(said)
        return moment.replace(tzinfo=moment.tzinfo or zone_named(zone) or UTC).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def zone_named(name: str) -> tzinfo | None:
    """The IANA zone called `name`, None when there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def is_month_first(lang: str, country: str) -> bool:
    """Whether 03/04 is the 4th of March where a text comes from."""
    if country:
        return country in _MONTH_FIRST_COUNTRIES
    return lang in ("", "en") or lang.startswith("en-us")


def _stamp(raw: str, default_zone: str) -> datetime | None:
    """A plain ISO stamp, read the quick way: a sitemap has fifty thousand of them."""
    return to_utc(raw, default_zone) if raw[4:5] == "-" and raw[7:8] == "-" and len(raw) < 40 else None


def _instant(text: str, default_zone: str, now: datetime, month_first: bool) -> datetime | None:
    moment = _read(text, now, month_first=month_first) or _read_bare(text)
    if moment is None:
        return None
    try:
        zone = _zone_of(moment, default_zone) or zone_named(default_zone) or UTC
        return moment.naive.replace(tzinfo=zone).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


# --- reading ---------------------------------------------------------------------------------


def _folded(raw: str) -> str:
    """Width, case and blanks in one form: full-width digits are digits."""
    text = unicodedata.normalize("NFKC", raw[:MAX_CHARS]).lower()
    return " ".join(text.split())


def _read(text: str, now: datetime | None, *, month_first: bool) -> _Moment | None:
    """The first date in `text`, tried from the least to the most ambiguous form."""
    if match := _CTIME.search(text):
        day = _day(match["y"], _MONTHS[match["mon"]], match["d"])
        found = _clock_in(f"{match['clock']} {match['zone'] or ''}")
        return _Moment(day, *found) if day else None
    for pattern in (_JAPANESE, _ISO, _YEAR_FIRST, _ERA_DOTS, _COMPACT, _DAY_MONTH, _MONTH_DAY):
        for match in pattern.finditer(text):
            if day := _day_of(match.groupdict()):
                clock = match.groupdict().get("c")
                rest = f"{clock[:2]}:{clock[2:4]}" if clock else ""
                return _Moment(day, *_clock_in(rest + text[match.end() :], text[: match.start()]))
    return _read_numbers(text, month_first) or _read_yearless(text, now)


def _read_numbers(text: str, month_first: bool) -> _Moment | None:
    """03/04/2026 and its like."""
    for match in _NUMBERS.finditer(text):
        first, second = int(match["a"]), int(match["b"])
        us = month_first and match["sep"] != "."
        month, day = (first, second) if (us and first <= 12) or second > 12 else (second, first)
        if found := _day(match["y"], month, day):
            return _Moment(found, *_clock_in(text[match.end() :], text[: match.start()]))
    return None


def _read_yearless(text: str, now: datetime | None) -> _Moment | None:
    """11月22日: this year's, or last year's if that is still to come."""
    if now is None:
        return None
    latest = (now + timedelta(days=1, hours=14)).date()  # the day may have begun east of here
    for match in _YEARLESS.finditer(text):
        for year in (latest.year, latest.year - 1):
            day = _day(str(year), match["m"], match["d"])
            if day and day <= latest:
                return _Moment(day, *_clock_in(text[match.end() :], text[: match.start()]))
    return None


def _read_bare(text: str) -> _Moment | None:
    """Forms that only a feed's date field may have: seconds since 1970, a month, a year (W3CDTF)."""
    if _EPOCH.fullmatch(text):
        moment = datetime.fromtimestamp(int(text[:10]), UTC)
        return _Moment(moment.date(), moment.time(), timedelta())
    if match := _YEAR_MONTH.fullmatch(text):
        day = _day(match["y"] or match["y2"], match["m"] or 1, 1)
        return _Moment(day) if day else None
    return None


def _day_of(found: dict[str, str | None]) -> date | None:
    month = _MONTHS[found["mon"] or ""] if "mon" in found else found["m"]
    if era := found.get("era"):
        year = 1 if found["ey"] == "元" else int(found["ey"] or 0)
        return _day(str(_ERAS[era] + year), month, found["d"])
    return _day(found["y"], month, found["d"])


def _day(year: str | None, month: int | str | None, day: int | str | None) -> date | None:
    if not (year and month and day):
        return None
    number = int(year)
    if len(year) <= 2:
        number += 2000 if number < 70 else 1900
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


def _clock_in(after: str, before: str = "") -> tuple[time | None, str | timedelta | None]:
    """The time written near a date, and its zone: in what follows, else just before it."""
    for text in (after[:_NEAR], before[-_NEAR:]):
        match = _CLOCK.search(text)
        if match and (clock := _clock_of(match)):
            return clock, _zone_written(text[match.end() :])
    return None, None


def _clock_of(match: re.Match[str]) -> time | None:
    hour = int(match["h"] or match["h2"])
    half = match["half"] or match["half2"] or ""
    ampm = (match["ampm"] or match["ampm2"] or "")[:1]
    if (half == "午後" or ampm == "p") and hour < 12:
        hour += 12
    elif ampm == "a" and hour == 12:
        hour = 0
    try:
        # 24:00 ends a day and 23:59:60 is a leap second: both are moved to the last second.
        if hour == 24:
            return time(23, 59, 59)
        return time(hour, int(match["min"] or 0), min(int(match["s"] or 0), 59))
    except ValueError:
        return None


def _zone_written(rest: str) -> str | timedelta | None:
    match = _OFFSET.match(rest)
    if match is None:
        return None
    if match["japan"]:
        return timedelta(hours=9)
    if match["name"]:
        return match["name"]
    offset = timedelta(hours=int(match["oh"]), minutes=int(match["om"] or 0))
    if offset > timedelta(hours=15):
        return None
    return offset if match["sign"] == "+" else -offset


def _zone_of(moment: _Moment, default_zone: str) -> tzinfo | None:
    """The zone the date itself names; None when it names none that is known."""
    if moment.zone is None:
        return None
    if isinstance(moment.zone, timedelta):
        return timezone(moment.zone)
    for prefix, hours in _AMBIGUOUS.get(moment.zone, ()):
        if default_zone.startswith(prefix):
            return timezone(timedelta(hours=hours))
    if moment.zone in _SEASONAL:
        return ZoneInfo(_SEASONAL[moment.zone])
    hours_east = _ZONES.get(moment.zone)
    return None if hours_east is None else timezone(timedelta(hours=hours_east))

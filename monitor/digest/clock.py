"""When a digest is due, in its reader's zone: working days, holidays, quiet hours, DST.

A local time that DST skips fires as much later as the clock was moved; one that DST repeats fires
the first time only. So each scheduled time of each day is served exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from monitor.digest import cron
from monitor.model import DigestSpec

_SEARCH_DAYS = 366 * 9  # 29 February comes again within eight years (1896-1904: never in our lifetime)
_DAY = timedelta(days=1)


def due_at(spec: DigestSpec, last_fire_at: datetime | None, now: datetime) -> datetime | None:
    """The latest scheduled time after `last_fire_at` and not after `now`; None when none is owed.

    Several missed while the monitor was down are served by one digest. Give the moment the digest
    was first configured as `last_fire_at` of one that never fired; None owes nothing.
    """
    if last_fire_at is None or last_fire_at >= now:
        return None
    zone = ZoneInfo(spec.zone)
    day = now.astimezone(zone).date() + _DAY  # a skipped time may have moved past midnight
    first = max(last_fire_at, now - timedelta(days=_SEARCH_DAYS)).astimezone(zone).date() - _DAY
    while day >= first:
        for fire_at in reversed(fires_on(spec, day)):
            if last_fire_at < fire_at <= now:
                return fire_at
        day -= _DAY
    return None


def next_at(spec: DigestSpec, now: datetime) -> datetime:
    """The next scheduled time after `now`. Raises ValueError when the schedule never fires."""
    day = now.astimezone(ZoneInfo(spec.zone)).date() - _DAY
    for _ in range(_SEARCH_DAYS):
        for fire_at in fires_on(spec, day):
            if fire_at > now:
                return fire_at
        day += _DAY
    raise ValueError(f"the schedule of digest {spec.name!r} never fires")


def fires_on(spec: DigestSpec, day: date) -> list[datetime]:
    """The scheduled times of one local day, as UTC, ascending."""
    times = _wall_times(spec, day)
    if not times:
        return []
    zone = ZoneInfo(spec.zone)
    # fold=0 is the offset before a change: it moves a skipped time forward by the gap and takes
    # the first of a repeated one (PEP 495).
    return sorted({datetime.combine(day, at, tzinfo=zone).astimezone(UTC) for at in times})


def _wall_times(spec: DigestSpec, day: date) -> tuple[time, ...]:
    if spec.cron:
        line = cron.parse(spec.cron)
        return line.times if line.falls_on(day) and not is_holiday(spec.holidays, day) else ()
    falls = _is_weekly_day(spec, day) if spec.weekly else _is_working_day(spec, day)
    return (cron.parse_time(spec.at),) if falls else ()


def _is_working_day(spec: DigestSpec, day: date) -> bool:
    return cron.WEEKDAYS[day.weekday()] in spec.days and not is_holiday(spec.holidays, day)


def _is_weekly_day(spec: DigestSpec, day: date) -> bool:
    """A round-up has one day a week, the first configured; a holiday moves it to the next working day."""
    wanted = cron.WEEKDAYS.index(spec.days[0]) if spec.days else 0
    for back in range(7):
        start = day - timedelta(days=back)
        if start.weekday() == wanted:
            return day == _moved(start, spec.holidays)
    return False


def _moved(day: date, country: str) -> date:
    weekend = day.weekday() >= 5
    for _ in range(6):
        if not is_holiday(country, day) and (weekend or day.weekday() < 5):
            break
        day += _DAY
    return day


# --- holidays --------------------------------------------------------------------------------


def is_holiday(country: str, day: date) -> bool:
    """Whether `day` is a public holiday of `country` ("JP", "GB-ENG"); "" has none.

    "GB" and "UK" mean England: the days all of the United Kingdom shares leave out Easter Monday.
    Raises ValueError for a country nobody knows.
    """
    return bool(country) and day in _holidays(country.upper(), day.year)


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    import holidays  # here: it loads every country, and only a digest with holidays needs it

    code, _, subdivision = {"GB": "GB-ENG", "UK": "GB-ENG"}.get(country, country).partition("-")
    try:
        found = holidays.country_holidays(code, subdiv=subdivision or None, years=year)
    except NotImplementedError as error:
        raise ValueError(f"no holidays are known for {country!r}") from error
    return frozenset(found)


# --- quiet hours -----------------------------------------------------------------------------


def is_quiet(spec: DigestSpec, now: datetime) -> bool:
    """Whether immediate alerts wait at `now`."""
    if not spec.quiet:
        return False
    start, end = parse_quiet(spec.quiet)
    local = now.astimezone(ZoneInfo(spec.zone)).time()
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def quiet_until(spec: DigestSpec, now: datetime) -> datetime:
    """When the quiet hours that hold at `now` end, in UTC; `now` itself when none hold."""
    if not is_quiet(spec, now):
        return now
    zone = ZoneInfo(spec.zone)
    _, end = parse_quiet(spec.quiet)
    local = now.astimezone(zone)
    day = local.date() if local.time() < end else local.date() + _DAY
    return datetime.combine(day, end, tzinfo=zone).astimezone(UTC)


def parse_quiet(text: str) -> tuple[time, time]:
    """Start and end of "22:00-07:00". Raises ValueError."""
    start, dash, end = text.replace("–", "-").partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a span like 22:00-07:00")
    return cron.parse_time(start), cron.parse_time(end)


# --- for the configuration's check -----------------------------------------------------------


def problems(spec: DigestSpec, now: datetime) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) for everything in the schedule that cannot work."""
    try:
        ZoneInfo(spec.zone)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        yield "zone", f"{spec.zone!r} is not a time zone like Europe/London"
        return
    found = list(_field_problems(spec, now))
    yield from found
    if not found:
        try:
            next_at(spec, now)
        except ValueError as error:
            yield ("cron" if spec.cron else "days"), str(error)


def _field_problems(spec: DigestSpec, now: datetime) -> Iterator[tuple[str, str]]:
    checks: list[tuple[str, Callable[[], object]]] = [
        ("cron", lambda: cron.parse(spec.cron) if spec.cron else None),
        ("at", lambda: cron.parse_time(spec.at)),
        ("quiet", lambda: parse_quiet(spec.quiet) if spec.quiet else None),
        ("holidays", lambda: is_holiday(spec.holidays, now.date())),
    ]
    for field, check in checks:
        try:
            check()
        except ValueError as error:
            yield field, str(error)
    for day in spec.days:
        if day not in cron.WEEKDAYS:
            yield "days", f"{day!r} is not a day; write mon to sun"

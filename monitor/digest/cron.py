"""Wall-clock times from `HH:MM` and from five-field cron lines.

Weekdays are names only: numbers mean different days to different cron programs (POSIX counts
Sunday as 0, others Monday). Day of month and weekday must both hold, so `0 8 1-7 * mon` is the
first Monday of the month; classic cron would fire on either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_PIECE = re.compile(r"(?P<first>\*|[a-z0-9]+)(?:-(?P<last>[a-z0-9]+))?(?:/(?P<step>\d+))?")


@dataclass(frozen=True, slots=True)
class Cron:
    """The wall times of a cron line: which dates, and which times on each of them, ascending."""

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Monday, as date.weekday()

    def falls_on(self, day: date) -> bool:
        return day.day in self.days and day.month in self.months and day.weekday() in self.weekdays


def parse_time(text: str) -> time:
    """A wall time. Raises ValueError unless it is HH:MM."""
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a time of day like 08:00")
    return time(int(found[1]), int(found[2]))


@lru_cache(maxsize=64)
def parse(line: str) -> Cron:
    """The times of a five-field cron line. Raises ValueError naming the field that is wrong."""
    fields = line.lower().split()
    if len(fields) != 5:
        raise ValueError(f"{line!r} has {len(fields)} fields; cron needs five: minute hour day month weekday")
    minutes = _field("minute", fields[0], range(60))
    hours = _field("hour", fields[1], range(24))
    return Cron(
        times=tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days=_field("day", fields[2], range(1, 32)),
        months=_field("month", fields[3], range(1, 13), _MONTHS),
        weekdays=_field("weekday", fields[4], range(7), WEEKDAYS, numbers=False),
    )


def _field(
    label: str, text: str, allowed: range, names: tuple[str, ...] = (), numbers: bool = True
) -> frozenset[int]:
    found: set[int] = set()
    for piece in text.split(","):
        match = _PIECE.fullmatch(piece)
        if not match:
            raise ValueError(f"cron {label} {piece!r} cannot be read")
        found.update(_span(label, match, allowed, names, numbers))
    return frozenset(found)


def _span(
    label: str, match: re.Match[str], allowed: range, names: tuple[str, ...], numbers: bool
) -> list[int]:
    step = int(match["step"] or 1)
    if step < 1:
        raise ValueError(f"cron {label} step must be at least 1")
    if match["first"] == "*":
        if match["last"]:
            raise ValueError(f"cron {label} {match[0]!r} cannot be read")
        return list(allowed)[::step]
    first = _value(label, match["first"], allowed, names, numbers)
    if match["last"] is None:
        return [first] if match["step"] is None else list(range(first, allowed.stop, step))
    last = _value(label, match["last"], allowed, names, numbers)
    if last < first:
        raise ValueError(f"cron {label} {match[0]!r} runs backwards")
    return list(range(first, last + 1, step))


def _value(label: str, text: str, allowed: range, names: tuple[str, ...], numbers: bool) -> int:
    if text in names:
        return allowed.start + names.index(text)
    if not numbers:
        raise ValueError(f"cron {label} {text!r}: write the name, {names[0]} to {names[-1]}")
    if not text.isdigit() or int(text) not in allowed:
        raise ValueError(f"cron {label} {text!r} is not in {allowed.start}-{allowed.stop - 1}")
    return int(text)

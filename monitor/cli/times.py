"""Moments as people type them: `2026-11-20`, `2026-11-20T08:00+09:00`, or `90d` for 90 days ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from monitor.cli.context import now

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def when(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """A callback of options that take a moment."""
    return _read(ctx, param, value, now())


def before_as_of(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """The same, for an option beside `--as-of` (which is eager): `7d` counts back from that moment."""
    return _read(ctx, param, value, ctx.params.get("as_of") or now())


def _read(ctx: click.Context, param: click.Parameter, value: str | None, at: datetime) -> datetime | None:
    if value is None:
        return None
    try:
        return moment(value, at)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{value!r} is no moment: 2026-11-20, 2026-11-20T08:00+09:00 or 90d (days ago)", ctx, param
        ) from error


def moment(text: str, at: datetime) -> datetime:
    """The moment in UTC. Raises ValueError or OverflowError."""
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return at - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    found = datetime.fromisoformat(text.strip())
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)

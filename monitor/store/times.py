"""Instants in the database are text: UTC, whole seconds, `YYYY-MM-DDTHH:MM:SSZ`, which also sorts."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.errors import StoreError


def to_text(at: datetime) -> str:
    """An aware datetime as stored. Raises StoreError without a zone: guessing one would sort wrongly."""
    if at.tzinfo is None:
        raise StoreError(f"instant without a time zone: {at}")
    try:
        at = at.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, shifted out of range by its offset
        at = at.replace(tzinfo=UTC)
    return at.replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def text_or_none(at: datetime | None) -> str | None:
    return None if at is None else to_text(at)


def from_text(text: str | None) -> datetime | None:
    """A stored instant as an aware UTC datetime; None for an empty column."""
    return datetime.fromisoformat(text) if text else None


def instant(text: str) -> datetime:
    """As from_text, of a column that is never empty."""
    return datetime.fromisoformat(text)

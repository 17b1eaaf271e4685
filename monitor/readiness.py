"""When the database may be written to without keeping anybody waiting: a step awaits it before each write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

# Returns when a write would not have to wait. Raises StoreError.
Ready = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """Ready, always: a write waits for others by itself, standing still meanwhile."""

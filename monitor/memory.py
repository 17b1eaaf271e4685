"""Memory given back to the system, where the C library can (malloc_trim(3) of glibc); elsewhere nothing is.

lxml takes a page's tree in small pieces and frees them again, but glibc keeps what it got unless the very end
of it is free. In a process that reads page after page the rest adds up to a third of what it holds.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

STEP_MB = 8  # how much more than last time is worth a trim, which takes two milliseconds


def give_back() -> None:
    """Returns what is free in the middle of the heap to the system."""
    if _TRIM is not None:
        _TRIM(0)


class Keeper:
    """Gives back whenever the process holds `step_mb` more than after the last time."""

    def __init__(self, step_mb: float = STEP_MB) -> None:
        self._step_mb = step_mb
        self._held_mb = resident_mb()

    def look(self) -> None:
        if resident_mb() >= self._held_mb + self._step_mb:
            give_back()
            self._held_mb = resident_mb()


def resident_mb() -> float:
    """What this process holds in memory now; 0 where /proc does not say (proc(5), statm)."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE_MB
    except OSError:
        return 0.0


def _found() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # musl, macOS
        return None
    return trim


_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
_TRIM = _found()

"""The process that a crash campaign kills: one full cycle with real ports, dying at a named seam.

A seam is `METHOD:before` or `METHOD:after` (empty: survive) and its how-manieth passing. The clock runs
ahead, so that leases and back-offs of an earlier life have run out.
"""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from monitor import settings
from monitor.app import FIRST_LOOK, App, utc_now

STORE_METHODS = (
    "record_poll", "record_outcome", "record_digest", "claim_due", "release", "mark_sent", "mark_retry"
)  # fmt: skip


class Seam:
    """Counts its passings and kills the process, as no exception handler could notice."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.left = name, count

    def passed(self, name: str) -> None:
        if name == self.name:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def guard(app: App, seam: Seam) -> None:
    for method in STORE_METHODS:
        setattr(app.store, method, _guarded(getattr(app.store, method), method, seam))
    for channel in app.channels.values():
        channel.send = _guarded_send(channel.send, seam)  # type: ignore[method-assign]


def _guarded(method: Callable[..., Any], name: str, seam: Seam) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        seam.passed(f"{name}:before")
        result = method(*args, **kwargs)
        seam.passed(f"{name}:after")
        return result

    return call


def _guarded_send(send: Callable[..., Any], seam: Seam) -> Callable[..., Any]:
    async def call(row: Any) -> Any:
        seam.passed("send:before")
        result = await send(row)
        seam.passed("send:after")
        return result

    return call


async def main(config_dir: Path, database: Path, seam: Seam, ahead: timedelta) -> None:
    def now() -> datetime:
        return utc_now() + ahead

    config = settings.load(config_dir, os.environ, database=database)
    async with App(config, now=now) as app:
        app.store.put_state(FIRST_LOOK, "not part of this", now())
        guard(app, seam)
        await app.poll()
        await app.process()
        app.compose(force=True)
        await app.flush()


def live(
    config_dir: Path,
    database: Path,
    seam: Seam,
    ahead: timedelta,
    environment: dict[str, str],
    complaint: Path,
) -> None:
    """The process's whole life; what ends it otherwise than by a kill is written to `complaint`."""
    os.environ.update(environment)
    try:
        asyncio.run(main(config_dir, database, seam, ahead))
    except BaseException:
        complaint.write_text(traceback.format_exc(), "utf-8")
        raise

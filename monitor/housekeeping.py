"""Housekeeping of a running worker: forget, look for damage, keep a copy. Runs in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from monitor import store
from monitor.settings import Config

EVERY = timedelta(days=1)
CHECKED_EVERY = timedelta(days=7)
COPIES = 2  # weekly copies kept
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_DONE, _CHECKED = "housekeeping", "housekeeping_check"  # state

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What housekeeping came to. `damage` is None when the database was not due to be checked."""

    forgotten: int
    damage: Sequence[str] | None = None
    copy: Path | None = None


def is_due(opened: store.Store, now: datetime) -> bool:
    """Whether a day has passed; a clock that went back does not put it off."""
    return _is_past(opened.get_state(_DONE), now, EVERY)


async def in_background(config: Config, now: datetime) -> Kept:
    """`keep_house` in a thread that dies with the process: reading gigabytes must not hold up a stop."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Kept] = loop.create_future()

    def finish(kept: Kept | None, error: Exception | None) -> None:
        if answer.done():  # the caller was stopped
            return
        if kept is not None:
            answer.set_result(kept)
        elif error is not None:
            answer.set_exception(error)

    def work() -> None:
        kept, failure = None, None
        try:
            kept = keep_house(config, now)
        except Exception as error:  # handed on to the job that waits
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(finish, kept, failure)

    threading.Thread(target=work, name="housekeeping", daemon=True).start()
    return await answer


def keep_house(config: Config, now: datetime) -> Kept:
    """Forgets what retention says and cuts the journal back; once a week checks the file and copies it.

    Uses a connection of its own, so that the worker goes on meanwhile. Raises StoreError.
    """
    with store.open_store(config.database) as opened:
        counts = opened.prune(config.monitor.retention, now)
        damage, copy = None, None
        if _is_past(opened.get_state(_CHECKED), now, CHECKED_EVERY):
            damage, copy = checked(opened, config.monitor.storage / "backups", now)
            opened.put_state(_CHECKED, now.strftime(_STAMP), now)
        opened.put_state(_DONE, now.strftime(_STAMP), now)
    return Kept(sum(counts.values()), damage, copy)


def checked(opened: store.Store, folder: Path, now: datetime) -> tuple[Sequence[str], Path | None]:
    """What is wrong with the database; its copy in `folder` when nothing is, the oldest removed.

    The search index is checked in the copy: in the database itself that keeps every writer waiting. All
    else only the original shows, for a copy is built anew. A damaged one replaces no sound copy.
    """
    with store.open_store(opened.path, read_only=True) as reader:
        damage = reader.check()
    copy = None if damage else copied(opened, folder, now)
    if copy is None:
        return damage or opened.check(), None
    with store.open_store(copy) as read:
        damage = read.check()
    if damage:
        copy.unlink()
        return damage, None
    for old in sorted(folder.glob(f"{opened.path.stem}-weekly-*.db"))[:-COPIES]:
        old.unlink()
    return [], copy


def copied(opened: store.Store, folder: Path, now: datetime) -> Path | None:
    """A copy in `folder`; None when the disk has no room for one."""
    folder.mkdir(parents=True, exist_ok=True)
    size = opened.path.stat().st_size
    if shutil.disk_usage(folder).free < 3 * size:
        _log.warning("no copy of the database was made: %s has no room for it", folder)
        return None
    path = folder / f"{opened.path.stem}-weekly-{now:%Y-%m-%d}.db"
    opened.backup(path)
    return path


def _is_past(stamp: str | None, now: datetime, span: timedelta) -> bool:
    if stamp is None:
        return True
    at = datetime.strptime(stamp, _STAMP).replace(tzinfo=now.tzinfo)
    return not timedelta() <= now - at < span

"""One shard from archive to findings, by a process of its own that is kept for the next one.

This side never touches a byte of the archive. All of the work is in that one process, so that a shard
costs one core: reading pages in a second process beside the archive's cost a third more.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Mapping
from functools import partial

from monitor import archives, reading
from monitor.backfill import batch
from monitor.backfill.result import ShardResult
from monitor.backfill.task import Task
from monitor.errors import WorkerError
from monitor.workers import Workers

BATCH = 100  # records read at a time: the most that are read twice because of one among them
DEADLINE_S = 20.0  # for one page, as live, and for a batch: 100 pages take one to two seconds
STALL_S = 600.0  # for taking a batch out of the archive: a record may have gigabytes to pass over
SKIPPED_A_S = 500  # records passed over in a second, at the least, to come back to a place
SHARD_S = 24 * 3600.0  # for one shard, whatever happens


class _Desk:
    """An event loop and a process that has the rules, kept from shard to shard of one thread."""

    def __init__(self, rule_files: Mapping[str, str]) -> None:
        self.rule_files = rule_files
        self.loop = asyncio.Runner()
        prepare = partial(reading.prepare, rule_files, prefilter=True)
        self.workers = Workers(processes=1, initializer=prepare)
        atexit.register(self.close)

    def close(self) -> None:
        atexit.unregister(self.close)
        with self.loop:
            self.loop.run(self.workers.close())


_desks = threading.local()


def run_shard(task: Task, *, read: batch.Read = reading.read, deadline_s: float = DEADLINE_S) -> ShardResult:
    """Reads, extracts and classifies a whole shard. `read` reads one page, within `deadline_s`.

    Raises InputError when the archive cannot be seen from here, MonitorError when no process starts or
    the archive cannot be read on without losing it.
    """
    archives.check_here(task.shard)
    desk: _Desk | None = getattr(_desks, "own", None)
    if desk is None or desk.rule_files != task.rule_files:
        close_desk()
        desk = _desks.own = _Desk(task.rule_files)
    result = desk.loop.run(_run_shard(desk.workers, task, read, deadline_s))
    result.found.sort(key=lambda found: found.order)
    result.poison.sort()
    return result


def close_desk() -> None:
    """Ends the process this thread keeps between shards."""
    desk: _Desk | None = getattr(_desks, "own", None)
    _desks.own = None
    if desk:
        desk.close()


async def _run_shard(workers: Workers, task: Task, read: batch.Read, deadline_s: float) -> ShardResult:
    """Batch by batch; one that cost its process is read again record by record, and so finds the culprit."""
    result = ShardResult()
    at = alone_until = 0
    while True:
        most = 1 if at < alone_until else BATCH
        patience = STALL_S + at / SKIPPED_A_S
        loaded = await workers.run(batch.load, task.shard, at, most, deadline_s=patience)
        if not loaded:
            return result
        try:
            part = await workers.run(batch.work, read, task.window, deadline_s=deadline_s)
        except WorkerError as error:
            if len(loaded) > 1:
                alone_until = at + len(loaded)
                continue
            part = ShardResult()
            part.set_aside(loaded[0], str(error))
        if part:  # else the process was lost in between
            result.add(part)
            at += len(loaded)

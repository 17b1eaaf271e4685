"""Backfill: what today's rules would have caught in an archive of any age.

    shards | read, extract, classify (processes or a Dask cluster) | a result file each | merge by date

Shards are finished one by one and kept as files, so a run that stops goes on where it was. Once all were
tried the matches are written, sorted by date, by the one writer: a run that was stopped, a run on a
cluster and a run in one go leave the same tables. Nothing written here is ever alerted.
"""

from __future__ import annotations

from monitor.backfill.result import Found, ShardResult
from monitor.backfill.run import MergeStore, OnShard, Runner, merge, read_all
from monitor.backfill.shard import SHARD_S, close_desk, run_shard
from monitor.backfill.shelf import Shelf
from monitor.backfill.task import Task, Window, tasks

__all__ = [
    "SHARD_S",
    "Found",
    "MergeStore",
    "OnShard",
    "Runner",
    "ShardResult",
    "Shelf",
    "Task",
    "Window",
    "close_desk",
    "merge",
    "read_all",
    "run_shard",
    "tasks",
]

"""Backfill of one archive: here and on Dask, with one process and with two, killed again and again.

    python -m benchmarks.backfill [--articles 4000] [--config config] [--workers 1 2] [--only SECTION…]

Prints rates and their ratios from one run, whether every way ends with the same tables, what keeping a
shard's process saves, and memory over the number of records. `--articles 50000 --workers 2 --only rates
killed` is the long run of the README. Sections: rates, kept, killed, memory.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dask
import distributed
import psutil

from benchmarks import archive
from monitor import archives, backfill, runners
from monitor.settings import read_rule_files
from monitor.store import open_store
from monitor.workers import Workers

SECTIONS = ("rates", "kept", "killed", "memory")
WARM = 2  # small shards ahead of all others, so that every process has the rules when the clock starts
LOOK_S = 0.5
TABLES = {
    "items": "SELECT id, identity, url, title, published_at, outcome FROM items ORDER BY id",
    "articles": "SELECT item_id, title, text FROM articles ORDER BY item_id",
    "matches": "SELECT id, item_id, story_id, matched_at, alert FROM matches ORDER BY id",
    "stories": "SELECT id, title, outlets FROM stories ORDER BY id",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=4000)
    parser.add_argument("--config", type=Path, default=Path("config"))
    parser.add_argument(
        "--workers", nargs="*", type=int, choices=(1, 2), default=[1, 2], help="2 must be among them"
    )
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--run", nargs=2, metavar=("ARCHIVE", "DB"), help=argparse.SUPPRESS)
    parser.add_argument("--shard", metavar="FILE", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        run(Path(asked.run[0]), Path(asked.run[1]), asked.config, here(2))
    elif asked.shard:
        one_shard(Path(asked.shard), asked.config)
    else:
        with tempfile.TemporaryDirectory() as folder:
            bench(Path(folder), asked.articles, asked.config, asked.workers, asked.only)


def bench(folder: Path, articles: int, config: Path, workers: list[int], only: list[str]) -> None:
    source = folder / "archive"
    archive.write(source / "0", WARM * 10, per_file=10, start=articles)
    archive.write(source / "1", articles, per_file=max(articles // 32, 125))
    print(f"{articles:,} articles, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    whole_s = 0.0
    if "rates" in only or "killed" in only:
        whole_s = rates(source, folder, config, workers if "rates" in only else [2], dask="rates" in only)
    if "kept" in only:
        kept(folder, config)
    if "killed" in only:
        killed(source, folder, config, whole_s)
    if "memory" in only:
        memory(folder, config)


# --- runs ------------------------------------------------------------------------------------


def here(processes: int) -> Callable[[], backfill.Runner]:
    def made() -> backfill.Runner:
        pool = Workers(processes=processes, deadline_s=backfill.SHARD_S, memory_mb=4096)
        return partial(runners.local, pool=pool, at_once=processes)

    return made


@dataclass(frozen=True, slots=True)
class Figures:
    """Records a second and a CPU second once it is under way, seconds with the merge, memory of all."""

    rate: float
    per_cpu_s: float
    seconds: float
    merge_s: float
    peak_mb: float


def run(source: Path, database: Path, config: Path, runner: Callable[[], backfill.Runner]) -> Figures:
    """Reads what is not read yet, and merges everything."""
    tasks = backfill.tasks(archives.shards([source]), read_rule_files(config), backfill.Window())
    shelf = backfill.Shelf(database.with_suffix(".shelf"))
    done: list[tuple[float, float, int]] = []  # when, CPU seconds so far, records: of each shard

    def note(task: Any, result: Any, how: str) -> None:
        done.append((time.monotonic(), usage.cpu_s(), sum(result.counts.values()) if result else 0))

    started = time.monotonic()
    with Usage() as usage:
        failed = backfill.read_all(tasks, shelf, runner(), note)
    assert not failed, failed
    read_at = time.monotonic()
    with open_store(database) as store:
        backfill.merge(store, shelf.found(tasks), datetime.now(UTC))
    merged_at = time.monotonic()
    (began, cpu_began, _), (ended, cpu_ended, _) = done[WARM - 1], done[-1]
    records = sum(count for _, _, count in done[WARM:])
    return Figures(
        records / max(ended - began, 0.001),
        records / max(cpu_ended - cpu_began, 0.001),
        merged_at - started,
        merged_at - read_at,
        usage.peak_mb,
    )


def mark(database: Path) -> str:
    """Of all tables an analyst sees, without the moment of the run."""
    digest = hashlib.sha256()
    with open_store(database) as store:
        for query in TABLES.values():
            for row in store.db.all(query):
                digest.update(repr(tuple(row)).encode())
        rows = store.db.value("SELECT count(*) FROM matches")
    return f"{rows} matches, {digest.hexdigest()[:12]}"


class Usage:
    """CPU seconds and memory of this process and all below it, also of those that are killed.

    What a busy machine leaves of a wall clock's ratios is little; this is what the work itself takes.
    """

    peak_mb = 0.0  # of all together; what they share is counted more than once

    def __enter__(self) -> Usage:
        self._own = time.process_time()
        self._seen: dict[tuple[int, float], float] = {}
        self._look()
        self._before = sum(self._seen.values())
        self._stop = threading.Event()
        self._looking = threading.Thread(target=self._keep_looking)
        self._looking.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._stop.set()
        self._looking.join()

    def cpu_s(self) -> float:
        self._look()
        return time.process_time() - self._own + sum(self._seen.values()) - self._before

    def _keep_looking(self) -> None:
        while not self._stop.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        me = psutil.Process()
        seen, memory = dict(self._seen), me.memory_info().rss
        for process in me.children(recursive=True):
            with suppress(psutil.Error):
                used = process.cpu_times()
                seen[(process.pid, process.create_time())] = used.user + used.system
                memory += process.memory_info().rss
        self._seen, self.peak_mb = seen, max(self.peak_mb, memory / 1e6)


@contextmanager
def cluster(workers: int) -> Any:
    """As in compose.dask.yaml, but the scheduler and the one writer are one process."""
    quiet = {"distributed.worker.profile.enabled": False}
    with (
        dask.config.set(quiet),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as made,
    ):
        yield partial(runners.dask, address=made.scheduler_address)


# --- sections --------------------------------------------------------------------------------


def rates(source: Path, folder: Path, config: Path, workers: list[int], *, dask: bool) -> float:
    """With each of these numbers of workers; returns the seconds that two processes here took."""
    made: dict[str, Figures] = {}
    marks = {}

    def measured(name: str, database: Path, runner: Callable[[], backfill.Runner]) -> None:
        made[name] = run(source, database, config, runner)
        marks[name] = mark(database)
        each = made[name]
        print(
            f"{name:10} {each.rate:7.1f} records/s {each.per_cpu_s:7.1f} records/CPU s"
            f" {each.seconds:7.1f} s in all, {each.merge_s:.1f} of it merging"
            f" {each.peak_mb:6.0f} MB   {marks[name]}, load {os.getloadavg()[0]:.1f}",
            flush=True,
        )

    for k in workers:
        measured(f"{k} here", folder / f"here{k}.db", here(k))
    for k in workers if dask else ():
        with cluster(k) as runner:
            measured(f"{k} on Dask", folder / f"dask{k}.db", lambda runner=runner: runner)
    if 1 in workers:
        print(f"2 here : 1 here        {made['2 here'].rate / made['1 here'].rate:.2f}")
    if dask:
        two, local = made["2 on Dask"], made["2 here"]
        print(f"2 on Dask : 2 here     {two.rate / local.rate:.2f}   (wanted 0.80)")
        print(f"a CPU second, Dask : here {two.per_cpu_s / local.per_cpu_s:.2f}")
    if dask and 1 in workers:
        one = made["1 on Dask"]
        print(f"2 on Dask : 1 on Dask  {two.rate / one.rate:.2f}   (wanted 1.60)")
        print(f"a CPU second, 2 : 1    {two.per_cpu_s / one.per_cpu_s:.2f}   on Dask")
    print(f"tables identical       {len(set(marks.values())) == 1}", flush=True)
    return made["2 here"].seconds


def kept(folder: Path, config: Path) -> None:
    """Twelve small shards by one process that keeps its worker, and by one that does not."""
    source = folder / "small"
    archive.write(source, 12 * 20, per_file=20)
    tasks = backfill.tasks(archives.shards([source]), read_rule_files(config), backfill.Window())
    seconds = {}
    for keep in (False, True):
        began = time.monotonic()
        for task in tasks:
            backfill.run_shard(task)
            if not keep:
                backfill.close_desk()
        backfill.close_desk()
        seconds[keep] = (time.monotonic() - began) / len(tasks)
    print(
        f"a shard of 20 articles: {seconds[False]:.2f} s with a new worker each, {seconds[True]:.2f} s kept"
    )


def killed(source: Path, folder: Path, config: Path, whole_s: float) -> None:
    """SIGKILL to the whole group, ten times, whenever."""
    database = folder / "killed.db"
    command = [
        sys.executable,
        "-m",
        "benchmarks.backfill",
        "--config",
        str(config),
        "--run",
        source,
        database,
    ]
    chance = random.Random(7)
    kills = 0
    while kills < 10:
        process = subprocess.Popen(command, start_new_session=True)
        try:
            process.wait(timeout=chance.uniform(1.0, 3 + whole_s / 4))
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    run(source, database, config, here(2))
    same = mark(database) == mark(folder / "here2.db")
    print(f"killed {kills} times: {mark(database)}, the same as one that was not: {same}")


def memory(folder: Path, config: Path) -> None:
    for count in (250, 1000, 4000):
        (path,) = archive.write(folder / f"memory{count}", count, per_file=count)
        command = [sys.executable, "-m", "benchmarks.backfill", "--config", str(config), "--shard", str(path)]
        print(
            f"{count:5} records in a shard:",
            subprocess.run(command, capture_output=True, text=True).stdout.strip(),
        )


def one_shard(path: Path, config: Path) -> None:
    (task,) = backfill.tasks(archives.shards([path]), read_rule_files(config), backfill.Window())
    backfill.run_shard(task)
    backfill.close_desk()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    reader = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak {own:.0f} MB, its worker {reader:.0f} MB")


if __name__ == "__main__":
    main()

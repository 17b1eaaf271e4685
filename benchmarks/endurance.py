"""Weeks of service in minutes: is memory flat, is anything left open, does the file grow as documented?

    python -m benchmarks.endurance [--sources 1000] [--items 200000] [--weeks 6]

The worker's own jobs (read, send, look, heartbeat, housekeeping) run over a clock that jumps six hours at a
time, with the shipped rules, two worker processes, a database on disk and real HTTP to a process of our own
(`benchmarks/endurance_site.py`) in which each source has an address, and answers go wrong as they do
outside. In the first half a worker process is killed every third day and the configuration reloaded once a
week; the second half is left alone, and is what is judged. Retention is set to two weeks, so that growth and
its end are both seen. Writing does not wait for the disk (synchronous=OFF): a power cut is not simulated.
Linux only.

Leaves benchmarks/work/endurance.csv and three charts beside it. Exits with 1 when a figure is not as wanted.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import logging
import multiprocessing
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.endurance_site import Plan, hosts, serve
from monitor import housekeeping, plot, settings
from monitor.app import App
from monitor.lookout import Lookout
from monitor.operator import Finding
from monitor.reload import Load
from monitor.worker import _Worker

CONFIG = Path(__file__).parent.parent / "config"
WORK = Path(__file__).parent / "work"
STEP = timedelta(hours=6)
KEPT_DAYS = 14
MONITOR = """\
database: {folder}/m.db
storage: {folder}
poll: {{floor_minutes: 15, concurrency: 250}}
limits: {{timeout_s: 5}}
retention: {{items_days: {kept}, near_miss_days: {kept}, outbox_days: {kept}, runs_days: {kept}}}
metrics: {{enabled: true}}
operator: [file]
channels:
  file: {{kind: file, folder: {folder}/digests}}
"""
DIGESTS = "- {name: desk, zone: Europe/London, at: 08:00, lang: en, channels: [file]}\n"


class Clock:
    """The simulated time; the site reads it too."""

    def __init__(self, start: datetime) -> None:
        self.shared: Any = multiprocessing.Value("d", start.timestamp())

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.shared.value, UTC)

    def forward(self, by: timedelta) -> None:
        self.shared.value += by.total_seconds()


class SteadyLookout(Lookout):
    """Both clocks are the simulated one: that it jumps is no news here."""

    def findings(self, now: datetime, **seen: Any) -> list[Finding]:
        return super().findings(now, **seen | {"monotonic": now.timestamp()})


@dataclass(frozen=True)
class Sample:
    """How things stand after a day's housekeeping. Megabytes, or counts."""

    day: float
    wall_s: float
    main_mb: float
    worker_mb: float  # the larger of the two
    files: int
    sockets: int
    tasks: int
    threads: int
    children: int
    seen: int  # items ever
    items: int  # in the database
    matches: int
    pending: int
    database_mb: float
    free_mb: float  # in the file, to be used again
    wal_mb: float
    digest_files: int

    @property
    def used_mb(self) -> float:
        """Of the file, without what will be used again."""
        return self.database_mb - self.free_mb


# --- looking ---------------------------------------------------------------------------------


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def descriptors() -> tuple[int, int]:
    """Open (files and pipes, sockets) of this process."""
    kinds = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            kinds.append(os.readlink(link).startswith("socket:"))
        except OSError:  # the one this listing is read through
            continue
    return kinds.count(False), kinds.count(True)


def pool_pids(app: App) -> list[int]:
    pool = app._gear.workers
    return [worker.process.pid for worker in [*pool._idle, *pool._busy]]


def sample(app: App, plan: Plan, started: float) -> Sample:
    db, pids = app.store.db, pool_pids(app)
    page = db.value("PRAGMA page_size") / 1e6
    wal = app.store.path.with_name(app.store.path.name + "-wal")
    files, sockets = descriptors()
    return Sample(
        day=(app.now() - plan.start) / timedelta(days=1),
        wall_s=round(time.monotonic() - started, 1),
        main_mb=resident_mb(os.getpid()),
        worker_mb=max((resident_mb(pid) for pid in pids), default=0.0),
        files=files,
        sockets=sockets,
        tasks=len(asyncio.all_tasks()),
        threads=threading.active_count(),
        children=len(pids),
        seen=db.value("SELECT coalesce(max(id), 0) FROM items"),
        items=db.value("SELECT count(*) FROM items"),
        matches=db.value("SELECT count(*) FROM matches"),
        pending=app.store.pending_count(app.now()),
        database_mb=db.value("PRAGMA page_count") * page,
        free_mb=db.value("PRAGMA freelist_count") * page,
        wal_mb=wal.stat().st_size / 1e6 if wal.exists() else 0.0,
        digest_files=sum(1 for _ in app.store.path.parent.joinpath("digests").rglob("*.*")),
    )


# --- the run ---------------------------------------------------------------------------------


def configure(folder: Path, plan: Plan, port: int) -> Path:
    config = folder / "config"
    shutil.copytree(CONFIG, config)
    (config / "monitor.yaml").write_text(MONITOR.format(folder=folder, kept=KEPT_DAYS))
    (config / "digests.yaml").write_text(DIGESTS)
    (config / "sources.yaml").write_text(
        "".join(
            f"- {{id: s{n}, name: Source {n}, url: 'http://{host}:{port}/feed/{n}', country: gb,"
            f" lang: {'ja' if n % 2 else 'en'}, poll_minutes: 1440, allow_private: true}}\n"
            for n, host in enumerate(hosts(plan.sources))
        )
    )
    return config


@contextmanager
def running_site(plan: Plan, clock: Clock) -> Iterator[int]:
    """The publishers, in a process of their own; yields the port."""
    ours, theirs = multiprocessing.Pipe()
    site = multiprocessing.Process(target=serve, args=(theirs, plan, clock.shared), daemon=True)
    site.start()
    try:
        yield ours.recv()
    finally:
        site.terminate()
        site.join()


async def live(config_dir: Path, plan: Plan, clock: Clock) -> list[Sample]:
    """All the weeks; a sample after each day's housekeeping."""
    samples: list[Sample] = []
    started = time.monotonic()

    def load() -> settings.Config:
        return settings.load(config_dir, os.environ)

    async with App(load(), now=clock) as app:
        app.store.db.run("PRAGMA synchronous = OFF")
        worker = _Worker(app, None, None, None, load)
        worker.lookout = SteadyLookout(app.store, clock(), monotonic=clock().timestamp())
        day = 0
        while clock() < plan.start + timedelta(days=plan.days):
            due = housekeeping.is_due(app.store, clock())
            await worker._beat()
            await asyncio.gather(worker._read(), worker._keep_house())
            await worker._send()
            await worker._look()
            if due:
                samples.append(sample(app, plan, started))
                show(samples[-1], plan)
                day += 1
                if day < plan.days / 2:
                    disturb(app, day, load)
            clock.forward(STEP)
    return samples


def disturb(app: App, day: int, load: Load) -> None:
    """What happens to a service in its first weeks."""
    if day % 3 == 0 and (pids := pool_pids(app)):
        os.kill(pids[0], signal.SIGKILL)
    if day % 7 == 0:
        app.reload(load())


def show(now: Sample, plan: Plan) -> None:
    print(
        f"day {now.day:4.1f}/{plan.days:g} {now.wall_s:6.0f} s"
        f" | main {now.main_mb:5.1f} worker {now.worker_mb:5.1f} MB"
        f" | files {now.files} sockets {now.sockets} tasks {now.tasks} threads {now.threads}"
        f" | seen {now.seen} kept {now.items} matches {now.matches} pending {now.pending}"
        f" | db {now.database_mb:.1f} (free {now.free_mb:.1f}) wal {now.wal_mb:.2f} MB",
        flush=True,
    )


# --- judging ---------------------------------------------------------------------------------


def rise(samples: Sequence[Sample], name: str) -> float:
    """How much a figure rises along the straight line through the samples, from the first to the last."""
    days = [each.day for each in samples]
    slope = statistics.linear_regression(days, [getattr(each, name) for each in samples]).slope
    return slope * (days[-1] - days[0])


def bytes_an_item(samples: Sequence[Sample]) -> float:
    """What an item adds to the file while nothing is forgotten yet."""
    young = [each for each in samples if 1 <= each.day < KEPT_DAYS]
    added = young[-1].items - young[0].items
    return (young[-1].database_mb - young[0].database_mb) * 1e6 / added


def judge(samples: Sequence[Sample], plan: Plan) -> list[tuple[str, str, str, bool]]:
    """(what, figure, wanted, whether it is so)."""
    half = [each for each in samples if each.day >= plan.days / 2]
    rows = []
    for name, what in (("main_mb", "main process"), ("worker_mb", "larger worker process")):
        level, grown = statistics.mean(getattr(each, name) for each in half), rise(half, name)
        figure = f"{level:.0f} MB, {grown:+.1f} MB over the second half"
        rows.append((f"memory, {what}", figure, "rises by less than 3 %", grown < 0.03 * level))
    for name in ("files", "sockets", "tasks", "threads", "children"):
        values = [getattr(each, name) for each in half]
        figure = f"{min(values)} to {max(values)}, {rise(half, name):+.1f}"
        # Connections are kept for ten real seconds, which the simulation fills with hours.
        room = 255 if name == "sockets" else 1
        rows.append((f"{name} open", figure, f"rises by no more than {room}", rise(half, name) <= room))
    each = bytes_an_item(samples)
    rows.append(("database, bytes an item", f"{each:.0f}", "below 1,000", each < 1000))
    tail = [each for each in samples if each.day >= plan.days - 14]
    # 8 kB a match (docs/scale.md), and a tenth for pages that are not full.
    more, told = rise(tail, "used_mb"), 1.1 * rise(tail, "matches") * 8_000 / 1e6
    wanted = f"matches alone, {told:.1f} MB"
    rows.append(
        (
            "growth once retention works",
            f"{more:+.1f} MB in {tail[-1].day - tail[0].day:.0f} days",
            wanted,
            more <= told,
        )
    )
    wal = max(each.wal_mb for each in samples)
    rows.append(("journal after housekeeping", f"at most {wal:.2f} MB", "below 64", wal < 64))
    left = max(each.pending for each in half)
    rows.append(("due but not read after a cycle", str(left), "0", left == 0))
    share = samples[-1].seen / plan.items
    rows.append(("items seen", f"{samples[-1].seen:,} of {plan.items:,}", "99 %", share >= 0.99))
    return rows


def charts(samples: Sequence[Sample]) -> None:
    labels = [f"{each.day:.0f}" for each in samples]
    for name, title, columns in (
        ("memory", "Resident memory by day, MB", ("main_mb", "worker_mb")),
        ("handles", "Open handles by day", ("files", "tasks", "threads")),
        ("database", "Database by day, MB", ("database_mb", "free_mb", "wal_mb")),
    ):
        series = {column: [round(getattr(each, column), 2) for each in samples] for column in columns}
        (WORK / f"endurance-{name}.svg").write_text(plot.bars(title, labels, series), "utf-8")


def keep(samples: Sequence[Sample]) -> None:
    with (WORK / "endurance.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [each.name for each in fields(Sample)])
        table.writeheader()
        table.writerows(asdict(each) for each in samples)


def run(plan: Plan, folder: Path) -> list[Sample]:
    clock = Clock(plan.start)
    with running_site(plan, clock) as port:
        return asyncio.run(live(configure(folder, plan, port), plan, clock))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--weeks", type=float, default=6, help="simulated; at least 5")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # a job that failed is still told
    plan = Plan(options.sources, options.items, options.weeks * 7)
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
        samples = run(plan, Path(folder))
    keep(samples)
    charts(samples)
    rows = judge(samples, plan)
    for what, figure, wanted, well in rows:
        print(f"{'ok    ' if well else 'MISSED'} {what:32} {figure:44} wanted: {wanted}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

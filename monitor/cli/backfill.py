"""`monitor backfill`: the rules over archives."""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, now, pass_env
from monitor.cli.times import when

if TYPE_CHECKING:
    from rich.console import Console

    from monitor.backfill import Runner, Shelf, Task

COLUMNS = ("read", "skipped", "matched", "near_misses", "failed")
POISON_TOLD = 1000  # of all that was set aside; every one is counted


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--since", metavar="TIME", callback=when, help="Only articles published since then.")
@click.option("--until", metavar="TIME", callback=when, help="Only articles published before then.")
@click.option("--source", metavar="TEXT", default="", help="Only addresses that contain this.")
@click.option("--dask", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.")
@click.option("--out", metavar="DB", help="Write into this database instead of the configured one.")
@click.option("--processes", type=click.IntRange(1, 256), help="Processes here [as in monitor.yaml].")
@click.option("--plot", metavar="FILE", help="Also draw the report, as SVG.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
@pass_env
def backfill(
    env: Env,
    paths: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    source: str,
    dask: str | None,
    out: str | None,
    processes: int | None,
    plot: str | None,
    as_json: bool,
) -> int:
    """Read archives under today's rules, and keep what matches.

    WARC files, folders of pages, JSON Lines, another database. Matches are stored with their own dates
    and joined to stories; nothing is sent. A run that was stopped goes on where it was: give the same
    command again.
    """
    from monitor import archives
    from monitor.backfill import Window, tasks
    from monitor.settings import read_rule_files

    config = env.load()
    database = Path(out) if out else config.database
    rule_files = read_rule_files(config.dir)
    shards = archives.shards([Path(path) for path in paths])
    window = Window(since, until, source)
    report = _read(
        tasks(shards, rule_files, window), database, dask, processes or config.monitor.workers.processes
    )
    _tell(report, plot, as_json)
    return 1 if report["shards_failed"] else 0


def _read(tasks: list[Task], database: Path, address: str | None, processes: int) -> dict[str, Any]:
    from monitor.backfill import Shelf, merge, read_all
    from monitor.store import open_store

    shelf = Shelf(database.with_name(database.name + ".backfill"))
    began = now()
    with ExitStack() as stack:
        store = stack.enter_context(open_store(database))
        progress = stack.enter_context(_Progress(len(tasks)))
        failed = read_all(tasks, shelf, _runner(address, processes), progress.on_shard)
        new = merge(store, shelf.found(tasks), now())
        report = _report(shelf, tasks, failed, new, database)
        store.record_run("backfill", began, now(), not failed, report)
    return report


def _report(
    shelf: Shelf, tasks: list[Task], failed: list[tuple[Task, str]], new: int, database: Path
) -> dict[str, Any]:
    counts: Counter[tuple[str, str]] = Counter()
    poison: list[dict[str, str]] = []
    for task in tasks:
        if shelf.has(task):
            summary = shelf.summary(task)
            counts.update(summary.counts)
            told = summary.poison[: POISON_TOLD - len(poison)]
            poison += ({"where": where, "why": why} for where, why in told)
    return {
        "shards": len(tasks),
        "shards_failed": [{"paths": list(task.shard.paths), "error": error} for task, error in failed],
        "years": _by_year(counts),
        "new": new,
        "poison": poison,
        "database": str(database),
    }


def _runner(address: str | None, processes: int) -> Runner:
    from monitor import runners
    from monitor.backfill import SHARD_S
    from monitor.workers import Workers

    if address:
        for name in ("client", "core", "utils", "comm"):  # what goes wrong is said once, and by us
            logging.getLogger(f"distributed.{name}").setLevel(logging.CRITICAL + 1)
        return partial(runners.dask, address=address)
    # A shard's process starts another for its pages: the bound is for reading archives alone.
    pool = Workers(processes=processes, deadline_s=SHARD_S, memory_mb=4096)
    return partial(runners.local, pool=pool, at_once=processes)


def _by_year(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Year ("" without one) → read, skipped, matched, near_misses, failed."""
    years: dict[str, dict[str, int]] = {}
    for (year, outcome), count in sorted(counts.items()):
        row = years.setdefault(year, dict.fromkeys(COLUMNS, 0))
        name = {"match": "matched", "near-miss": "near_misses", "skipped": "skipped", "failed": "failed"}
        if outcome in name:
            row[name[outcome]] += count
        if outcome not in ("skipped", "failed"):
            row["read"] += count
    return years


def _tell(report: dict[str, Any], plot: str | None, as_json: bool) -> None:
    from monitor.cli.show import json_line, say, table

    years = report["years"]
    if plot:
        Path(plot).write_text(_drawn(years), "utf-8")
    if as_json:
        json_line(report)
        return
    rows = [[year or "?", *row.values()] for year, row in years.items()]
    rows.append(["all", *(sum(row[name] for row in years.values()) for name in COLUMNS)])
    table(("year", *COLUMNS), rows)
    for each in report["poison"][:10]:
        say(f"set aside: {each['where']}: {each['why']}")
    for each in report["shards_failed"]:
        say(f"failed: {', '.join(each['paths'][:3])}: {each['error']}")
    if report["shards_failed"]:
        say("the rest is stored: give the same command again, and only these are read")
    say(f"{report['new']} new matches and near misses stored in {report['database']}; nothing is sent")


def _drawn(years: dict[str, dict[str, int]]) -> str:
    """What was read, and far below it what was found: each has a scale of its own."""
    from monitor.plot import bars, stacked

    def chart(title: str, *columns: str) -> str:
        series = {name.replace("_", " "): [row[name] for row in years.values()] for name in columns}
        return bars(title, [year or "?" for year in years], series)

    return stacked(
        [
            chart("Articles per year", "read", "skipped", "failed"),
            chart("Found per year", "matched", "near_misses"),
        ]
    )


class _Progress:
    """A bar with rate, matches so far and time left, on a terminal; silent elsewhere."""

    def __init__(self, shards: int, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("shards"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            speed_estimate_period=3600,  # a shard may take many minutes
        )
        self._task = self._bar.add_task("shards", total=shards, told="")
        self._done = self._articles = self._matches = self._read_now = 0
        self._began = time.monotonic()

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._bar.stop()

    def on_shard(self, task: Task, result: Any, how: str) -> None:
        if result is not None:
            articles = sum(result.counts.values())
            self._articles += articles
            self._read_now += articles if how == "read" else 0
            self._matches += sum(count for (_, outcome), count in result.counts.items() if outcome == "match")
        rate = self._read_now / max(time.monotonic() - self._began, 0.001)
        told = f"{self._articles:,} articles, {rate:,.0f} a second, {self._matches:,} matches"
        self._done += 1
        if how == "kept":  # no work of this run, so the time left must not be reckoned from it
            self._bar.reset(self._task, completed=self._done, told=told)
        else:
            self._bar.update(self._task, completed=self._done, told=told)

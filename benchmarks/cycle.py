"""Whole cycles on loopback: what each stage costs, whether cost grows in line with the work, memory.

    python -m benchmarks.cycle [--feeds 1000] [--new 10] [--changed 0,50,100,200,300] [--pages FOLDER]
                               [--no-prefilter]

The first cycle fills the database with the 40 entries of every feed. Then, cycle after cycle, as many of the
feeds as `--changed` names have `--new` new entries, the others answer 304: poll, process, compose and flush
through the application itself, with the shipped rules, two worker processes and a database on disk. A cycle
of 0 is the rerun without a change. A straight line is fitted through CPU against articles. Beside that the
polls of a quarter, a half and all of the feeds (all 304), and the shipped matcher at 100 to 10,000 terms.

Pages are real ones (FOLDER of `*.html.gz`), one in a hundred made up and a match. The site runs in a process
of its own and counts for nothing. Linux only. Writes benchmarks/work/cost.svg: cost against feeds, articles
and terms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.poll_ours import configure, cpu_s, peak_mb, resident_mb, worker_pids
from benchmarks.poll_site import Offer, Site
from benchmarks.rules_scaling import articles as texts_of_ours
from benchmarks.rules_scaling import each_us, words
from monitor import plot, reading, settings
from monitor.app import App
from monitor.rules.concepts import Concept, Entity
from monitor.rules.forms import parse_form
from monitor.rules.matcher import compile_lexicon, find

CHART = Path(__file__).parent / "work" / "cost.svg"
STAGES = ("poll", "process", "compose", "flush")
PANEL = (720, 280)  # width and height of one of plot.bars


@dataclass
class Measured:
    """One cycle: seconds by stage, megabytes."""

    changed: int
    articles: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)
    main_mb: float = 0.0
    workers_mb: tuple[float, ...] = ()
    outcomes: dict[str, int] = field(default_factory=dict)
    prefilter: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self, app: App, stage: str) -> Iterator[None]:
        cpu, wall = cpu_s(app), time.perf_counter()
        yield
        self.cpu[stage] = cpu_s(app) - cpu
        self.wall[stage] = time.perf_counter() - wall

    @property
    def cpu_s(self) -> float:
        return sum(self.cpu.values())


async def cycle(app: App, changed: int) -> Measured:
    found = Measured(changed)
    with found.timed(app, "poll"):
        await app.poll(every=True)
    with found.timed(app, "process"):
        report = await app.process()
    with found.timed(app, "compose"):
        app.compose(force=True)
    with found.timed(app, "flush"):
        await app.flush()
    found.articles, found.outcomes, found.prefilter = (
        report.items,
        dict(report.outcomes),
        dict(report.prefilter),
    )
    found.main_mb = peak_mb()
    found.workers_mb = tuple(resident_mb(pid) for pid in worker_pids(app))
    return found


async def warm(app: App, page: bytes) -> None:
    """Every worker has extracted a page: imports and caches are no part of a cycle."""
    one = reading.Page(page, "http://127.0.0.1/", title="A title", published="2026-01-01")
    await asyncio.gather(*(app._gear.workers.run(reading.read, one) for _ in range(8)))


async def measure(site: Site, options: argparse.Namespace) -> tuple[list[Measured], dict[int, float]]:
    """The cycles, and CPU seconds of a poll of so many unchanged feeds."""
    page = b"<html><body><article><h1>A title</h1>" + b"<p>Some words of a page.</p>" * 40
    with tempfile.TemporaryDirectory(prefix="cycle-") as folder:
        more = "keep_text: all\n" if options.no_prefilter else ""
        config = settings.load(configure(Path(folder), options.feeds, site.port, more=more), os.environ)
        async with App(config) as app:
            await app.poll(every=True)
            await app.process()  # the old items are noted
            await warm(app, page)
            polls = {}
            for feeds in (options.feeds // 4, options.feeds // 2, options.feeds):
                cpu = cpu_s(app)
                await app.poll([f"s{n}" for n in range(feeds)])
                polls[feeds] = cpu_s(app) - cpu
            rows, changes = [], ()
            for changed in map(int, options.changed.split(",")):
                changes = (*changes, changed)
                site.show(Offer(changes, options.new))
                rows.append(await cycle(app, changed))
                show(rows[-1])
    return rows, polls


def terms_us() -> dict[int, float]:
    """Microseconds to find so many terms in an article of 6,000 characters."""
    texts, found = texts_of_ours(None), {}
    for count in (100, 1_000, 10_000):
        forms = tuple((parse_form(term), Entity("")) for term in words(count, 1))
        lexicon = compile_lexicon([Concept("terms", forms=forms)])
        found[count] = each_us(lambda text, lexicon=lexicon: find(lexicon, text), texts)
    return found


# --- the account -------------------------------------------------------------------------------


def fit(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float, float]:
    """Slope, intercept and R² of the straight line through the points."""
    slope, intercept = statistics.linear_regression(sizes, costs)
    return slope, intercept, statistics.correlation(sizes, costs) ** 2


def show(found: Measured) -> None:
    print(f"{found.changed} feeds changed, {found.articles} articles: {found.outcomes}; {found.prefilter}")
    for stage in STAGES:
        print(f"  {stage:<8} {found.cpu[stage]:7.2f} s CPU {found.wall[stage]:7.2f} s wall")
    print(f"  {'all':<8} {found.cpu_s:7.2f} s CPU {sum(found.wall.values()):7.2f} s wall")
    workers = ", ".join(f"{mb:.0f}" for mb in found.workers_mb)
    print(f"  memory: main {found.main_mb:.0f} MB at most so far, workers {workers} MB", flush=True)


def chart(rows: Sequence[Measured], polls: dict[int, float], terms: dict[int, float]) -> str:
    """Three charts below each other."""
    by_stage = {stage: [round(row.cpu[stage], 3) for row in rows] for stage in STAGES[:2]}
    panels = (
        plot.bars(
            "CPU seconds of a poll with nothing new, by feeds",
            [f"{feeds:,}" for feeds in polls],
            {"poll": [round(cost, 3) for cost in polls.values()]},
        ),
        plot.bars("CPU seconds of a cycle, by new articles", [f"{row.articles:,}" for row in rows], by_stage),
        plot.bars(
            "Microseconds to find terms in 6,000 characters, by terms",
            [f"{count:,}" for count in terms],
            {"match": [round(cost, 1) for cost in terms.values()]},
        ),
    )
    width, height = PANEL
    placed = (
        panel.replace("<svg ", f'<svg y="{n * height}" width="{width}" height="{height}" ', 1)
        for n, panel in enumerate(panels)
    )
    size = f"0 0 {width} {height * len(panels)}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}">\n{"".join(placed)}</svg>\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--new", type=int, default=10)
    parser.add_argument("--changed", default="0,50,100,200,300", help="how many feeds change, cycle by cycle")
    parser.add_argument("--pages", type=Path, help="folder of real pages (*.html.gz)")
    parser.add_argument("--no-prefilter", action="store_true", help="keep and therefore read every text")
    options = parser.parse_args()
    with Site(options.pages) as site:
        rows, polls = asyncio.run(measure(site, options))
    slope, intercept, r2 = fit([row.articles for row in rows], [row.cpu_s for row in rows])
    print(f"a cycle: CPU = {intercept:.2f} s + {slope * 1e3:.2f} ms an article, R² {r2:.4f}")
    slope, intercept, r2 = fit(list(polls), list(polls.values()))
    print(f"a poll without news: CPU = {intercept:.2f} s + {slope * 1e3:.2f} ms a feed, R² {r2:.4f}")
    CHART.parent.mkdir(exist_ok=True)
    CHART.write_text(chart(rows, polls, terms_us()), "utf-8")


if __name__ == "__main__":
    main()

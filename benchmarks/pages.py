"""What reading a page costs, beside other programs on the same pages, and what a second core brings.

    python -m benchmarks.pages PAGES [--every 1] [--rounds 3] [--minet DIR] [--news-please DIR] [--cores]

PAGES is a folder of `*.html.gz` with a `manifest.jsonl` of `file`, `url`, `title`. CPU seconds of process and
children, each round a share of the pages through every program one after another, so that a busy machine
bears on all alike; what a program takes for one page alone is its start, and taken off. Ours is warm, in this
process, with the shipped rules, a title and a date as from a feed:

    bare         trafilatura.bare_extraction(body, fast=True, include_comments=False), here
    ours         reading.read: extract and judge each page
    filtered     the same behind the prefilter
    trafilatura  its command, `--parallel 2`
    minet        its command, `extract -p 2`
    news-please  NewsPlease.from_html, one process

`--minet` and `--news-please` name virtual environments to use; those missing are made among the temporary
files, with the versions below. `--cores` times our worker processes instead: one against two, in wall
seconds, of a machine that should be idle.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.prefilter import CONFIG, bare, pages
from monitor import reading, rules
from monitor.rules.prefilter import derive
from monitor.settings import read_rule_files
from monitor.workers import Workers

MINET = ("minet==4.2.1", "lxml_html_clean")
NEWS_PLEASE = ("news-please==1.6.16",)
FROM_HTML = """
import logging, pathlib, sys
logging.disable(50)
from newsplease import NewsPlease
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.html")):
    try:
        page = file.read_text("utf-8", "replace")
        NewsPlease.from_html(page, url="https://example.org/a", fetch_images=False)
    except Exception as error:
        print(file.name, repr(error))
"""
Program = Callable[[Path, Path], list[str]]  # folder of pages, folder for results → command


def environment(folder: Path | None, name: str, needed: Sequence[str]) -> Path | None:
    """A virtual environment with the packages; None when they cannot be installed."""
    made = folder or Path(tempfile.gettempdir()) / f"benchmark-{name}"
    if not (made / "bin").exists():
        venv.create(made, with_pip=True)
        if subprocess.run([made / "bin/pip", "-q", "install", *needed], check=False).returncode:
            print(f"{name}: not measured, {' '.join(needed)} could not be installed")
            return None
    return made


def programs(minet: Path | None, news_please: Path | None) -> dict[str, Program]:
    here = Path(sys.executable).parent
    found: dict[str, Program] = {
        "trafilatura": lambda pages, out: [
            str(here / "trafilatura"), "--parallel", "2", "--input-dir", str(pages), "--output-dir", str(out)
        ],
    }  # fmt: skip
    if minet:
        found["minet"] = lambda pages, out: [
            f"{minet}/bin/minet", "extract", "--glob", f"{pages}/*.html", "-p", "2", "-o", f"{out}/minet.csv"
        ]  # fmt: skip
    if news_please:
        found["news-please"] = lambda pages, _: [f"{news_please}/bin/python", "-c", FROM_HTML, str(pages)]
    return found


def cpu_of(program: Program, bodies: Sequence[bytes]) -> float:
    """CPU seconds of the program and its own processes."""
    with tempfile.TemporaryDirectory() as given, tempfile.TemporaryDirectory() as out:
        for n, body in enumerate(bodies):
            (Path(given) / f"{n:05}.html").write_bytes(body)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(program(Path(given), Path(out)), capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            print(f"exit {done.returncode}: {done.stderr.decode()[-300:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compared(known: Sequence[reading.Page], rounds: int, peers: dict[str, Program]) -> dict[str, list[float]]:
    """CPU milliseconds a page of each program, a figure a round."""
    ruleset = rules.build(read_rule_files(CONFIG))
    prefilter = derive(ruleset)
    ours: dict[str, Callable[[reading.Page], object]] = {
        "bare": bare,
        "ours": lambda page: reading.read_with(page, ruleset),
        "filtered": lambda page: reading.read_with(page, ruleset, prefilter),
    }
    for read in ours.values():
        read(known[0])
    cost: dict[str, list[float]] = {name: [] for name in (*ours, *peers)}
    for n in range(rounds):
        share = known[n::rounds]
        seconds = dict.fromkeys(ours, 0.0)
        for page in share:
            for name, read in ours.items():
                began = time.process_time()
                read(page)
                seconds[name] += time.process_time() - began
        bodies = [page.body or b"" for page in share]
        for name, program in peers.items():
            seconds[name] = cpu_of(program, bodies) - cpu_of(program, bodies[:1])
        for name, taken in seconds.items():
            cost[name].append(taken / len(share) * 1e3)
    return cost


async def paced(known: Sequence[reading.Page], processes: int) -> float:
    """Wall seconds for all pages; the workers are warm."""
    prepare = functools.partial(reading.prepare, read_rule_files(CONFIG))
    async with Workers(processes=processes, deadline_s=600, initializer=prepare) as workers:
        turn = asyncio.Semaphore(2 * processes)

        async def read(page: reading.Page) -> None:
            async with turn:
                await workers.run(reading.read, page)

        await asyncio.gather(*map(read, known[: 4 * processes]))
        began = time.perf_counter()
        await asyncio.gather(*map(read, known))
        return time.perf_counter() - began


def cores(known: Sequence[reading.Page], rounds: int) -> None:
    """Prints the speed-up, the median of rounds in turn."""
    ratios = []
    for _ in range(rounds):
        one, two = (asyncio.run(paced(known, processes)) for processes in (1, 2))
        ratios.append(one / two)
        print(f"one worker {one:.2f} s, two {two:.2f} s: {one / two:.2f} times", flush=True)
    print(f"median {statistics.median(ratios):.2f} times; load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take each n-th page")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minet", type=Path, help="virtual environment that has it")
    parser.add_argument("--news-please", type=Path, help="virtual environment that has it")
    parser.add_argument("--cores", action="store_true", help="one worker process against two")
    args = parser.parse_args()
    known = [page for _, page in pages(args.pages, args.every)]
    if args.cores:
        cores(known, args.rounds)
        return
    minet = environment(args.minet, "minet", MINET)
    news_please = environment(args.news_please, "news-please", NEWS_PLEASE)
    cost = compared(known, args.rounds, programs(minet, news_please))
    print(
        f"{len(known)} pages, {sum(len(page.body or b'') for page in known) / len(known) / 1e3:.0f} kB each"
    )
    mean = {name: statistics.mean(costs) for name, costs in cost.items()}
    for name, costs in cost.items():
        told = ", ".join(f"{ms:.1f}" for ms in costs)
        print(
            f"{name:<12} {mean[name]:7.2f} ms a page ({told})   {mean[name] / mean['bare']:5.2f} x bare"
            f"   ours {mean['ours'] / mean[name]:.3f}, filtered {mean['filtered'] / mean[name]:.3f} of it"
        )


if __name__ == "__main__":
    main()

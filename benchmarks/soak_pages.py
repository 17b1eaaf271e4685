"""Whether memory stays flat while page after page is read: the main process and its workers.

    python -m benchmarks.soak_pages PAGES [--count 20000] [--largest-kb 0] [--no-prefilter]

PAGES is a folder of `*.html.gz`; they are cycled, each copy changed so that no cache knows it again: other
class names, other words, another address on one of 600 sites. `pipeline.process` takes them from a database
on disk, gives them to two workers with the shipped rules and records every outcome; only the network is left
out: the bytes come from the folder. Resident memory is read from /proc at 100, 1,000, 2,000 ... pages (Linux
only). Writes benchmarks/work/soak_pages.svg.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gzip
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor import pipeline, plot, reading
from monitor.model import Fetched, FetchRequest, NewItem, PendingItem, PollRecord, Processed, Source
from monitor.settings import read_rule_files
from monitor.store import Store, open_store
from monitor.workers import Workers

CONFIG = Path(__file__).parent.parent / "config"
WORK = Path(__file__).parent / "work"
SITES = 600
PROCESSES = 2
BATCH = 1_000  # items stored at a time, as so many polls would


def resident_mb(pid: int | str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def files(folder: Path, largest_kb: int) -> list[Path]:
    """The pages by name; none is kept in memory."""
    found = sorted(folder.glob("*.html.gz"))
    return [file for file in found if not largest_kb or len(body_of(file)) <= largest_kb * 1024]


def body_of(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes())


def changed(body: bytes, n: int) -> bytes:
    """The page as another one: class names and words that no other copy has."""
    draw = random.Random(n)
    words = " ".join("".join(draw.choices("abdegiklmnoprstu", k=7)) for _ in range(30)).encode()
    return body.replace(b'class="', b'class="v%d ' % n, 60).replace(b"</p>", b" " + words + b".</p>", 6)


@dataclass
class Soak:
    """The site, and what was measured of its readers."""

    pages: Sequence[Path]
    workers: Workers
    done: int = 0
    at: list[int] = field(default_factory=list)
    main_mb: list[float] = field(default_factory=list)
    workers_mb: list[list[float]] = field(default_factory=list)

    async def fetch(self, request: FetchRequest) -> Fetched:
        n = int(request.url.rpartition("/")[2])
        body = changed(body_of(self.pages[n % len(self.pages)]), n)
        return Fetched(request.url, request.url, 200, body, {"content-type": "text/html"})

    def on_item(self, item: PendingItem, processed: Processed) -> None:
        self.done += 1
        if self.done == 100 or self.done % 1_000 == 0:
            pids = [each.process.pid for each in (*self.workers._idle, *self.workers._busy)]
            self.at.append(self.done)
            self.main_mb.append(round(resident_mb("self"), 1))
            self.workers_mb.append([round(resident_mb(pid), 1) for pid in sorted(pids)])
            print(f"{self.done:>6} main {self.main_mb[-1]} MB, workers {self.workers_mb[-1]}", flush=True)


def add(store: Store, first: int, count: int, now: datetime) -> None:
    """So many new items, as a poll of each site would bring them."""
    for site in range(SITES):
        items = tuple(_item(n, now) for n in range(first, first + count) if n % SITES == site)
        store.record_poll(
            PollRecord(f"s{site}", now, True, now + timedelta(days=9), "ok", "", 0, new_items=items)
        )


def _item(n: int, now: datetime) -> NewItem:
    url = f"https://s{n % SITES}.example/{n}"
    title = f"Report number {n} of the day"
    return NewItem(url, url, url, url, title, "What happened.", "", "en", "", "", now - timedelta(hours=1))


async def soak(pages: Sequence[Path], count: int, prefilter: bool, folder: Path) -> Soak:
    prepare = functools.partial(reading.prepare, read_rule_files(CONFIG), prefilter=prefilter)
    now = datetime.now(UTC)
    with open_store(folder / "soak.db") as store:
        sites = [Source(f"s{n}", f"https://s{n}.example/", f"Site {n}") for n in range(SITES)]
        store.sync_sources(sites, now)
        async with Workers(processes=PROCESSES, deadline_s=600, initializer=prepare) as workers:
            seen = Soak(pages, workers)
            policy = pipeline.ProcessPolicy(deadline_s=600)
            for first in range(0, count, BATCH):
                add(store, first, min(BATCH, count - first), now)
                await pipeline.process(
                    store, seen.fetch, workers, now=lambda: now, policy=policy, on_item=seen.on_item
                )
    return seen


def draw(seen: Soak) -> str:
    series = {"main": seen.main_mb}
    for n in range(PROCESSES):
        series[f"worker {n + 1}"] = [mbs[n] if n < len(mbs) else 0.0 for mbs in seen.workers_mb]
    return plot.bars("Resident MB against pages read", [f"{at:,}" for at in seen.at], series)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--largest-kb", type=int, default=0, help="leave larger pages out; 0 for none")
    parser.add_argument("--no-prefilter", action="store_true", help="read every page")
    args = parser.parse_args()
    pages = files(args.pages, args.largest_kb)
    print(f"{len(pages)} different pages")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        seen = asyncio.run(soak(pages, args.count, not args.no_prefilter, Path(folder)))
    print(f"{seen.done} pages in {time.perf_counter() - began:.0f} s")
    WORK.mkdir(exist_ok=True)
    (WORK / "soak_pages.svg").write_text(draw(seen), "utf-8")


if __name__ == "__main__":
    main()

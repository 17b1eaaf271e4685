"""One whole cycle on loopback: what each stage costs, whether cost grows in line with the work, memory.

    python -m benchmarks.cycle [--feeds 100] [--changed 30] [--new 10] [--pages FOLDER] [--no-prefilter]

The first cycle fills the database with 30 old items a feed; then `--changed` feeds get `--new` items each
(40 in a feed), the others answer 304, and the second cycle is measured: poll, process, compose, flush
through the application itself, with the shipped rules, two worker processes and a database on disk. Three
sizes (a third, two thirds, all) give the fit of CPU against articles. Pages are real ones (FOLDER of
`*.html.gz`), or made up, one in twenty of them a match. The server runs in a process of its own and counts
for nothing; each feed has an address of its own in 127.0.0.0/8. Linux only. Writes benchmarks/work/cycle.svg.

The promised size: --feeds 1000 --changed 300 --new 10 (3,000 articles).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import multiprocessing
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path
from zlib import crc32

from monitor import plot, reading, settings
from monitor.app import App

CONFIG = Path(__file__).parent.parent / "config"
WORK = Path(__file__).parent / "work"
STAGES = ("poll", "process", "compose", "flush")
OLD_ITEMS = 30
MATCHING = (
    "UK Research and Innovation and the Japan Science and Technology Agency will fund joint semiconductor"
    " research. The UK-Japan agreement number {n} was signed in London on Monday by both science ministers."
)
TICKS = os.sysconf("SC_CLK_TCK")


# --- the site ----------------------------------------------------------------------------------


def made_up_pages() -> list[bytes]:
    """Twenty pages of the usual weight, the first of which matches."""
    draw = random.Random(5)
    stock = ["".join(draw.choices("abdegiklmnoprstu", k=draw.randint(2, 9))) for _ in range(3000)]
    pages = []
    for n in range(20):
        paragraphs = [" ".join(draw.choices(stock, k=60)).capitalize() + "." for _ in range(12)]
        if n == 0:
            paragraphs[:2] = [MATCHING.format(n=n)] * 2
        body = "".join(f"<p>{text}</p>" for text in paragraphs)
        links = "".join(
            f'<li class="item"><a href="/{a}/{b}">{a} {b}</a></li>\n'
            for a, b in (draw.sample(stock, 2) for _ in range(400))
        )
        script = f"<script>var x = {draw.choices(stock, k=8000)};</script>"
        pages.append(
            f"<!doctype html><html lang=en><head><title>Page {n}</title>{script}</head><body><ul>{links}</ul>"
            f"<article><h1>Headline {n} of this page</h1>{body}</article></body></html>".encode()
        )
    return pages


def feed(host: str, number: int, new: int) -> bytes:
    """40 items at most: the old ones, and before them the new."""
    now = datetime.now(UTC)
    items = [(f"n{n}", now - timedelta(hours=1)) for n in range(new)]
    items += [(f"o{n}", now - timedelta(days=90, hours=n)) for n in range(OLD_ITEMS)]
    entries = "".join(
        f"<item><title>Story {key} of feed {number}</title><link>http://{host}/page/{number}/{key}</link>"
        f"<guid isPermaLink='false'>{number}-{key}</guid><pubDate>{format_datetime(at)}</pubDate>"
        f"<description>{'A sentence on what happened. ' * 20}</description></item>"
        for key, at in items
    )
    return f"<rss version='2.0'><channel><title>Feed {number}</title>{entries}</channel></rss>".encode()


def serve(pipe: Connection, folder: Path | None) -> None:
    """Answers for ever. What comes through the pipe is (changed feeds, new items a feed)."""
    files = sorted(folder.glob("*.html.gz")) if folder else []
    pages = [gzip.decompress(file.read_bytes()) for file in files] or made_up_pages()
    state = {"changed": 0, "new": 0}

    def answer(head: str) -> tuple[int, str, bytes, str]:
        path = head.split(" ", 2)[1]
        host = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: "))
        kind, _, rest = path.strip("/").partition("/")
        if kind == "page":
            return 200, "text/html", pages[crc32(rest.encode()) % len(pages)], ""
        if kind != "feed":
            return 404, "text/plain", b"", ""
        number = int(rest)
        new = state["new"] if number < state["changed"] else 0
        etag = f'"{number}-{new}"'
        if etag in head:
            return 304, "", b"", etag
        return 200, "application/rss+xml", feed(host, number, new), etag

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status, kind, body, etag = answer(head)
                tag = f"ETag: {etag}\r\n" if etag else ""
                length = "" if status == 304 else f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                writer.write(f"HTTP/1.1 {status} x\r\n{tag}{length}\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(converse, "0.0.0.0", 0, backlog=4096)
        asyncio.get_running_loop().add_reader(pipe.fileno(), lambda: state.update(pipe.recv()))
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


# --- one size ----------------------------------------------------------------------------------


@dataclass
class Measured:
    """One measured cycle: seconds by stage, megabytes."""

    feeds: int
    articles: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)
    main_mb: float = 0.0
    workers_mb: tuple[float, ...] = ()
    outcomes: dict[str, int] = field(default_factory=dict)
    prefilter: dict[str, int] = field(default_factory=dict)


def worker_pids(app: App) -> list[int]:
    workers = app._gear.workers
    return [worker.process.pid for worker in [*workers._idle, *workers._busy]]


def cpu_s(app: App) -> float:
    """Process time of this process and its workers."""
    total = time.process_time()
    for pid in worker_pids(app):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def configure(folder: Path, feeds: int, port: int, keep_text: str) -> Path:
    config = folder / "config"
    for name, text in settings.read_rule_files(CONFIG).items():
        (config / name).parent.mkdir(parents=True, exist_ok=True)
        (config / name).write_text(text)
    (config / "monitor.yaml").write_text(
        f"database: {folder}/m.db\nstorage: {folder}\nkeep_text: {keep_text}\nfirst_run_days: 7\n"
        f"channels:\n  file: {{kind: file, folder: {folder}}}\n"
    )
    (config / "digests.yaml").write_text("- {name: d, title: D, zone: UTC, lang: en, channels: [file]}\n")
    hosts = [f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}" for n in range(feeds)]
    (config / "sources.yaml").write_text(
        "".join(
            f"- {{id: s{n}, name: Source {n}, url: 'http://{host}:{port}/feed/{n}', country: gb, lang: en,"
            " authority: press, allow_private: true}\n"
            for n, host in enumerate(hosts)
        )
    )
    return config


async def warm(app: App) -> None:
    """Every worker has extracted a page: imports and caches are no part of a cycle."""
    page = reading.Page(made_up_pages()[0], "http://127.0.0.1/", title="A title", published="2026-01-01")
    await asyncio.gather(*(app._gear.workers.run(reading.read, page) for _ in range(8)))


async def measure(
    feeds: int, changed: int, new: int, port: int, pipe: Connection, keep_text: str
) -> Measured:
    with tempfile.TemporaryDirectory(prefix="cycle-") as temporary:
        config = settings.load(configure(Path(temporary), feeds, port, keep_text), os.environ)
        async with App(config) as app:
            pipe.send({"changed": 0, "new": 0})
            await app.poll(every=True)
            await app.process()  # the old items are noted
            await warm(app)
            pipe.send({"changed": changed, "new": new})
            found = Measured(feeds)
            for stage in STAGES:
                cpu, wall = cpu_s(app), time.perf_counter()
                if stage == "poll":
                    await app.poll(every=True)
                elif stage == "process":
                    report = await app.process()
                    found.articles, found.outcomes = report.items, dict(report.outcomes)
                    found.prefilter = dict(report.prefilter)
                elif stage == "compose":
                    app.compose(force=True)
                else:
                    await app.flush()
                found.cpu[stage] = cpu_s(app) - cpu
                found.wall[stage] = time.perf_counter() - wall
            found.main_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            found.workers_mb = tuple(resident_mb(pid) for pid in worker_pids(app))
    return found


# --- the account -------------------------------------------------------------------------------


def fit(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float, float]:
    """Slope, intercept and R² of the straight line through the points."""
    slope, intercept = statistics.linear_regression(sizes, costs)
    return slope, intercept, statistics.correlation(sizes, costs) ** 2


def show(found: Measured) -> None:
    print(f"{found.feeds} feeds, {found.articles} articles: {found.outcomes}; prefilter {found.prefilter}")
    for stage in STAGES:
        print(f"  {stage:<8} {found.cpu[stage]:7.2f} s CPU {found.wall[stage]:7.2f} s wall")
    cpu, wall = sum(found.cpu.values()), sum(found.wall.values())
    pace = found.articles / found.wall["process"]
    print(f"  {'all':<8} {cpu:7.2f} s CPU {wall:7.2f} s wall; {pace:.0f} articles a second in process")
    workers = ", ".join(f"{mb:.0f}" for mb in found.workers_mb)
    print(f"  memory: main {found.main_mb:.0f} MB at most, workers {workers} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--changed", type=int, default=30)
    parser.add_argument("--new", type=int, default=10)
    parser.add_argument("--pages", type=Path, help="folder of real pages (*.html.gz)")
    parser.add_argument("--no-prefilter", action="store_true", help="keep and therefore read every text")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs, options.pages), daemon=True)
    server.start()
    port = ours.recv()
    keep_text = "all" if options.no_prefilter else "matches"
    rows = []
    for third in (1, 2, 3):
        feeds, changed = options.feeds * third // 3, options.changed * third // 3
        rows.append(asyncio.run(measure(feeds, changed, options.new, port, ours, keep_text)))
        show(rows[-1])
    server.terminate()
    articles = [float(row.articles) for row in rows]
    slope, intercept, r2 = fit(articles, [sum(row.cpu.values()) for row in rows])
    print(f"CPU = {intercept:.2f} s + {slope * 1e3:.2f} ms an article, R² {r2:.4f}")
    WORK.mkdir(exist_ok=True)
    labels = [f"{row.feeds} feeds, {row.articles} articles" for row in rows]
    series = {stage: [round(row.cpu[stage], 3) for row in rows] for stage in STAGES}
    (WORK / "cycle.svg").write_text(plot.bars("CPU seconds of one cycle, by stage", labels, series), "utf-8")


if __name__ == "__main__":
    main()

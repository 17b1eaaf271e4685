"""Our side of benchmarks/poll.py: one application over many feeds, polled when told.

    python -m benchmarks.poll_ours PORT FEEDS FOLDER

Each line read polls every source once; the answer is a line of JSON. CPU is that of this process and its
workers; `rss_mb` the most this process has held so far, `workers_mb` what each worker holds now.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.poll_site import host
from monitor import settings
from monitor.app import App

SHIPPED = Path(__file__).parent.parent / "config"
TICKS = os.sysconf("SC_CLK_TCK")


def configure(folder: Path, feeds: int, port: int, *, more: str = "") -> Path:
    """A configuration over the site's feeds with the shipped rules; `more` goes into monitor.yaml."""
    config = folder / "config"
    shutil.copytree(SHIPPED, config)
    (config / "monitor.yaml").write_text(
        f"database: {folder}/m.db\nstorage: {folder}\nfirst_run_days: 7\n"
        f"channels:\n  file: {{kind: file, folder: {folder}}}\n{more}"
    )
    (config / "digests.yaml").write_text("- {name: d, title: D, zone: UTC, lang: en, channels: [file]}\n")
    (config / "sources.yaml").write_text(
        "".join(
            f"- {{id: s{n}, name: Source {n}, url: 'http://{host(n)}:{port}/feed/{n}', country: gb, lang: en,"
            " authority: press, allow_private: true}\n"
            for n in range(feeds)
        )
    )
    return config


def worker_pids(app: App) -> list[int]:
    workers = app._gear.workers
    return [worker.process.pid for worker in [*workers._idle, *workers._busy]]


def cpu_s(app: App) -> float:
    """Process time of this process, its workers, and the workers that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = time.process_time() + ended.ru_utime + ended.ru_stime
    for pid in worker_pids(app):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def peak_mb() -> float:
    """The most memory this process ever held resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def once(app: App) -> dict[str, object]:
    main, cpu, wall = time.process_time(), cpu_s(app), time.perf_counter()
    report = await app.poll(every=True)
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": cpu_s(app) - cpu,
        "main_s": time.process_time() - main,
        "rss_mb": peak_mb(),
        "workers_mb": [round(resident_mb(pid)) for pid in worker_pids(app)],
        "statuses": Counter(each.status for each in report.polled),
        "entries": app.store.db.value("SELECT count(*) FROM items"),
    }


async def main() -> None:
    port, feeds, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    config = settings.load(configure(folder, feeds, port), os.environ)
    async with App(config) as app:
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await once(app)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

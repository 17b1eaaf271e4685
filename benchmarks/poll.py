"""Polling beside other people's programs: the same feeds, the same server, turn by turn in one run.

    python -m benchmarks.poll [--feeds 1000] [--changed 300] [--new 10] [--entries 40] [--rounds 3]
                              [--only 304,changed,no-etag,latency] [--latency-ms 200]
                              [--peer-python PYTHON | --alone] [--newswatcher-python PYTHON]

First every side takes in all feeds. Then, `--rounds` times and the sides one after the other:
  304       nothing is new, and the server says so
  changed   `--changed` of the feeds have `--new` new entries among their `--entries`
  no-etag   nothing is new, but the server sends every feed whole and no validators
  latency   as 304, each answer `--latency-ms` late; once with reader's 10 threads, once with 50
All store what they find in SQLite on this disk. What the server was asked and the number of entries stored
are compared. `--peer-python` is a Python that has reader and sgmllib3k; without it one is made in the
temporary folder. newswatcher, where a Python with it is named, does the first two, without conditional
requests, one feed after the other and without storing entries: other work, so nothing is compared. `--alone`
leaves the peer out, for looking at memory. CPU is that of all processes of a side, the server's is
nobody's. Linux only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.poll_site import Offer, Site

HERE = Path(__file__).parent
CATCH_UP = "catch-up"  # a poll that is not counted, to bring everybody to the same state
PEERS = ("reader", "sgmllib3k")


@dataclass
class Side:
    """A program that polls when told, in a process of its own."""

    name: str
    process: subprocess.Popen[str]
    measured: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def poll(self, task: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("poll\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} stopped")
        found: dict[str, Any] = json.loads(line)
        print(f"  {self.name}: {task} {found['cpu_s']:.2f} s CPU", file=sys.stderr, flush=True)
        self.measured[task].append(found)
        return found

    def median(self, task: str, what: str) -> float:
        return statistics.median(one[what] for one in self.measured[task])


@contextmanager
def side(name: str, *command: object) -> Iterator[Side]:
    with tempfile.TemporaryDirectory(prefix="poll-") as folder:
        arguments = [str(word) for word in command]
        at = arguments.index("FOLDER")
        arguments[at] = folder
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise SystemExit(f"{name} did not start")
            yield Side(name, process)
        finally:
            process.kill()
            process.wait()


def peer_python(given: str | None) -> str:
    """A Python that has the peer installed; made when none is given."""
    if given:
        return given
    folder = Path(tempfile.gettempdir()) / "monitor-peer-reader"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return str(python)


def versions(python: str) -> str:
    code = "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in %r), sep=', ')"
    found = subprocess.run(
        [python, "-c", code % (("reader", "feedparser", "requests"),)],
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.strip()


class Contest:
    def __init__(self, site: Site, options: argparse.Namespace) -> None:
        self.site = site
        self.options = options
        self.changes: tuple[int, ...] = ()

    def offer(self, **more: Any) -> Offer:
        return Offer(self.changes, self.options.new, self.options.entries, **more)

    def round(self, task: str, sides: list[Side], **more: Any) -> None:
        """One poll by each side of the same offer; the answers given must be the same."""
        answers: list[Counter[str]] = []
        for each in sides:
            self.site.show(self.offer(**more))
            each.poll(task)
            answers.append(self.site.show(self.offer()))
        if task == CATCH_UP:
            return
        feeds = [{kind: n for kind, n in given.items() if kind in ("200", "304")} for given in answers]
        if any(one != feeds[0] for one in feeds):
            print(f"  {task}: not the same work: {[dict(one) for one in answers]}")
        stored = {each.name: each.measured[task][-1]["entries"] for each in sides}
        if len(set(stored.values())) > 1:
            print(f"  {task}: not the same entries stored: {stored}")

    def beside(self, task: str, watcher: Side | None) -> None:
        """A poll of the same offer by a program that does it another way."""
        if watcher:
            self.site.show(self.offer())
            watcher.poll(task)

    def run(self, ours: Side, peers: list[Side], watcher: Side | None) -> None:
        """All rounds. The second peer, if any, takes part in `latency` only."""
        wanted = self.options.only.split(",")
        pair = [ours, *peers[:1]]
        self.round("first", [ours, *peers])
        self.beside("first", watcher)
        for _ in range(self.options.rounds):
            if "304" in wanted:
                self.round("304", pair)
                self.beside("304", watcher)
            if "changed" in wanted:
                self.changes += (self.options.changed,)
                self.round("changed", pair)
                self.beside("changed", watcher)
                self.round(CATCH_UP, peers[1:])
            if "latency" in wanted:
                self.round("latency", [ours, *peers], latency_s=self.options.latency_ms / 1000)
            if "no-etag" in wanted:
                self.round("no-etag", pair, validators=False)
                self.round(CATCH_UP, pair)  # everybody has validators again


def show(ours: Side, peer: Side, task: str, what: str) -> None:
    if task not in ours.measured or task not in peer.measured:
        return
    mine, theirs = ours.median(task, what), peer.median(task, what)
    pairs = zip(ours.measured[task], peer.measured[task], strict=True)
    ratios = sorted(one[what] / other[what] for one, other in pairs)
    print(
        f"{task:<10} {what[:-2]:<5} ours {mine:7.2f} s   {peer.name:<12} {theirs:7.2f} s   ratio"
        f" {mine / theirs:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--changed", type=int, default=300)
    parser.add_argument("--new", type=int, default=10)
    parser.add_argument("--entries", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=200)
    parser.add_argument("--peer-python", help="a Python that has reader and sgmllib3k installed")
    parser.add_argument("--newswatcher-python", help="a Python that has newswatcher installed")
    parser.add_argument("--only", default="304,changed,no-etag,latency", help="which rounds to make")
    parser.add_argument("--alone", action="store_true", help="no peer")
    return parser.parse_args()


def main() -> None:
    options = asked()
    python = "" if options.alone else peer_python(options.peer_python)
    company = "alone" if options.alone else f"peer: {versions(python)}"
    print(f"{options.feeds} feeds, {options.changed} of them changing; {company}", flush=True)
    with ExitStack() as stack:
        site = stack.enter_context(Site())
        place = (site.port, options.feeds, "FOLDER")
        ours = stack.enter_context(side("ours", sys.executable, "-m", "benchmarks.poll_ours", *place))
        threads = () if options.alone else (10, 50) if "latency" in options.only else (10,)
        peers = [
            stack.enter_context(side(f"reader, {n}", python, HERE / "poll_reader.py", *place, n))
            for n in threads
        ]
        watcher = None
        if given := options.newswatcher_python:
            command = (given, HERE / "poll_newswatcher.py", *place)
            watcher = stack.enter_context(side("newswatcher", *command))
        Contest(site, options).run(ours, peers, watcher)
        peers += [watcher] if watcher else []
        for task in ("first", "304", "changed", "no-etag", "latency"):
            for peer in peers:
                show(ours, peer, task, "cpu_s")
                show(ours, peer, task, "wall_s")
            if not peers and task in ours.measured:
                cpu, wall = ours.median(task, "cpu_s"), ours.median(task, "wall_s")
                print(f"{task:<10} ours {cpu:7.2f} s CPU {wall:7.2f} s wall")
        last = max((one for found in ours.measured.values() for one in found), key=lambda one: one["rss_mb"])
        print(f"main process {last['rss_mb']:.0f} MB at most, workers {last['workers_mb']} MB")


if __name__ == "__main__":
    main()

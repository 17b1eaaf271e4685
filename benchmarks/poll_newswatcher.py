"""newswatcher's side of benchmarks/poll.py, run by a Python of its own that has newswatcher installed.

    python poll_newswatcher.py PORT FEEDS FOLDER

As benchmarks/poll_ours.py: a line in, one pass over every feed, a line of JSON out. Without topics nothing
matches, so that no page is fetched and no summary asked for; it remembers the ids it has seen in a JSON file.
"""

import json
import resource
import sys
import time
from pathlib import Path

from newswatcher.http import default_gate, new_session
from newswatcher.poll import poll_sources
from newswatcher.sources import Source
from newswatcher.state import State, read_state, write_state


def host(number: int) -> str:
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def once(sources: tuple[Source, ...], remembered: Path) -> dict[str, object]:
    cpu, wall = time.process_time(), time.perf_counter()
    state = read_state(remembered) if remembered.exists() else State()
    report = poll_sources(sources, (), gate=default_gate(), state=state, store=None, session=new_session())
    write_state(state, remembered)
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "entries": sum(len(seen) for seen in state.seen_guids_by_source.values()),
        "failed": len(report.skipped),
    }


def main() -> None:
    port, feeds, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    sources = tuple(Source(f"s{n}", url=f"http://{host(n)}:{port}/feed/{n}") for n in range(feeds))
    print("ready", flush=True)
    while sys.stdin.readline():
        print(json.dumps(once(sources, folder / "state.json")), flush=True)


if __name__ == "__main__":
    main()

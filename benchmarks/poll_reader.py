"""reader's side of benchmarks/poll.py, run by a Python of its own that has reader installed.

    python poll_reader.py PORT FEEDS FOLDER WORKERS

As benchmarks/poll_ours.py: a line in, one update of every feed, a line of JSON out.
"""

import json
import resource
import sys
import time

from reader import make_reader


def host(number: int) -> str:
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def once(store, workers: int) -> dict[str, object]:
    cpu, wall = time.process_time(), time.perf_counter()
    store.update_feeds(workers=workers, scheduled=False)
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "entries": store.get_entry_counts().total,
    }


def main() -> None:
    port, feeds, folder, workers = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    store = make_reader(f"{folder}/reader.db")
    for number in range(feeds):
        store.add_feed(f"http://{host(number)}:{port}/feed/{number}", allow_invalid_url=True)
    print("ready", flush=True)
    while sys.stdin.readline():
        print(json.dumps(once(store, workers)), flush=True)


if __name__ == "__main__":
    main()

"""The crash campaign at length: `python -m benchmarks.crash [RUNS] [SIDE_BY_SIDE]` (default 300, 2).

Prints what was killed where, what was delivered, and what was repeated; after an interrupt (SIGINT) for the
runs that were made. Exit 1 when anything was lost or a repeat is not explained.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import crash


def one(seed: int) -> crash.Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return crash.run(Path(folder), seed)


def main(runs: int, side_by_side: int) -> int:
    outcomes: list[crash.Outcome] = []
    with ThreadPoolExecutor(side_by_side) as pool:
        try:
            for outcome in pool.map(one, range(runs)):
                outcomes.append(outcome)
                print(f"{len(outcomes)}: {outcome}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
    return report(outcomes)


def report(outcomes: Sequence[crash.Outcome]) -> int:
    kills = Counter(each.kill for each in outcomes)
    bad = [each for each in outcomes if each.lost or each.unexplained or each.repeats > each.allowed]
    print(f"{len(outcomes)} runs, {sum(each.deaths for each in outcomes)} deaths by kill -9")
    print("killed at: " + ", ".join(f"{seam} {n}" for seam, n in sorted(kills.items())))
    print(f"matches: {sum(each.matches for each in outcomes)}")
    print(f"lost: {sum(len(each.lost) for each in outcomes)}")
    print(f"repeated: {sum(each.repeats for each in outcomes)}, every one under its first Message-ID or key")
    print(f"not explained: {len(bad)} runs")
    for each in bad:
        print(f"  {each}")
    return 1 if bad else 0


if __name__ == "__main__":
    asked = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*asked, *(300, 2)[len(asked) :]))

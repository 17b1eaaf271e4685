"""The crash campaign at length: `python -m benchmarks.crash [RUNS]` (default 300).

Prints what was killed where, what was delivered, and what was repeated. Exit 1 when anything was lost or
a repeat is not explained.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import crash


def one(seed: int) -> crash.Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return crash.run(Path(folder), seed)


def main(runs: int) -> int:
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(one, range(runs)))
    kills = Counter(each.kill for each in outcomes)
    bad = [each for each in outcomes if each.lost or each.unexplained or each.repeats > each.allowed]
    print(f"{runs} runs, {sum(each.deaths for each in outcomes)} deaths by kill -9")
    print("killed at: " + ", ".join(f"{seam} {n}" for seam, n in sorted(kills.items())))
    print(f"matches: {sum(each.matches for each in outcomes)}")
    print(f"lost: {sum(len(each.lost) for each in outcomes)}")
    print(f"repeated: {sum(each.repeats for each in outcomes)}, every one under its first Message-ID or key")
    print(f"not explained: {len(bad)} runs")
    for each in bad:
        print(f"  {each}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))

"""Twenty lives that end by kill -9: nothing is lost, and repeats carry the same Message-ID."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import crash

RUNS = 20


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(RUNS))
def test_a_killed_worker_loses_nothing(tmp_path: Path, seed: int) -> None:
    outcome = crash.run(tmp_path, seed)
    assert outcome.matches >= 8
    assert outcome.lost == []
    assert outcome.unexplained == []
    assert outcome.repeats <= outcome.allowed

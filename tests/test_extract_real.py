"""The promised figures, on the pages of the test data: one table of benchmarks/extraction.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.extraction import f1, mean, measure, ours


@pytest.mark.slow
def test_the_promised_figures(test_data: Path) -> None:
    """One test, so that the pages are read once however the tests are spread over processes."""
    tallies, _ = measure(test_data / "realpages", {"ours": ours()}, {"aeb", "japanese", "traf", "htmldate"})
    neutral, japanese = tallies["aeb", "ours"], tallies["japanese", "ours"]
    assert mean(f1(*pair) for pair in neutral.pairs) >= 0.97
    assert mean(precision for precision, _ in japanese.pairs) >= 0.96
    assert mean(recall for _, recall in japanese.pairs) >= 0.96
    segments = tallies["traf", "ours"]
    assert sum(segments.unwanted) <= 14  # the extractor's own default lets 28 through
    assert mean(segments.wanted) >= 0.93
    assert mean(tallies["htmldate", "ours"].dates) >= 0.9

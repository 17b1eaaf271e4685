"""A fortnight with publishers of every temper, judged by what they saw."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.politeness import DAY, Publisher, moving, plain, simulate
from monitor.model import FetchState
from tests.fetching import Clock, ask, fetcher


@pytest.mark.slow
async def test_no_publisher_has_a_complaint(tmp_path: Path) -> None:
    """Nothing early, no validator invented or forgotten, nothing after 410, redirects kept only when due."""
    report = await simulate(tmp_path, every=timedelta(hours=4))
    assert report.complaints == []
    # And it was a fortnight worth the name.
    assert sorted(report.stored_redirects) == ["moved", "moved-for-good"]
    assert report.states.pop("ending") == "gone"
    assert set(report.states.values()) == {"ok"}
    assert report.total("unchanged") > 300
    for publisher in report.publishers:
        assert publisher.count["requests"] > 10


async def test_the_referees_notice_bad_manners() -> None:
    """Each of the rules above is broken on purpose, and told."""
    clock = Clock()
    publisher = Publisher("victim", plain, clock=clock)  # type: ignore[arg-type]
    mover = Publisher("mover", moving(302, 99 * DAY), clock=clock)  # type: ignore[arg-type]
    with publisher.site as site, mover.site as other:
        feed, moved = site.script("/feed", publisher.serve), other.script("/moved", mover.serve)
        async with fetcher(now=clock) as fetch:
            await fetch(ask(feed))
            await fetch(ask(feed))
            clock.move(hours=2)
            await fetch(ask(feed, validators={feed: FetchState(feed, etag='"made up"')}))
            publisher.gone = True
            publisher.skip_hours = frozenset(range(24))
            await fetch(ask(feed))
            await fetch(ask(moved))
    said = "\n".join(publisher.complaints + mover.complaints)
    for complaint in (
        "early",
        "never gave",
        "after 410",
        "to be skipped",
        "without its validators",
        "too soon",
    ):
        assert complaint in said

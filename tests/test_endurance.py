"""The endurance run sees a leak when there is one, and its publishers keep the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.endurance import Sample, judge
from benchmarks.endurance_site import Plan, Site

PLAN = Plan(sources=10, items=3_500, days=35)


def healthy(day: int) -> Sample:
    """A service that keeps two weeks of 100 items a day, one of them a match."""
    kept = 100 * min(day, 14)
    return Sample(
        day=day, wall_s=day, main_mb=120 + day % 3, worker_mb=85, files=14, sockets=day % 7, tasks=1,
        threads=2, children=2, seen=min(3_500, 100 * day), items=kept, matches=day, pending=0,
        database_mb=0.5 + kept * 700 / 1e6 + day * 0.002, free_mb=0, wal_mb=0.1, digest_files=day,
    )  # fmt: skip


def missed(change: Callable[[Sample], Sample]) -> list[str]:
    rows = judge([change(healthy(day)) for day in range(36)], PLAN)
    return [what for what, _, _, well in rows if not well]


def test_a_healthy_service_misses_nothing() -> None:
    assert missed(lambda each: each) == []


@pytest.mark.parametrize(
    ("leak", "what"),
    [
        (lambda each: replace(each, main_mb=120 + each.day), "memory, main process"),
        (lambda each: replace(each, worker_mb=85 + each.day), "memory, larger worker process"),
        (lambda each: replace(each, files=round(14 + each.day)), "files open"),
        (lambda each: replace(each, tasks=round(1 + each.day / 2)), "tasks open"),
        (lambda each: replace(each, threads=round(2 + each.day / 2)), "threads open"),
        (
            lambda each: replace(each, database_mb=each.database_mb + each.day),
            "growth once retention works",
        ),
        (lambda each: replace(each, wal_mb=70.0), "journal after housekeeping"),
        (lambda each: replace(each, pending=3), "due but not read after a cycle"),
    ],
)
def test_what_rises_for_weeks_is_named(leak: Callable[[Sample], Sample], what: str) -> None:
    assert what in missed(leak)


def test_every_item_is_shown_by_its_source_before_the_end() -> None:
    end = PLAN.start + timedelta(days=PLAN.days)
    site = Site(PLAN, lambda: end)
    shown = [site(f"GET /feed/{n} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") for n in range(PLAN.sources)]
    for source, (status, kind, body, etag) in enumerate(shown):
        if kind == "application/rss+xml":
            assert (status, body.count(b"<item>")) == (200, 20)
            assert f"/page/{source}/{PLAN.each - 1}<".encode() in body
            assert site(f"GET /feed/{source} HTTP/1.1\r\nIf-None-Match: {etag}\r\n\r\n")[0] == 304

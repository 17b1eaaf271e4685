"""Jobs run on time, one at a time, outlive their errors, and are waited for at the end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from monitor.errors import StoreError
from monitor.scheduler import Scheduler


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(milliseconds=20)


async def test_a_job_that_fails_is_told_and_runs_again() -> None:
    errors: list[str] = []
    ran = asyncio.Event()
    calls = 0

    async def job() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("boom")
        ran.set()

    scheduler = Scheduler(on_error=lambda name, error: errors.append(f"{name}: {error}"))
    scheduler.every("tick", 1, job, first_at=soon())
    scheduler.start()
    await asyncio.wait_for(ran.wait(), 30)
    await scheduler.stop(1)
    assert errors == ["tick: boom"]
    assert scheduler.failing == {}
    assert scheduler.counts["error:tick"] == 1


async def test_one_trouble_of_several_jobs_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    failed: set[str] = set()
    both = asyncio.Event()

    async def job() -> None:
        raise StoreError("the disk is full")

    def note(name: str, error: BaseException) -> None:
        failed.add(name)
        if len(failed) == 2:
            both.set()

    scheduler = Scheduler(on_error=note)
    scheduler.every("read", 3600, job, first_at=soon())
    scheduler.every("send", 3600, job, first_at=soon())
    scheduler.start()
    await asyncio.wait_for(both.wait(), 60)
    await scheduler.stop(1)
    told = [record.getMessage() for record in caplog.records]
    assert sum("the disk is full" in line for line in told) == 1
    assert sum("fails too, for the same reason" in line for line in told) == 1
    assert set(scheduler.failing_for(0)) == {"read", "send"}
    assert scheduler.failing_for(3600) == {}


async def test_stopping_waits_for_the_job_under_way() -> None:
    started, finished = asyncio.Event(), asyncio.Event()

    async def job() -> None:
        started.set()
        await asyncio.sleep(0.2)
        finished.set()

    scheduler = Scheduler(on_error=lambda name, error: None)
    scheduler.every("slow", 60, job, first_at=soon())
    scheduler.start()
    await asyncio.wait_for(started.wait(), 30)
    assert await scheduler.stop(5)
    assert finished.is_set()


async def test_a_job_that_never_ends_is_cut_off_after_the_grace() -> None:
    started = asyncio.Event()
    cancelled = asyncio.Event()

    async def job() -> None:
        started.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    scheduler = Scheduler(on_error=lambda name, error: None)
    scheduler.every("endless", 60, job, first_at=soon())
    scheduler.start()
    await asyncio.wait_for(started.wait(), 30)
    assert not await scheduler.stop(0.1)
    assert cancelled.is_set()


async def test_a_job_never_runs_beside_itself() -> None:
    running = 0
    most = 0

    async def job() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1.3)
        running -= 1

    scheduler = Scheduler(on_error=lambda name, error: None)
    scheduler.every("tick", 1, job, first_at=soon())
    scheduler.start()
    await asyncio.sleep(2.2)
    await scheduler.stop(3)
    assert most == 1

"""Many jobs at once, within bounds: what comes together, what waits, and what a failure costs."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import count

import pytest

from monitor.pipeline.streams import batched

LONG_S = 60.0  # nobody waits for it


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def test_every_job_is_done_once_and_streamed_as_it_comes() -> None:
    results = [one async for each in batched(range(50), double, 7) for one in each]
    assert sorted(results) == [n * 2 for n in range(50)]
    assert [each async for each in batched((), double, 7)] == []


async def test_results_wait_for_company_but_not_for_more_than_fits_or_comes() -> None:
    """With an endless patience, a list still ends when it is full and when there are no more jobs."""
    lists = [sorted(one) async for one in batched(range(5), double, 3, linger_s=LONG_S)]
    assert [len(one) for one in lists] == [3, 2]
    assert sorted(one for each in lists for one in each) == [0, 2, 4, 6, 8]


async def test_a_slow_reader_slows_the_work_down() -> None:
    started = count()
    begun = 0

    async def job(_: int) -> None:
        nonlocal begun
        begun = next(started) + 1

    async with contextlib.aclosing(batched(range(1_000), job, 4, linger_s=LONG_S)) as batches:
        async for batch in batches:
            assert len(batch) == 4
            for _ in range(20):
                await asyncio.sleep(0)
            assert begun <= 8  # those in the list, and as many again
            break


async def test_leaving_cancels_what_is_under_way() -> None:
    ended: list[int] = []

    async def job(number: int) -> int:
        try:
            await asyncio.sleep(0 if number == 0 else LONG_S)
        finally:
            ended.append(number)
        return number

    async with contextlib.aclosing(batched(range(3), job, 3)) as batches:
        async for batch in batches:
            assert batch == [0]
            break
    assert sorted(ended) == [0, 1, 2]


async def test_a_timeout_inside_a_job_is_not_taken_for_the_end_of_patience() -> None:
    async def job(number: int) -> int:
        if number == 1:
            raise TimeoutError
        return number

    with pytest.raises(TimeoutError):
        async for _ in batched(range(3), job, 3, linger_s=LONG_S):
            pass

"""Bounded concurrency over a stream of jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def streamed(
    jobs: Iterable[T], work: Callable[[T], Awaitable[R]], concurrency: int
) -> AsyncIterator[R]:
    """Runs `work` over `jobs`, at most `concurrency` at a time, and yields results as they come.

    The next job is taken only when there is room for it. Leaving the loop cancels what is under way.
    """
    running: set[asyncio.Task[R]] = set()
    waiting = iter(jobs)
    exhausted = False
    try:
        while True:
            while not exhausted and len(running) < concurrency:
                try:
                    job = next(waiting)
                except StopIteration:
                    exhausted = True
                else:
                    running.add(asyncio.ensure_future(_call(work, job)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _call(work: Callable[[T], Awaitable[R]], job: T) -> R:
    return await work(job)

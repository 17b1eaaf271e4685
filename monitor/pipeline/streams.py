"""Bounded concurrency over a stream of jobs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


LINGER_S = 0.1  # what comes together is stored together: a transaction is a wait for the disk


async def batched(
    jobs: Iterable[T], work: Callable[[T], Awaitable[R]], concurrency: int, *, linger_s: float = 0.0
) -> AsyncGenerator[list[R], None]:
    """Runs `work` over `jobs`, at most `concurrency` at a time, and yields results in lists as they come.

    What comes within `linger_s` of a first result is in one list with it. A list holds at most `concurrency`
    results, and no more than that wait while the reader is busy: the next job is taken only when there is
    room for it. Closing the generator cancels what is under way.
    """
    running: set[asyncio.Task[R]] = set()  # a task that is done keeps its place until it is taken
    done: asyncio.Queue[asyncio.Task[R]] = asyncio.Queue()
    waiting = iter(jobs)

    def fill() -> bool:
        """Starts jobs for the free places; says whether anything runs."""
        for job in islice(waiting, concurrency - len(running)):
            task = asyncio.ensure_future(_call(work, job))
            task.add_done_callback(done.put_nowait)
            running.add(task)
        return bool(running)

    async def take() -> asyncio.Task[R]:
        task = await done.get()
        running.discard(task)
        return task

    try:
        while fill():
            batch = [await take()]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(linger_s):
                    while len(batch) < concurrency and fill():
                        batch.append(await take())
            yield [task.result() for task in batch]
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _call(work: Callable[[T], Awaitable[R]], job: T) -> R:
    return await work(job)

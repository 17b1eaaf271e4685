"""Where shards are worked on: processes of this machine, or a Dask cluster.

Dask's doorway. Both take a function and its tasks and give back (task, result or error) as they come;
a worker that dies costs the shard it had, which is tried again.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

from monitor.errors import InputError, MonitorError, WorkerError

T = TypeVar("T")
R = TypeVar("R")
TRIES = 3
LOOK_S = 20.0  # how often the cluster is asked whether it is still there
RESULT_S = 120.0  # for a finished shard's result to come; its worker may have died with it
ALONE_S = 600.0  # a cluster without any worker for so long is given up


class Pool(Protocol):
    """Processes that can be killed; `monitor.workers` has one."""

    async def run(self, fn: Callable[..., R], /, *args: Any) -> R: ...

    async def close(self) -> None: ...


def local(
    function: Callable[[T], R], tasks: Sequence[T], pool: Pool, at_once: int
) -> Generator[tuple[T, R | BaseException], None, None]:
    """Runs on this machine, `at_once` tasks at a time. The pool is closed at the end, whatever it does."""
    waiting = iter(tasks)
    running: dict[asyncio.Task[R], T] = {}
    with asyncio.Runner() as loop:
        try:
            while True:
                for task in islice(waiting, at_once - len(running)):
                    running[loop.get_loop().create_task(_patiently(pool, function, task))] = task
                if not running:
                    return
                for done in loop.run(_first(running)):
                    task, error = running.pop(done), done.exception()
                    yield task, error if error is not None else done.result()
        finally:
            for each in running:
                each.cancel()
            loop.run(pool.close())


async def _patiently(pool: Pool, function: Callable[[T], R], task: T) -> R:
    """A process that dies costs one try."""
    for _ in range(TRIES - 1):
        try:
            return await pool.run(function, task)
        except WorkerError:
            continue
    return await pool.run(function, task)


async def _first(running: Iterable[asyncio.Task[R]]) -> set[asyncio.Task[R]]:
    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    return done


def dask(
    function: Callable[[T], R], tasks: Sequence[T], address: str, *, patience_s: float = 10.0
) -> Generator[tuple[T, R | BaseException], None, None]:
    """Runs on a Dask cluster (`tcp://host:8786`, or `tls://…` with Dask's own TLS settings).

    `patience_s` is how long its scheduler may take to answer at first.

    Raises InputError when there is no scheduler at that address, MonitorError when it goes away or has no
    workers: what was finished is kept, and the same command goes on from there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("Dask needs the extra: pip install 'japan-tech-monitor[backfill]'") from error
    try:
        client: Any = Client(address, timeout=patience_s, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError, TypeError) as error:  # the last: tls:// without certificates
        raise InputError(f"no Dask scheduler at {address}: {error}") from error
    gone = MonitorError(f"the Dask scheduler at {address} went away; run the same command to go on")
    with client, client.as_current():
        try:
            yield from _as_they_come(client, function, tasks)
        except (OSError, TimeoutError, concurrent.futures.CancelledError, asyncio.CancelledError) as error:
            raise gone from error


def _as_they_come(client: Any, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, Any]]:
    """Each task with its result or error. Few are out at a time: a task carries all rules.

    Raises CancelledError when the scheduler has gone.
    """
    from distributed import wait

    waiting = iter(tasks)
    running: dict[Any, T] = {}
    alone = 0.0
    while True:
        threads = sum(client.nthreads().values())
        for task in islice(waiting, max(2, 2 * threads) - len(running)):
            running[client.submit(function, task, retries=TRIES - 1, pure=False)] = task
        if not running:
            return
        try:
            done = wait(list(running), timeout=LOOK_S, return_when="FIRST_COMPLETED").done  # type: ignore[no-untyped-call]
        except TimeoutError:
            done = set()
            alone = 0.0 if threads else alone + LOOK_S
            if alone >= ALONE_S:
                raise MonitorError(
                    "the Dask cluster has no workers; start some and run the same command"
                ) from None
        for future in done:
            if future.status == "error":
                yield running.pop(future), future.exception()
            elif future.status == "cancelled":
                raise concurrent.futures.CancelledError
            else:
                try:
                    result = future.result(RESULT_S)
                except TimeoutError:  # lost with its worker: it will be done again
                    continue
                yield running.pop(future), result

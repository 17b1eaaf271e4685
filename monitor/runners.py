"""Where shards are worked on: processes of this machine, or a Dask cluster.

Dask's doorway. Both take a function and its tasks and give back (task, result or error) as they come;
a worker that dies costs the shard it had, which is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from monitor.errors import InputError, MonitorError

T = TypeVar("T")
R = TypeVar("R")
TRIES = 3
SHARED_BREAKS = 2


def local(
    function: Callable[[T], R], tasks: Sequence[T], processes: int
) -> Iterator[tuple[T, R | BaseException]]:
    """Runs on this machine. A process that dies breaks its pool: a new one takes what was unfinished.

    Who was to blame is not known while several run; after SHARED_BREAKS each runs alone, and one that
    breaks its process TRIES times by itself is given up.
    """
    left = dict.fromkeys(range(len(tasks)), TRIES)
    breaks = 0
    while left:
        batch = list(left)[:1] if breaks >= SHARED_BREAKS else list(left)
        broken = False
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            futures = {pool.submit(function, tasks[index]): index for index in batch}
            for future in as_completed(futures):
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    broken = True
                    continue
                del left[futures[future]]
                yield tasks[futures[future]], error if error is not None else future.result()
        breaks += broken
        if broken and len(batch) == 1 and not _has_another_try(left, batch[0]):
            yield tasks[batch[0]], MonitorError("its process died again and again")


def _has_another_try(left: dict[int, int], index: int) -> bool:
    left[index] -= 1
    if not left[index]:
        del left[index]
    return index in left


def dask(
    function: Callable[[T], R], tasks: Sequence[T], address: str
) -> Iterator[tuple[T, R | BaseException]]:
    """Runs on a Dask cluster (`tcp://host:8786`, or `tls://…` with Dask's own TLS settings).

    Raises InputError when there is no scheduler at that address, MonitorError when it goes away: what was
    finished is kept, and the same command goes on from there.
    """
    try:
        from distributed import Client
        from distributed import as_completed as as_they_come
    except ImportError as error:
        raise InputError("Dask needs the extra: pip install 'japan-tech-monitor[backfill]'") from error
    try:
        client: Any = Client(address, timeout="10s", set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"no Dask scheduler at {address}: {error}") from error
    with client:
        futures: dict[Any, T] = {
            client.submit(function, task, retries=TRIES - 1, pure=False): task for task in tasks
        }
        try:
            for future in as_they_come(list(futures), loop=client.loop):  # type: ignore[no-untyped-call]
                if future.status == "cancelled" or client.status != "running":
                    raise MonitorError(
                        f"the Dask scheduler at {address} went away; run the same command to go on"
                    )
                failure = future.exception() if future.status == "error" else None
                yield futures[future], failure if failure is not None else future.result()
                future.release()
        except (OSError, TimeoutError) as error:
            raise MonitorError(
                f"the Dask scheduler at {address} went away; run the same command to go on"
            ) from error

"""Worker processes: a page may hang, crash or eat memory; it costs one worker and one item."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.errors import FetchError, WorkerError
from monitor.workers import Workers

_STATE = {"prepared": ""}


def echo(value: object) -> object:
    return value


def pid() -> int:
    return os.getpid()


def hang_in_c() -> None:
    ctypes.CDLL(None).sleep(600)


def segfault() -> None:
    ctypes.string_at(0)


def eat_memory() -> int:
    return len(bytearray(3 << 30))


def fail(message: str) -> None:
    raise FetchError(message, url="http://example.org/", kind="status", status=404)


def leave() -> None:
    sys.exit(3)


def unpicklable() -> object:
    return lambda: None


def prepare(word: str) -> None:
    _STATE["prepared"] = word


def prepared() -> str:
    return _STATE["prepared"]


def noisy() -> str:
    print("noise on stdout")
    return "quiet"


def is_alive(process: int) -> bool:
    """A zombie counts as dead: it only waits for its parent to look."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_dead(process: int, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while is_alive(process) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(process)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    async with Workers(processes=1, deadline_s=20) as pool:
        yield pool


async def test_work_is_done_in_another_process(workers: Workers) -> None:
    assert await workers.run(pid) != os.getpid()
    assert await workers.run(noisy) == "quiet"


async def test_a_large_body_goes_there_and_back(workers: Workers) -> None:
    body = os.urandom(1 << 20) * 20
    assert await workers.run(echo, body) == body


async def test_an_exception_comes_back_as_it_was(workers: Workers) -> None:
    with pytest.raises(FetchError, match="not there") as caught:
        await workers.run(fail, "not there")
    assert "In the worker process" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("work", "kind"),
    [(segfault, "crash"), (eat_memory, "crash"), (leave, "crash"), (unpicklable, "crash")],
)
async def test_a_crash_costs_one_item(workers: Workers, work: object, kind: str) -> None:
    with pytest.raises(WorkerError) as caught:
        await workers.run(work)  # type: ignore[arg-type]
    assert caught.value.kind == kind
    assert await workers.run(echo, "next") == "next"


async def test_arguments_that_cannot_travel_are_refused(workers: Workers) -> None:
    with pytest.raises(WorkerError, match="cannot be sent"):
        await workers.run(echo, lambda: None)


async def test_a_deadline_costs_one_item(workers: Workers) -> None:
    victim = await workers.run(pid)
    started = time.monotonic()
    with pytest.raises(WorkerError, match="no answer within") as caught:
        await workers.run(hang_in_c, deadline_s=0.3)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - started < 60  # it hangs for 600
    assert wait_dead(victim)
    assert await workers.run(echo, 1) == 1


async def test_waiting_for_a_free_worker_is_not_counted(workers: Workers) -> None:
    await workers.run(pid)
    slow = [workers.run(time.sleep, 1, deadline_s=3.5) for _ in range(4)]
    assert await asyncio.gather(*slow) == [None] * 4


async def test_a_killed_idle_worker_is_replaced(workers: Workers) -> None:
    victim = await workers.run(pid)
    os.kill(victim, signal.SIGKILL)
    assert wait_dead(victim)
    assert await workers.run(pid) != victim


async def test_a_cancelled_caller_leaves_no_process(workers: Workers) -> None:
    victim = await workers.run(pid)
    task = asyncio.create_task(workers.run(hang_in_c))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wait_dead(victim)
    assert await workers.run(echo, 1) == 1


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.1])
async def test_a_caller_cancelled_while_a_worker_starts_leaves_no_process(delay: float) -> None:
    before = children()
    async with Workers(processes=1) as pool:
        task = asyncio.create_task(pool.run(pid))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert children() <= before


def children() -> set[int]:
    return {int(p) for p in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}


async def test_ctrl_c_and_sigterm_do_not_reach_the_work(workers: Workers) -> None:
    process = await workers.run(pid)
    work = asyncio.create_task(workers.run(time.sleep, 0.5))
    await asyncio.sleep(0.1)
    os.kill(process, signal.SIGINT)
    os.kill(process, signal.SIGTERM)
    assert await work is None
    assert await workers.run(pid) == process


async def test_closing_leaves_nothing_behind() -> None:
    pool = Workers(processes=2)
    pids = await asyncio.gather(pool.run(pid), pool.run(pid))
    os.kill(pids[0], signal.SIGKILL)
    busy = asyncio.create_task(pool.run(hang_in_c))
    await asyncio.sleep(0.8)
    await pool.close()
    with pytest.raises(WorkerError):
        await busy
    assert not any(is_alive(process) for process in pids)
    with pytest.raises(WorkerError, match="closed"):
        await pool.run(pid)


async def test_the_initializer_runs_in_every_worker() -> None:
    async with Workers(processes=1, initializer=functools.partial(prepare, "rules")) as pool:
        assert await pool.run(prepared) == "rules"
        with pytest.raises(WorkerError):
            await pool.run(segfault)
        assert await pool.run(prepared) == "rules"
    assert _STATE["prepared"] == ""


async def test_a_failing_initializer_is_reported_each_time() -> None:
    async with Workers(processes=1, initializer=functools.partial(fail, "no rules")) as pool:
        for _ in range(2):
            with pytest.raises(FetchError, match="no rules"):
                await pool.run(pid)


PARENT = """
import asyncio, sys
sys.path[:0] = {path!r}
import test_workers
from monitor.workers import Workers

async def main():
    pool = Workers(processes=2)
    print(*await asyncio.gather(pool.run(test_workers.pid), pool.run(test_workers.pid)), flush=True)
    await pool.run(test_workers.hang_in_c, deadline_s=500)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_workers_die_with_their_parent_busy_or_idle() -> None:
    script = PARENT.format(path=[str(Path(__file__).parent)])
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(0.2)
        parent.kill()
    assert all(wait_dead(process) for process in pids)

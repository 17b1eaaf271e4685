"""Killable processes for work on bytes from outside: HTML and feeds can hang or crash a C library.

A pool of our own, because parsing must be stoppable from outside at any moment and must cost hardly
more than the parsing itself. Measured on two cores, a body of 180 kB, one call after the other, warm,
the median of 600 (wall ms a call, and the parent's CPU ms):

    this pool                          0.27   0.24   start or replace a worker 60 ms
    anyio.to_process, cancellable      0.32   0.38   90 ms; no initializer, no memory limit, and its
                                                     workers take the deadline from the caller's scope
    pebble.ProcessPool over spawn      0.42   0.23   120 ms; two threads and a resource tracker more

concurrent.futures with max_tasks_per_child hangs on CPython 3.11 (python/cpython#115634).

Each worker is a plain child process with one socket; a request is a length and a pickled
(function, arguments), an answer the same. The function must be importable by name in the child.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from monitor.errors import WorkerError
from monitor.memory import Keeper

T = TypeVar("T")
_HEADER = struct.Struct("!Q")
_BOOT = "import sys; sys.path[:] = {path!r}; from monitor.workers import serve; serve({fd}, {parent})"
_START_S = 60.0  # a new worker imports lxml and trafilatura: 0.3 s quiet, several when the machine is busy
_STOP_S = 5.0
_HELD = {signal.SIGINT, signal.SIGTERM}


class Workers:
    """A pool of `processes` workers, started when first needed and replaced when one is lost.

    `deadline_s` is the wall time one call may take, counted from when a worker takes it up.
    `memory_mb` bounds a worker's address space. `initializer` runs once in every new worker.
    One event loop only. Closing kills whatever still runs.
    """

    def __init__(
        self,
        *,
        processes: int = 2,
        deadline_s: float = 20.0,
        memory_mb: int = 1024,
        initializer: Callable[[], object] | None = None,
    ) -> None:
        self._deadline_s = deadline_s
        self._start = pickle.dumps((memory_mb, initializer), pickle.HIGHEST_PROTOCOL)
        self._free = asyncio.Semaphore(processes)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._dying: list[subprocess.Popen[bytes]] = []
        self._closed = False

    async def run(
        self, fn: Callable[..., T], /, *args: Any, deadline_s: float | None = None, **kwargs: Any
    ) -> T:
        """What `fn(*args, **kwargs)` returns or raises in a worker process.

        Raises WorkerError: kind "timeout" when it overran `deadline_s`, kind "crash" when the
        process died or ran out of memory, or when something cannot be pickled. Either way the
        worker is gone and the next call gets a fresh one.
        """
        request = _pickled((fn, args, kwargs))
        deadline = self._deadline_s if deadline_s is None else deadline_s
        async with self._free:
            worker = await self._take()
            try:
                answer = await _within(deadline, worker.call(request), what=_name(fn))
            except BaseException:  # cancellation too: a worker in mid-call is of no further use
                self._drop(worker)
                raise
            self._give_back(worker, usable=not answer.fatal)
        result: T = answer.unwrap(_name(fn))
        return result

    async def _take(self) -> _Worker:
        """An idle worker that still lives, or a new one."""
        self._reap()
        if self._closed:
            raise WorkerError("the workers are closed", kind="crash")
        while self._idle:
            worker = self._idle.pop()
            if worker.process.poll() is None:
                self._busy.add(worker)
                return worker
            self._drop(worker)
        worker = await _Worker.start()
        self._busy.add(worker)
        try:
            ready = await _within(_START_S, worker.call(self._start), what="starting a worker")
            ready.unwrap("starting a worker")
        except BaseException:
            self._drop(worker)
            raise
        return worker

    def _give_back(self, worker: _Worker, *, usable: bool) -> None:
        if usable and not self._closed:
            self._busy.discard(worker)
            self._idle.append(worker)
        else:
            self._drop(worker)

    def _drop(self, worker: _Worker) -> None:
        self._busy.discard(worker)
        worker.kill()
        self._dying.append(worker.process)

    def _reap(self) -> None:
        self._dying = [process for process in self._dying if process.poll() is None]

    async def close(self) -> None:
        """Kill every worker and wait until none is left."""
        self._closed = True
        for worker in [*self._idle, *self._busy]:
            self._drop(worker)
        self._idle.clear()
        give_up = time.monotonic() + _STOP_S
        while self._dying and time.monotonic() < give_up:
            self._reap()
            await asyncio.sleep(0.002)

    async def __aenter__(self) -> Workers:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


@dataclass(slots=True)
class _Answer:
    """What came of one call: `fatal` says the worker must not be used again."""

    value: Any = None
    error: BaseException | None = None
    problem: str = ""
    fatal: bool = False

    def unwrap(self, what: str) -> Any:
        if self.problem:
            raise WorkerError(f"{what}: {self.problem}", kind="crash")
        if self.error is not None:
            raise self.error
        return self.value


class _Worker:
    """The parent's end of one child process."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls) -> _Worker:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = _spawn(theirs.fileno())
        except OSError as error:
            ours.close()
            raise WorkerError(f"no worker process could be started: {error}", kind="crash") from error
        try:
            reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        except BaseException:
            ours.close()
            process.kill()
            process.wait()
            raise
        return cls(process, reader, writer)

    async def call(self, request: bytes) -> _Answer:
        try:
            self._writer.write(_HEADER.pack(len(request)))
            self._writer.write(request)
            await self._writer.drain()
            size = _HEADER.unpack(await self._reader.readexactly(_HEADER.size))[0]
            answer = await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError):
            raise WorkerError(f"worker process died ({self._end()})", kind="crash") from None
        return _unpickled(answer)

    def _end(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=0.2)
        code = self.process.returncode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def kill(self) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


def _spawn(fd: int) -> subprocess.Popen[bytes]:
    # Blocked here, so blocked in the child from its first instruction: Ctrl-C reaches the whole
    # group, and the parent decides what becomes of the work in hand.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _BOOT.format(path=sys.path, fd=fd, parent=os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[fd],
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def _within(seconds: float, work: Awaitable[T], *, what: str) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise WorkerError(f"{what}: no answer within {seconds:g} s", kind="timeout") from None


def _name(fn: Callable[..., object]) -> str:
    return getattr(fn, "__qualname__", type(fn).__name__)


def _pickled(request: object) -> bytes:
    try:
        return pickle.dumps(request, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # pickle raises nearly anything
        raise WorkerError(f"cannot be sent to a worker: {error}", kind="crash") from error


def _unpickled(answer: bytes) -> _Answer:
    try:
        return _Answer(*pickle.loads(answer))
    except Exception as error:
        return _Answer(problem=f"unreadable answer: {error!r}", fatal=True)


# --- in the child ----------------------------------------------------------------------------


def serve(fd: int, parent: int) -> None:
    """A worker's whole life: answer requests on `fd` until the parent hangs up or dies."""
    for number in _HELD:
        signal.signal(number, signal.SIG_IGN)
    _die_with(parent)
    logging.getLogger().addHandler(logging.NullHandler())
    with socket.socket(fileno=fd) as channel, channel.makefile("rb", buffering=1 << 16) as requests:
        gc.disable()
        _answer(channel, requests.read, _prepare)
        gc.freeze()  # what was prepared stays for good, and is a hundred times what a page needs
        gc.enable()
        kept = Keeper()
        while _answer(channel, requests.read, _call):
            kept.look()
    os._exit(0)  # no waiting for threads that the work may have left behind


def _answer(channel: socket.socket, read: Callable[[int], bytes], do: Callable[[Any], Any]) -> bool:
    """One request; False when there will be no more."""
    header = read(_HEADER.size)
    if len(header) < _HEADER.size:
        return False
    answer = _outcome(read(_HEADER.unpack(header)[0]), do)
    try:
        channel.sendall(_HEADER.pack(len(answer)) + answer)
    except OSError:
        return False
    return True


def _outcome(request: bytes, do: Callable[[Any], Any]) -> bytes:
    try:
        value = do(pickle.loads(request))
    except MemoryError:
        return pickle.dumps((None, None, "out of memory", True))
    except Exception as error:
        return _failure(error)
    except BaseException as error:  # sys.exit() in the work must not become the parent's own
        return pickle.dumps((None, None, f"stopped by {error!r}"))
    try:
        return pickle.dumps((value,), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((None, None, f"the result cannot be pickled: {error}"))


def _failure(error: BaseException) -> bytes:
    """An exception with the child's traceback as a note; a description when it cannot travel."""
    import traceback

    error.add_note("".join(["In the worker process:\n", *traceback.format_exception(error)]))
    try:
        packed = pickle.dumps((None, error), pickle.HIGHEST_PROTOCOL)
        pickle.loads(packed)
    except Exception:
        return pickle.dumps((None, None, f"{type(error).__name__}: {error}"))
    return packed


def _prepare(start: tuple[int, Callable[[], object] | None]) -> None:
    memory_mb, initializer = start
    _limit(memory_mb)
    if initializer is not None:
        initializer()


def _call(request: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> Any:
    fn, args, kwargs = request
    return fn(*args, **kwargs)


def _limit(memory_mb: int) -> None:
    """Bound the address space, and leave no core dump of a hostile page behind."""
    import resource

    for limit, wanted in ((resource.RLIMIT_AS, memory_mb << 20), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(limit)[1]
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS
            resource.setrlimit(limit, (wanted, wanted))


def _die_with(parent: int) -> None:
    """End with the parent even in mid-call, when nobody reads the closed socket."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)

"""What makes a worker a service: one at a time, stopped by signals, watched from outside.

Nothing here knows what the work is; `app.py` brings it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from systemd_watchdog.systemd_watchdog import WatchDog

from monitor.errors import MonitorError, StoreError
from monitor.webserver import Reply, WebServer

_log = logging.getLogger(__name__)


class Lock:
    """Only one worker per database. The kernel drops the lock with the process, however it ends."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._file: int | None = None

    def __enter__(self) -> Lock:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"cannot write beside the database: {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            self._file = None
            raise MonitorError(
                f"another worker (process {holder}) already runs on this database; "
                "stop it first, or give this one its own with --db FILE"
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The file stays: removing it would let a third worker lock a new one while a second holds the old.
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Signals:
    """SIGTERM and SIGINT ask to stop, a second one ends at once; SIGHUP asks to reload the configuration."""

    def __init__(self, *, on_reload: Callable[[], None] | None = None) -> None:
        self.stop = asyncio.Event()
        self._on_reload = on_reload

    def install(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        if self._on_reload:
            loop.add_signal_handler(signal.SIGHUP, self._on_reload)

    def remove(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)

    def _stop(self, number: int) -> None:
        if self.stop.is_set():
            os._exit(128 + number)
        _log.info("stopping: finishing what is under way (once more to end at once)")
        self.stop.set()


class Systemd:
    """READY, STATUS and WATCHDOG messages (sd_notify(3)); silent where systemd did not start us."""

    def __init__(self) -> None:
        self._link = WatchDog() if os.environ.get("NOTIFY_SOCKET") else None

    def ready(self) -> None:
        if self._link:
            self._link.ready()

    def status(self, text: str) -> None:
        if self._link:
            self._link.status(text)

    def alive(self) -> None:
        """Called when work made progress, so that a stuck loop is restarted."""
        if self._link:
            # Not ping(): it reckons by the wall clock, and a clock that went back would silence it.
            self._link.notify()


def resolver_hint() -> str:
    """What else may keep names from being looked up: a unit (systemd.exec(5)) may have a wall of its own."""
    if "INVOCATION_ID" not in os.environ:
        return ""
    return "; a private resolver must stand in IPAddressAllow= of the unit"


def health_endpoint(
    host: str, port: int, *, health: Callable[[], tuple[bool, str]], metrics: Callable[[], bytes]
) -> WebServer:
    """`/healthz` and `/metrics` over HTTP, off unless a port is configured; localhost by default."""

    def answer(path: str) -> Reply:
        if path == "/healthz":
            well, text = health()
            return Reply(200 if well else 503, "text/plain; charset=utf-8", (text + "\n").encode())
        if path == "/metrics":
            return Reply(200, "text/plain; version=0.0.4; charset=utf-8", metrics())
        return Reply(404, "text/plain", b"/healthz or /metrics\n")

    return WebServer(answer, host, port)

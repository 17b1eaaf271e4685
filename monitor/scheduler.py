"""When things happen: APScheduler with its knobs set in the open.

Truth lives in the database (`next_poll_at`, `retry_at`, the digests' watermarks); the jobs here only
look often enough. So a missed or doubled run costs nothing, and one tick job beats one job per source.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitor.errors import MonitorError

Job = Callable[[], Awaitable[None]]
OnError = Callable[[str, BaseException], None]

_log = logging.getLogger(__name__)


class Scheduler:
    """Runs named jobs; none runs twice at a time, none is dropped for being late."""

    def __init__(self, *, on_error: OnError) -> None:
        self._on_error = on_error
        self._running: dict[asyncio.Task[None], str] = {}
        self._stopping = False
        self.counts: Counter[str] = Counter()  # error:<job>, missed:<job>, busy:<job>
        self.failing: dict[str, str] = {}  # job → why its last run failed, until it works again
        self._failures: dict[str, tuple[float, float]] = {}  # job → its first and last failure in a row
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={
                # The default of one second drops a run whenever the loop was busy for longer.
                "misfire_grace_time": None,
                # Ten late runs of a tick are one run.
                "coalesce": True,
                # A step never runs beside itself: what it reads from the database is its to finish.
                "max_instances": 1,
            },
        )
        # It warns of every tick during which the step before still runs, which is how it is meant; the
        # counts below say it too.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        self._scheduler.add_listener(self._note, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def every(self, name: str, seconds: float, job: Job, *, first_at: datetime | None = None) -> None:
        """Runs `job` every so many seconds, for the first time at `first_at` (now, when that is past)."""
        trigger = IntervalTrigger(seconds=max(1, round(seconds)), start_date=first_at, timezone=UTC)
        options = {"next_run_time": first_at} if first_at else {}
        self._scheduler.add_job(self._guarded(name, job), trigger, id=name, name=name, **options)

    def daily(self, name: str, hour: int, minute: int, job: Job) -> None:
        """Runs `job` once a day, UTC."""
        trigger = CronTrigger(hour=hour, minute=minute, timezone=UTC)
        self._scheduler.add_job(self._guarded(name, job), trigger, id=name, name=name)

    def change(self, name: str, seconds: float) -> None:
        """Runs the job of that name every so many seconds from now on."""
        trigger = IntervalTrigger(seconds=max(1, round(seconds)), timezone=UTC)
        self._scheduler.reschedule_job(name, trigger=trigger)

    def run_all_now(self) -> None:
        """Every job is due. After the clock went back each would else wait for the hour it had before."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Starts inside the running loop."""
        self._scheduler.start()

    async def stop(self, grace_s: float, *, at_once: Collection[str] = ()) -> bool:
        """Starts nothing more and waits for what runs; what is left after `grace_s` seconds is cancelled.

        Jobs named in `at_once` are cancelled without waiting: what they do can be done again.

        AsyncIOScheduler.shutdown(wait=True) cancels running coroutines instead of waiting for them
        (apscheduler issues 233 and 675), so the jobs' own tasks are awaited here first.
        Returns whether everything finished by itself.
        """
        self._stopping = True
        self._scheduler.pause()
        for task, name in self._running.items():
            if name in at_once:
                task.cancel()
        left: set[asyncio.Task[None]] = set()
        if self._running:
            _, left = await asyncio.wait(self._running, timeout=grace_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._scheduler.shutdown(wait=False)
        return not left

    def failing_for(self, seconds: float) -> dict[str, str]:
        """Jobs that have failed again after so long → why. One failure of a rare job says little."""
        lasting = {name for name, (first, last) in self._failures.items() if last - first >= seconds}
        return {name: why for name, why in self.failing.items() if name in lasting}

    def _guarded(self, name: str, job: Job) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running[task] = name
            try:
                await job()
                self._failures.pop(name, None)
                if self.failing.pop(name, None):
                    _log.info("job %s works again", name)
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            except Exception as error:  # the one place: a job that fails must not end the service
                self.counts[f"error:{name}"] += 1
                self._tell(name, error)
                self._on_error(name, error)
            finally:
                self._running.pop(task, None)

        return run

    def _tell(self, name: str, error: Exception) -> None:
        """A bug with its traceback, an expected failure as a line, the same one again not at all."""
        shared = str(error) in self.failing.values()  # one full disk stops every job
        now = time.monotonic()
        self._failures[name] = (self._failures.get(name, (now, now))[0], now)
        before, self.failing[name] = self.failing.get(name), str(error) or type(error).__name__
        if before == self.failing[name]:
            return
        if shared and isinstance(error, MonitorError):
            _log.warning("job %s fails too, for the same reason", name)
        else:
            _log.error("job %s failed: %s", name, error, exc_info=not isinstance(error, MonitorError))

    def _note(self, event: JobEvent) -> None:
        what = "missed" if event.code == EVENT_JOB_MISSED else "busy"
        self.counts[f"{what}:{event.job_id}"] += 1
        _log.debug("job %s %s", event.job_id, what)

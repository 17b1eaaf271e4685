"""The worker: the steps on a schedule, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from monitor.app import App, OnItem, OnPolled
from monitor.report import RunReport
from monitor.scheduler import Scheduler
from monitor.service import Lock, Signals, Systemd

GRACE_S = 25.0  # to finish what is under way after SIGTERM; the promise is 30 s
HEARTBEAT_S = 20.0

_log = logging.getLogger(__name__)

OnReport = Callable[[RunReport], None]


async def serve(
    app: App,
    *,
    on_report: OnReport | None = None,
    on_polled: OnPolled | None = None,
    on_item: OnItem | None = None,
    reload: Callable[[], None] | None = None,
) -> None:
    """Runs until SIGTERM or Ctrl-C. Raises MonitorError when another worker has the database."""
    with Lock(app.store.path):
        signals = Signals(on_reload=reload)
        signals.install()
        try:
            await _Worker(app, signals, on_report, on_polled, on_item).run()
        finally:
            signals.remove()


class _Worker:
    def __init__(
        self,
        app: App,
        signals: Signals,
        on_report: OnReport | None,
        on_polled: OnPolled | None,
        on_item: OnItem | None,
    ) -> None:
        self.app = app
        self.signals = signals
        self.on_report = on_report
        self.on_polled = on_polled
        self.on_item = on_item
        self.systemd = Systemd()
        self.scheduler = Scheduler(on_error=self._failed)
        self.fatal: BaseException | None = None

    async def run(self) -> None:
        settings = self.app.config.monitor
        now = self.app.now()
        self.scheduler.every("read", settings.poll.every_s, self._read, first_at=now)
        self.scheduler.every(
            "send", settings.delivery.every_s, self._send, first_at=now + timedelta(seconds=2)
        )
        self.scheduler.every("heartbeat", HEARTBEAT_S, self._beat, first_at=now)
        self.scheduler.daily("housekeeping", 3, 40, self._keep_house)
        self.scheduler.start()
        self.systemd.ready()
        try:
            await self.signals.stop.wait()
        finally:
            self.app.stop.set()
            self.systemd.status("stopping")
            if not await self.scheduler.stop(GRACE_S):
                _log.warning(
                    "cut off after %s s; what was under way is done again at the next start", GRACE_S
                )
        if self.fatal:
            raise self.fatal

    async def _read(self) -> None:
        """Poll and process: long, and never in the way of sending."""
        app = self.app
        report = RunReport(app.now())
        report.polled = await app.poll(on_polled=self.on_polled)
        report.processed = await app.process(on_item=self.on_item)
        if not app.looked_once:
            report.composed = app.first_look(report.polled)
            report.flushed = await app.flush()
        report.pending = app.store.pending_count(app.now())
        report.ended_at = app.now()
        if report.polled.polled or report.processed.items:
            app.store.record_run("cycle", report.started_at, report.ended_at, report.ok, report.as_dict())
            if self.on_report:
                self.on_report(report)

    async def _send(self) -> None:
        """Compose and flush; not before the first look, so that nobody is flooded at the first start."""
        if not self.app.looked_once:
            return
        report = RunReport(self.app.now())
        report.composed = self.app.compose()
        report.flushed = await self.app.flush()
        if (report.composed.composed or report.flushed.sent or report.flushed.dead) and self.on_report:
            report.ended_at = self.app.now()
            self.on_report(report)

    async def _beat(self) -> None:
        self.app.store.heartbeat(self.app.now())
        self.systemd.alive()

    async def _keep_house(self) -> None:
        await asyncio.sleep(0)

    def _failed(self, job: str, error: BaseException) -> None:
        _log.error("job %s: %s", job, error)

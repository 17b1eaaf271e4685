"""The worker: the steps on a schedule, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from monitor import __version__, deliver, housekeeping, operator
from monitor.app import App, OnItem, OnPolled
from monitor.errors import MonitorError, StoreError
from monitor.lookout import Lookout
from monitor.metrics import Metrics, Snapshot, SourceSample
from monitor.reload import ConfigFiles, Load, differences
from monitor.report import RunReport
from monitor.scheduler import Scheduler
from monitor.service import Endpoint, Lock, Signals, Systemd

GRACE_S = 25.0  # to finish what is under way after SIGTERM; the promise is 30 s
HEARTBEAT_S = 20.0
LOOK_S = 60.0
FILES_S = 2.0
HOUSE_S = 1800.0
STALE_S = 120.0  # without a heartbeat so long, /healthz says no

_log = logging.getLogger(__name__)

OnReport = Callable[[RunReport], None]


async def serve(
    app: App,
    *,
    on_report: OnReport | None = None,
    on_polled: OnPolled | None = None,
    on_item: OnItem | None = None,
    load: Load | None = None,
) -> None:
    """Runs until SIGTERM or Ctrl-C. `load` reads the configuration again, on SIGHUP and when a file changes.

    Raises MonitorError when another worker has the database, or the metrics' port is taken.
    """
    with Lock(app.store.path):
        worker = _Worker(app, on_report, on_polled, on_item, load)
        worker.signals.install()
        try:
            with worker.endpoint():
                await worker.run()
        finally:
            worker.signals.remove()


class _Worker:
    def __init__(
        self,
        app: App,
        on_report: OnReport | None,
        on_polled: OnPolled | None,
        on_item: OnItem | None,
        load: Load | None,
    ) -> None:
        self.app = app
        self.signals = Signals(on_reload=self._reload_soon if load else None)
        self.on_report = on_report
        self.on_polled = on_polled
        self.on_item = on_item
        self.load = load
        self.files = ConfigFiles(app.config.dir)
        self.systemd = Systemd()
        self.scheduler = Scheduler(on_error=lambda job, error: None)
        self.lookout = Lookout(app.store, app.now())
        self.metrics = Metrics()
        self.offline = False
        self.refused = ""  # what is wrong with the configuration on disk
        self.damage: tuple[str, ...] = ()
        self.cycle_at: datetime | None = None
        self.beat_at: datetime | None = None
        self.beaten = time.monotonic()
        self._asked = False

    async def run(self) -> None:
        settings = self.app.config.monitor
        now = self.app.now()
        after = {seconds: now + timedelta(seconds=seconds) for seconds in (2, 5, 60)}
        every = self.scheduler.every
        every("read", settings.poll.every_s, self._read, first_at=now)
        every("send", settings.delivery.every_s, self._send, first_at=after[2])
        every("heartbeat", HEARTBEAT_S, self._beat, first_at=now)
        every("look", LOOK_S, self._look, first_at=after[5])
        every("housekeeping", HOUSE_S, self._keep_house, first_at=after[60])
        if self.load:
            every("files", FILES_S, self._watch_files, first_at=after[5])
        self.scheduler.start()
        self.systemd.ready()
        try:
            await self.signals.stop.wait()
        finally:
            self.app.stop.set()
            self.systemd.status("stopping")
            # Reading is begun again at the next start; a message on its way must arrive and be marked.
            if not await self.scheduler.stop(GRACE_S, at_once=("read", "housekeeping")):
                _log.warning(
                    "cut off after %s s; what was under way is done again at the next start", GRACE_S
                )

    # --- the work ---

    async def _read(self) -> None:
        """Poll and process: long, and never in the way of sending."""
        app = self.app
        report = RunReport(app.now(), was_offline=self.offline)
        report.polled = await app.poll(on_polled=self.on_polled)
        if report.polled.polled:
            self._note_network(report.offline)
            app.ask_soon(report)
        report.processed = await app.process(on_item=self.on_item)
        if not app.looked_once:
            report.composed = app.first_look(report.polled)
            report.flushed = await app.flush()
        report.pending = app.store.pending_count(app.now())
        report.ended_at = self.cycle_at = app.now()
        if report.polled.polled or report.processed.items:
            app.store.record_run("cycle", report.started_at, report.ended_at, report.ok, report.as_dict())
            if self.on_report:
                self.on_report(report)

    def _note_network(self, offline: bool) -> None:
        if self.offline and not offline:
            _log.info("the network is back")
        self.offline = offline

    async def _send(self) -> None:
        """Compose and flush; not before the first look, so that nobody is flooded at the first start."""
        if not self.app.looked_once:
            return
        report = RunReport(self.app.now())
        report.composed = self.app.compose()
        report.flushed = await self.app.flush()
        if (
            report.composed.composed or report.composed.failed or report.flushed.failures
        ) or report.flushed.sent:
            report.ended_at = self.app.now()
            if self.on_report:
                self.on_report(report)

    # --- how it is ---

    async def _beat(self) -> None:
        self.systemd.alive()  # the loop turns; a full disk is nothing a restart mends
        self.app.store.heartbeat(self.app.now())
        self.beat_at, self.beaten = self.app.now(), time.monotonic()

    def health(self) -> tuple[bool, str]:
        """Whether the worker beats, for /healthz; asked from another thread."""
        silent_s = time.monotonic() - self.beaten
        return (True, "well") if silent_s < STALE_S else (False, f"no heartbeat for {silent_s:.0f} s")

    async def _look(self) -> None:
        """Tells the operator what has changed, and measures."""
        app, jobs = self.app, dict.fromkeys(("read", "send", "heartbeat", "housekeeping"), "")
        jobs |= {name: problem for name, problem in self.scheduler.failing.items() if name != "look"}
        found = self.lookout.findings(
            app.now(),
            offline=self.offline,
            losses=app.tally.losses["crash"],
            missed=app.tally.prefilter["missed"],
            jobs=jobs,
            refused=self.refused,
            damage=self.damage,
        )
        config = app.config
        operator.tell(app.store, found, config.operator, app.now(), domains=deliver.domains(config.channels))
        status = app.store.status(app.now())
        self.systemd.status(_sentence(status, self.offline))
        if config.monitor.metrics.enabled:
            self.metrics.update(self._snapshot(status))

    def _snapshot(self, status: dict[str, object]) -> Snapshot:
        tally = self.app.tally
        return Snapshot(
            version=__version__,
            heartbeat_at=self.beat_at,
            cycle_at=self.cycle_at,
            offline=self.offline,
            status=status,
            sources=tuple(
                SourceSample(state.source.id, state.state, state.failures, state.last_ok_at)
                for state in self.app.store.source_states()
                if state.source.enabled
            ),
            disk_free_bytes=shutil.disk_usage(self.app.store.path.parent).free,
            polls=dict(tally.polls),
            items=dict(tally.items),
            deliveries=dict(tally.deliveries),
            losses=dict(tally.losses),
            prefilter=dict(tally.prefilter),
            jobs=dict(self.scheduler.counts),
        )

    def endpoint(self) -> contextlib.AbstractContextManager[object]:
        """`/healthz` and `/metrics`, when they are switched on. Raises MonitorError."""
        chosen = self.app.config.monitor.metrics
        if not chosen.enabled:
            return contextlib.nullcontext()
        try:
            made = Endpoint(chosen.host, chosen.port, health=self.health, metrics=self.metrics.text)
        except OSError as error:
            raise MonitorError(
                f"cannot serve metrics on {chosen.host}:{chosen.port}: {error.strerror}; "
                "choose another metrics.port in monitor.yaml"
            ) from error
        _log.info("metrics on http://%s:%s/metrics", chosen.host, made.port)
        return made

    async def _keep_house(self) -> None:
        app = self.app
        if not housekeeping.is_due(app.store, app.now()):
            return
        kept = await housekeeping.in_background(app.config, app.now())
        if kept.damage is not None:
            self.damage = tuple(kept.damage)
        copied = f"; the database is copied to {kept.copy}" if kept.copy else ""
        _log.info("housekeeping: %s old rows forgotten%s", kept.forgotten, copied)

    # --- the configuration ---

    async def _watch_files(self) -> None:
        if self.files.settled_change() or self._asked:
            self._asked = False
            await self._reload()

    def _reload_soon(self) -> None:
        """SIGHUP: the next look at the files reads them, changed or not."""
        self._asked = True

    async def _reload(self) -> None:
        """Reads the configuration again; a wrong one is refused and the old kept."""
        assert self.load
        self.files.note()
        try:
            fresh = await asyncio.to_thread(self.load)
            old = self.app.config
            self.app.reload(fresh)
        except StoreError:
            self._asked = True  # nothing is wrong with the configuration: it is tried again
            raise
        except MonitorError as error:
            self.refused = f"the changed configuration is refused, the old one stays in use: {error}"
            _log.error("%s", self.refused)
            return
        self.refused = ""
        for problem in differences(old, fresh):
            _log.warning("%s", problem)
        self.scheduler.change("read", fresh.monitor.poll.every_s)
        self.scheduler.change("send", fresh.monitor.delivery.every_s)
        _log.info("configuration reloaded: %s sources, %s digests", len(fresh.sources), len(fresh.digests))


def _sentence(status: dict[str, object], offline: bool) -> str:
    """For `systemctl status`."""
    sources = status["sources"]
    assert isinstance(sources, dict)
    if offline:
        return f"no network; {sources['total']} sources wait"
    return f"{sources.get('ok', 0)} of {sources['total']} sources well, {status['pending']} articles wait"

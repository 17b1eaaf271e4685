"""The worker: the steps on a schedule, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from monitor import __version__, deliver, housekeeping, operator
from monitor.app import App, OnItem, OnPolled
from monitor.errors import DeliveryError, MonitorError, StoreError
from monitor.lookout import Lookout
from monitor.metrics import Metrics, Snapshot, SourceSample
from monitor.operator import WELL, Finding
from monitor.reload import ConfigFiles, Load, differences
from monitor.report import RunReport
from monitor.scheduler import Scheduler
from monitor.service import Lock, Signals, Systemd, health_endpoint

GRACE_S = 25.0  # to finish what is under way after SIGTERM; the promise is 30 s
HEARTBEAT_S = 20.0
LOOK_S = 60.0
FILES_S = 2.0
HOUSE_S = 1800.0
CLOCK_S = 5.0
CLOCK_STEP_S = 2.0  # a step back of the clock that jobs may sleep through
HOUSE_RESTS_S = 86_400.0  # after a jump of the clock by a day or more: what is old by it may be new
ROOM_BYTES = 32 * 1024 * 1024  # with less on the disk nobody is asked for what could not be stored
BUSY_S = 5.0  # the longest the whole worker stands still for another program that writes
LONGEST_REST_S = 900.0  # between two tries to read, when what was read could not be stored
JOB_S = 180.0  # a job that fails for so long is told; the log tells it at once
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
        app.store.wait_for_lock(BUSY_S)
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
        self._failures = 0  # of reading, in a row
        self._read_after = self._house_after = 0.0  # monotonic
        self._cried = False

    async def run(self) -> None:
        settings = self.app.config.monitor
        self.app.ask_now_if_offline()
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
            await self._watch_clock()
        finally:
            self.app.stop.set()
            self.systemd.status("stopping")
            # Reading is begun again at the next start; a message on its way must arrive and be marked.
            if not await self.scheduler.stop(GRACE_S, at_once=("read", "housekeeping")):
                _log.warning(
                    "cut off after %s s; what was under way is done again at the next start", GRACE_S
                )

    async def _watch_clock(self) -> None:
        """Until it is told to stop: the scheduler goes by a clock that can be set, this does not."""
        wall, tick = self.app.now(), time.monotonic()
        while not self.signals.stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOCK_S):
                    await self.signals.stop.wait()
            before, then = wall, tick
            wall, tick = self.app.now(), time.monotonic()
            jump_s = (wall - before).total_seconds() - (tick - then)
            if jump_s < -CLOCK_STEP_S:
                self.scheduler.run_all_now()
            if abs(jump_s) >= HOUSE_RESTS_S:
                self._house_after = tick + HOUSE_RESTS_S

    # --- the work ---

    async def _read(self) -> None:
        """Reads, unless it could not be stored; what failed is not tried again and again at others' cost."""
        if time.monotonic() < self._read_after:
            if why := self.scheduler.failing.get("read"):
                raise MonitorError(why)  # resting is not working
            return
        await self._storable()
        rest_s = self.app.config.monitor.poll.every_s * 2.0**self._failures
        self._failures = min(self._failures + 1, 20)
        self._read_after = time.monotonic() + min(rest_s, LONGEST_REST_S)
        await self._cycle()
        self._failures, self._read_after = 0, 0.0

    async def _storable(self) -> None:
        """Returns when what comes next can be stored. Raises StoreError when it cannot."""
        await self.app.beat()
        _demand_room(self.app.store.path)

    async def _cycle(self) -> None:
        """Poll and process: long, and never in the way of sending."""
        app = self.app
        report = RunReport(app.now(), was_offline=self.offline)
        report.polled = await app.poll(on_polled=self.on_polled)
        if report.polled.polled:
            changed = self._note_network(report.offline)
            app.ask_soon(report)
            if changed:
                await self._look()  # the operator need not wait a minute to hear of it
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

    def _note_network(self, offline: bool) -> bool:
        """Whether the network came or went."""
        before, self.offline = self.offline, offline
        if before and not offline:
            _log.info("the network is back")
        return before != offline

    async def _send(self) -> None:
        """Compose and flush; not before the first look, so that nobody is flooded at the first start."""
        if not self.app.looked_once:
            return
        await self._storable()  # what cannot be marked as sent would be sent again
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
        try:
            await self.app.beat()
        except StoreError as error:
            await self._cry_out(str(error))
            raise
        self.beat_at, self.beaten = self.app.now(), time.monotonic()
        if self._cried:
            await self._tell_past_the_database(Finding("database", WELL, "the database can be written again"))
            self._cried = False

    async def _cry_out(self, problem: str) -> None:
        """Tells the operator, once, that the database cannot be written for minutes: the outbox is in it."""
        if not self._cried and time.monotonic() - self.beaten >= STALE_S:
            self._cried = True
            text = f"nothing can be stored, and so nothing is read or sent: {problem}"
            await self._tell_past_the_database(Finding("database", "unwritable", text))

    async def _tell_past_the_database(self, finding: Finding) -> None:
        config, now = self.app.config, self.app.now()
        event = f"operator|{finding.subject}={finding.state}|{now:%Y-%m-%dT%H:%M:%SZ}"
        domains = deliver.domains(config.channels)
        title = operator.subject([finding])
        for row in operator.messages(event, title, [finding], config.operator, now, domains):
            try:
                async with asyncio.timeout(BUSY_S * 6):
                    await self.app.channels[row.channel].send(row)
            except (KeyError, TimeoutError, DeliveryError, OSError) as error:
                _log.error("the operator could not be told through %s: %s", row.channel, error)

    def health(self) -> tuple[bool, str]:
        """Whether the worker beats, for /healthz; asked from another thread."""
        silent_s = time.monotonic() - self.beaten
        return (True, "well") if silent_s < STALE_S else (False, f"no heartbeat for {silent_s:.0f} s")

    async def _look(self) -> None:
        """Tells the operator what has changed, and measures."""
        await self.app.writable()
        app, jobs = self.app, dict.fromkeys(("read", "send", "heartbeat", "housekeeping"), "")
        jobs |= {name: why for name, why in self.scheduler.failing_for(JOB_S).items() if name != "look"}
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
            made = health_endpoint(chosen.host, chosen.port, health=self.health, metrics=self.metrics.text)
        except OSError as error:
            raise MonitorError(
                f"cannot serve metrics on {chosen.host}:{chosen.port}: {error.strerror}; "
                "choose another metrics.port in monitor.yaml"
            ) from error
        _log.info("metrics on http://%s:%s/metrics", chosen.host, made.port)
        return made

    async def _keep_house(self) -> None:
        app = self.app
        if time.monotonic() < self._house_after or not housekeeping.is_due(app.store, app.now()):
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


def _demand_room(database: Path) -> None:
    """Raises StoreError when the disk is as good as full."""
    free = shutil.disk_usage(database.parent).free
    if free < ROOM_BYTES:
        raise StoreError(
            f"the disk of {database} is full: {free / 1e6:.0f} MB left, {ROOM_BYTES / 1e6:.0f} are needed; "
            "free some space, and reading goes on by itself"
        )


def _sentence(status: dict[str, object], offline: bool) -> str:
    """For `systemctl status`."""
    sources = status["sources"]
    assert isinstance(sources, dict)
    if offline:
        return f"no network; sources waiting: {sources['total']}"
    return (
        f"sources well: {sources.get('ok', 0)} of {sources['total']}, articles waiting: {status['pending']}"
    )

"""The composition root: the one place that knows the clock, the ports and the configuration together.

Every command and the service go through `App`; each step can be called alone.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

from monitor import __version__, deliver, outbox, pipeline, reading, store
from monitor.errors import InputError, StoreError, WorkerError
from monitor.fetch import Fetcher
from monitor.model import DigestSpec, PendingItem, Polled, Processed, SourceState
from monitor.report import RunReport
from monitor.settings import Config
from monitor.workers import Workers

_log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
OnPolled = Callable[[Polled], None]
OnItem = Callable[[PendingItem, Processed], None]
T = TypeVar("T")

HOMEPAGE = "https://github.com/japan-tech-monitor/japan-tech-monitor"
LOCK_WAIT_S = 30.0  # for another program that writes
LOCK_LOOK_S = 0.1
CLOCK_SLACK = timedelta(seconds=5)  # clocks are always set back by a little
FIRST_LOOK = "first_look"  # state: the first cycle has ended and its digest is written


def utc_now() -> datetime:
    """The clock. Everything else takes `now`."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Gear:
    """Everything a step works with that depends on the configuration; swapped whole."""

    config: Config
    fetcher: Fetcher
    workers: CountedWorkers
    channels: Mapping[str, deliver.Channel]
    users: int = 0  # steps under way with it
    retired: bool = False

    async def close(self) -> None:
        await self.workers.close()
        await self.fetcher.close()


class CountedWorkers(Workers):
    """Worker processes that count how often one was lost."""

    losses: Counter[str]

    async def run(
        self, fn: Callable[..., T], /, *args: Any, deadline_s: float | None = None, **kwargs: Any
    ) -> T:
        try:
            return await super().run(fn, *args, deadline_s=deadline_s, **kwargs)
        except WorkerError as error:
            self.losses[error.kind] += 1
            raise


@dataclass(slots=True)
class Tally:
    """What has happened since the start, for the metrics. It outlives a reload."""

    polls: Counter[str] = field(default_factory=Counter)  # by status
    items: Counter[str] = field(default_factory=Counter)  # by outcome
    deliveries: Counter[str] = field(default_factory=Counter)  # sent, retried, dead
    losses: Counter[str] = field(default_factory=Counter)  # worker processes: crash, timeout
    prefilter: Counter[str] = field(default_factory=Counter)  # skipped, audited, missed


class App:
    """An opened monitor. Use as an async context manager.

    Raises StoreError when the database cannot be used.
    """

    def __init__(self, config: Config, *, now: Clock = utc_now) -> None:
        self.config = config
        self.now = now
        self.stop = asyncio.Event()  # set: each step ends after what it has in hand
        self.tally = Tally()
        self._exit = AsyncExitStack()
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> App:
        async with AsyncExitStack() as stack:
            self.store = stack.enter_context(store.open_store(self.config.database))
            self._gear = self._geared(self.config)
            stack.push_async_callback(self._close_gear)
            self._take_over(self.config)
            self._exit = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit.aclose()

    @property
    def channels(self) -> Mapping[str, deliver.Channel]:
        """The configured ways out, by name."""
        return self._gear.channels

    def _geared(self, config: Config) -> Gear:
        settings = config.monitor
        workers = CountedWorkers(
            processes=settings.workers.processes,
            deadline_s=settings.workers.deadline_s,
            memory_mb=settings.workers.memory_mb,
            # The rules as they were checked, not as the files are by now; compiled once, for all processes.
            initializer=functools.partial(
                reading.use,
                config.rules,
                # Where every text is kept, every page has to be read.
                prefilter=settings.prefilter.enabled and settings.keep_text != "all",
                audit_share=settings.prefilter.audit_share,
            ),
        )
        workers.losses = self.tally.losses
        fetcher = Fetcher(
            user_agent=user_agent(settings.homepage, settings.contact),
            now=self.now,
            total=max(settings.poll.concurrency, settings.limits.pages_at_once),
            connect_timeout_s=settings.poll.connect_timeout_s,
            blocked_hosts=settings.poll.blocked_hosts,
        )
        return Gear(config, fetcher, workers, deliver.channels(config.channels))

    def _take_over(self, config: Config) -> None:
        """Writes the configuration into the database, all of it or nothing."""
        with self.store.write():
            self.store.sync_sources(config.sources, self.now())
            for spec in config.digests:
                # A digest's first window starts when it is first configured, not when it first fires.
                self.store.digest_state(spec.name, self.now())

    def reload(self, config: Config) -> None:
        """Swaps the whole configuration. The database stays the one that is open.

        A step under way finishes with what it was started with, which is closed after it; the next
        step works with the new. Raises StoreError, and then nothing has changed.
        """
        fresh = self._geared(config)  # nothing is started before its first use
        self._take_over(config)
        old, self._gear, self.config = self._gear, fresh, config
        old.retired = True
        self._close_unused(old)

    @contextmanager
    def _in_use(self) -> Iterator[Gear]:
        gear = self._gear
        gear.users += 1
        try:
            yield gear
        finally:
            gear.users -= 1
            self._close_unused(gear)

    def _close_unused(self, gear: Gear) -> None:
        if gear.retired and not gear.users:
            task = asyncio.get_running_loop().create_task(gear.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close_gear(self) -> None:
        await self._gear.close()
        await asyncio.gather(*self._closing)

    async def writable(self) -> None:
        """Returns when the database would not keep a writer waiting; everything else goes on meanwhile.

        Raises StoreError when another program writes for longer than LOCK_WAIT_S, or nobody can write.
        """
        give_up_at = time.monotonic() + LOCK_WAIT_S
        while not self.store.can_write():
            if time.monotonic() >= give_up_at:
                raise StoreError(
                    f"database {self.store.path} is locked: another program has been writing for"
                    f" {LOCK_WAIT_S:g} s; close it, and the work goes on by itself"
                )
            await asyncio.sleep(LOCK_LOOK_S)

    async def beat(self) -> None:
        """Says that the worker lives and can write. Raises StoreError when it cannot."""
        await self.writable()
        self.heed_clock()
        self.store.heartbeat(self.now())

    def heed_clock(self) -> bool:
        """Whether the clock went back since the last heartbeat; then all that was planned is planned anew."""
        now, beaten_at = self.now(), self.store.heartbeat_at()
        if beaten_at is None or beaten_at - now < CLOCK_SLACK:
            return False
        changed = self.store.bring_back(now)
        _log.warning(
            "the clock went back from %s to %s: %s plans are made anew",
            f"{beaten_at:%Y-%m-%d %H:%M}",
            f"{now:%Y-%m-%d %H:%M}",
            changed,
        )
        self.store.heartbeat(now)
        return True

    # --- the steps -------------------------------------------------------------------------------

    async def poll(
        self,
        ids: Collection[str] = (),
        *,
        every: bool = False,
        dry_run: bool = False,
        on_polled: OnPolled | None = None,
    ) -> pipeline.PollReport:
        """Polls what is due, the named sources, or all. Raises InputError for an unknown id."""
        settings = self.config.monitor
        due = self.sources(ids, every=every)
        policy = pipeline.PollPolicy(
            concurrency=settings.poll.concurrency,
            timeout_s=settings.limits.timeout_s,
            max_body_bytes=settings.limits.feed_bytes,
            deadline_s=settings.workers.deadline_s,
            first_run=timedelta(days=settings.first_run_days),
        )
        with self._in_use() as gear:
            report = await pipeline.poll(
                self.store,
                gear.fetcher,
                gear.workers,
                due,
                now=self.now,
                jitter=random.random,
                policy=policy,
                on_polled=on_polled,
                stop=self.stop,
                ready=self.writable,
                dry_run=dry_run,
            )
        self.tally.polls.update(each.status for each in report.polled)
        return report

    def sources(self, ids: Collection[str] = (), *, every: bool = False) -> list[SourceState]:
        """The named sources, all that are enabled, or those that are due. Raises InputError."""
        if not ids and not every:
            return self.store.due_sources(self.now())
        states = [state for state in self.store.source_states() if state.source.enabled]
        if not ids:
            return states
        known = {state.source.id for state in states}
        unknown = sorted(set(ids) - known)
        if unknown:
            raise InputError(f"no such source: {', '.join(unknown)}; `monitor sources list` shows them all")
        return [state for state in states if state.source.id in set(ids)]

    def ask_now_if_offline(self) -> None:
        """At a start after a cycle without a network: whoever has mended it need not wait to see it."""
        if self.store.was_offline():
            self.store.ask_by([source.id for source in self.config.sources if source.enabled], self.now())

    def ask_soon(self, report: RunReport) -> None:
        """Without a network no source is at fault: none is left alone for longer than the shortest wait.

        Otherwise a weekend without a network would end with a day of waiting.
        """
        if report.unreached:
            wait = timedelta(minutes=self.config.monitor.poll.floor_minutes)
            self.store.ask_by(report.unreached, self.now() + wait)

    async def process(self, *, on_item: OnItem | None = None) -> pipeline.ProcessReport:
        """Works off the pending items that are due."""
        limits, workers = self.config.monitor.limits, self.config.monitor.workers
        policy = pipeline.ProcessPolicy(
            concurrency=limits.pages_at_once,
            batch=limits.batch,
            tries=limits.page_tries,
            give_up_after=timedelta(hours=limits.page_tries_hours),
            timeout_s=limits.timeout_s,
            max_body_bytes=limits.page_bytes,
            deadline_s=workers.deadline_s,
            keep_text=self.config.monitor.keep_text,
        )
        with self._in_use() as gear:
            report = await pipeline.process(
                self.store,
                gear.fetcher,
                gear.workers,
                now=self.now,
                policy=policy,
                on_item=on_item,
                stop=self.stop,
                ready=self.writable,
            )
        self.tally.items.update(report.outcomes)
        self.tally.prefilter.update(report.prefilter)
        return report

    def compose(self, only: str | None = None, *, force: bool = False) -> outbox.ComposeReport:
        """Writes due digests and alerts into the outbox; `force` composes now whatever the clock says."""
        specs = [self.digest(only)] if only else self.config.digests
        return outbox.compose(
            self.store,
            specs,
            self.now(),
            only=only,
            force=force,
            domains=deliver.domains(self.config.channels),
        )

    def digest(self, name: str) -> DigestSpec:
        """The digest of that name. Raises InputError."""
        for spec in self.config.digests:
            if spec.name == name:
                return spec
        names = ", ".join(spec.name for spec in self.config.digests) or "none is configured"
        raise InputError(f"no such digest: {name}; there is: {names}")

    async def flush(self) -> outbox.FlushReport:
        """Delivers what is due in the outbox."""
        delivery = self.config.monitor.delivery
        patience = outbox.Patience(
            tries=delivery.tries,
            backoff_s=delivery.backoff_s,
            backoff_cap_s=delivery.backoff_cap_s,
            lease_s=delivery.lease_s,
            send_s=min(120.0, delivery.lease_s / 2),
        )
        with self._in_use() as gear:
            report = await outbox.flush(
                self.store,
                gear.channels,
                self.now,
                patience=patience,
                stopping=self.stop.is_set,
                ready=self.writable,
            )
        self.tally.deliveries.update(sent=report.sent, retried=report.retried, dead=report.dead)
        return report

    # --- the cycle -------------------------------------------------------------------------------

    async def cycle(self, *, on_polled: OnPolled | None = None, on_item: OnItem | None = None) -> RunReport:
        """Polls what is due, processes, composes what is due, flushes. The report is kept in the database.

        The very first cycle ends with a first look at what was found, to files only.
        """
        self.heed_clock()
        report = RunReport(self.now())
        report.polled = await self.poll(on_polled=on_polled)
        self.ask_soon(report)
        report.processed = await self.process(on_item=on_item)
        report.composed = self.compose() if self.looked_once else self.first_look(report.polled)
        report.flushed = await self.flush()
        report.pending = self.store.pending_count(self.now())
        report.ended_at = self.now()
        self.store.record_run("cycle", report.started_at, report.ended_at, report.ok, report.as_dict())
        self.store.heartbeat(self.now())
        return report

    @property
    def looked_once(self) -> bool:
        """Whether the first cycle has ended. Before that, nothing goes to mail or Slack."""
        return self.store.get_state(FIRST_LOOK) is not None

    def first_look(self, polled: pipeline.PollReport) -> outbox.ComposeReport:
        """Ends the first cycle with a digest of what it found, to files only.

        So nobody has to wait for the morning to see one, and nobody's mailbox is flooded. A cycle that
        was stopped, or could read no source, was not the first one yet.
        """
        if self.stop.is_set() or not any(each.status == "ok" for each in polled.polled):
            return outbox.ComposeReport()
        report = outbox.compose(self.store, self.config.digests, self.now(), first_look=True)
        self.store.put_state(FIRST_LOOK, "written" if report.composed else "nothing found", self.now())
        return report


def user_agent(homepage: str, contact: str) -> str:
    """`japan-tech-monitor/<version> (+<homepage>; <contact>)`, RFC 9110 section 10.1.5."""
    details = "; ".join(part for part in (f"+{homepage or HOMEPAGE}", contact) if part)
    return f"japan-tech-monitor/{__version__} ({details})"

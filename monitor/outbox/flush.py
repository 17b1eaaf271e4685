"""Flush: what is due in the outbox is delivered, channels side by side.

A row is leased before it is sent and marked after its channel answered. Whoever stops in between
leaves a row `sending`, taken again when its lease has run out, under the same key.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from monitor.errors import DeliveryError, StoreError
from monitor.model import Delivery, OutboxRow
from monitor.readiness import Ready, at_once

log = logging.getLogger(__name__)

_BATCH = 100
_UNKNOWN_CHANNEL = "no channel of this name is configured"


class FlushStore(Protocol):
    """The outbox as flushing sees it. Every method raises StoreError when it cannot be used."""

    def claim_due(self, now: datetime, lease_s: float, limit: int) -> Sequence[OutboxRow]:
        """Due rows, oldest first, leased to the caller; `attempts` counts this try."""

    def release(self, row_id: int, reason: str, due_at: datetime) -> None:
        """Give a leased row back untried: this was no try."""

    def mark_sent(self, row_id: int, response: str, now: datetime) -> None: ...

    def mark_retry(self, row_id: int, error: str, retry_at: datetime, now: datetime) -> None: ...

    def mark_dead(self, row_id: int, error: str, now: datetime) -> None: ...


class Channel(Protocol):
    """A way out of the house."""

    async def send(self, row: OutboxRow) -> Delivery:
        """Deliver one message in bounded time. Raises DeliveryError, which says whether to try again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How stubbornly messages are sent."""

    tries: int = 12  # then the row is dead, and visible
    backoff_s: float = 60.0  # before the second try; then it doubles
    backoff_cap_s: float = 7_200.0
    lease_s: float = 300.0  # a send must not take longer: see `send_s`
    send_s: float = 120.0  # the most one send may take; less than the lease
    side_by_side: int = 4  # sends at once in one channel


@dataclass(slots=True)
class FlushReport:
    """What one flush came to. `failures` are (channel, error), the retried and the dead."""

    sent: int = 0
    retried: int = 0
    dead: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


async def flush(
    store: FlushStore,
    channels: Mapping[str, Channel],
    now: Callable[[], datetime],
    *,
    patience: Patience | None = None,
    stopping: Callable[[], bool] = lambda: False,
    ready: Ready = at_once,
    jitter: Callable[[], float] = random.random,
) -> FlushReport:
    """Deliver everything due. Returns when nothing is due any more, or soon after `stopping()`.

    Once it stops, sends in hand are finished and the other leased rows are given back at once.
    `ready` is awaited before each write, until the database would not keep the writer waiting.
    `jitter` gives numbers from 0 to 1. Raises StoreError.
    """
    work = _Flush(store, channels, now, patience or Patience(), stopping, ready, jitter)
    while not stopping():
        await ready()
        rows = store.claim_due(now(), work.patience.lease_s, _BATCH)
        if not rows:
            break
        await work.batch(rows)
    return work.report


def backoff(attempts: int, patience: Patience, jitter: float) -> timedelta:
    """The wait after the `attempts`-th failure: doubling, capped, and up to a fifth shorter.

    The jitter keeps messages that failed together from coming back together.
    """
    wait = min(patience.backoff_s * 2.0 ** min(attempts - 1, 30), patience.backoff_cap_s)
    return timedelta(seconds=wait * (1 - 0.2 * jitter))


class _Flush:
    """One flush: its ports, and what it has come to so far."""

    def __init__(
        self,
        store: FlushStore,
        channels: Mapping[str, Channel],
        now: Callable[[], datetime],
        patience: Patience,
        stopping: Callable[[], bool],
        ready: Ready,
        jitter: Callable[[], float],
    ) -> None:
        self.store, self.channels, self.now = store, channels, now
        self.patience, self.stopping, self.ready, self.jitter = patience, stopping, ready, jitter
        self.report = FlushReport()
        self._paused: dict[str, datetime] = {}  # channel → not before, as its server asked

    async def batch(self, rows: Sequence[OutboxRow]) -> None:
        """Send leased rows: channels side by side, a few at once in each, oldest first."""
        leased_at = self.now()
        queues: dict[str, list[OutboxRow]] = {}
        for row in rows:
            queues.setdefault(row.channel, []).append(row)
        try:
            async with asyncio.TaskGroup() as group:
                for name, queue in queues.items():
                    waiting = iter(queue)
                    # Chat services count messages per second and show them in the order of arrival.
                    lanes = self.patience.side_by_side if queue[0].kind == "email" else 1
                    for _ in range(min(lanes, len(queue))):
                        group.create_task(self._lane(name, waiting, leased_at))
        except ExceptionGroup as failed:
            stored, other = failed.split(StoreError)
            if stored is None or other is not None:
                raise
            raise stored.exceptions[0] from None  # one file, one trouble

    async def _lane(self, name: str, waiting: Iterator[OutboxRow], leased_at: datetime) -> None:
        for row in waiting:
            await self._one(name, row, leased_at)

    async def _one(self, name: str, row: OutboxRow, leased_at: datetime) -> None:
        now = self.now()
        held = self._paused.get(name)
        if self.stopping() or self._lease_ends_early(leased_at, now):
            self.store.release(row.id, "not tried yet: stopped before its turn", now)
        elif held is not None and held > now:
            self.store.release(row.id, "not tried yet: the receiver asked to wait", held)
        else:
            await self._send(name, row)

    def _lease_ends_early(self, leased_at: datetime, now: datetime) -> bool:
        """Whether somebody else could take the row while it is being sent."""
        return (now - leased_at).total_seconds() + self.patience.send_s > self.patience.lease_s

    async def _send(self, name: str, row: OutboxRow) -> None:
        try:
            receipt = await self._deliver(name, row)
        except DeliveryError as error:
            await self.ready()
            self._failed(name, row, error)
            return
        await self.ready()
        self.store.mark_sent(row.id, receipt.response, self.now())
        self.report.sent += 1

    async def _deliver(self, name: str, row: OutboxRow) -> Delivery:
        channel = self.channels.get(name)
        if channel is None:
            raise DeliveryError(_UNKNOWN_CHANNEL, channel=name, retryable=True)
        try:
            async with asyncio.timeout(self.patience.send_s):
                return await channel.send(row)
        except TimeoutError as error:
            # The outcome is unknown: it may have arrived. Never lost beats never twice.
            text = f"no answer within {self.patience.send_s:g} s"
            raise DeliveryError(text, channel=name, retryable=True) from error
        except DeliveryError:
            raise
        except Exception as error:
            # A fault of our own in one channel must not hold up the others; the row keeps its turn.
            log.exception("channel failed", extra={"channel": name})
            raise DeliveryError(f"{type(error).__name__} in channel", channel=name, retryable=True) from error

    def _failed(self, name: str, row: OutboxRow, error: DeliveryError) -> None:
        now = self.now()
        self.report.failures.append((name, str(error)))
        # "Not so fast" says nothing against the message: however often, it does not kill it.
        exhausted = row.attempts >= self.patience.tries and error.retry_after_s is None
        if not error.retryable or exhausted:
            self.store.mark_dead(row.id, str(error), now)
            self.report.dead += 1
            return
        retry_at = now + backoff(max(row.attempts, 1), self.patience, self.jitter())
        if error.retry_after_s is not None:
            # What the receiver asks for counts, at first even below our own wait.
            held = now + timedelta(seconds=max(error.retry_after_s, 1.0))
            self._paused[name] = held
            retry_at = held if row.attempts < 3 else max(held, retry_at)
        self.store.mark_retry(row.id, str(error), retry_at, now)
        self.report.retried += 1

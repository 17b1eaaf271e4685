"""What Prometheus reads. Labels are source ids and fixed words: never an address, a title or a person.

The worker's loop takes a snapshot; the endpoint's thread only reads the last one, because the
database belongs to the thread that opened it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

SOURCE_STATES = ("new", "ok", "failing", "silent", "gone")
OUTBOX_STATES = ("pending", "sending", "retry", "sent", "dead", "dropped")


@dataclass(frozen=True, slots=True)
class SourceSample:
    """One source as it is measured."""

    id: str
    state: str
    failures: int
    last_ok_at: datetime | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is measured, at one moment."""

    version: str = ""
    heartbeat_at: datetime | None = None
    cycle_at: datetime | None = None
    offline: bool = False
    status: Mapping[str, Any] = field(default_factory=dict)  # store.status()
    sources: tuple[SourceSample, ...] = ()
    disk_free_bytes: int = 0
    polls: Mapping[str, int] = field(default_factory=dict)
    items: Mapping[str, int] = field(default_factory=dict)
    deliveries: Mapping[str, int] = field(default_factory=dict)
    losses: Mapping[str, int] = field(default_factory=dict)
    prefilter: Mapping[str, int] = field(default_factory=dict)
    jobs: Mapping[str, int] = field(default_factory=dict)  # "error:read" → how often


class Metrics(Collector):
    """A registry of our own: nothing of the process or of other libraries gets in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None  # nothing is said until there is one: a 0 would be a lie
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def update(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._snapshot = snapshot

    def text(self) -> bytes:
        """The page, Prometheus text format 0.0.4."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            seen = self._snapshot
        if seen is None:
            return
        yield from _gauges(seen)
        yield from _by_word(seen)
        yield from _by_source(seen)
        yield from _counters(seen)


def _gauges(seen: Snapshot) -> Iterator[Metric]:
    status = seen.status
    info = GaugeMetricFamily("monitor_build_info", "The version that runs; always 1.", labels=["version"])
    info.add_metric([seen.version], 1)
    yield info
    for name, help_text, value in (
        (
            "heartbeat_timestamp_seconds",
            "When the worker last wrote its heartbeat.",
            _seconds(seen.heartbeat_at),
        ),
        ("cycle_timestamp_seconds", "When the worker last ended a cycle.", _seconds(seen.cycle_at)),
        ("offline", "1 when the last cycle could reach no source at all.", float(seen.offline)),
        ("disk_free_bytes", "Room on the disk of the database.", seen.disk_free_bytes),
        ("database_bytes", "Size of the database.", status.get("database", {}).get("bytes", 0)),
        ("items_stored", "Articles ever seen and still remembered.", status.get("items", 0)),
        ("items_pending", "Articles that wait to be read.", status.get("pending", 0)),
        ("items_due", "Articles that could be read now.", status.get("pending_due", 0)),
        ("matches_stored", "Matches.", status.get("matches", 0)),
        ("stories_stored", "Stories.", status.get("stories", 0)),
    ):
        yield GaugeMetricFamily(f"monitor_{name}", help_text, value=value)


def _by_word(seen: Snapshot) -> Iterator[Metric]:
    sources = GaugeMetricFamily("monitor_sources", "Sources that are polled, by state.", labels=["state"])
    for state in SOURCE_STATES:
        sources.add_metric([state], seen.status.get("sources", {}).get(state, 0))
    yield sources
    outbox = GaugeMetricFamily("monitor_outbox_messages", "Messages in the outbox.", labels=["status"])
    for state in OUTBOX_STATES:
        outbox.add_metric([state], seen.status.get("outbox", {}).get(state, 0))
    yield outbox


def _by_source(seen: Snapshot) -> Iterator[Metric]:
    failures = GaugeMetricFamily(
        "monitor_source_failures", "Failed polls of the source in a row.", labels=["source"]
    )
    last_ok = GaugeMetricFamily(
        "monitor_source_last_ok_timestamp_seconds", "When the source was last read.", labels=["source"]
    )
    for source in seen.sources:
        failures.add_metric([source.id], source.failures)
        if source.last_ok_at:
            last_ok.add_metric([source.id], _seconds(source.last_ok_at))
    yield failures
    yield last_ok


def _counters(seen: Snapshot) -> Iterator[Metric]:
    for name, help_text, label, counts in (
        ("polls", "Polls since the start, by what they came to.", "status", seen.polls),
        ("items_processed", "Articles judged since the start, by outcome.", "outcome", seen.items),
        ("deliveries", "Messages since the start: sent, retried, dead.", "result", seen.deliveries),
        ("worker_losses", "Worker processes lost since the start: crash, timeout.", "kind", seen.losses),
        ("prefilter", "Articles since the start: skipped, audited, missed.", "result", seen.prefilter),
    ):
        counter = CounterMetricFamily(f"monitor_{name}", help_text, labels=[label])
        for word, count in sorted(counts.items()):
            counter.add_metric([word], count)
        yield counter
    jobs = CounterMetricFamily(
        "monitor_job_troubles", "Jobs that failed, were missed or still ran.", labels=["job", "kind"]
    )
    for key, count in sorted(seen.jobs.items()):
        kind, _, job = key.partition(":")
        jobs.add_metric([job, kind], count)
    yield jobs


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0

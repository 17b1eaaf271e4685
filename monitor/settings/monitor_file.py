"""The options of `config/monitor.yaml`. Every one has a default: an empty file is a working monitor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from monitor.settings.channels import Channel, ChannelUseField
from monitor.settings.fields import ConfigPath, Line, Section, UrlOrNothing, fail

# Stands in every request until the operator gives an address of their own.
HOMEPAGE = "https://github.com/japan-tech-monitor/japan-tech-monitor"


def _header_safe(value: str) -> str:
    """Part of a comment in the User-Agent (RFC 9110 section 5.6.5)."""
    if not value.isascii() or set(value) & set("()\\"):
        raise fail("goes into the User-Agent: plain ASCII without brackets or backslash")
    return value


class Poll(Section):
    """When sources are asked."""

    every_s: float = Field(
        30, ge=1, le=3600, description="Seconds between two looks for sources that are due."
    )
    floor_minutes: int = Field(15, ge=1, description="No source is polled more often than this.")
    cap_minutes: int = Field(1440, ge=1, le=44640, description="No source is polled less often than this.")
    concurrency: int = Field(100, ge=1, le=1000, description="Requests under way at once, one per host.")
    connect_timeout_s: float = Field(10, ge=0.1, le=120, description="Seconds to wait for a connection.")
    blocked_hosts: tuple[Line, ...] = Field(
        (), description="Hosts never asked for anything, nor their subdomains."
    )


class Limits(Section):
    """What one request, page or step may cost."""

    timeout_s: float = Field(
        30, ge=1, le=600, description="Seconds one request may take, redirects included."
    )
    feed_bytes: int = Field(5_000_000, ge=10_000, le=200_000_000, description="Largest feed that is read.")
    page_bytes: int = Field(5_000_000, ge=10_000, le=200_000_000, description="Largest page that is read.")
    page_tries: int = Field(5, ge=1, le=50, description="Tries to fetch an article's page.")
    page_tries_hours: float = Field(
        24, ge=0, le=720, description="Hours the tries are spread over; then the feed's own text is judged."
    )
    batch: int = Field(200, ge=1, le=10_000, description="Articles taken in one go by `process`.")
    pages_at_once: int = Field(16, ge=1, le=500, description="Pages fetched at once, one per host.")


class WorkerPool(Section):
    """The processes that read what sites sent."""

    processes: int = Field(2, ge=1, le=256, description="Processes that parse what sites sent.")
    deadline_s: float = Field(20, ge=0.1, le=600, description="Seconds a page or feed may take to parse.")
    memory_mb: int = Field(1024, ge=128, le=65_536, description="Memory of one process.")


class Prefilter(Section):
    """Whether pages that no rule can match are read at all."""

    enabled: bool = Field(
        True, description="Skips the extraction of pages that no rule can match; never with `keep_text: all`."
    )
    audit_share: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of the skipped pages that is read all the same, to watch the filter.",
    )


class Delivery(Section):
    """How stubbornly messages are sent."""

    every_s: float = Field(15, ge=1, le=3600, description="Seconds between two looks into the outbox.")
    tries: int = Field(12, ge=1, le=100, description="Tries to deliver one message before it is dead.")
    backoff_s: float = Field(
        60, ge=1, le=86_400, description="Seconds before the second try; then it doubles."
    )
    backoff_cap_s: float = Field(7200, ge=1, le=86_400, description="Longest wait between two tries.")
    lease_s: float = Field(300, ge=10, le=3600, description="A message being sent that long is sent again.")


class Retention(Section):
    """How long things are kept; matches themselves are kept for ever."""

    items_days: int = Field(
        400, ge=0, description="Days an article that did not match is remembered; 0: for ever."
    )
    near_miss_days: int = Field(180, ge=0, description="Days the text of near misses is kept; 0: for ever.")
    match_text_days: int = Field(0, ge=0, description="Days the text of matches is kept; 0: for ever.")
    outbox_days: int = Field(90, ge=0, description="Days sent messages are kept; 0: for ever.")
    runs_days: int = Field(90, ge=0, description="Days run reports are kept; 0: for ever.")


class Logging(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, JSON lines otherwise."
    )


class Metrics(Section):
    """The page for Prometheus; off unless switched on."""

    enabled: bool = Field(False, description="Serves `/metrics` and `/healthz`.")
    host: Line = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(9464, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")


class MonitorSettings(Section):
    """Everything in `monitor.yaml`."""

    contact: Annotated[Line, AfterValidator(_header_safe)] = Field(
        "", max_length=200, description="Mail or web address of the operator, added to the User-Agent."
    )
    homepage: Annotated[UrlOrNothing, AfterValidator(_header_safe)] = Field(
        HOMEPAGE, description="Web address in the User-Agent, so that a site can see who asks."
    )
    database: ConfigPath = Field(Path("../storage/monitor.db"), description="The SQLite file.")
    storage: ConfigPath = Field(
        Path("../storage"), description="Folder whose `backups` holds the weekly copies of the database."
    )
    first_run_days: int = Field(
        7, ge=0, le=3650, description="At the first poll of a source, older articles are noted but not read."
    )
    keep_text: Literal["matches", "all", "none"] = Field(
        "matches", description="Whose text is stored: matches and near misses, all articles, or none."
    )
    restricted_sources: bool = Field(
        True, description="false switches off every source with `terms: restrict`."
    )
    browse_url: UrlOrNothing = Field("", description="Address of your Datasette, for links in digests.")
    poll: Poll = Poll()
    limits: Limits = Limits()
    workers: WorkerPool = WorkerPool()
    prefilter: Prefilter = Prefilter()
    delivery: Delivery = Delivery()
    retention: Retention = Retention()
    logging: Logging = Logging()
    metrics: Metrics = Metrics()
    operator: tuple[ChannelUseField, ...] = Field(
        (), description="Channels that hear of trouble: a silent source, refused mail, a full disk."
    )
    channels: dict[Line, Annotated[Channel, Field(discriminator="kind")]] = Field(
        {}, description="Channels by name; `file` is always there."
    )

    @field_validator("poll")
    @classmethod
    def _floor_below_cap(cls, value: Poll) -> Poll:
        if value.floor_minutes > value.cap_minutes:
            raise fail("floor_minutes is above cap_minutes")
        return value

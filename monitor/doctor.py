"""What `check` cannot see: the machine, the network and the other ends, each with how to mend it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from monitor import deliver, outbox, rules, store
from monitor.app import user_agent
from monitor.deliver.email import EmailChannel
from monitor.errors import DeliveryError, FetchError, MonitorError, WorkerError
from monitor.fetch import Fetcher
from monitor.fetch.guard import is_numeric
from monitor.lookout import DISK_LOW
from monitor.model import ChannelSpec, Fetched, FetchRequest, OutboxRow, Source
from monitor.operator import Finding, messages
from monitor.service import resolver_hint
from monitor.settings import Config, secrets_of
from monitor.settings.channels import FileChannel, SlackChannel
from monitor.workers import Workers

OLDEST_EXPAT = (2, 4, 1)  # older ones expand entities without end ("billion laughs")
OLDEST_LXML = (6, 1)
NETWORK_TRIES = 3  # sources asked before the network counts as dead
CLOCK_TOLERANCE_S = 120.0
REQUEST_S = 15.0

GOOD, WARNING, BAD = "ok", "warning", "bad"


@dataclass(frozen=True, slots=True)
class Result:
    """One thing looked at. `mend` says what to do; empty when there is nothing to do."""

    name: str
    level: str  # ok | warning: it works, but hardly as meant | bad: it will not work
    text: str
    mend: str = ""


async def examine(config: Config, now: Callable[[], datetime]) -> AsyncIterator[Result]:
    """Everything, one result after the other. Never raises: a check that fails is a bad result."""
    for check in (_database, _libraries, _disk, _rules, _processes, _secrets, _network, _channels):
        try:
            async for result in check(config, now()):
                yield result
        except (MonitorError, OSError) as error:
            name = check.__name__.strip("_")
            yield Result(name, BAD, str(error) or type(error).__name__, "see the message")


# --- the machine -----------------------------------------------------------------------------


async def _database(config: Config, now: datetime) -> AsyncIterator[Result]:
    found = sqlite3.sqlite_version
    new_enough = sqlite3.sqlite_version_info >= (3, 37, 0)
    mend = "" if new_enough else "use a Python built with SQLite 3.37 or newer (STRICT tables)"
    yield Result("sqlite", GOOD if new_enough else BAD, f"SQLite {found}", mend)
    try:
        existed = config.database.exists()
        with store.open_store(config.database, timeout_s=5.0) as opened:
            opened.put_state("doctor", "looked", now)
            problems = opened.check()
    except MonitorError as error:
        yield Result("database", BAD, str(error), "mend what the message says, then try again")
        return
    if problems:
        text = f"{len(problems)} problems: {'; '.join(problems[:3])}"
        yield Result("database", BAD, text, "stop the worker and restore a backup (docs/operating.md)")
    else:
        what = "sound and writable" if existed else "made; there was none"
        yield Result("database", GOOD, f"{config.database}: {what}")


async def _libraries(config: Config, now: datetime) -> AsyncIterator[Result]:
    import pyexpat

    from lxml import etree

    expat = tuple(pyexpat.version_info)
    mend = "" if expat >= OLDEST_EXPAT else "update Python, or the system's expat, to 2.4.1 or newer"
    yield Result("expat", BAD if mend else GOOD, "expat " + ".".join(map(str, expat)), mend)
    lxml = etree.LXML_VERSION[:3]
    mend = "" if lxml >= OLDEST_LXML else "pip install -c constraints.txt 'lxml>=6.1'"
    yield Result("lxml", BAD if mend else GOOD, "lxml " + ".".join(map(str, lxml)), mend)


async def _disk(config: Config, now: datetime) -> AsyncIterator[Result]:
    for folder in dict.fromkeys((_existing(config.database.parent), _existing(config.monitor.storage))):
        usage = shutil.disk_usage(folder)
        share = usage.free / usage.total if usage.total else 1.0
        text = f"{folder}: {usage.free / 1e9:.1f} GB free ({share:.0%})"
        mend = "free some space, or shorten `retention` in monitor.yaml" if share < DISK_LOW else ""
        yield Result("disk", WARNING if mend else GOOD, text, mend)


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


async def _rules(config: Config, now: datetime) -> AsyncIterator[Result]:
    started = time.perf_counter()
    rules.build(dict(config.rules.files))
    took = time.perf_counter() - started
    yield Result("rules", GOOD, f"{len(config.rules.rules)} rules load in {took:.1f} s")


async def _processes(config: Config, now: datetime) -> AsyncIterator[Result]:
    settings = config.monitor.workers
    try:
        async with Workers(processes=1, memory_mb=settings.memory_mb) as workers:
            await workers.run(sorted, [2, 1])
    except WorkerError as error:
        mend = "raise workers.memory_mb in monitor.yaml, or the limits of the service"
        yield Result("processes", BAD, f"no worker process starts: {error}", mend)
    else:
        yield Result("processes", GOOD, f"worker processes start ({settings.processes} are configured)")


async def _secrets(config: Config, now: datetime) -> AsyncIterator[Result]:
    used = config.used_channels()
    for problem in config.missing_secrets():
        yield Result("secrets", BAD, problem.message, problem.hint)
    if not config.missing_secrets():
        count = sum(1 for name in used for _ in secrets_of(config.channels[name]))
        yield Result("secrets", GOOD, f"all {count} secrets in use are there" if count else "none is needed")
    if not config.monitor.contact:
        hint = "write contact: you@example.org into monitor.yaml, so that a site can reach you"
        yield Result("contact", WARNING, "no contact is set", hint)


# --- the network -----------------------------------------------------------------------------


async def _network(config: Config, now: datetime) -> AsyncIterator[Result]:
    enabled = {urlsplit(source.url).hostname: source for source in config.sources if source.enabled}
    sources = list(enabled.values())[:NETWORK_TRIES]
    if not sources:
        yield Result("network", WARNING, "no source is polled", "add one to sources.yaml")
        return
    names = await _names(sources)
    yield names
    if names.level == BAD:
        yield Result(
            "network",
            BAD,
            "not tried, for no name can be looked up",
            "mend dns first; `monitor demo` needs no network",
        )
        return
    fetched, errors = await _first_answer(config, sources, now)
    if fetched is None:
        mend = "let this machine reach ports 80 and 443 of the Internet; `monitor demo` needs neither"
        yield Result("network", BAD, f"not one of {len(sources)} sources answers: {errors}", mend)
        return
    yield Result("network", GOOD, f"{urlsplit(fetched.url).hostname} answers in {fetched.took_ms} ms")
    yield _clock(fetched, now)


async def _names(sources: list[Source]) -> Result:
    hosts = [host for source in sources if not is_numeric(host := urlsplit(source.url).hostname or "")]
    if not hosts:
        return Result("dns", GOOD, "no source has a name to look up")
    loop = asyncio.get_running_loop()
    for host in hosts:
        try:
            async with asyncio.timeout(REQUEST_S):
                await loop.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError):
            continue
        return Result("dns", GOOD, f"{host} is looked up")
    mend = "name a working resolver in /etc/resolv.conf, or connect this machine" + resolver_hint()
    return Result("dns", BAD, f"no name can be looked up, {hosts[0]} for one", mend)


async def _first_answer(config: Config, sources: list[Source], now: datetime) -> tuple[Fetched | None, str]:
    settings, errors = config.monitor, []
    agent = user_agent(settings.homepage, settings.contact)
    async with Fetcher(user_agent=agent, now=lambda: now) as fetch:
        for source in sources:
            request = FetchRequest(source.url, allow_private=source.allow_private, timeout_s=REQUEST_S)
            try:
                return await fetch(request), ""
            except FetchError as error:
                errors.append(f"{source.id}: {error}")
    return None, "; ".join(errors)


def _clock(fetched: Fetched, now: datetime) -> Result:
    """Our clock against the Date of an answer (RFC 9110 section 6.6.1)."""
    try:
        theirs = parsedate_to_datetime(fetched.headers.get("date", ""))
        off = (now - theirs).total_seconds()
    except (ValueError, TypeError):
        return Result("clock", GOOD, f"{now:%Y-%m-%d %H:%M} UTC; the server did not say its own")
    if abs(off) > CLOCK_TOLERANCE_S:
        mend = "let the machine keep time (timedatectl set-ntp true): digests go by its clock"
        return Result("clock", BAD, f"the clock is off by about {off:.0f} s", mend)
    return Result("clock", GOOD, f"{now:%Y-%m-%d %H:%M} UTC, as other machines have it")


# --- the channels ----------------------------------------------------------------------------


async def _channels(config: Config, now: datetime) -> AsyncIterator[Result]:
    ready = deliver.channels(config.channels)
    for name in config.used_channels():
        settings, channel = config.channels[name], ready[name]
        if any(secret.problem() for _, secret in secrets_of(settings)):
            continue  # told already
        if isinstance(channel, EmailChannel):
            yield await _mail(name, channel)
        elif isinstance(settings, SlackChannel):
            yield _slack(name, settings.webhook.reveal())
        elif isinstance(settings, FileChannel):
            yield _folder(name, settings.folder)
        else:
            yield Result(f"channel {name}", GOOD, f"{settings.kind}; `doctor --send-test` tries it")


async def _mail(name: str, channel: EmailChannel) -> Result:
    try:
        greeting = await channel.check()
    except DeliveryError as error:
        return Result(f"channel {name}", BAD, str(error), _mail_remedy(str(error)))
    return Result(f"channel {name}", GOOD, f"the mail server lets us in ({greeting[:60]})")


def _mail_remedy(problem: str) -> str:
    if "certificate" in problem.lower():
        return "its certificate is not trusted; where it is of an authority of your own, name that in ca_file"
    if "535" in problem or "login" in problem.lower():
        return "look at username and password of the channel in monitor.yaml"
    return "look at host, port, security, username and password of the channel in monitor.yaml"


def _slack(name: str, address: str) -> Result:
    parts = urlsplit(address.strip())
    fits = parts.scheme == "https" and parts.path.startswith(("/services/", "/triggers/", "/workflows/"))
    if fits and parts.hostname in ("hooks.slack.com", "hooks.slack-gov.com"):
        return Result(f"channel {name}", GOOD, "the webhook looks like one of Slack's; --send-test tries it")
    mend = "copy the whole address of the incoming webhook: https://hooks.slack.com/services/…"
    return Result(f"channel {name}", WARNING, "the webhook is not an address of Slack's", mend)


def _folder(name: str, folder: Path) -> Result:
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        mend = "make it writable for this user, or name another folder"
        return Result(f"channel {name}", BAD, f"{folder} cannot be written: {error.strerror}", mend)
    return Result(f"channel {name}", GOOD, f"writes to {folder}")


# --- a message to everybody ------------------------------------------------------------------


class _Once:
    """An outbox in memory: one try each, and nothing of it beside a worker that may be running."""

    def __init__(self, rows: Sequence[OutboxRow]) -> None:
        self.rows = [replace(row, id=n, attempts=1) for n, row in enumerate(rows, start=1)]
        self.errors: dict[int, str] = {}
        self._waiting = list(self.rows)

    def claim_due(self, now: datetime, lease_s: float, limit: int) -> Sequence[OutboxRow]:
        taken, self._waiting = self._waiting, []
        return taken

    def release(self, row_id: int, reason: str, due_at: datetime) -> None:
        self.errors[row_id] = reason

    def mark_sent(self, row_id: int, response: str, now: datetime) -> None:
        self.errors[row_id] = ""

    def mark_retry(self, row_id: int, error: str, retry_at: datetime, now: datetime) -> None:
        self.errors[row_id] = error

    def mark_dead(self, row_id: int, error: str, now: datetime) -> None:
        self.errors[row_id] = error


async def send_test(config: Config, now: Callable[[], datetime]) -> list[Result]:
    """A message to every channel and recipient in use, sent as the outbox sends."""
    at = now()
    words = Finding("test", "test", "if you can read this, messages of the monitor reach you")
    domains = deliver.domains(config.channels)
    event = f"test|{at.isoformat()}"
    box = _Once(messages(event, "Monitor: a test message", [words], _recipients(config), at, domains))
    await outbox.flush(box, deliver.channels(config.channels), now, patience=outbox.Patience(tries=1))
    return [_taken(row, box.errors.get(row.id, "not tried")) for row in box.rows]


def _taken(row: OutboxRow, error: str) -> Result:
    to = f" for {row.recipient}" if row.recipient else ""
    if error:
        mend = "mend the channel in monitor.yaml"
        return Result(f"test {row.channel}", BAD, f"the message{to} was not taken: {error}", mend)
    return Result(f"test {row.channel}", GOOD, f"the message{to} was taken")


def _recipients(config: Config) -> list[ChannelSpec]:
    """Each channel in use once, with everybody who gets anything there."""
    merged: dict[str, ChannelSpec] = {}
    for spec in (*(each for digest in config.digests for each in digest.channels), *config.operator):
        before = merged[spec.channel].recipients if spec.channel in merged else ()
        everybody = tuple(dict.fromkeys((*before, *spec.recipients)))
        merged[spec.channel] = ChannelSpec(spec.channel, spec.kind, everybody)
    return list(merged.values())

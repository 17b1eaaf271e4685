"""A fortnight of polling in seconds: how do our manners look from the publishers' side?

    python -m benchmarks.politeness [--days 14] [--seed 0]

Publishers of every temper run on this machine, each with a referee who reads only the publisher's
own log and knows only what the publisher said; the whole real poll step (fetch, parse, store, schedule)
works against them under a clock that jumps from one due poll to the next. The program is stopped and
started again every other day. "unchanged" counts the answers that were the same as the last, "whole" those of
them that were sent whole for want of a validator. Exits with 1 when any referee has a complaint.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeVar

from monitor.fetch import Fetcher
from monitor.model import Source
from monitor.pipeline import poll
from monitor.store import open_store
from tests.servers import Page, Site, Visit

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
T = TypeVar("T")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        return self.now.timestamp()


class Inline:
    """The workers' place taken by a plain call: what is measured here is manners."""

    async def run(
        self, function: Callable[..., T], *args: Any, deadline_s: float | None = None, **kwargs: Any
    ) -> T:
        return function(*args, **kwargs)


@dataclass
class Publisher:
    """One feed with its temper, and the referee who watches its log.

    `answer(publisher, visit, now)` gives the page to send, and notes what that answer asks for.
    """

    name: str
    answer: Callable[[Publisher, Visit, datetime], Page]
    news_every: timedelta = 9 * HOUR
    ttl: str = ""  # elements of the feed's head
    kind: str = "feed"
    every: timedelta = HOUR  # what the source is configured to
    clock: Clock = field(default_factory=Clock)
    site: Site = field(default_factory=Site)
    # what the referee knows
    not_before: datetime = START
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    gave: dict[str, tuple[str, str]] = field(default_factory=dict)  # path: (etag, last_modified)
    served: dict[str, bytes] = field(default_factory=dict)  # path: body of the last 200
    gone: bool = False
    count: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def serve(self, visit: Visit) -> bool:
        """Judge the request, then answer it."""
        now = self.clock()
        self._judge(visit, now)
        self.not_before = max(self.not_before, now + self.every)
        page = self.answer(self, visit, now)
        path = visit.seen.path
        same = page.status == 200 and self.served.get(path) == page.body and (page.etag or page.last_modified)
        self.count["unchanged"] += bool(same)
        if page.status == 200:
            if same and not visit.seen.is_conditional:
                self.count["whole"] += 1
                self.complain(now, "an unchanged feed was fetched without its validators")
            self.served[path] = page.body
            self.gave[path] = (page.etag, page.last_modified)
        return page(visit)

    def _judge(self, visit: Visit, now: datetime) -> None:
        self.count["requests"] += 1
        if now < self.not_before:
            self.complain(now, f"asked {self.not_before - now} early")
        if self.gone:
            self.complain(now, "asked again after 410")
        if now.hour in self.skip_hours or now.weekday() in self.skip_days:
            self.complain(now, "asked in an hour or on a day to be skipped")
        asked = visit.seen.headers
        sent = (asked.get("if-none-match", ""), asked.get("if-modified-since", ""))
        if any(sent) and sent != self.gave.get(visit.seen.path):
            self.complain(now, f"sent validators we never gave: {sent}")
        self.count["conditional"] += any(sent)
        if "cookie" in asked or "referer" in asked:
            self.complain(now, "sent a cookie or a referer")

    def complain(self, now: datetime, what: str) -> None:
        self.complaints.append(f"{self.name}, {now:%a %d %H:%M:%S}: {what}")

    def wait(self, now: datetime, span: timedelta) -> None:
        """The publisher asks for this; the referee will hold us to it."""
        self.not_before = max(self.not_before, now + span)

    def edition(self, now: datetime) -> int:
        return int((now - START) / self.news_every)

    def feed(self, now: datetime) -> bytes:
        """The feed as of now: its newest ten items."""
        last = self.edition(now)
        items = "".join(
            f"<item><guid>{self.name}-{n}</guid><title>Story {n}</title><link>https://{self.name}.test/{n}</link>"
            f"<pubDate>{format_datetime(START + n * self.news_every, usegmt=True)}</pubDate></item>"
            for n in range(last, last - 10, -1)
        )
        head = '<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>'
        return f"{head}<title>{self.name}</title>{self.ttl}{items}</channel></rss>".encode()

    def page(self, now: datetime, **headers: str) -> Page:
        """The feed with an ETag of its edition."""
        return Page(self.feed(now), etag=f'W/"{self.name}-{self.edition(now)}"', headers=dict(headers))


# --- tempers ---------------------------------------------------------------------------------


def plain(self: Publisher, visit: Visit, now: datetime) -> Page:
    return self.page(now)


def dated(self: Publisher, visit: Visit, now: datetime) -> Page:
    moment = START + self.edition(now) * self.news_every
    return Page(self.feed(now), last_modified=format_datetime(moment, usegmt=True))


def bare(self: Publisher, visit: Visit, now: datetime) -> Page:
    return Page(self.feed(now))


def cached(self: Publisher, visit: Visit, now: datetime) -> Page:
    self.wait(now, 9 * HOUR)
    return self.page(now, **{"Cache-Control": "public, max-age=32400"})


def expiring(self: Publisher, visit: Visit, now: datetime) -> Page:
    self.wait(now, 7 * HOUR)
    return self.page(now, Expires=format_datetime(now + 7 * HOUR, usegmt=True))


def with_ttl(self: Publisher, visit: Visit, now: datetime) -> Page:
    self.wait(now, 10 * HOUR)
    return self.page(now)


def daily(self: Publisher, visit: Visit, now: datetime) -> Page:
    self.wait(now, DAY)
    return self.page(now)


def busy(self: Publisher, visit: Visit, now: datetime) -> Page:
    """Every fourth request is one too many."""
    if self.count["requests"] % 4:
        return self.page(now)
    self.wait(now, 5 * HOUR)
    return Page(status=429, headers={"Retry-After": "18000"})


def under_repair(self: Publisher, visit: Visit, now: datetime) -> Page:
    if self.count["requests"] % 5:
        return self.page(now)
    self.wait(now, 7 * HOUR)
    return Page(status=503, headers={"Retry-After": format_datetime(now + 7 * HOUR, usegmt=True)})


def speechless(self: Publisher, visit: Visit, now: datetime) -> Page:
    """Refuses without saying for how long: that is four hours at least."""
    if self.count["requests"] % 6:
        return self.page(now)
    self.wait(now, 4 * HOUR)
    return Page(status=429 if self.count["requests"] % 12 else 403)


def broken(self: Publisher, visit: Visit, now: datetime) -> Page:
    """Out of order for two days; each failure may be followed only by a longer or equal wait."""
    if not START + 2 * DAY < now < START + 4 * DAY:
        return self.page(now)
    self.count["failures"] += 1
    self.wait(now, min(self.every * 2 ** (self.count["failures"] - 1), DAY))
    return Page(status=500)


def ending(self: Publisher, visit: Visit, now: datetime) -> Page:
    if now < START + 3 * DAY:
        return self.page(now)
    self.gone = True
    return Page(status=410)


def moving(status: int, until: timedelta) -> Callable[[Publisher, Visit, datetime], Page]:
    """Redirects /feed to /moved for a while. A referee counts how long the old address is asked."""

    def answer(self: Publisher, visit: Visit, now: datetime) -> Page:
        if visit.seen.path == "/moved":
            if not self.count["at_old"]:
                self.count["direct"] += 1
                due = self.count["moves"] >= 5 and now - START >= 3 * DAY
                if status not in (301, 308) or not due:
                    self.complain(now, "took over a redirect too soon")
            self.count["at_old"] = 0
            self.wait(now, self.every)
            return self.page(now)
        if now - START >= until:
            return self.page(now)
        if self.count["direct"]:
            self.complain(now, "asked the old address although the new one was taken over")
        self.count["moves"] += 1
        self.count["at_old"] = 1
        self.not_before = now  # the hop that follows belongs to this poll
        return Page(status=status, headers={"Location": "/moved"})

    return answer


def listing(self: Publisher, visit: Visit, now: datetime) -> Page:
    """A page of links, with a robots.txt that may be read once a day and a part that may not be read."""
    if visit.seen.path == "/robots.txt":
        last = self.count["robots_at"]
        if last and now.timestamp() - last < DAY.total_seconds():
            self.complain(now, "read robots.txt twice in a day")
        self.count["robots_at"] = int(now.timestamp())
        self.not_before = now
        return Page(b"User-agent: *\nDisallow: /private\n")
    links = "".join(
        f'<li><a href="/news/{n}">Headline number {n}</a></li>' for n in range(self.edition(now) + 9)
    )
    return Page(f"<html><body><ul>{links}</ul></body></html>".encode(), etag=f'"{self.edition(now)}"')


NIGHT = "".join(f"<hour>{hour}</hour>" for hour in (0, 1, 2, 3, 4, 5))
TEMPERS: tuple[Callable[[], Publisher], ...] = (
    lambda: Publisher("plain", plain),
    lambda: Publisher("sleepy", plain, news_every=5 * DAY),
    lambda: Publisher("dated", dated),
    lambda: Publisher("bare", bare),
    lambda: Publisher("cached", cached),
    lambda: Publisher("expiring", expiring),
    lambda: Publisher("with-ttl", with_ttl, ttl="<ttl>600</ttl>"),
    lambda: Publisher("daily", daily, ttl="<sy:updatePeriod>daily</sy:updatePeriod>"),
    lambda: Publisher(
        "weekday",
        plain,
        ttl=f"<skipHours>{NIGHT}</skipHours><skipDays><day>Saturday</day><day>Sunday</day></skipDays>",
        skip_hours=frozenset(range(6)),
        skip_days=frozenset({5, 6}),
    ),
    lambda: Publisher("busy", busy),
    lambda: Publisher("under-repair", under_repair),
    lambda: Publisher("speechless", speechless),
    lambda: Publisher("broken", broken),
    lambda: Publisher("ending", ending),
    lambda: Publisher("moved", moving(301, 99 * DAY)),
    lambda: Publisher("moved-for-good", moving(308, 99 * DAY)),
    lambda: Publisher("moved-for-a-day", moving(301, DAY)),
    lambda: Publisher("elsewhere", moving(302, 99 * DAY)),
    lambda: Publisher("listing", listing, kind="page"),
)


# --- the run ---------------------------------------------------------------------------------


@dataclass
class Report:
    publishers: list[Publisher]
    polls: int
    stored_redirects: dict[str, str]
    states: dict[str, str]

    @property
    def complaints(self) -> list[str]:
        return [complaint for publisher in self.publishers for complaint in publisher.complaints]

    def total(self, name: str) -> int:
        return sum(publisher.count[name] for publisher in self.publishers)


async def simulate(folder: Path, *, days: float = 14, every: timedelta = HOUR, seed: int = 0) -> Report:
    """Poll every publisher for so many days of simulated time, from a fresh database in `folder`.

    `every` is the interval the sources are configured to.
    """
    clock, chance = Clock(), random.Random(seed)
    publishers = [make() for make in TEMPERS]
    with ExitStack() as stack:
        for publisher in publishers:
            publisher.clock, publisher.every = clock, every
            site = stack.enter_context(publisher.site)
            for path in ("/feed", "/moved", "/robots.txt"):
                site.script(path, publisher.serve)
        sources = [
            Source(
                each.name,
                each.site.url("/feed"),
                kind=each.kind,
                poll_minutes=every // timedelta(minutes=1),
                allow_private=True,
            )
            for each in publishers
        ]
        polls, restart_at = 0, START
        while clock.now < START + days * DAY:
            restart_at += 2 * DAY
            for publisher in publishers:
                publisher.count["robots_at"] = 0  # rules are not remembered over a restart
            polls += await _run(folder, sources, clock, chance, min(restart_at, START + days * DAY))
        for publisher in publishers:
            if publisher.site.most_at_once > 1:
                publisher.complain(clock.now, f"{publisher.site.most_at_once} connections at once")
        with open_store(folder / "monitor.db") as store:
            states = store.source_states()
    stored = {state.source.id: state.url for state in states if state.url != state.source.url}
    return Report(publishers, polls, stored, {state.source.id: state.state for state in states})


async def _run(
    folder: Path, sources: list[Source], clock: Clock, chance: random.Random, until: datetime
) -> int:
    """The program between a start and a stop; returns how many polls it made."""
    polls = 0
    with open_store(folder / "monitor.db") as store:
        store.db.run("PRAGMA synchronous = OFF")  # a power cut is not among the things simulated
        store.sync_sources(sources, clock())
        async with Fetcher(user_agent="japan-tech-monitor/0 (+politeness)", now=clock) as fetch:
            while clock.now < until:
                due = store.due_sources(clock())
                if due:
                    report = await poll(store, fetch, Inline(), due, now=clock, jitter=chance.random)
                    polls += len(report.polled)
                coming = datetime.fromisoformat(store.db.value("SELECT min(next_poll_at) FROM sources"))
                clock.now = min(max(coming, clock.now + timedelta(seconds=1)), until)
    return polls


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=float, default=14)
    parser.add_argument("--every", type=float, default=60, help="minutes between polls, as configured")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        every = timedelta(minutes=options.every)
        report = asyncio.run(simulate(Path(folder), days=options.days, every=every, seed=options.seed))
    print(f"{'publisher':16} {'requests':>8} {'conditional':>11} {'unchanged':>9} {'whole':>5}  state")
    for publisher in report.publishers:
        numbers = [publisher.count[name] for name in ("requests", "conditional", "unchanged", "whole")]
        moved = " (moved)" if publisher.name in report.stored_redirects else ""
        print(
            "{:16} {:8} {:11} {:9} {:5}".format(publisher.name, *numbers),
            report.states[publisher.name] + moved,
        )
    print(
        f"{report.polls} polls, {report.total('requests')} requests in {options.days:g} days, simulated in"
        f" {time.perf_counter() - start:.1f} s; {len(report.complaints)} complaints"
    )
    for publisher in report.publishers:
        print("\n".join(publisher.complaints[:10]), end="\n" if publisher.complaints else "")
    return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main())

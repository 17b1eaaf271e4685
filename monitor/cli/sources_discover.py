"""`monitor sources discover`: from the address of a page to an entry that has been tried.

page | feeds, listings, sitemaps it names or is likely to have | each fetched and counted | the best first
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import InputError, MonitorError, WorkerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from monitor.cli.inputs import Desk, Input
    from monitor.model import Source
    from monitor.sources.discover import Candidate
    from monitor.sources.survey import Survey

MAX_FEEDS = 8  # fetched to see what is in them
MAX_SITEMAPS = 3
STALE_DAYS = 365  # a feed without anything newer is rather a leftover
SHOWN_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Way:
    """One way to read a site that works: it was fetched and brought entries."""

    source: Source
    survey: Survey
    rank: int

    def told(self) -> dict[str, Any]:
        """The contract of `sources discover --json`."""
        from monitor.sources.discover import yaml_entry

        newest = self.survey.newest_at
        return {
            "kind": self.source.kind,
            "url": self.source.url,
            "title": self.source.name,
            "selector": self.source.selector,
            "count": self.survey.entries,
            "newest": f"{newest:%Y-%m-%dT%H:%M:%SZ}" if newest else None,
            "samples": [{"title": title, "url": url} for title, url in self.survey.samples],
            "entry": yaml_entry(self.source),
        }


@click.command()
@click.argument("url")
@click.option("--all", "every", is_flag=True, help="An entry for every way that works, not only the best.")
@click.option(
    "--patience", "patience_s", type=click.FloatRange(1, 600), default=25.0, show_default=True,
    metavar="SECONDS", help="How long what the page names may take; what is known by then is shown.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each way to read the site.")
@pass_env
def discover(env: Env, url: str, every: bool, patience_s: float, as_json: bool) -> int:
    """Find ways to read a site: feeds, lists of articles, sitemaps.

    Each is fetched and its entries counted. The best is printed as an entry ready to be appended to
    sources.yaml; what was found, with sample headlines, is said on standard error.
    """
    from monitor.cli.inputs import is_url

    if not is_url(url):
        raise InputError(f"{url} is no web address; it starts with https://")
    return asyncio.run(_discover(env, url, every, patience_s, as_json))


async def _discover(env: Env, url: str, every: bool, patience_s: float, as_json: bool) -> int:
    from monitor.cli.inputs import Desk
    from monitor.cli.show import json_line, line, say

    async with Desk(env) as desk:
        given = await desk.read(url)
        if given.problem:
            raise InputError(f"{url}: {given.problem}")
        ways = await Reading(desk, given).ways(patience_s)
    ways = _named(ways, _configured(env))
    for n, way in enumerate(ways):
        told = way.told()
        if as_json:
            json_line(told)
            continue
        _tell(way)
        if every or n == 0:
            line(told["entry"])
    if not ways:
        say("nothing found that brings entries; is it a page of links?")
    elif not as_json and not every and len(ways) > 1:
        say("printed: the first; --all prints an entry for each")
    return 0 if ways else 1


def _configured(env: Env) -> Sequence[Source]:
    try:
        return env.load().sources
    except MonitorError:
        return ()  # no configuration yet, or one that is being mended


def _named(ways: list[Way], configured: Sequence[Source]) -> list[Way]:
    """Best first, with ids that nobody has; what is configured already is said."""
    from monitor.cli.show import say
    from monitor.sources.discover import free_id

    known = {source.url: source.id for source in configured}
    taken = set(known.values())
    for way in ways:
        if way.source.url in known:
            say(f"{way.source.url} is configured already, as {known[way.source.url]}")
    return [
        replace(way, source=replace(way.source, id=free_id(way.source.id, taken)))
        for way in sorted(ways, key=lambda way: way.rank)
    ]


def _tell(way: Way) -> None:
    from monitor.cli.show import say

    newest = f", newest {way.survey.newest_at:%Y-%m-%d}" if way.survey.newest_at else ", without dates"
    by = f" by {way.source.selector}" if way.source.selector else ""
    say(f"{way.source.kind}: {way.source.url}: {way.survey.entries} entries{by}{newest}")
    for title, url in way.survey.samples[:SHOWN_SAMPLES]:
        say(f"    {title or url}")


# --- looking ---------------------------------------------------------------------------------


class Reading:
    """One site being looked at."""

    def __init__(self, desk: Desk, page: Input) -> None:
        self._desk = desk
        self._page = page

    async def ways(self, patience_s: float) -> list[Way]:
        """Every candidate that brings entries, those that were reached in time."""
        from monitor.cli.show import say

        found: list[Way] = []
        try:
            async with asyncio.timeout(patience_s):
                async for way in self._look():
                    if all(way.source != other.source for other in found):
                        found.append(way)
        except TimeoutError:
            say(f"the site is slow: stopped looking after {patience_s:g} seconds")
        return found

    async def _look(self) -> AsyncIterator[Way]:
        if (own := await self._itself()) is not None:
            yield own
            return
        candidates = await self._candidates()
        feeds = [each for each in candidates if each.kind == "feed"][:MAX_FEEDS]
        reached = False
        async for way in self._tried(feeds):
            reached = True
            yield way
        for listing in (each for each in candidates if each.kind == "page"):
            if (read := await self._judged(listing, self._page)) is not None:
                yield read
        if not reached:
            async for way in self._guessed():
                yield way
                break
        async for way in self._tried(await self._sitemaps(candidates)):
            yield way

    async def _itself(self) -> Way | None:
        """The address as it is, when it is a feed or sitemap already."""
        from monitor.model import Source
        from monitor.sources.discover import itself

        found = await self._survey(Source("site", self._page.url), self._page)
        kind = "sitemap" if found.kind.startswith("sitemap") else "feed"
        if not found.kind:
            return None
        return await self._judged(itself(self._page.url, kind, found.title, found.lang), self._page)

    async def _candidates(self) -> list[Candidate]:
        from monitor.sources.discover import discover
        from monitor.text import decode

        document, _ = decode(self._page.body, self._page.content_type)
        try:
            return await self._desk.workers.run(discover, document, self._page.url)
        except WorkerError as error:
            raise InputError(f"{self._page.url}: {error}") from error

    async def _sitemaps(self, candidates: list[Candidate]) -> list[Candidate]:
        """Those robots.txt names, news first; else the usual place."""
        from monitor.sources.discover import sitemaps_in_robots
        from monitor.text import decode

        guessed = [each for each in candidates if each.kind == "sitemap"]
        robots = await self.read(urljoin(self._page.url, "/robots.txt"), obey_robots=False)
        named = sitemaps_in_robots(decode(robots.body, "")[0])
        named.sort(key=lambda address: "news" not in address)
        if not guessed or not named:
            return guessed
        return [_moved(guessed[0], address) for address in named[:MAX_SITEMAPS]]

    async def _guessed(self) -> AsyncIterator[Way]:
        from monitor.sources.discover import guesses, itself

        for address in guesses(self._page.url):
            candidate = itself(address, "feed", "", "")
            async for way in self._tried([candidate], quiet=True):
                yield way

    async def _tried(self, candidates: list[Candidate], *, quiet: bool = False) -> AsyncIterator[Way]:
        """Candidates that bring entries; of the others the reason is said, unless they were guesses."""
        from monitor.cli.show import say

        for candidate in candidates:
            body = await self.read(candidate.url, obey_robots=candidate.kind != "feed")
            if body.problem:
                if not quiet and not candidate.guess:
                    say(f"{candidate.url}: {body.problem}")
                continue
            if (way := await self._judged(candidate, body, quiet=quiet)) is not None:
                yield way

    async def _judged(self, candidate: Candidate, body: Input, *, quiet: bool = False) -> Way | None:
        from monitor.cli.show import say

        found = await self._survey(candidate.source, body)
        if found.children:
            child = await self.read(found.children[0])
            below = await self._survey(candidate.source, child)
            found = replace(below, title=found.title)
        if not found.entries:
            if not quiet and not candidate.guess:
                say(f"{candidate.url}: {found.problem or 'no entries'}")
            return None
        return Way(_completed(candidate.source, found), found, _rank(candidate, found))

    async def _survey(self, source: Source, body: Input) -> Survey:
        from monitor.sources.survey import Survey, survey

        try:
            return await self._desk.workers.run(
                survey, body.body, source=source, url=body.url, headers=dict(body.headers), now=now()
            )
        except WorkerError as error:
            return Survey(problem=str(error))

    async def read(self, url: str, *, obey_robots: bool = True) -> Input:
        """An address the site named. Only a site on this machine may send us to this machine."""
        from monitor.cli.inputs import Input, is_local

        if is_local(url) and not is_local(self._page.url):
            return Input(url, problem="an address of this machine")
        return await self._desk.read(url, obey_robots=obey_robots)


def _moved(candidate: Candidate, url: str) -> Candidate:
    return replace(candidate, url=url, guess=False, source=replace(candidate.source, url=url))


def _completed(source: Source, found: Survey) -> Source:
    """The entry with what only the body could say."""
    from monitor.cli.inputs import is_local
    from monitor.sources.discover import kind_of
    from monitor.urls import host_of

    unnamed = source.name in ("", host_of(source.homepage), host_of(source.homepage).removeprefix("www."))
    lang = found.lang[:2]
    return replace(
        source,
        name=found.title if found.title and unnamed else source.name,
        lang=source.lang or (lang if lang in ("en", "ja") else ""),
        kind=kind_of(source.kind, source.url),
        allow_private=is_local(source.url),
    )


def _rank(candidate: Candidate, found: Survey) -> int:
    """Feeds before listings before sitemaps; feeds of comments, and those nobody fills, behind listings."""
    from datetime import timedelta

    from monitor.sources.discover import is_about_comments

    if candidate.kind == "page":
        return 1
    if candidate.kind == "sitemap":
        return 3
    stale = found.newest_at is not None and now() - found.newest_at > timedelta(days=STALE_DAYS)
    return 2 if stale or is_about_comments(candidate) else 0

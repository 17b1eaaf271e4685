"""`monitor sources check`: every source asked twice, politely, and nothing stored.

    first pass: fetch | survey | learn validators      second pass, after it: ask again with them

The second pass shows what the monitor will see on most days: a server that answers 304 costs nothing.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import FetchError, InputError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.cli.inputs import Desk
    from monitor.fetch import Fetcher
    from monitor.model import Fetched, FetchState, Source
    from monitor.settings.monitor_file import MonitorSettings
    from monitor.sources.survey import Survey

_COLUMNS = ("id", "verdict", "status", "again", "kind", "entries", "newest", "encoding", "took_ms", "notes")
AT_ONCE = 200  # sources in hand; Fetcher lets one request at a time go to each host


@click.command()
@click.argument("ids", metavar="[SOURCE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every source that is switched on.")
@click.option("--strict", is_flag=True, help="Exit 1 when a source could not be read.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each source.")
@pass_env
def check(env: Env, ids: tuple[str, ...], every: bool, strict: bool, as_json: bool) -> int:
    """Ask sources now, twice, and say what each gave; nothing is stored.

    The second time only what changed is asked for, as the monitor does: `again` is 304 where the server
    can tell, empty where it gave nothing to ask with.
    """
    if bool(ids) == every:
        raise click.UsageError("name sources, or give --all")
    config = env.load()
    chosen = {source.id: source for source in config.sources if source.enabled or source.id in ids}
    unknown = sorted(set(ids) - chosen.keys())
    if unknown:
        raise InputError(f"no such source: {', '.join(unknown)}; `monitor sources list` shows them all")
    picked = [chosen[key] for key in dict.fromkeys(ids or chosen)]
    return asyncio.run(_check(env, config.monitor, picked, strict, as_json))


async def _check(
    env: Env, settings: MonitorSettings, chosen: Sequence[Source], strict: bool, as_json: bool
) -> int:
    from monitor.cli.inputs import Desk
    from monitor.cli.reports import Progress
    from monitor.cli.show import json_line, say

    tries = {source.id: Try(source) for source in chosen}
    async with Desk(env, at_once=AT_ONCE) as desk, _fetcher(settings) as fetch:
        asker = _Asker(desk, fetch, settings)
        with Progress(2 * len(tries)) as progress:
            for ask in (asker.first, asker.again):

                async def work(source_id: str, ask: Any = ask) -> Try:
                    await ask(tries[source_id])
                    progress.step()
                    return tries[source_id]

                async for one in desk.in_order(list(tries), work):
                    if as_json and ask == asker.again:
                        json_line(row(one))
    rows = [row(one) for one in tries.values()]
    if not as_json:
        _print(rows)
    say(_summary(rows))
    return 1 if strict and any(each["verdict"] == "failed" for each in rows) else 0


def _fetcher(settings: MonitorSettings) -> Fetcher:
    """As the worker has it."""
    from monitor.app import user_agent
    from monitor.fetch import Fetcher

    return Fetcher(
        user_agent=user_agent(settings.homepage, settings.contact),
        now=now,
        total=settings.poll.concurrency,
        connect_timeout_s=settings.poll.connect_timeout_s,
        blocked_hosts=settings.poll.blocked_hosts,
    )


# --- asking ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Try:
    """One source and what came of asking it; the body is let go as soon as it has been looked at."""

    source: Source
    url: str = ""
    status: int | None = None
    again: int | None = None
    redirects: tuple[str, ...] = ()
    validators: FetchState | None = None
    survey: Survey | None = None
    robots: str = ""  # allowed | refused | unreadable | not asked | unknown
    took_ms: int | None = None
    problem: str = ""


class _Asker:
    """The two passes over one source."""

    def __init__(self, desk: Desk, fetch: Fetcher, settings: MonitorSettings) -> None:
        self._desk = desk
        self._fetch = fetch
        self._limits = settings.limits

    async def first(self, one: Try) -> None:
        """Fetches and surveys; remembers the validators."""
        by_rules = _by_rules(one.source)
        one.url = one.source.url
        one.robots = "unknown" if by_rules else "not asked"
        try:
            fetched = await self._get(one.source, one.source.url)
        except FetchError as error:
            one.status, one.problem = error.status, str(error)
            if error.kind == "robots":  # rules that could not be read are tried again later
                one.robots = "refused" if error.retry_after_s is None else "unreadable"
            return
        one.robots = "allowed" if by_rules else one.robots
        _note(one, fetched)
        try:
            one.survey = await self._survey(one.source, fetched)
            one.problem = one.survey.problem if not one.survey.entries else ""
        except WorkerError as error:
            one.problem = str(error)
        except FetchError as error:
            one.problem = f"{error.url}: {error}"

    async def again(self, one: Try) -> None:
        """Asks for changes only, of a source that said how to tell; others are left in peace."""
        if one.validators is None:
            return
        try:
            fetched = await self._get(one.source, one.source.url, one.validators)
            one.again = fetched.status
        except FetchError as error:
            one.again = error.status
            one.problem = one.problem or f"asked again: {error}"

    async def _get(self, source: Source, url: str, validators: FetchState | None = None) -> Fetched:
        from monitor.model import FetchRequest
        from monitor.pipeline.poll import ACCEPT_FEED, ACCEPT_PAGE

        by_rules = _by_rules(source)
        request = FetchRequest(
            url,
            validators={validators.url: validators} if validators else {},
            accept=ACCEPT_PAGE if by_rules else ACCEPT_FEED,
            obey_robots=by_rules,
            allow_private=source.allow_private,
            timeout_s=self._limits.timeout_s,
            max_body_bytes=self._limits.feed_bytes,
        )
        return await self._fetch(request)

    async def _survey(self, source: Source, fetched: Fetched) -> Survey:
        """Of a sitemap index, its newest sitemap's entries."""
        from dataclasses import replace

        found = await self._look(source, fetched)
        if not found.children:
            return found
        child = await self._look(source, await self._get(source, found.children[0]))
        return replace(child, kind=found.kind, root=found.root, children=found.children)

    async def _look(self, source: Source, fetched: Fetched) -> Survey:
        from monitor.sources.survey import survey

        return await self._desk.workers.run(
            survey, fetched.body, source=source, url=fetched.url, headers=dict(fetched.headers), now=now()
        )


def _by_rules(source: Source) -> bool:
    from monitor.pipeline.poll import READ_BY_ROBOTS_RULES

    return source.kind in READ_BY_ROBOTS_RULES


def _note(one: Try, fetched: Fetched) -> None:
    from monitor.model import FetchState

    one.url, one.status, one.took_ms = fetched.url, fetched.status, fetched.took_ms
    one.redirects = tuple(f"{hop.status} {hop.to_url}" for hop in fetched.redirects)
    if fetched.etag or fetched.last_modified:
        one.validators = FetchState(fetched.url, fetched.etag, fetched.last_modified)


# --- telling ---------------------------------------------------------------------------------


def row(one: Try) -> dict[str, Any]:
    """The contract of `sources check --json`."""
    from monitor.sources.survey import Survey

    found = one.survey or Survey()
    newest = found.newest_at
    verdict = "failed" if one.problem else "ok" if found.entries else "empty"
    return {
        "id": one.source.id,
        "url": one.url,
        "verdict": verdict,
        "status": one.status,
        "again": one.again,
        "kind": found.kind or None,
        "root": found.root or None,
        "entries": found.entries,
        "undated": found.undated,
        "newest": f"{newest:%Y-%m-%dT%H:%M:%SZ}" if newest else None,
        "encoding": found.encoding or None,
        "declared": found.declared or None,
        "selector_hits": found.selector_hits,
        "pattern_hits": found.pattern_hits,
        "redirects": list(one.redirects),
        "robots": one.robots,
        "validators": _named(one.validators),
        "took_ms": one.took_ms,
        "problem": one.problem or None,
        "notes": _notes(one, found),
    }


def _named(validators: FetchState | None) -> list[str]:
    if validators is None:
        return []
    pairs = (("etag", validators.etag), ("last-modified", validators.last_modified))
    return [name for name, value in pairs if value]


def _notes(one: Try, found: Survey) -> list[str]:
    """What a person should know of a source that was read."""
    from monitor.sources.survey import is_same_encoding

    notes = [f"redirected: {hop}" for hop in one.redirects]
    if found.declared and found.encoding and not is_same_encoding(found.declared, found.encoding):
        notes.append(f"declared {found.declared}, is {found.encoding}")
    if found.selector_hits is not None:
        notes.append(f"selector finds {found.selector_hits}")
    if found.pattern_hits is not None:
        notes.append(f"link_pattern finds {found.pattern_hits}")
    if found.children:
        notes.append(f"{len(found.children)} sitemaps, the newest counted")
    if found.entries and found.undated == found.entries:
        notes.append("no entry has a date")
    if one.status == 200 and one.validators is None:
        notes.append("gives no validators: each poll is a download")
    if one.again == 200:
        notes.append("the second answer was a download too")
    if found.problem and not one.problem:
        notes.append(found.problem)
    return notes


def _print(rows: Sequence[dict[str, Any]]) -> None:
    """One line each; on a terminal, which is never wide enough, what there is to say stands below."""
    from monitor.cli.show import line, table

    if not sys.stdout.isatty():
        table(_COLUMNS, [[*(each[name] for name in _COLUMNS[:-1]), _said(each)] for each in rows])
        return
    short = [each | {"newest": (each["newest"] or "")[:10]} for each in rows]
    table(_COLUMNS[:-1], [[each[name] for name in _COLUMNS[:-1]] for each in short])
    for each in rows:
        if said := _said(each):
            line(f"{each['id']}: {said}")


def _said(found: dict[str, Any]) -> str:
    return "; ".join([found["problem"], *found["notes"]] if found["problem"] else found["notes"])


def _summary(rows: Sequence[dict[str, Any]]) -> str:
    counts = {name: sum(each["verdict"] == name for each in rows) for name in ("ok", "empty", "failed")}
    unchanged = sum(each["again"] == 304 for each in rows)
    return (
        f"{counts['ok']} of {len(rows)} sources bring entries, {counts['empty']} are empty, "
        f"{counts['failed']} failed; {unchanged} answer 304"
    )

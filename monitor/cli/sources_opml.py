"""`monitor sources import` and `export`: lists of feeds, as feed readers exchange them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import click

from monitor.cli.context import Env, pass_env
from monitor.errors import InputError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Source
    from monitor.sources.opml import OpmlEntry


@click.command("import")
@click.argument("given", metavar="FILE|URL|-")
@pass_env
def import_opml(env: Env, given: str) -> int:
    """Turn an OPML list of feeds into entries for sources.yaml.

    They go to standard output. Feeds that are configured already, or stand twice in the list, are left
    out and named. A list that is not well-formed is read as far as it can be.
    """
    from monitor.cli.show import line, say
    from monitor.sources.discover import yaml_entry

    configured = env.load().sources
    urls, ids = {source.url for source in configured}, {source.id for source in configured}
    entries = asyncio.run(_read(env, given))
    taken = 0
    for entry in entries:
        fault = _left_out(entry, urls)
        source = _source(entry, ids)
        if fault := fault or _fault(source):
            say(f"line {entry.line}: {entry.title or entry.xml_url}: {fault}")
            continue
        ids.add(source.id)
        line(yaml_entry(source))
        taken += 1
    say(f"{taken} of {len(entries)} feeds written as entries for config/sources.yaml")
    return 0


async def _read(env: Env, given: str) -> Sequence[OpmlEntry]:
    """The list's entries, parsed where a hostile list can do no harm. Raises InputError."""
    from monitor.cli.inputs import Desk
    from monitor.sources.opml import read_opml

    async with Desk(env, processes=1) as desk:
        body = await desk.read(given)
        if body.problem:
            raise InputError(f"{given}: {body.problem}")
        try:
            return await desk.workers.run(read_opml, body.body)
        except WorkerError as error:
            raise InputError(f"{given}: {error}") from error


def _left_out(entry: OpmlEntry, configured: set[str]) -> str:
    if not entry.xml_url:
        return "no address"
    if entry.repeated:
        return "stands twice"
    return "is configured" if entry.xml_url in configured else ""


def _source(entry: OpmlEntry, ids: set[str]) -> Source:
    from monitor import urls
    from monitor.model import Source
    from monitor.sources.discover import free_id, kind_of

    return Source(
        id=free_id(_id_of(entry.title or entry.html_url or entry.xml_url), set(ids)),
        url=entry.xml_url,
        name=entry.title[:200],
        kind=kind_of("feed", entry.xml_url),
        homepage=entry.html_url if urls.is_http(entry.html_url) else "",
        lang=entry.lang[:2] if entry.lang[:2] in ("en", "ja") else "",
        category=entry.folder[-1][:60] if entry.folder else "",
    )


def _fault(source: Source) -> str:
    """Why sources.yaml would not take it, or ""."""
    from pydantic import ValidationError

    from monitor.settings.sources_file import SourceEntry

    try:
        SourceEntry.model_validate({"id": source.id, "url": source.url, "homepage": source.homepage})
    except ValidationError as error:
        return "; ".join(str(each.get("ctx", {}).get("message", each["msg"])) for each in error.errors())
    return ""


def _id_of(name: str) -> str:
    """An id made of a name or an address."""
    plain = name.lower().removeprefix("https://").removeprefix("http://")
    return re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or "source"


@click.command("export")
@pass_env
def export_opml(env: Env) -> int:
    """Write the feeds as an OPML list, for a feed reader.

    Pages, sitemaps and watched pages have no place in such a list: how many there are is said.
    """
    from monitor.cli.show import say
    from monitor.sources.opml import write_opml

    configured = env.load().sources
    feeds = [source for source in configured if source.kind in ("feed", "search")]
    if not feeds:
        raise InputError("no feed is configured")
    click.echo(write_opml(feeds, "japan-tech-monitor"), nl=False)
    if len(configured) > len(feeds):
        say(f"left out, as they are no feeds: {len(configured) - len(feeds)}")
    return 0

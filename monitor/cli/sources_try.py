"""`monitor sources preview`: what an address or a file would bring, without a trace in the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import InputError, WorkerError

if TYPE_CHECKING:
    from monitor.cli.inputs import Desk, Input
    from monitor.model import Source


@click.command()
@click.argument("inputs", metavar="URL|FILE|-", nargs=-1, required=True)
@click.option("--selector", default="", metavar="CSS", help="For a page: selector of its links.")
@click.option(
    "--link-pattern", default="", metavar="REGEX", help="For a page: what its link targets contain."
)
@click.option("--timezone", default="", metavar="ZONE", help="Zone of dates without one, such as Asia/Tokyo.")
@click.option("--url", "base", metavar="URL", default="", help="Address a file is from, for its links.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each input.")
@pass_env
def preview(
    env: Env,
    inputs: tuple[str, ...],
    selector: str,
    link_pattern: str,
    timezone: str,
    base: str,
    as_json: bool,
) -> int:
    """Show what feeds, sitemaps or pages would bring, in order.

    An input that cannot be opened is exit 2; one that is no feed is an answer with its problem.
    """
    entry = {"selector": selector, "link_pattern": link_pattern, "timezone": timezone}
    return asyncio.run(_preview(env, inputs, _source(entry), base, as_json))


def _source(entry: dict[str, str]) -> Source:
    """A source of these options, checked as sources.yaml is. Raises InputError."""
    from pydantic import ValidationError

    from monitor.settings.sources_file import SourceEntry

    given = {key: value for key, value in entry.items() if value}
    kind = "page" if "selector" in given or "link_pattern" in given else "feed"
    try:
        checked = SourceEntry.model_validate(
            {"id": "preview", "url": "http://preview.invalid/", "kind": kind} | given
        )
    except ValidationError as error:
        raise InputError(
            "; ".join(str(each.get("ctx", {}).get("message", each["msg"])) for each in error.errors())
        ) from error
    from dataclasses import replace

    source = checked.to_source(restricted=True, floor_minutes=1, cap_minutes=1440)
    return replace(source, url="", kind="page")  # a page is read as a feed when it is one


async def _preview(env: Env, inputs: tuple[str, ...], source: Source, base: str, as_json: bool) -> int:
    from monitor.cli.inputs import Desk
    from monitor.cli.show import json_line

    unopened = False
    async with Desk(env) as desk:

        async def work(name: str) -> tuple[Input, dict[str, Any]]:
            given = await desk.read(name, obey_robots=False)
            return given, await _shown(desk, given, source, base)

        async for given, found in desk.in_order(inputs, work):
            unopened = unopened or bool(given.problem)
            if as_json:
                json_line(found)
            else:
                _print(given, found)
    return 2 if unopened else 0


async def _shown(desk: Desk, given: Input, source: Source, base: str) -> dict[str, Any]:
    from monitor.sources.preview import preview

    key = "url" if given.is_url else "file"
    problem = given.problem
    if not problem:
        try:
            return await desk.workers.run(
                preview,
                given.name,
                given.body,
                base or given.url,
                headers=dict(given.headers),
                now=now(),
                source=source,
                is_url=given.is_url,
            )
        except WorkerError as error:
            problem = str(error)
    return {key: given.name, "kind": "", "entries": [], "problem": problem}


def _print(given: Input, found: dict[str, Any]) -> None:
    from monitor.cli.show import say, table

    say(f"{given.name}: {found['kind'] or 'not readable'}, {len(found['entries'])} entries")
    if found["problem"]:
        say(f"  {found['problem']}")
    table(
        ("published", "title", "url"),
        [[row["published"], row["title"], row["url"]] for row in found["entries"]],
    )

"""`monitor extract`: the readable text of pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, pass_env
from monitor.errors import WorkerError

if TYPE_CHECKING:
    from monitor.cli.inputs import Desk, Input
    from monitor.model import Extracted


@click.command()
@click.argument("inputs", metavar="FILE|URL|-", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each input.")
@click.option("--url", "base", metavar="URL", default="", help="Address the pages are from, for their links.")
@pass_env
def extract(env: Env, inputs: tuple[str, ...], as_json: bool, base: str) -> int:
    """Show the readable text of pages: title, date, author, text.

    Reads files (.html, also gzipped), addresses, or standard input (-), in order. A page without text is an
    answer, with its reason; an input that cannot be opened makes the exit code 2.
    """
    return asyncio.run(_extract(env, inputs, as_json, base))


async def _extract(env: Env, inputs: tuple[str, ...], as_json: bool, base: str) -> int:
    from monitor.cli.inputs import Desk
    from monitor.cli.show import json_line

    unopened = False
    async with Desk(env) as desk:

        async def work(name: str) -> tuple[Input, Extracted]:
            given = await desk.read(name)
            return given, await read_page(desk, given, base)

        async for given, page in desk.in_order(inputs, work):
            unopened = unopened or bool(given.problem)
            if as_json:
                json_line(_as_dict(given, page, base))
            else:
                _print(given, page, heading=len(inputs) > 1)
    return 2 if unopened else 0


async def read_page(desk: Desk, given: Input, base: str) -> Extracted:
    """A page's text, or the reason why there is none."""
    from monitor.cli.inputs import MAX_BYTES
    from monitor.extract import extract
    from monitor.model import Extracted
    from monitor.sources.sniff import inflate

    if given.problem:
        return Extracted("unreadable", given.problem)
    body, problem = inflate(given.body, MAX_BYTES)
    if problem:
        return Extracted("unreadable", problem)
    try:
        return await desk.workers.run(extract, body, url=base or given.url, content_type=given.content_type)
    except WorkerError as error:
        return Extracted("timeout" if error.kind == "timeout" else "unreadable", str(error))


def _as_dict(given: Input, page: Extracted, base: str) -> dict[str, Any]:
    return {
        "file": given.name,
        "url": page.url or base or given.url or None,
        "title": page.title or None,
        "text": page.text,
        "published": page.published or None,
        "author": page.author or None,
        "lang": page.lang or None,
        "status": page.status,
        "reason": page.reason or None,
    }


def _print(given: Input, page: Extracted, *, heading: bool) -> None:
    from monitor.cli.show import line, say

    if heading:
        line(f"== {given.name}")
    if page.status != "ok":
        say(f"{given.name}: {page.status}: {page.reason}")
    about = " · ".join(part for part in (page.published, page.author, page.lang, page.url) if part)
    for part in (page.title, about, "", page.text):
        if part or page.text:
            line(part)

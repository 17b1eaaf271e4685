"""`monitor explain`: the whole life of one article."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, pass_env
from monitor.errors import InputError

if TYPE_CHECKING:
    from monitor.model import Document

NOT_SEEN = "was never seen; `monitor explain` reads it now, as if a source had shown it"


@click.command()
@click.argument("what", metavar="URL|ITEM|FILE")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@pass_env
def explain(env: Env, what: str, as_json: bool) -> int:
    """Tell why an article was reported, or why not.

    ITEM or URL: seen where, read how, which rule scored what, which story, which digests, to whom. A FILE (a
    page, or text) and a URL never seen are read and judged now.
    """
    from monitor.cli.inputs import is_url
    from monitor.cli.show import json_line, line, say

    config = env.load()
    if not Path(what).is_file() and config.database.exists():
        with env.store(config, read_only=True) as store:
            life = store.life_of(what)
        if life:
            if as_json:
                json_line(life)
            else:
                line(_told(life))
            return 0
    if not is_url(what) and not Path(what).is_file():
        raise InputError(f"{what} is no item seen, no web address and no file")
    if is_url(what):
        say(f"{what} {NOT_SEEN}")
    document = asyncio.run(_document(env, what))
    _judge(config.rules, document, as_json)
    return 0


async def _document(env: Env, what: str) -> Document:
    from monitor.cli.extract import read_page
    from monitor.cli.inputs import Desk
    from monitor.model import Document
    from monitor.text import decode

    async with Desk(env) as desk:
        given = await desk.read(what)
        if given.problem:
            raise InputError(f"{what}: {given.problem}")
        if what.endswith((".txt", ".md")):
            title, _, text = decode(given.body)[0].partition("\n")
            return Document(text=text, title=title)
        page = await read_page(desk, given, "")
    if page.status != "ok":
        raise InputError(f"{what}: {page.status}: {page.reason}")
    return Document(text=page.text, title=page.title, url=page.url, lang=page.lang, published=page.published)


def _judge(ruleset: Any, document: Document, as_json: bool) -> None:
    from dataclasses import asdict

    from monitor import rules
    from monitor.cli.show import json_line, line

    account = rules.explain(document, ruleset)
    if as_json:
        json_line(asdict(account))
    else:
        line(rules.format_explanation(account, document))


# --- the life of an item, as text --------------------------------------------------------------


def _told(life: dict[str, Any]) -> str:
    item = life["item"]
    told = [
        f"item {item['id']}: {item['title']}",
        item["url"],
        *(f"seen     {row['seen_at']} in {row['source_id']}" for row in life["sightings"]),
        f"outcome  {item['outcome'] or item['status']}: {item['reason'] or '-'}",
    ]
    if life["article"]:
        told.append(f"read     {life['article']['extracted_at']}, {life['article']['chars']} characters")
    for verdict in life["verdicts"]:
        told += _verdict(verdict)
    if life["story"]:
        others = len(life["story"].get("members", [])) - 1
        noun = "article" if others == 1 else "articles"
        told.append(f"story    {life['match']['story_id']}, with {others} other {noun}")
    told += [f"{row['decision']:<8} {row['reason']}" for row in life["joins"]]
    told += [f"digest   {row['digest_name']} ({row['kind']}) of {row['composed_at']}: {row['role']}"
             for row in life["claims"]]  # fmt: skip
    if life["match"] and not life["claims"]:
        told.append("digest   none yet")
    told += [f"message  {row['status']} to {row['recipient'] or row['channel']}" for row in life["outbox"]]
    told += [f"judged   {row['judgement']} {row['note']}".rstrip() for row in life["feedback"]]
    return "\n".join(told)


def _verdict(verdict: dict[str, Any]) -> list[str]:
    kind = "match" if verdict["match"] else "near miss" if verdict["near_miss"] else "no match"
    head = f"judged   {verdict['decided_at']} on the {verdict['basis']}: {kind}, score {verdict['score']:g}"
    parts = [
        f"         {part['weight']:+g} {part['rule']}: {part['label']}"
        + (f" [{part['quote']}]" if part["quote"] else "")
        for part in verdict["parts"]
    ]
    return [f"{head}: {verdict['why']}", *parts]

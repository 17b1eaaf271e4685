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
    from monitor.rules import RuleSet

NOT_SEEN = "was never seen; `monitor explain` reads it now, as if a source had shown it"


@click.command()
@click.argument("what", metavar="URL|ITEM|FILE")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@pass_env
def explain(env: Env, what: str, as_json: bool) -> int:
    """Tell why an article was reported, or why not.

    ITEM or URL: seen where, read how, which rule scored what, which story, which digests, to whom, and what
    today's rules would say. A URL never seen is read and judged now, and so is a FILE: a saved page, or
    text whose first line is its title (.txt, .md).
    """
    from monitor.cli.inputs import is_url
    from monitor.cli.show import say

    config = env.load()
    if not Path(what).is_file() and config.database.exists():
        with env.store(config, read_only=True) as store:
            life = store.life_of(what)
            read = store.readable(life["item"]["id"]) if life else None
        if life and read:
            _tell(life, read, config.rules, as_json)
            return 0
    if not is_url(what) and not Path(what).is_file():
        raise InputError(f"{what} is no item seen, no web address and no file")
    if is_url(what):
        say(f"{what} {NOT_SEEN}")
    document = asyncio.run(_document(env, what))
    _judge(config.rules, document, as_json)
    return 0


def _tell(life: dict[str, Any], read: dict[str, Any], ruleset: RuleSet, as_json: bool) -> None:
    from monitor.cli.life import told
    from monitor.cli.show import json_line, line
    from monitor.rules.evaluate import document_of
    from monitor.rules.today import judge_today

    then = life["verdicts"][-1] if life["verdicts"] else None
    today = judge_today(document_of(read), ruleset, then, life["item"]["outcome"])
    if as_json:
        json_line(life | {"today": today.as_dict() | {"basis": read["basis"]}})
    else:
        line(told(life, today, read["basis"]))


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


def _judge(ruleset: RuleSet, document: Document, as_json: bool) -> None:
    from dataclasses import asdict

    from monitor import rules
    from monitor.cli.show import json_line, line

    account = rules.explain(document, ruleset)
    if as_json:
        json_line(asdict(account))
    else:
        line(rules.format_explanation(account, document))

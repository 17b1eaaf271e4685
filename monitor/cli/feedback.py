"""`monitor feedback`: what people thought of an article."""

from __future__ import annotations

from typing import Any

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import InputError


@click.command()
@click.argument("what", metavar="ID|URL")
@click.argument("judgement", type=click.Choice(["good", "bad", "missed"]))
@click.option("--note", default="", metavar="TEXT", help="Why, in a few words.")
@pass_env
def feedback(env: Env, what: str, judgement: str, note: str) -> int:
    """Keep what you think of an article.

    A match is good or bad; an article that should have matched was missed. ID is the item's number, as
    search and matches show it. `monitor rules eval --from-feedback` measures the rules by what was kept.
    """
    from monitor.cli.inputs import is_url
    from monitor.cli.show import say

    with env.store() as store:
        life = store.life_of(what)
        if life is None and not (is_url(what) and judgement == "missed"):
            raise InputError(f"no such item: {what}")
        item_id = life["item"]["id"] if life else None
        store.feedback(item_id, judgement, now=now(), note=note, url=what if is_url(what) else "")
    say(_kept(life["item"], judgement) if life else f"kept: {what} was {judgement}")
    return 0


def _kept(item: dict[str, Any], judgement: str) -> str:
    """What was kept of which article: a number is easily the wrong one."""
    told = f"kept: {judgement}, of item {item['id']}: {item['title'] or item['url']}"
    if judgement == "missed" or item["outcome"] == "match":
        return told
    outcome = item["outcome"] or "not judged yet"
    return f"{told} ({outcome}: it was not reported; `missed` says that it should be)"

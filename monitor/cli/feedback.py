"""`monitor feedback`: what people thought of an article."""

from __future__ import annotations

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
    say(f"kept: {judgement}")
    return 0

"""`monitor search`, `matches`, `export`: asking the archive."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any

import click

from monitor.cli.context import Env, now, pass_env
from monitor.cli.times import when
from monitor.model import CORRIDORS, EVENTS, PRIORITIES, TOPICS


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Most results.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each result.")
@pass_env
def search(env: Env, query: tuple[str, ...], limit: int, as_json: bool) -> int:
    """Find kept articles by words, in English or Japanese.

    All words must be there; "several words" in quotes stand together.
    """
    from monitor.cli.show import json_line, line, say

    with env.store(read_only=True) as store:
        results = list(store.search(" ".join(query), limit))
    for found in results:
        if as_json:
            json_line(found)
            continue
        line(f"{found['item_id']}  {found['title']}")
        line(f"    {found['url']}")
        line(f"    {found['snippet']}")
    if not results:
        say("no match and no near miss has all of these words; OR between them asks for any")
    return 0


@click.command()
@click.option("--corridor", type=click.Choice(CORRIDORS), help="Only this corridor.")
@click.option("--topic", type=click.Choice(TOPICS), metavar="TOPIC", help="Only this topic.")
@click.option("--event", type=click.Choice(EVENTS), metavar="EVENT", help="Only this kind of event.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="Only this priority.")
@click.option("--country", default="", metavar="CODE", help="Only sources of this country.")
@click.option("--lang", default="", metavar="CODE", help="Only articles in this language.")
@click.option("--source", default="", metavar="SOURCE", help="Only this source, by id or name.")
@click.option(
    "--organisation", default="", metavar="NAME", help="Only with this organisation, or a part of its name."
)
@click.option("--query", default="", metavar="WORDS", help="Only articles with these words.")
@click.option("--since", metavar="TIME", callback=when, help="Matched since then: 7d, or 2026-11-20.")
@click.option("--until", metavar="TIME", callback=when, help="Matched before then.")
@click.option("--min-score", type=float, help="Only with at least this score.")
@click.option("--limit", type=click.IntRange(1), help="Most rows.")
@click.option("--format", "shape", type=click.Choice(["table", "json", "csv", "atom", "md"]), default="table",
              show_default=True, help="How they are written; json is one line for each.")  # fmt: skip
@pass_env
def matches(env: Env, /, shape: str, limit: int | None, **filters: Any) -> int:
    """List matches, newest first."""
    from monitor.cli.rows import write
    from monitor.store.matches import MatchFilter

    wanted = MatchFilter(
        limit=limit,
        **{name: value if value is not None else _NOTHING.get(name, "") for name, value in filters.items()},
    )
    with env.store(read_only=True) as store, closing(store.matches(wanted)) as rows:
        write(rows, shape)
    return 0


_NOTHING: dict[str, Any] = {"since": None, "until": None, "min_score": None}


@click.command()
@click.option("--since", metavar="TIME", callback=when, help="Matched since then: 7d, or 2026-11-20.")
@click.option("--until", metavar="TIME", callback=when, help="Matched before then.")
@click.option("--format", "shape", type=click.Choice(["json", "csv", "md"]), default="json",
              show_default=True, help="JSON lines, CSV, or a brief in Markdown, sources cited.")  # fmt: skip
@pass_env
def export(env: Env, since: datetime | None, until: datetime | None, shape: str) -> int:
    """Write the matches of a period, newest first.

    For a program (json), a spreadsheet (csv) or a reader (md).
    """
    from monitor.cli.rows import write
    from monitor.cli.show import line
    from monitor.digest.brief import brief
    from monitor.store.matches import MatchFilter

    wanted = MatchFilter(since=since, until=until)
    with env.store(read_only=True) as store, closing(store.matches(wanted)) as rows:
        if shape == "md":
            for text in brief(list(rows), since, until or now()):
                line(text)
        else:
            write(rows, shape)
    return 0

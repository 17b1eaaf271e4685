"""`monitor search`, `matches`, `export`: asking the archive."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import click

from monitor.cli.context import Env, now, pass_env
from monitor.cli.times import when
from monitor.model import CORRIDORS, EVENTS, PRIORITIES, TOPICS

_COLUMNS = ("matched_at", "source", "country", "title", "why")


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Most results.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each result.")
@pass_env
def search(env: Env, query: tuple[str, ...], limit: int, as_json: bool) -> int:
    """Find kept articles by words, in English or Japanese.

    All words must be there; "several words" in quotes stand together.
    """
    from monitor.cli.show import json_line, line

    with env.store(env.load(), read_only=True) as store:
        for found in store.search(" ".join(query), limit):
            if as_json:
                json_line(found)
                continue
            line(f"{found['item_id']}  {found['title']}")
            line(f"    {found['url']}")
            line(f"    {found['snippet']}")
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
    from monitor.store.matches import MatchFilter

    wanted = MatchFilter(
        limit=limit,
        **{name: value if value is not None else _NOTHING.get(name, "") for name, value in filters.items()},
    )
    config = env.load()
    with env.store(config, read_only=True) as store:
        _write(store.matches(wanted), shape)
    return 0


_NOTHING: dict[str, Any] = {"since": None, "until": None, "min_score": None}


@click.command()
@click.option("--since", metavar="TIME", callback=when, help="Matched since then.")
@pass_env
def export(env: Env, since: datetime | None) -> int:
    """Write all matches as JSON lines, newest first."""
    from monitor.cli.show import json_line
    from monitor.store.matches import MatchFilter

    with env.store(env.load(), read_only=True) as store:
        for row in store.matches(MatchFilter(since=since)):
            json_line(row)
    return 0


def _write(rows: Iterator[dict[str, Any]], shape: str) -> None:
    from monitor.cli.show import json_line, table

    if shape == "json":
        for row in rows:
            json_line(row)
    elif shape == "csv":
        _csv(rows)
    elif shape == "md":
        _markdown(rows)
    elif shape == "atom":
        _atom(rows)
    else:
        table(_COLUMNS, ([row[name] for name in _COLUMNS] for row in rows))


def _csv(rows: Iterable[dict[str, Any]]) -> None:
    """Lists as JSON; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    from monitor.text import terminal_safe

    writer: Any = None
    for row in rows:
        if writer is None:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(row)
        cells = (
            json.dumps(v, ensure_ascii=False) if isinstance(v, (list, dict)) else v for v in row.values()
        )
        writer.writerow([_cell(terminal_safe(v)) if isinstance(v, str) else v for v in cells])


def _cell(text: str) -> str:
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _markdown(rows: Iterable[dict[str, Any]]) -> None:
    from monitor.cli.show import line

    for row in rows:
        title = row["title"].translate({ord(mark): "\\" + mark for mark in "\\[]*_`<"})
        url = row["url"].replace(")", "%29").replace(" ", "%20")
        line(f"- [{title}]({url}) — {row['source']}, {row['matched_at'][:10]}: {row['why']}")


def _atom(rows: Iterable[dict[str, Any]]) -> None:
    from xml.sax.saxutils import escape, quoteattr

    from monitor.cli.show import line

    line('<?xml version="1.0" encoding="utf-8"?>')
    line(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Matches</title><id>urn:japan-tech-monitor:matches</id>'
    )
    line(f"<updated>{now():%Y-%m-%dT%H:%M:%SZ}</updated>")
    for row in rows:
        line(
            f"<entry><id>urn:japan-tech-monitor:match:{row['id']}</id><title>{escape(row['title'])}</title>"
            f"<link href={quoteattr(row['url'])}/><updated>{row['matched_at']}</updated>"
            f"<author><name>{escape(row['source'])}</name></author><summary>{escape(row['why'])}</summary></entry>"
        )
    line("</feed>")

"""`monitor stories`: which articles tell the same story."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from monitor.cli.context import Env, now, pass_env
from monitor.cli.times import when
from monitor.errors import InputError

if TYPE_CHECKING:
    from monitor.model import Article, Verdict
    from monitor.rules import RuleSet


@click.group()
def stories() -> None:
    """Look at stories: articles that tell the same thing."""


@stories.command("list")
@click.option("--since", metavar="TIME", callback=when, help="Matched since then: 7d, or 2026-11-20.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each story.")
@pass_env
def list_stories(env: Env, since: datetime | None, as_json: bool) -> int:
    """List stories, the newest first, with the outlets that carry them."""
    from monitor.cli.show import json_line, table
    from monitor.store.matches import MatchFilter

    found: dict[int, dict[str, Any]] = {}
    with env.store(read_only=True) as store:
        for row in store.matches(MatchFilter(since=since)):
            story = found.setdefault(
                row["story_id"],
                {"story": row["story_id"], "newest_at": row["matched_at"], "title": row["title"],
                 "outlets": [], "matches": []},
            )  # fmt: skip
            if row["source"] not in story["outlets"]:
                story["outlets"].append(row["source"])
            story["matches"].append(row["id"])
    for story in found.values() if as_json else ():
        json_line(story)
    if not as_json:
        rows = [
            [s["story"], s["newest_at"], len(s["matches"]), s["title"], s["outlets"]] for s in found.values()
        ]
        table(("story", "newest", "articles", "title", "outlets"), rows, empty="no story")
    return 0


@stories.command("eval")
@click.argument("file", type=click.File("rb"), default="-")
@pass_env
def evaluate(env: Env, file: BinaryIO) -> int:
    """Cluster a file of articles, and measure it.

    JSON Lines as classify reads them; where `story` says which belong together, it is measured. One line
    out for each, then one with the figures.
    """
    from monitor.cli.show import json_line
    from monitor.stories.evaluate import cluster, score_clusters

    ruleset = env.load_rules()
    records, articles, bad = _read(file, ruleset)
    placed = cluster(articles)
    for record, each in zip(records, placed, strict=True):
        joined = None if each.joined_to is None else records[each.joined_to]["id"]
        json_line(
            {"id": record["id"], "cluster": each.cluster, "joined_to": joined, "reason": each.join.reason}
        )
    labels = [str(record["story"]) if record.get("story") else None for record in records]
    json_line({"summary": score_clusters(labels, [each.cluster for each in placed])})
    if bad:
        raise InputError("\n".join(bad))
    return 0


def _read(
    file: BinaryIO, ruleset: RuleSet
) -> tuple[list[dict[str, Any]], list[tuple[Article, Verdict]], list[str]]:
    from monitor import rules
    from monitor.cli.records import document_of, read_lines

    records: list[dict[str, Any]] = []
    articles: list[tuple[Article, Verdict]] = []
    bad: list[str] = []
    for line in read_lines(file):
        try:
            if line.record is None:
                raise ValueError(line.problem)
            document = document_of(line.record)
        except ValueError as error:
            bad.append(f"line {line.number}: {error}")
            continue
        records.append(line.record)
        articles.append((_article(len(articles), document), rules.classify(document, ruleset)))
    return records, articles, bad


def _article(n: int, document: Any) -> Article:
    from monitor import dates
    from monitor.model import Article

    return Article(
        item_id=n,
        url=document.url,
        title=document.title,
        text=document.text,
        lang=document.lang,
        published=document.published,
        published_at=dates.parse_feed_date(document.published, "UTC", now()) if document.published else None,
    )

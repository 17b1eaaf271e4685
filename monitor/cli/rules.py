"""`monitor rules`: the rules tried on their examples, on labelled articles, on the stored history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from monitor.cli.context import Env, pass_env
from monitor.cli.times import when
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.rules import RuleSet
    from monitor.settings import Config

_BAD_SHOWN = 10
_EXAMPLE = '{"text": "…", "match": true}'
_LABELS = ("corridors", "topics")


@click.group()
def rules() -> None:
    """Try the rules: on examples, labelled articles, stored history."""


@rules.command("test")
@pass_env
def test_examples(env: Env) -> int:
    """Run every rule's own `matches:` and `ignores:`. Exit 2 when one does not hold."""
    from monitor import rules
    from monitor.cli.show import line
    from monitor.settings import in_folder

    ruleset = env.load_rules()
    problems = in_folder(env.config_dir(), rules.check_examples(ruleset))
    if problems:
        raise ConfigError(problems)
    examples = sum(len(rule.matches) + len(rule.ignores) for rule in ruleset.rules)
    line(f"{len(ruleset.rules)} rules, {examples} examples: all hold")
    return 0


@rules.command("eval")
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--from-feedback", is_flag=True, help="Measure by the judgements kept with `monitor feedback`.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object.")
@pass_env
def evaluate(env: Env, file: BinaryIO | None, from_feedback: bool, as_json: bool) -> int:
    """Measure the rules on labelled articles.

    Says precision, recall, and every article they got wrong. FILE holds one JSON object a line: `text` and
    `match` (true or false); where known `id`, `title`, `url`, `lang`, `source`, `published`, `corridors`,
    `topics` (lists), `event`; with `borderline: true` it is counted apart. Columns: matches found, false
    alarms, matches missed, and what was rightly left. Bad lines are named and left out, exit code 2.
    """
    from monitor.cli.show import json_line, line, say
    from monitor.rules.evaluate import evaluate, format_report

    if (file is None) == (not from_feedback):
        raise click.UsageError("give FILE or --from-feedback")
    if file is None:
        config = env.load()
        with env.store(config, read_only=True) as store:
            report = evaluate(store.judged(), config.rules)
        bad: list[str] = []
    else:
        bad = []
        report = evaluate(_labelled(file, bad), env.load_rules())
    for problem in bad[:_BAD_SHOWN]:
        say(problem)
    if len(bad) > _BAD_SHOWN:
        say(f"and {len(bad) - _BAD_SHOWN} more such lines; each must be like {_EXAMPLE}")
    if as_json:
        json_line(report.as_dict())
    else:
        line(format_report(report))
    return 2 if bad else 0


def _labelled(file: BinaryIO, bad: list[str]) -> Iterator[dict[str, Any]]:
    from monitor.cli.records import read_lines, text_of

    for each in read_lines(file):
        try:
            if each.record is None:
                raise ValueError(each.problem)
            record = each.record
            if not isinstance(record.get("match"), bool):
                raise ValueError("match must be true or false")
            for key in _LABELS:
                if not isinstance(record.get(key) or [], list):
                    raise ValueError(f"{key} must be a list")
            yield {
                **{key: value for key, value in record.items() if value is not None},
                "text": text_of(record, "text", required=True),
                "title": text_of(record, "title"),
            }
        except ValueError as error:
            bad.append(f"line {each.number}: {error}")


@rules.command()
@click.argument(
    "other", metavar="OTHER-CONFIG", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--since", metavar="TIME", callback=when, help="Articles seen since then: 90d, or 2026-11-20.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each change, then the counts.")
@pass_env
def diff(env: Env, other: Path, since: datetime | None, as_json: bool) -> int:
    """Show what other rules would newly catch and newly drop.

    OTHER-CONFIG is a folder like `config/`: copy yours, change its rules, compare. They judge the stored
    history. Where the text was not kept, the source's own
    teaser is judged, and the line says so.
    """
    from monitor import settings
    from monitor.cli.show import json_line, line, say

    config = env.load()
    theirs = settings.load_rules(settings.find_config(str(other), {}, Path.cwd()))
    counts = {"caught": 0, "dropped": 0, "unchanged": 0}
    with env.store(config, read_only=True) as store:
        for change, row in _changes(store.history(since), config.rules, theirs):
            counts[change] += 1
            if change == "unchanged":
                continue
            if as_json:
                json_line({"change": change, **{key: row[key] for key in ("id", "title", "url", "basis")}})
            else:
                sign = "+" if change == "caught" else "-"
                basis = "text" if row["basis"] == "text" else "teaser only"
                line(f"{sign} {row['id']}  {row['title']}  ({basis})")
    if as_json:
        json_line(counts)
    else:
        say(", ".join(f"{count} {change}" for change, count in counts.items()))
    return 0


def _changes(
    history: Iterator[dict[str, Any]], ours: RuleSet, theirs: RuleSet
) -> Iterator[tuple[str, dict[str, Any]]]:
    from monitor.rules import classify
    from monitor.rules.evaluate import document_of

    for row in history:
        document = document_of(row)
        before, after = classify(document, ours).match, classify(document, theirs).match
        yield ("unchanged" if before == after else "caught" if after else "dropped"), row


@rules.command()
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most rows.")
@click.option("--since", metavar="TIME", callback=when, help="Decided since then.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each near miss.")
@pass_env
def near(env: Env, limit: int, since: datetime | None, as_json: bool) -> int:
    """List articles that nearly matched, and the words that would have caught them; newest first.

    Each is read again under the rules as they are now: on its text where that was kept, else on title and
    teaser. The words were tried: with them in that place the article matches.
    """
    from monitor.cli.show import json_line, table

    config: Config = env.load()
    with env.store(config, read_only=True) as store:
        rows = [row | _caught(store.readable(row["item_id"]), config.rules)
                for row in store.near_misses(limit, since)]  # fmt: skip
    if as_json:
        for row in rows:
            json_line(row)
    else:
        table(
            ("item", "score", "title", "why", "would match"),
            [[r["item_id"], r["score"], r["title"], r["why"], _would(r)] for r in rows],
            empty="no near miss is kept",
        )
    return 0


def _caught(read: dict[str, Any] | None, ruleset: RuleSet) -> dict[str, Any]:
    """`today`: match, near-miss or no-match; `basis`: text or teaser; `lifts`, each with `told`."""
    from dataclasses import asdict

    from monitor.rules.evaluate import document_of
    from monitor.rules.lifts import told
    from monitor.rules.today import judge_today

    today = judge_today(document_of(read or {}), ruleset)
    lifts = [asdict(lift) | {"told": told(lift)} for lift in today.lifts]
    return {"today": today.outcome, "basis": (read or {}).get("basis"), "lifts": lifts}


def _would(row: dict[str, Any]) -> str:
    if row["today"] == "match":
        return "it matches today"
    if row["today"] == "no-match":
        return "today it is no near miss"
    return " / ".join(lift["told"] for lift in row["lifts"]) or "no single reason would do"

"""`monitor classify`: the rules' verdict on articles, JSON Lines in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import click

from monitor.cli.context import Env, pass_env

if TYPE_CHECKING:
    from monitor.cli.records import Line
    from monitor.model import Verdict
    from monitor.rules import RuleSet


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@pass_env
def classify(env: Env, file: BinaryIO) -> int:
    """Judge articles by the rules.

    Reads JSON Lines with id, title and text (and url, lang, published) from FILE or standard input and
    writes one line for each, in the same order, as soon as it is decided. A bad line gives {"id", "error"};
    the others go on, and the exit code is 2.
    """
    from monitor.cli.records import read_lines
    from monitor.cli.show import json_line

    ruleset = env.load_rules()
    bad = False
    for line in read_lines(file):
        answer = _answer(line, ruleset)
        bad = bad or "error" in answer
        json_line(answer)
    return 2 if bad else 0


def _answer(line: Line, ruleset: RuleSet) -> dict[str, Any]:
    from monitor import rules
    from monitor.cli.records import document_of

    try:
        if line.record is None:
            raise ValueError(line.problem)
        document = document_of(line.record)
    except ValueError as error:
        return {"id": line.id, "error": {"line": line.number, "problem": str(error)}}
    return {"id": line.id, **verdict_fields(rules.classify(document, ruleset))}


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the command line gives it: every key, always."""
    return {
        "match": verdict.match,
        "near_miss": verdict.near_miss,
        "score": verdict.score,
        "priority": verdict.priority,
        "corridors": list(verdict.corridors),
        "topics": list(verdict.topics),
        "rules": list(verdict.rules),
        "organisations": list(verdict.organisations),
        "programmes": list(verdict.programmes),
        "event": verdict.event,
        "amounts": [
            {"text": amount.text, "currency": amount.currency, "value": amount.value}
            for amount in verdict.amounts
        ],
        "evidence": [
            {
                "field": part.field,
                "start": part.start,
                "end": part.end,
                "quote": part.quote,
                "rule": part.rule,
            }
            for part in verdict.evidence
        ],
    }

"""`monitor check`: everything wrong in the configuration, at once."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, pass_env
from monitor.errors import ConfigError, Problem

if TYPE_CHECKING:
    from monitor.settings import Config


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@click.option("--no-secrets", is_flag=True, help="Do not look for secrets: they are where it will run.")
@pass_env
def check(env: Env, as_json: bool, no_secrets: bool) -> int:
    """List everything that is wrong in the configuration.

    One line for each problem: file:line:column: problem; hint. The rules' own examples are run too, and the
    secrets of channels in use are looked for. Exit 2 when there is a problem.
    """
    from monitor import log
    from monitor.cli.show import json_line, line, say

    config = None
    try:
        config = env.load()
        problems = _example_problems(config)
        if not no_secrets:
            problems += config.missing_secrets()
    except ConfigError as error:
        problems = error.problems
    counts = _counts(config) if config else {}
    warnings = config.warnings if config else ()
    if as_json:
        json_line(
            {
                "ok": not problems,
                "problems": [_as_dict(problem) for problem in problems],
                "warnings": [_as_dict(problem) for problem in warnings],
                "counts": counts,
            }
        )
        return 2 if problems else 0
    for problem in problems:
        line(log.marked(str(problem), logging.ERROR, sys.stdout))
    for warning in warnings:
        say(log.marked(f"{warning} (a recommendation)", logging.WARNING, sys.stderr))
    if problems:
        say(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        return 2
    line(_summary(config.dir, counts) if config else "")
    return 0


def _example_problems(config: Config) -> list[Problem]:
    from monitor import rules
    from monitor.settings import in_folder

    return in_folder(config.dir, rules.check_examples(config.rules))


def _counts(config: Config) -> dict[str, int]:
    rules = config.rules.rules
    return {
        "sources": len(config.sources),
        "polled": sum(source.enabled for source in config.sources),
        "digests": len(config.digests),
        "channels": len(config.channels),
        "rules": len(rules),
        "concepts": len(config.rules.concepts.keys() - set(config.rules.literals.values())),
        "examples": sum(len(rule.matches) + len(rule.ignores) for rule in rules),
    }


def _summary(folder: Any, counts: dict[str, int]) -> str:
    return (
        f"{folder}: {counts['sources']} sources ({counts['polled']} polled), {counts['digests']} digests, "
        f"{counts['rules']} rules, {counts['concepts']} concepts, {counts['examples']} examples: all right"
    )


def _as_dict(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line or None,
        "column": problem.column or None,
        "problem": problem.message,
        "hint": problem.hint or None,
    }

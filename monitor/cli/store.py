"""`monitor store`: housekeeping of the database."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import InputError


@click.group()
def store() -> None:
    """Forget what is old, make a copy, look for damage."""


@store.command()
@click.option("--dry-run", is_flag=True, help="Only count what would be forgotten.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
@pass_env
def prune(env: Env, dry_run: bool, as_json: bool) -> int:
    """Forget what is older than `retention` in monitor.yaml says. Matches are never forgotten."""
    from monitor.cli.show import json_line, line

    config = env.load()
    with env.store(config) as opened:
        counts = opened.prune(config.monitor.retention, now(), dry_run)
    if as_json:
        json_line(counts)
    else:
        for kind, count in counts.items():
            line(f"{count}\t{kind}")
    return 0


@store.command()
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace FILE when it is an earlier copy.")
@pass_env
def backup(env: Env, target: Path, replace: bool) -> int:
    """Copy the database to FILE while the worker runs. FILE appears when it is complete."""
    from monitor.cli.show import say

    if target.exists() and not replace:
        raise InputError(f"{target} is there already; name another file, or --replace it")
    with env.store() as opened:
        opened.backup(target)
    say(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")
    return 0


@store.command("check")
@pass_env
def check_file(env: Env) -> int:
    """Read the whole database and list what is wrong with it. Exit 1 when something is."""
    from monitor.cli.show import line

    with env.store() as opened:
        problems = opened.check()
    for problem in problems:
        line(problem)
    if not problems:
        line("sound")
    return 1 if problems else 0

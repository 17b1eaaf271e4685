"""`monitor sources`: look at sources, try them, find new ones."""

from __future__ import annotations

import click

from monitor.cli.context import Env, pass_env
from monitor.cli.sources_check import check
from monitor.cli.sources_discover import discover
from monitor.cli.sources_health import health
from monitor.cli.sources_opml import export_opml, import_opml
from monitor.cli.sources_try import preview

_COLUMNS = ("id", "kind", "country", "lang", "authority", "poll_minutes", "enabled", "name")


@click.group()
def sources() -> None:
    """Look at the sources, try them, find new ones."""


for command in (discover, preview, check, health, import_opml, export_opml):
    sources.add_command(command)


@sources.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each source.")
@pass_env
def list_sources(env: Env, as_json: bool) -> int:
    """List the configured sources."""
    from dataclasses import asdict

    from monitor.cli.show import json_line, table

    found = [asdict(source) for source in env.load().sources]
    if as_json:
        for source in found:
            json_line(source)
    else:
        table(_COLUMNS, [[source[name] for name in _COLUMNS] for source in found])
    return 0

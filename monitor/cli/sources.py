"""`monitor sources`: look at sources, try them, find new ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, pass_env
from monitor.cli.sources_check import check
from monitor.cli.sources_discover import discover
from monitor.cli.sources_try import preview
from monitor.errors import InputError

if TYPE_CHECKING:
    from monitor.model import Source, SourceState

_COLUMNS = ("id", "kind", "country", "lang", "authority", "poll_minutes", "enabled", "name")
_HEALTH = ("id", "state", "last_ok_at", "newest_item_at", "failures", "reason")


@click.group()
def sources() -> None:
    """Look at the sources, try them, find new ones."""


sources.add_command(check)
sources.add_command(preview)
sources.add_command(discover)


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


@sources.command()
@click.option("--troubled", is_flag=True, help="Only sources that are failing, silent or gone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each source.")
@pass_env
def health(env: Env, troubled: bool, as_json: bool) -> int:
    """Show how each source has been doing."""
    from monitor.cli.show import json_line, table

    with env.store(env.load(), read_only=True) as store:
        states = [state for state in store.source_states() if state.source.enabled]
    rows = [
        _health(state) for state in states if not troubled or state.state in ("failing", "silent", "gone")
    ]
    if as_json:
        for row in rows:
            json_line(row)
    else:
        table(_HEALTH, [[row[name] for name in _HEALTH] for row in rows])
    return 0


def _health(state: SourceState) -> dict[str, Any]:
    moments = {
        name: getattr(state, name)
        for name in ("last_polled_at", "last_ok_at", "newest_item_at", "next_poll_at")
    }
    return {
        "id": state.source.id,
        "state": state.state,
        "reason": state.state_reason or None,
        "failures": state.failures,
        **{name: f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None for name, at in moments.items()},
        "url": state.url or state.source.url,
    }


@sources.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_env
def import_opml(env: Env, file: Path) -> int:
    """Turn an OPML list of feeds into entries for sources.yaml, on standard output.

    Feeds that are configured already, or stand twice in the list, are left out and named.
    """
    from monitor.cli.show import line, say
    from monitor.model import Source
    from monitor.sources.discover import free_id, yaml_entry
    from monitor.sources.opml import read_opml

    configured = env.load().sources
    urls, ids = {source.url for source in configured}, {source.id for source in configured}
    for entry in read_opml(file.read_bytes()):
        if not entry.xml_url or entry.repeated or entry.xml_url in urls:
            why = "no address" if not entry.xml_url else "stands twice" if entry.repeated else "is configured"
            say(f"line {entry.line}: {entry.title or entry.xml_url}: {why}")
            continue
        source_id = free_id(_id_of(entry.title or entry.html_url or entry.xml_url), ids)
        category = entry.folder[-1] if entry.folder else ""
        lang = entry.lang[:2] if entry.lang[:2] in ("en", "ja") else ""
        line(yaml_entry(Source(source_id, entry.xml_url, entry.title, homepage=entry.html_url,
                               lang=lang, category=category)))  # fmt: skip
    return 0


def _id_of(name: str) -> str:
    """An id made of a name or an address."""
    import re

    plain = name.lower().removeprefix("https://").removeprefix("http://")
    return re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or "source"


@sources.command("export")
@pass_env
def export_opml(env: Env) -> int:
    """Write the feeds as an OPML list, for a feed reader."""
    from monitor.sources.opml import write_opml

    feeds: list[Source] = [source for source in env.load().sources if source.kind in ("feed", "search")]
    if not feeds:
        raise InputError("no feed is configured")
    click.echo(write_opml(feeds, "japan-tech-monitor"), nl=False)
    return 0

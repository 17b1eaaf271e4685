"""`monitor sources health`: how polling has gone, as the view `source_health` has it."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, now, pass_env

if TYPE_CHECKING:
    import sqlite3

TROUBLE = ("failing", "silent", "gone")
_COLUMNS = ("id", "state", "state_since", "newest_item_at", "usual_gap", "failures", "last_ok_at", "reason")
ON_TERMINAL = ("id", "state", "for", "read", "newest", "usually", "reason")
_KEPT = ("id", "name", "state", "state_since", "failures", "last_polled_at", "last_ok_at", "newest_item_at",
         "usual_gap_hours", "next_poll_at", "items", "matches")  # fmt: skip


@click.command()
@click.option("--troubled", is_flag=True, help="Only sources that are failing, silent or gone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each source.")
@pass_env
def health(env: Env, troubled: bool, as_json: bool) -> int:
    """Show how each source has been doing, those in trouble first.

    failing: three polls in a row went wrong. silent: it can be read and brings nothing new for much longer
    than it usually takes. gone: its server says for good.
    """
    from monitor.cli.show import json_line, table

    with env.store(read_only=True) as store:
        urls = {state.source.id: state.url or state.source.url for state in store.source_states()}
        found = store.db.all("SELECT * FROM source_health WHERE enabled")
    rows = [_row(row, urls[row["id"]]) for row in found if not troubled or row["state"] in TROUBLE]
    if as_json:
        for row in rows:
            json_line(row)
        return 0
    empty = "no source is in trouble" if troubled else "no source is polled"
    if sys.stdout.isatty():
        table(ON_TERMINAL, [on_terminal(row, now()) for row in rows], empty=empty)
    else:
        table(_COLUMNS, [[_cell(row, name) for name in _COLUMNS] for row in rows], empty=empty)
    return 0


def _row(row: sqlite3.Row, url: str) -> dict[str, Any]:
    """The contract of `sources health --json`; what is unknown is null."""
    kept = {name: row[name] for name in _KEPT}
    return {**kept, "reason": row["state_reason"] or None, "url": url}


def on_terminal(row: dict[str, Any], at: datetime) -> list[str]:
    """One source for people: how long ago in place of moments, which do not fit beside each other."""
    since, read, newest = (
        gap(_hours_since(row[name], at)) for name in ("state_since", "last_ok_at", "newest_item_at")
    )
    usually = gap(row["usual_gap_hours"])
    return [
        row["id"], row["state"], since, read and f"{read} ago", newest and f"{newest} ago",
        usually and f"every {usually}", row["reason"] or "",
    ]  # fmt: skip


def _hours_since(moment: str | None, at: datetime) -> float | None:
    """How long ago a moment of the database was; 0.0 when it is still to come."""
    return max(0.0, (at - datetime.fromisoformat(moment)).total_seconds() / 3600) if moment else None


def _cell(row: dict[str, Any], name: str) -> Any:
    return gap(row["usual_gap_hours"]) if name == "usual_gap" else row[name]


def gap(hours: float | None) -> str:
    """A usual time between items, for people."""
    if hours is None:
        return ""
    if hours < 1:
        return f"{max(1, round(hours * 60))} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"

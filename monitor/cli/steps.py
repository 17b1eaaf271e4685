"""`monitor poll`, `process`, `flush`: one step by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from monitor.cli.context import Env, pass_env

if TYPE_CHECKING:
    from monitor.settings import Config


@click.command()
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Poll every source, due or not.")
@click.option("--dry-run", is_flag=True, help="Ask and read, but store nothing.")
@click.option("--strict", is_flag=True, help="Exit 1 when a source failed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each source.")
@pass_env
def poll(env: Env, sources: tuple[str, ...], every: bool, dry_run: bool, strict: bool, as_json: bool) -> int:
    """Ask sources that are due, or those named, for news."""
    return asyncio.run(_poll(env.load(), sources, every, dry_run, strict, as_json))


async def _poll(
    config: Config, ids: tuple[str, ...], every: bool, dry_run: bool, strict: bool, as_json: bool
) -> int:
    from monitor.app import App
    from monitor.cli import reports
    from monitor.cli.show import json_line, say
    from monitor.report import RunReport
    from monitor.service import Lock

    async with App(config) as app:
        with Lock(config.database), reports.Progress(len(app.sources(ids, every=every))) as progress:
            report = await app.poll(ids, every=every, dry_run=dry_run, on_polled=progress.on_polled)
        run = RunReport(app.now(), polled=report)
    for each in report.polled if as_json else ():
        json_line(
            {
                "source": each.source_id,
                "status": each.status,
                "new": each.new,
                "known": each.known,
                "error": each.error or None,
                "took_ms": each.took_ms,
            }
        )
    reports.polled(report, offline=run.offline)
    if not report.polled:
        say("no source is due; --all polls them all the same")
    return 1 if not run.ok or (strict and report.failed) else 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
@pass_env
def process(env: Env, as_json: bool) -> int:
    """Read and judge the articles that wait."""
    return asyncio.run(_process(env.load(), as_json))


async def _process(config: Config, as_json: bool) -> int:
    from monitor.app import App
    from monitor.cli import reports
    from monitor.cli.show import json_line, say
    from monitor.service import Lock

    async with App(config) as app:
        with Lock(config.database):
            report = await app.process(on_item=None if as_json else reports.on_match)
        pending = app.store.pending_count(app.now())
    if as_json:
        json_line({"outcomes": dict(report.outcomes), "matches": report.matches, "pending": pending})
    elif report.items:
        reports.processed(report)
    else:
        say("no article waits" if not pending else f"{pending} articles wait for their next try")
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
@pass_env
def flush(env: Env, as_json: bool) -> int:
    """Deliver the messages that are due. Exit 1 when one had to be given up."""
    return asyncio.run(_flush(env.load(), as_json))


async def _flush(config: Config, as_json: bool) -> int:
    from monitor.app import App
    from monitor.cli import reports
    from monitor.cli.show import json_line, say

    async with App(config) as app:
        report = await app.flush()
    if as_json:
        json_line({"sent": report.sent, "retried": report.retried, "dead": report.dead})
    elif report.sent or report.retried or report.dead:
        reports.flushed(report)
    else:
        say("no message is due")
    return 1 if report.dead else 0

"""`monitor run`: the worker."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from monitor.cli.context import Env, pass_env
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.settings import Config


@click.command()
@click.option("--once", is_flag=True, help="One full cycle, a report, and the end.")
@click.option("--strict", is_flag=True, help="With --once: exit 1 when a single source or delivery failed.")
@click.option("--json", "as_json", is_flag=True, help="With --once: the report as one JSON object.")
@pass_env
def run(env: Env, once: bool, strict: bool, as_json: bool) -> int:
    """Run the worker until Ctrl-C or SIGTERM.

    Polls the sources, reads new articles, keeps what the rules match and sends the digests. Each match is
    printed with its reason.
    """
    if (strict or as_json) and not once:
        raise click.UsageError("--strict and --json go with --once")
    config = _ready(env)
    return asyncio.run(_once(config, strict, as_json) if once else _serve(config, env))


def _ready(env: Env) -> Config:
    """The configuration, with every secret it needs. Raises ConfigError or InputError."""
    config = env.load()
    missing = config.missing_secrets()
    if missing:
        raise ConfigError(missing)
    return config


async def _serve(config: Config, env: Env) -> int:
    from monitor.app import App
    from monitor.cli import journal, reports
    from monitor.cli.show import say
    from monitor.worker import serve

    watched = sys.stderr.isatty()  # by a person; otherwise by whatever keeps the log
    async with App(config) as app:
        polled = sum(source.enabled for source in config.sources)
        if watched:
            say(f"watching {polled} sources; database {config.database}; Ctrl-C stops")
        await serve(
            app,
            on_report=reports.cycle if watched else journal.cycle,
            on_polled=None if watched else journal.on_polled,
            on_item=journal.on_match if journal.output_is_log() else reports.on_match,
            load=lambda: _ready(env),
        )
    if watched:
        say("stopped")
    return 0


async def _once(config: Config, strict: bool, as_json: bool) -> int:
    from monitor.app import App
    from monitor.cli import reports
    from monitor.cli.show import json_line
    from monitor.service import Lock, Signals

    async with App(config) as app:
        with Lock(config.database), reports.Progress(len(app.sources())) as progress:
            signals = Signals()
            signals.stop = app.stop
            signals.install()
            try:
                on_item = None if as_json else reports.on_match
                report = await app.cycle(on_polled=progress.on_polled, on_item=on_item)
            finally:
                signals.remove()
    if as_json:
        json_line(report.as_dict())
    else:
        reports.cycle(report)
    return 0 if (report.flawless if strict else report.ok) else 1

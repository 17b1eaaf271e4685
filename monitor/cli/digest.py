"""`monitor digest`: what would be sent, or sending it now."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.context import Env, now, pass_env
from monitor.cli.times import when
from monitor.errors import ConfigError, InputError

if TYPE_CHECKING:
    from monitor.model import DigestSpec
    from monitor.settings import Config


@click.command()
@click.argument("name", required=False)
@click.option("--preview", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write it to FILE: HTML, or text when FILE ends in .txt.")  # fmt: skip
@click.option("--send", is_flag=True, help="Compose and deliver it now, whatever its clock says.")
@click.option(
    "--since", metavar="TIME", callback=when, help="Stories since then, reported or not: 7d, or 2026-11-20."
)
@click.option("--as-of", metavar="TIME", callback=when, help="As it would be at that moment.")
@pass_env
def digest(
    env: Env,
    name: str | None,
    preview: Path | None,
    send: bool,
    since: datetime | None,
    as_of: datetime | None,
) -> int:
    """Print what would be sent, and claim nothing.

    Without NAME every digest is printed. Only --send marks stories as reported.
    """
    if send and (preview or since or as_of):
        raise click.UsageError("--send stands alone: it sends what has not been reported, now")
    config = env.load()
    specs = _named(config, name)
    if send:
        return asyncio.run(_send(config, name))
    _preview(env, config, specs, preview, since, as_of or now())
    return 0


def _named(config: Config, name: str | None) -> list[DigestSpec]:
    specs = [spec for spec in config.digests if name in (None, spec.name)]
    if not specs:
        known = ", ".join(spec.name for spec in config.digests) or "none is configured"
        raise InputError(f"no such digest: {name or ''}; there is: {known}")
    return specs


def _preview(
    env: Env,
    config: Config,
    specs: list[DigestSpec],
    target: Path | None,
    since: datetime | None,
    at: datetime,
) -> None:
    from monitor import outbox
    from monitor.cli.show import line, say

    with env.store(config, read_only=True) as store:
        for n, spec in enumerate(specs):
            rendered = outbox.preview(store, spec, at, since=since)
            if target is None:
                line(rendered.text)
                continue
            path = target if n == 0 else target.with_stem(f"{target.stem}-{spec.name}")
            _write(path, rendered.text if path.suffix == ".txt" else rendered.html)
            say(f"wrote {path}: {rendered.subject}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


async def _send(config: Config, name: str | None) -> int:
    from monitor.app import App
    from monitor.cli import reports
    from monitor.cli.show import say

    missing = config.missing_secrets()
    if missing:
        raise ConfigError(missing)
    async with App(config) as app:
        composed = app.compose(name, force=True)
        flushed = await app.flush()
    reports.composed(composed, show=False)
    reports.flushed(flushed)
    if not composed.composed and not composed.failed:
        say("nothing new to send")
    return 1 if composed.failed or flushed.dead else 0

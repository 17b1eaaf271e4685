"""`monitor digest`: what would be sent, or sending it now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.context import Env, now, pass_env
from monitor.cli.times import before_as_of, when
from monitor.errors import ConfigError, InputError

if TYPE_CHECKING:
    from monitor.model import DigestSpec
    from monitor.settings import Config


@click.command()
@click.argument("name", required=False)
@click.option("--preview", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write it to FILE: HTML, or text when FILE ends in .txt.")  # fmt: skip
@click.option("--send", is_flag=True, help="Compose and deliver it now, whatever its clock says.")
@click.option("--since", metavar="TIME", callback=before_as_of,
              help="Stories since then, reported or not: 7d, or 2026-11-20.")  # fmt: skip
@click.option("--as-of", metavar="TIME", callback=when, is_eager=True,
              help="As it would be at that moment; --since 7d counts back from it.")  # fmt: skip
@click.option("--to", "targets", metavar="TARGET", multiple=True,
              help="With --send --since: to this mail address or channel only; repeatable.")  # fmt: skip
@click.option("--again", is_flag=True, help="With --send --since: also to who was sent this period before.")
@pass_env
def digest(
    env: Env,
    name: str | None,
    preview: Path | None,
    send: bool,
    since: datetime | None,
    as_of: datetime | None,
    targets: tuple[str, ...],
    again: bool,
) -> int:
    """Print what would be sent, and claim nothing.

    Without NAME every digest is printed. --send alone sends what is new and marks it as reported.
    --send --since sends a period of the past once more and marks nothing: the next digest is what
    it would have been.
    """
    wish = _Wish(since, as_of, targets, again)
    wish.refuse_nonsense(name, send, preview)
    config = env.load()
    specs = _named(config, name)
    if not send:
        _preview(env, config, specs, preview, since, as_of or now())
        return 0
    if since:
        return asyncio.run(_request(config, specs[0], since, wish))
    return asyncio.run(_send(config, name))


@dataclass(frozen=True)
class _Wish:
    """Which period, and to whom."""

    since: datetime | None
    as_of: datetime | None
    targets: tuple[str, ...]
    again: bool

    def refuse_nonsense(self, name: str | None, send: bool, preview: Path | None) -> None:
        """Raises UsageError for options that contradict each other."""
        if send and preview:
            raise click.UsageError("--preview and --send exclude each other")
        if (self.targets or self.again) and not (send and self.since):
            raise click.UsageError("--to and --again go with --send --since")
        if send and self.as_of and not self.since:
            raise click.UsageError("--send --as-of needs --since: the start of the period")
        if send and self.since and not name:
            raise click.UsageError("name the digest whose period is to be sent")
        if send and self.as_of and self.as_of > now():
            raise click.UsageError("--as-of lies in the future: nobody knows yet what to send")
        if self.since and self.since >= (self.as_of or now()):
            raise click.UsageError("--since must lie before --as-of, or before now")


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
    """What is new, reported from now on."""
    from monitor.app import App
    from monitor.cli import reports
    from monitor.cli.show import say

    _refuse_missing_secrets(config)
    async with App(config) as app:
        composed = app.compose(name, force=True)
        flushed = await app.flush()
    reports.composed(composed, show=False)
    if not any(each.rows for each in composed.composed) and not composed.failed:
        say("nothing new: nothing to send")
    reports.flushed(flushed)
    return 1 if composed.failed or flushed.dead else 0


async def _request(config: Config, spec: DigestSpec, since: datetime, wish: _Wish) -> int:
    """A period of the past, for whoever asked."""
    from monitor import deliver, outbox
    from monitor.app import App
    from monitor.cli import reports

    _refuse_missing_secrets(config)
    aimed = _aimed(config, spec, wish.targets)
    domains = deliver.domains(config.channels)
    async with App(config) as app:
        at = app.now()
        until = wish.as_of or at
        made = outbox.request(app.store, aimed, since, until, at, domains=domains, again=wish.again)
        flushed = await app.flush()
    reports.requested(made)
    reports.flushed(flushed)
    return 1 if flushed.dead else 0


def _aimed(config: Config, spec: DigestSpec, targets: tuple[str, ...]) -> DigestSpec:
    from monitor import outbox
    from monitor.deliver.message import address

    try:
        for target in targets:
            if "@" in target:
                address(target)
    except ValueError as error:
        raise InputError(f"--to: {error}") from error
    kinds = {name: channel.kind for name, channel in config.channels.items()}
    return outbox.aimed(spec, targets, kinds)


def _refuse_missing_secrets(config: Config) -> None:
    missing = config.missing_secrets()
    if missing:
        raise ConfigError(missing)

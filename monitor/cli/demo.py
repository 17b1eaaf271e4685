"""`monitor demo`: the real pipeline against a small news site of our own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from monitor.cli.context import Env, pass_env


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("storage/demo"),
              show_default=True, help="Folder of its database and its digest.")  # fmt: skip
@pass_env
def demo(env: Env, out: Path) -> int:
    """Watch the monitor work, with no network and no configuration.

    Serves a few feeds and articles on 127.0.0.1, one feed broken on purpose, runs one full cycle
    over them and ends with the digest. Exit 0 when nothing but the staged failures went wrong.
    """
    return asyncio.run(_demo(env, out))


async def _demo(env: Env, out: Path) -> int:
    from monitor import log
    from monitor.app import utc_now
    from monitor.cli import reports
    from monitor.cli.init import starter
    from monitor.cli.show import line, say
    from monitor.demo.run import run

    log.configure(level="debug" if env.verbose else "error")
    say("a news site of our own on 127.0.0.1; + marks what the rules keep, and why")
    done = await run(out, starter() / "config", now=utc_now, on_item=reports.on_match)
    line("")
    line(done.digest_text)
    reports.polled(done.report.polled)
    say("  (`broken` is broken on purpose: its address gives a page)")
    reports.processed(done.report.processed)
    for path in done.files:
        say(f"wrote {path}")
    say("look into it:")
    say(f"  sqlite-utils rows {done.database} matches_view -c item_id -c source -c title --limit 5 -t")
    for asked in ("search 半導体", "explain 1", "rules near"):
        say(f"  monitor --db {done.database} {asked}")
    return 0 if done.ok else 1

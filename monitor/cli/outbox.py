"""`monitor outbox`: messages that wait, were sent, or were given up."""

from __future__ import annotations

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import InputError

_COLUMNS = ("id", "status", "digest", "channel", "recipient", "attempts", "retry_at", "error")


@click.group()
def outbox() -> None:
    """Look at messages that wait or were given up, and mend them."""


@outbox.command("list")
@click.option("--status", type=click.Choice(["pending", "sending", "sent", "retry", "dead", "dropped"]),
              help="Only messages in this state.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each message.")
@pass_env
def list_messages(env: Env, status: str | None, limit: int, as_json: bool) -> int:
    """List messages, newest first."""
    from monitor.cli.show import json_line, table

    with env.store(read_only=True) as store:
        rows = store.outbox_rows(status, limit)
    if as_json:
        for row in rows:
            json_line(row)
    else:
        table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows], empty="no such message")
    return 0


@outbox.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
@pass_env
def retry(env: Env, ids: tuple[int, ...]) -> int:
    """Send messages again: those named, or all that were given up or wait for another try.

    The worker, or `monitor flush`, delivers them.
    """
    from monitor.cli.show import say

    with env.store() as store:
        again = store.requeue(ids or None, now())
    if ids and not again:
        raise InputError("none of these messages was given up or waits")
    say(f"{again} messages put back, to be sent")
    return 0


@outbox.command()
@click.argument("ids", metavar="ID...", nargs=-1, type=int, required=True)
@pass_env
def drop(env: Env, ids: tuple[int, ...]) -> int:
    """Give messages up. Their stories stay reported."""
    from monitor.cli.show import say

    with env.store() as store:
        dropped = store.drop(ids, now())
    if not dropped:
        raise InputError("none of these messages waits")
    say(f"{dropped} messages dropped")
    return 0

"""`monitor doctor`: the machine, the network and the other ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from monitor.cli.context import Env, now, pass_env

if TYPE_CHECKING:
    from monitor.doctor import Result
    from monitor.settings import Config

_MARKS = {"ok": "ok  ", "warning": "hm  ", "bad": "BAD "}


@click.command()
@click.option("--send-test", is_flag=True, help="Send a test message to every channel in use.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each thing looked at.")
@pass_env
def doctor(env: Env, send_test: bool, as_json: bool) -> int:
    """Look at what `check` cannot see, and say how to mend it.

    Database, libraries, disk, clock, name lookup, network, mail login, webhooks, secrets and worker
    processes. Nothing is sent without --send-test. Exit 1 when something will not work.
    """
    return asyncio.run(_doctor(env.load(), send_test, as_json))


async def _doctor(config: Config, send_test: bool, as_json: bool) -> int:
    from monitor import doctor

    bad = 0
    async for result in doctor.examine(config, now):
        bad += result.level == doctor.BAD
        _show(result, as_json)
    for result in await doctor.send_test(config, now) if send_test else ():
        bad += result.level == doctor.BAD
        _show(result, as_json)
    return 1 if bad else 0


def _show(result: Result, as_json: bool) -> None:
    from monitor.cli.show import json_line, line

    if as_json:
        json_line(
            {"name": result.name, "level": result.level, "text": result.text, "mend": result.mend or None}
        )
        return
    line(f"{_MARKS[result.level]} {result.name:<14} {result.text}")
    if result.mend:
        line(f"     {'':<14} → {result.mend}")

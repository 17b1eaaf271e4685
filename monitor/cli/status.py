"""`monitor status`: is it well, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import StoreError

if TYPE_CHECKING:
    from monitor.model import DigestSpec
    from monitor.store import Store

LOCKED_S = 10.0  # a healthcheck must answer before whoever asks gives up
PREFILTER_SINCE = timedelta(days=7)
STALE = timedelta(minutes=3)  # a heartbeat is written every 20 seconds
WHY = "it is stopped, or cannot write; its log and `monitor doctor` say why"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option("--healthcheck", is_flag=True, help="Exit 1 unless the worker is alive and can write.")
@pass_env
def status(env: Env, as_json: bool, healthcheck: bool) -> int:
    """Show whether all is well and what comes next.

    Last and next polls, sources in trouble, articles and messages that wait, the next digests.
    """
    from monitor import settings
    from monitor.cli.show import json_line, line

    at = now()
    if healthcheck:
        # Not the whole configuration: a worker that refused a wrong one goes on with the old, and is well.
        problem = _ill(env.likely_database(), at)
        line(problem or "well")
        return 1 if problem else 0
    # Neither the sources nor the rules: what is wrong with them is no reason to say nothing.
    digests = settings.load_digests(env.config_dir(), env.environ)
    with env.store(read_only=True) as store:
        found = {
            **store.status(at),
            "prefilter": store.prefilter(at - PREFILTER_SINCE),
            "next_digests": _next_digests(digests, at),
            "unwell": _unwell(store),
        }
    if as_json:
        json_line(found)
    else:
        _print(found, at)
    return 0


def _ill(database: Path, at: datetime) -> str:
    """Why the worker is not well; "" when it is."""
    from monitor.store import open_store

    if not database.exists():
        return f"no database at {database}: the worker has never run"
    try:
        with open_store(database, timeout_s=LOCKED_S) as store, store.write():
            beat = store.heartbeat_at()
    except StoreError as error:
        return str(error)
    if beat is None:
        return "the worker has never run on this database"
    if at - beat > STALE:
        return f"the last sign of life is of {beat:%Y-%m-%d %H:%M:%S} UTC: {WHY}"
    return ""


def _next_digests(digests: Sequence[DigestSpec], at: datetime) -> list[dict[str, str]]:
    from monitor.digest import clock

    due = [(clock.next_at(spec, at), spec) for spec in digests]
    return [
        {"name": spec.name, "at": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "zone": spec.zone} for moment, spec in due
    ]


def _unwell(store: Store) -> list[str]:
    """What the operator was told of and is not over; the network also as the last cycle found it."""
    from monitor import operator

    told = operator.unwell(store.get_state(operator.TOLD))
    return list(dict.fromkeys([*told, *(["network down"] if store.was_offline() else [])]))


def _sign_of_life(beaten_at: str | None, at: datetime) -> str:
    """When the worker was last seen, and where to look when that is too long ago."""
    if beaten_at is None:
        return "never"
    silent = at - datetime.fromisoformat(beaten_at)
    return beaten_at if silent <= STALE else f"not since {beaten_at}: {WHY}"


def _prefilter(skipped: int, audited: int, missed: int) -> str:
    told = f"{skipped} pages turned away in seven days, {audited} read all the same"
    return f"{told}; ERROR: {missed} of these would have been lost, the log names them" if missed else told


def _print(found: dict[str, Any], at: datetime) -> None:
    from monitor.cli.show import line, table

    states = ", ".join(f"{count} {state}" for state, count in found["sources"].items() if state != "total")
    outbox = ", ".join(f"{count} {status}" for status, count in found["outbox"].items())
    line(f"database     {found['database']['path']} ({found['database']['bytes'] / 1e6:.1f} MB)")
    line(f"alive        {_sign_of_life(found['heartbeat_at'], at)}")
    if others := [each for each in found["unwell"] if not each.startswith("source:")]:
        line(f"trouble      {', '.join(others)}; the log says more, and `monitor doctor` how to mend it")
    line(f"polls        last {found['last_poll_at'] or 'never'}, next {found['next_poll_at'] or 'now'}")
    line(f"sources      {found['sources']['total']}: {states}")
    line(
        f"articles     {found['items']} seen, {found['pending']} waiting, {found['near_misses']} near misses"
    )
    line(f"matches      {found['matches']} in {found['stories']} stories")
    line(f"outbox       {outbox or 'empty'}")
    line(f"prefilter    {_prefilter(**found['prefilter'])}")
    for each in found["next_digests"]:
        line(f"next digest  {each['name']} at {each['at']} ({each['zone']})")
    if found["troubled"]:
        line("")
        keys = ("id", "state", "since", "reason")
        table(keys, [[source[key] for key in keys] for source in found["troubled"]])

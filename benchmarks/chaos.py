"""The real worker process while everything around it fails, one thing after the other.

    python -m benchmarks.chaos [--for 20] [FAULT…]      (root on Linux: mounts a small disk, serves names)

Articles that all match appear every two seconds and are mailed at once; each fault lasts `--for` seconds.
Told of each: how long after its end the first mail arrived and until all that had appeared before was
delivered, what was lost, what was delivered twice, how often publishers were asked, what the log and
the operator said. The clock is moved by libfaketime, where installed; a read-only disk is a library that
refuses each write (a real remount is refused while files are open), compiled with cc. Exits with 1 when
anything is lost.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

from benchmarks.chaos_world import (
    DNS_ADDRESS,
    FEEDS,
    Names,
    Operator,
    Press,
    Worker,
    fill,
    read_only_library,
    small_disk,
)
from tests import smtp_server

EVERY_S = 2.0
PATIENCE_S = 240.0
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
MONITOR = """\
contact: chaos@example.org
database: {disk}/m.db
storage: {disk}
poll: {{every_s: 1, floor_minutes: 1}}
delivery: {{every_s: 1, backoff_s: 2, backoff_cap_s: 8, tries: 100, lease_s: 20}}
limits: {{timeout_s: 10}}
workers: {{deadline_s: 5}}
operator: [hook]
channels:
  file: {{kind: file, folder: {folder}/digests}}
  hook: {{kind: webhook, url: "{hook}", allow_private: true}}
  mail: {{kind: email, host: localhost, port: {port}, username: monitor, password: {{env: CHAOS_PASSWORD}},
         sender: Desk <desk@example.org>, ca_file: "{ca_file}", timeout_s: 5}}
"""
DIGESTS = """\
- name: desk
  cron: 0 6 1 1 *
  immediate: true
  immediate_cap: 500
  channels: [{channel: mail, recipients: [desk@example.org]}]
"""
RULES = """\
rules:
  - {id: pair, why: Everything matches., corridor: uk-japan, when: Japan AND semiconductor, threshold: 1}
  - {id: urgent, why: Everything is urgent., priority: high, when: Japan}
"""


@dataclass
class World:
    """Everything that can be broken."""

    folder: Path
    disk: Path
    press: Press
    names: Names
    mail: smtp_server.Server
    operator: Operator
    worker: Worker
    next_at: float = 0.0

    @property
    def flag(self) -> Path:
        return self.folder / "read-only"

    @property
    def database(self) -> Path:
        return self.disk / "m.db"

    def set_clock(self, seconds: float) -> None:
        (self.folder / "faketime").write_text(f"{seconds:+f}\n")

    def wait(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    def until(self, is_so: Callable[[], bool], seconds: float = PATIENCE_S) -> bool:
        """Lets the press publish until it is so, or the time is over; returns whether it is."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            if is_so():
                return True
            if self.next_at and time.monotonic() >= self.next_at:
                self.press.publish()
                self.next_at = time.monotonic() + EVERY_S
            time.sleep(0.05)
        return is_so()

    def delivered(self) -> Counter[str]:
        """How often each article was mailed, by path."""
        found: Counter[str] = Counter()
        for body in list(self.mail.mailbox.bodies):
            part = message_from_bytes(body, policy=policy.default).get_body(("plain",))
            words = part.get_content().split() if part else []
            found.update({w.removeprefix(self.press.base) for w in words if w.startswith(self.press.base)})
        return found


@dataclass
class Outcome:
    """What one fault came to; seconds after its end."""

    fault: str
    lasted_s: float
    first_s: float = 0.0
    caught_up_s: float = 0.0
    appeared: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: int = 0
    requests: int = 0
    trouble: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


# --- the faults: each breaks something for so many seconds and mends it ------------------------


def disk_full(world: World, seconds: float) -> None:
    filler = fill(world.disk)
    world.wait(seconds)
    filler.unlink()


def read_only(world: World, seconds: float) -> None:
    world.flag.touch()
    world.wait(seconds)
    world.flag.unlink()


def names_gone(world: World, seconds: float) -> None:
    world.names.dead = True
    world.wait(seconds)
    world.names.dead = False


def cut_answers(world: World, seconds: float) -> None:
    world.press.cut = True
    world.wait(seconds)
    world.press.cut = False


def workers_killed(world: World, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pid in world.worker.children():
            os.kill(pid, signal.SIGKILL)
        world.wait(2.0)


def long_writer(world: World, seconds: float) -> None:
    with closing(sqlite3.connect(world.database, timeout=30, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        world.wait(seconds)
        db.execute("ROLLBACK")


def long_reader(world: World, seconds: float) -> None:
    """And housekeeping is due, which wants to cut the journal."""
    with closing(sqlite3.connect(world.database, timeout=30, isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM items").fetchone()
        world.wait(seconds)


def stopped_at_random(world: World, seconds: float) -> None:
    chance, end = random.Random(3), time.monotonic() + seconds
    while time.monotonic() < end:
        world.wait(chance.uniform(0.5, 6.0))
        code = world.worker.stop()
        if code not in (0, -signal.SIGTERM):  # before it listens, SIGTERM ends it as it ends anybody
            print(f"  exit code {code} after SIGTERM", flush=True)
        world.worker.start()


def killed_at_random(world: World, seconds: float) -> None:
    chance, end = random.Random(4), time.monotonic() + seconds
    while time.monotonic() < end:
        world.wait(chance.uniform(0.5, 6.0))
        world.worker.kill()
        world.worker.start()


def mail_refused(world: World, seconds: float) -> None:
    world.mail.mailbox.mail_reply = "451 4.3.2 not now"
    world.wait(seconds)
    world.mail.mailbox.mail_reply = ""


def clock_forward(world: World, seconds: float) -> None:
    world.set_clock(3 * 86_400)
    world.wait(seconds)


def clock_back(world: World, seconds: float) -> None:
    """What was three days ahead becomes right: plans of the wrong days are in the database."""
    world.set_clock(0)
    world.wait(seconds)


FAULTS: dict[str, Callable[[World, float], None]] = {
    "disk-full": disk_full,
    "read-only": read_only,
    "names-gone": names_gone,
    "cut-answers": cut_answers,
    "workers-killed": workers_killed,
    "long-writer": long_writer,
    "long-reader": long_reader,
    "mail-refused": mail_refused,
    "sigterm": stopped_at_random,
    "kill-9": killed_at_random,
    "clock-forward": clock_forward,
    "clock-back": clock_back,
}


# --- the run -----------------------------------------------------------------------------------


def configure(folder: Path, disk: Path, press: Press, mail: smtp_server.Server, hook: str) -> None:
    config = folder / "config"
    config.mkdir()
    (config / "monitor.yaml").write_text(
        MONITOR.format(folder=folder, disk=disk, port=mail.port, ca_file=mail.ca_file, hook=hook)
    )
    (config / "digests.yaml").write_text(DIGESTS)
    (config / "rules.yaml").write_text(RULES)
    (config / "sources.yaml").write_text(
        "".join(
            f"- {{id: s{n}, url: '{press.base}/feed/{n}', poll_minutes: 1, allow_private: true}}\n"
            for n in range(FEEDS)
        )
    )
    (folder / "resolv.conf").write_text(f"nameserver {DNS_ADDRESS}\noptions timeout:2 attempts:1\n")


def environment(folder: Path, disk: Path, *, faked: bool) -> dict[str, str]:
    """`faked`: with a clock that can be moved; only then, for time.sleep() fails now and then under it."""
    preload = [str(read_only_library(folder))]
    found = dict(os.environ) | {
        "CHAOS_PASSWORD": smtp_server.PASSWORD,
        "CHAOS_FLAG": str(folder / "read-only"),
        "CHAOS_UNDER": str(disk),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    if faked:
        preload.append(str(FAKETIME))
        found |= {
            "FAKETIME_TIMESTAMP_FILE": str(folder / "faketime"),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
    return found | {"LD_PRELOAD": ":".join(preload)}


def begin(world: World) -> None:
    """The first cycle is over, and the sources' turns are spread over the minute."""
    world.set_clock(0)
    world.worker.start()
    if not world.until(lambda: any('"cycle"' in line for _, line in world.worker.lines)):
        raise SystemExit("\n".join(line for _, line in world.worker.lines))
    with closing(sqlite3.connect(world.database, timeout=30)) as db, db:
        for n in range(FEEDS):
            db.execute(
                "UPDATE sources SET next_poll_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?) WHERE id = ?",
                [f"{n * 60 // FEEDS} seconds", f"s{n}"],
            )
    world.next_at = time.monotonic()
    world.until(lambda: len(world.delivered()) >= 3)


def suffer(world: World, name: str, seconds: float) -> Outcome:
    started = time.monotonic()
    lines, told, before = len(world.worker.lines), len(world.operator.told), set(world.press.published)
    mails = len(world.mail.mailbox.envelopes)
    FAULTS[name](world, seconds)
    mended = time.monotonic()
    outcome = Outcome(name, mended - started)
    outcome.requests = sum(started <= at <= mended for at in world.press.requests)
    appeared = set(world.press.published) - before
    fresh = world.press.publish()  # is delivered when all is well again
    world.until(lambda: fresh in world.delivered())
    outcome.first_s = time.monotonic() - mended
    world.until(lambda: appeared <= set(world.delivered()))
    outcome.caught_up_s = time.monotonic() - mended
    world.wait(3)
    outcome.appeared = len(appeared)
    outcome.lost = sorted(appeared - set(world.delivered()))
    ids = Counter(str(message_from_bytes(body)["Message-ID"]) for body in world.mail.mailbox.bodies[mails:])
    outcome.repeated = sum(ids.values()) - len(ids)
    outcome.trouble = troubles(world.worker.lines[lines:], started)
    outcome.told = [
        f"{at - started:5.1f} s {change['state']}: {change['text']}"
        for at, document in world.operator.told[told:]
        for change in document.get("changes", ())
    ]
    return outcome


def troubles(lines: list[tuple[float, str]], started: float) -> list[str]:
    """Warnings and errors, and what is no event at all."""
    found = []
    for at, line in lines:
        event = json.loads(line) if line.startswith("{") else {"level": "plain", "event": line}
        if event.get("level") != "info" or "again" in event["event"] or "clock" in event["event"]:
            rest = {k: v for k, v in event.items() if k in ("source", "channel", "messages", "error", "hint")}
            found.append(f"{at - started:5.1f} s {event['level']}: {event['event']} {rest or ''}")
    return found


def show(outcome: Outcome) -> None:
    print(
        f"{outcome.fault:15} lasted {outcome.lasted_s:5.1f} s; first mail {outcome.first_s:5.1f} s, all"
        f" {outcome.caught_up_s:5.1f} s after; appeared {outcome.appeared}, lost {len(outcome.lost)},"
        f" repeated {outcome.repeated}; {outcome.requests} requests",
        flush=True,
    )
    for what, lines in (("log", outcome.trouble), ("told", outcome.told)):
        for line in lines[:12]:
            print(f"    {what:4} {line[:400]}", flush=True)
        if len(lines) > 12:
            print(f"    {what:4} … and {len(lines) - 12} more", flush=True)


def run(faults: list[str], seconds: float) -> list[Outcome]:
    outcomes = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        disk = stack.enter_context(small_disk(folder / "disk", 96))
        mail = stack.enter_context(smtp_server.serve(folder))
        press, names = stack.enter_context(closing(Press())), stack.enter_context(closing(Names()))
        operator = stack.enter_context(closing(Operator()))
        configure(folder, disk, press, mail, operator.url)
        faked = any(name.startswith("clock") for name in faults)
        worker = Worker(folder, environment(folder, disk, faked=faked))
        stack.callback(worker.kill)
        world = World(folder, disk, press, names, mail, operator, worker)
        begin(world)
        for name in faults:
            outcomes.append(suffer(world, name, seconds))
            show(outcomes[-1])
        print(f"exit code after SIGTERM: {worker.stop()}")
        with closing(sqlite3.connect(world.database)) as db:
            print("database:", db.execute("PRAGMA integrity_check").fetchone()[0])
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--for", dest="seconds", type=float, default=20, help="seconds each fault lasts")
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], metavar="FAULT")
    options = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # of the mail server's library
    logging.disable(logging.WARNING)
    faults = options.faults or [name for name in FAULTS if FAKETIME.exists() or not name.startswith("clock")]
    groups = [[name for name in faults if name.startswith("clock") is clock] for clock in (False, True)]
    outcomes = [outcome for group in groups if group for outcome in run(group, options.seconds)]
    print("\n| fault | lasted, s | first mail after, s | caught up after, s | appeared | lost | repeated |")
    print("|---|---|---|---|---|---|---|")
    for each in outcomes:
        print(
            f"| {each.fault} | {each.lasted_s:.0f} | {each.first_s:.0f} | {each.caught_up_s:.0f}"
            f" | {each.appeared} | {len(each.lost)} | {each.repeated} |"
        )
    return 1 if any(each.lost for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())

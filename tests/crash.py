"""A crash campaign: the real process, killed at seams and at random, against servers that fail too.

What must hold afterwards: every match reached every recipient at least once; what was repeated had been
accepted before the process died, and carries the same Message-ID.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from monitor.demo.site import Site
from monitor.store import open_store
from tests import crash_driver, slack_server, smtp_server

SEAMS = [
    f"{method}:{side}"
    for method in ("record_poll", "record_outcome", "record_digest", "claim_due", "send", "mark_sent")
    for side in ("before", "after")
]
IN_HAND = 3  # messages a process can be sending when it dies: two mails and one to Slack
_PATIENCE_S = 600  # of a busy machine
RECIPIENTS = ("desk@example.org", "tokyo@example.org")

# Each life is forked from a process that has imported the program and done nothing else: a second saved.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.crash_driver"])

_MONITOR = """\
workers: {{processes: 1}}
delivery: {{backoff_s: 1, tries: 50, lease_s: 50}}
channels:
  mail: {{kind: email, host: localhost, port: {port}, username: monitor, password: {{env: CRASH_PASSWORD}},
         sender: Desk <desk@example.org>, ca_file: "{ca_file}", timeout_s: 30}}
  slack: {{kind: slack, webhook: {{env: CRASH_SLACK}}, timeout_s: 30}}
"""
_DIGESTS = """\
- name: crash
  channels: [slack, {channel: mail, recipients: [desk@example.org, tokyo@example.org]}]
"""
_RULES = """\
rules:
  - id: pair
    why: Small rules, so that the process starts quickly.
    corridor: uk-japan
    when: 'Japan OR 日英 OR 日米'
    threshold: 1
"""


@dataclass
class Outcome:
    """What one run came to. `repeats` counts messages that a receiver took more than once."""

    kill: str
    deaths: int = 0
    matches: int = 0
    lost: list[str] = field(default_factory=list)
    repeats: int = 0
    allowed: int = 0  # repeats that the deaths and the dropped answers explain
    unexplained: list[str] = field(default_factory=list)


def run(folder: Path, seed: int) -> Outcome:
    """One run: lives that end by a kill, then one that is let live."""
    chance = random.Random(seed)
    seam = "" if seed % 5 == 4 else SEAMS[seed % len(SEAMS)]
    outcome = Outcome(kill=seam or "at random")
    with ExitStack() as stack:
        site = stack.enter_context(Site(datetime.now(UTC)))
        server = stack.enter_context(smtp_server.serve(folder))
        webhook, inbox = stack.enter_context(slack_server.serve())
        _configure(folder, site, server)
        replies = chance.choices(["250 OK", "451 later", "accept-and-drop"], [6, 2, 1], k=6)
        server.mailbox.data_replies += replies
        inbox.answers += chance.choices(["ok", "reset", (500, {}, "oops")], [6, 1, 1], k=4)
        environment = os.environ | {"CRASH_PASSWORD": smtp_server.PASSWORD, "CRASH_SLACK": webhook}
        for life in range(2):
            count = chance.randint(1, 3)
            outcome.deaths += _live(folder, environment, seam, count, life * 60, _patience(chance, seam))
        for life in range(2, 8):
            if not _live(folder, environment, "", 0, life * 60, None) and _is_done(folder):
                break
        outcome.allowed = outcome.deaths * IN_HAND + replies.count("accept-and-drop")
        _judge(folder, server, inbox, outcome)
    return outcome


def _patience(chance: random.Random, seam: str) -> float | None:
    """Seconds until a kill out of nowhere; None when the process kills itself at its seam."""
    return None if seam else chance.uniform(0.3, 2.0)


def _configure(folder: Path, site: Site, server: smtp_server.Server) -> None:
    config = folder / "config"
    (config / "concepts").mkdir(parents=True, exist_ok=True)
    (config / "monitor.yaml").write_text(_MONITOR.format(port=server.port, ca_file=server.ca_file), "utf-8")
    (config / "digests.yaml").write_text(_DIGESTS, "utf-8")
    (config / "rules.yaml").write_text(_RULES, "utf-8")
    sources = [("gov", "gov/feed.atom"), ("wire", "wire/rss.xml"), ("kagaku", "kagaku/index.rdf")]
    (config / "sources.yaml").write_text(
        "".join(f'- {{id: {id}, url: "{site.base}/{path}", allow_private: true}}\n' for id, path in sources),
        "utf-8",
    )


def _live(
    folder: Path, environment: dict[str, str], seam: str, count: int, ahead_s: int, kill_after_s: float | None
) -> bool:
    """Runs the process once; returns whether it was killed."""
    complaint = folder / "complaint.txt"
    where = folder / "config", folder / "m.db"
    dies = crash_driver.Seam(seam, count)
    arguments = (*where, dies, timedelta(seconds=ahead_s), environment, complaint)
    process = _FORKS.Process(target=crash_driver.live, args=arguments)
    process.start()
    try:
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            process.kill()
        process.join(_PATIENCE_S)
    finally:
        process.kill()
        process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise AssertionError(complaint.read_text("utf-8"))
    return process.exitcode != 0


def _is_done(folder: Path) -> bool:
    with open_store(folder / "m.db") as store:
        waiting = store.db.value("SELECT count(*) FROM items WHERE status = 'pending'")
        unsent = store.db.value("SELECT count(*) FROM outbox WHERE status <> 'sent'")
        return not waiting and not unsent


def _judge(folder: Path, server: smtp_server.Server, inbox: slack_server.Inbox, outcome: Outcome) -> None:
    received: dict[str, list[tuple[str, str]]] = {name: [] for name in (*RECIPIENTS, "slack")}
    for envelope in server.mailbox.envelopes:
        message = message_from_bytes(bytes(envelope.original_content or b""), policy=policy.default)
        body = message.get_body(("plain",))
        text = body.get_content() if body else ""
        for recipient in envelope.rcpt_tos:
            received[recipient].append((str(message["Message-ID"]), text))
    for posted in inbox.messages:
        received["slack"].append((str(posted["blocks"][-1]), str(posted)))
    with open_store(folder / "m.db") as store:
        links = {
            row["url"]
            for row in store.db.all(
                "SELECT a.url FROM stories s JOIN matches m ON m.id = s.lead_match_id"
                " JOIN articles a ON a.item_id = m.item_id"
            )
        }
        outcome.matches = int(store.db.value("SELECT count(*) FROM matches"))
        keys = {
            row["message_id"] for row in store.db.all("SELECT message_id FROM outbox WHERE kind = 'email'")
        }
    for recipient, messages in received.items():
        everything = "".join(text for _, text in messages).replace("&amp;", "&")
        outcome.lost += [f"{recipient}: {link}" for link in links if link not in everything]
        counts = Counter(key for key, _ in messages)
        outcome.repeats += sum(count - 1 for count in counts.values())
        if recipient != "slack":
            outcome.unexplained += [key for key in counts if key not in keys]

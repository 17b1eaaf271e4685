"""What is typed when something is wrong: messages given up, a damaged file, an article nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.model import Processed
from monitor.store import open_store
from monitor.store.times import to_text
from tests.cli import Outcome, monitor, write_config
from tests.fakes import digest, row, story
from tests.store_kit import BBC, METI, NOW, desk, item, matched, shown

MAIL = """
channels:
  mail: {kind: email, host: 127.0.0.1, port: 1, security: none, sender: m@example.org, timeout_s: 5}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A desk with one match, and one message to an address that is none."""
    write_config(tmp_path / "config", monitor=MAIL)
    with open_store(tmp_path / "storage" / "monitor.db") as store:
        desk(store)
        matched(store, METI, 1)
        store.record_digest(
            digest(story()), "subject", [], [row(channel="mail", recipient="no-at")], None, NOW
        )
    return tmp_path


def typed(folder: Path, *words: str | Path) -> Outcome:
    return monitor("--db", folder / "storage" / "monitor.db", *words, cwd=folder)


def test_a_message_that_waits_for_another_try_is_sent_at_once_when_asked(folder: Path) -> None:
    with open_store(folder / "storage" / "monitor.db") as store:
        later = to_text(datetime.now(UTC) + timedelta(hours=2))
        store.db.run("UPDATE outbox SET status = 'retry', attempts = 3, retry_at = ?", [later])
    assert "no message is due" in typed(folder, "flush").err
    assert "1 messages put back" in typed(folder, "outbox", "retry").err
    assert "1 given up" in typed(folder, "flush").err


def test_a_message_given_up_is_told_listed_sent_again_and_dropped(folder: Path) -> None:
    gone = typed(folder, "flush")
    assert gone.code == 1
    assert "1 given up" in gone.err
    (listed,) = typed(folder, "outbox", "list", "--status", "dead", "--json").lines
    assert listed["error"]
    shown = typed(folder, "outbox", "list", "--status", "dead").out.rstrip("\n").split("\t")
    assert shown[:3] == [str(listed["id"]), "dead", listed["digest"]]
    assert listed["digest"]
    assert "1 dead" in typed(folder, "status").out

    unknown = typed(folder, "outbox", "retry", "99")
    assert unknown.code == 2
    assert "none of these messages was given up or waits" in unknown.err
    assert "1 messages put back" in typed(folder, "outbox", "retry").err
    again = typed(folder, "flush", "--json")
    assert again.code == 1
    assert again.lines == [{"sent": 0, "retried": 0, "dead": 1}]

    assert typed(folder, "outbox", "drop", str(listed["id"])).code == 0
    (dropped,) = typed(folder, "outbox", "list", "--json").lines
    assert dropped["status"] == "dropped"
    nothing = typed(folder, "outbox", "drop", str(listed["id"]))
    assert nothing.code == 2
    assert "none of these messages waits" in nothing.err
    assert typed(folder, "flush").code == 0


def test_with_nothing_to_do_each_step_says_so(folder: Path) -> None:
    typed(folder, "flush")
    assert "no message is due" in typed(folder, "flush").err
    assert "no article waits" in typed(folder, "process").err
    assert typed(folder, "process", "--json").lines == [{"outcomes": {}, "matches": [], "pending": 0}]
    assert "no source is due" in typed(folder, "poll").err


def test_a_damaged_database_is_exit_1_with_what_is_wrong(folder: Path) -> None:
    path = folder / "storage" / "monitor.db"
    with open_store(path) as store:
        store.db.run("PRAGMA foreign_keys = OFF")
        store.db.run("DELETE FROM verdicts")
    found = typed(folder, "store", "check")
    assert found.code == 1
    assert "matches" in found.out
    assert "sound" not in found.out


def test_pruning_says_what_it_would_forget_and_forgets_it(folder: Path) -> None:
    longago = datetime.now(UTC) - timedelta(days=2000)
    with open_store(folder / "storage" / "monitor.db") as store:
        (old,) = shown(store, BBC, item(7), at=longago)
        store.record_outcome(Processed(old, "no-match", "old news"), None, longago)
    counts = dict(
        reversed(line.split("\t")) for line in typed(folder, "store", "prune", "--dry-run").out.splitlines()
    )
    assert counts["items"] == "1"
    assert typed(folder, "store", "prune", "--json").lines[0]["items"] == 1
    assert typed(folder, "store", "prune", "--dry-run", "--json").lines[0]["items"] == 0


@pytest.mark.parametrize("what", ["999", "https://never.example/seen"])
def test_an_article_nobody_knows_cannot_be_explained(what: str, folder: Path) -> None:
    unknown = typed(folder, "explain", what)
    assert unknown.code != 0
    assert what in unknown.err


def test_an_instant_without_a_zone_is_not_stored() -> None:
    with pytest.raises(StoreError, match="without a time zone"):
        to_text(datetime(2026, 5, 4, 8, 0))
    assert to_text(datetime.max.replace(tzinfo=UTC)).startswith("9999-12-31T23:59:59")

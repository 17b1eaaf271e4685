"""The steps by hand, the whole cycle and the worker, over a real site on this machine."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import operator
from monitor.demo.site import Site
from monitor.operator import Finding
from monitor.store import open_store
from tests.cli import monitor, write_config

SOURCES = """
- {{id: gov, url: "{base}/gov/feed.atom", allow_private: true, country: gb}}
- {{id: broken, url: "{base}/broken/feed.xml", allow_private: true}}
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    write_config(tmp_path / "config", sources=SOURCES.format(base=site.base), digests="- name: desk\n")
    return tmp_path


def test_one_cycle_polls_judges_and_writes_the_first_digest(folder: Path) -> None:
    done = monitor("run", "--once", "--json", cwd=folder)
    assert done.code == 0, done.err
    (report,) = done.lines
    assert (report["sources"]["read"], report["sources"]["failed"]) == (1, 1)
    assert report["failures"][0]["source"] == "broken"
    assert report["items"]["new"] > 0
    assert report["items"]["pending"] == 0
    assert report["matches"]
    assert {path.suffix for path in (folder / "storage/digests").rglob("*") if path.is_file()} >= {
        ".html",
        ".txt",
    }
    assert monitor("run", "--once", "--strict", cwd=folder).code == 0  # nothing is due, so nothing failed


def test_for_people_each_match_has_its_why_and_the_failure_its_line(folder: Path) -> None:
    done = monitor("run", "--once", cwd=folder)
    assert done.code == 0
    assert done.out.startswith("+ ")
    assert "1 of 2 sources read" in done.err
    assert "broken: " in done.err
    assert "Traceback" not in done.err


def test_strict_makes_one_failed_source_exit_1(folder: Path) -> None:
    assert monitor("run", "--once", "--strict", cwd=folder).code == 1


def test_the_steps_one_by_one(folder: Path) -> None:
    dry = monitor("poll", "gov", "--dry-run", "--json", cwd=folder)
    assert (dry.code, dry.lines[0]["source"], dry.lines[0]["status"]) == (0, "gov", "ok")
    polled = monitor("poll", "gov", "--json", cwd=folder)
    assert polled.lines[0]["new"] == dry.lines[0]["new"] > 0
    assert monitor("poll", "gov", "--json", cwd=folder).lines[0]["new"] == 0
    processed = monitor("process", "--json", cwd=folder)
    assert sum(processed.lines[0]["outcomes"].values()) == polled.lines[0]["new"]
    assert processed.lines[0]["pending"] == 0
    preview = ("digest", "desk", "--as-of", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    shown = monitor(*preview, cwd=folder)
    assert (shown.code, monitor(*preview, cwd=folder).out) == (0, shown.out)
    assert "1 story" in shown.out
    sent = monitor("digest", "desk", "--send", cwd=folder)
    assert sent.code == 0
    assert "messages: 1 sent" in sent.err
    again = monitor("digest", "desk", "--send", cwd=folder).err
    assert "nothing new: nothing to send" in again
    assert "sent" not in again
    assert monitor("flush", "--json", cwd=folder).lines == [{"sent": 0, "retried": 0, "dead": 0}]


def test_a_preview_is_written_and_claims_nothing(folder: Path) -> None:
    monitor("run", "--once", cwd=folder)
    done = monitor("digest", "--preview", "out.html", "--since", "1d", cwd=folder)
    assert done.code == 0, done.err
    assert "<html" in (folder / "out.html").read_text("utf-8")
    assert monitor("digest", "--preview", "no/such/folder.html", cwd=folder).code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["poll", "nonsense"], "no such source"),
        (["digest", "nonsense"], "no such digest"),
        (["digest", "--since", "soon"], "is no moment"),
        (["digest", "--send", "--since", "1d"], "name the digest"),
        (["run", "--json"], "go with --once"),
    ],
)
def test_what_does_not_exist_is_exit_2(folder: Path, arguments: list[str], says: str) -> None:
    done = monitor(*arguments, cwd=folder)
    assert done.code == 2
    assert says in done.err


def test_without_a_database_there_is_one_clear_line(folder: Path) -> None:
    done = monitor("status", cwd=folder)
    assert done.code == 1
    assert done.err.startswith("monitor: no database at ")
    assert done.err.count("\n") == 1


def test_nothing_reachable_is_one_line_and_exit_1(tmp_path: Path) -> None:
    entries = [f"- {{id: s{n}, url: 'http://127.0.0.1:9/{n}', allow_private: true}}\n" for n in range(30)]
    write_config(tmp_path / "config", sources="".join(entries))
    done = monitor("run", "--once", cwd=tmp_path)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "none of 30 sources" in done.err
    assert "monitor demo" in done.err


def test_status_says_what_was_and_what_comes(folder: Path) -> None:
    monitor("run", "--once", cwd=folder)
    (found,) = monitor("status", "--json", cwd=folder).lines
    assert found["sources"]["total"] == 2
    assert found["matches"] > 0
    assert found["next_digests"][0]["name"] == "desk"
    assert found["prefilter"] == {"skipped": 2, "audited": 0, "missed": 0}
    with open_store(folder / "storage/monitor.db") as store:  # a later cycle, whose audit found a fault
        report = {"prefilter": {"skipped": 7, "audited": 2, "missed": 1}}
        store.record_run("cycle", datetime.now(UTC), datetime.now(UTC), True, report)
    shown = monitor("status", cwd=folder)
    assert shown.code == 0
    assert "ERROR: 1 of these would have been lost" in shown.out
    assert "next digest  desk at " in shown.out
    assert monitor("status", "--healthcheck", cwd=folder).out == "well\n"


def test_after_a_cycle_without_a_network_status_says_so_and_the_next_start_asks_at_once(
    tmp_path: Path,
) -> None:
    sources = [f"- {{id: s{n}, url: 'http://127.0.0.1:9/{n}', allow_private: true}}\n" for n in range(2)]
    write_config(tmp_path / "config", sources="".join(sources))
    monitor("run", "--once", cwd=tmp_path)
    assert "trouble      network down" in monitor("status", cwd=tmp_path).out
    with open_store(tmp_path / "storage/monitor.db") as store:
        assert store.due_sources(datetime.now(UTC)) == []
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "run"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr
        assert any("no network" in line for line in running.stderr)
        running.terminate()


def test_status_says_what_the_operator_was_told_of(folder: Path) -> None:
    monitor("run", "--once", cwd=folder)
    assert "trouble" not in monitor("status", cwd=folder).out
    now = datetime.now(UTC)
    found = [Finding("network", "down", "no network"), Finding("clock", "jumped 2026", "the clock went back")]
    with open_store(folder / "storage/monitor.db") as store:
        operator.tell(store, found, [], now)
    assert "trouble      network down; the log says more" in monitor("status", cwd=folder).out
    assert monitor("status", "--json", cwd=folder).lines[0]["unwell"] == ["network down"]
    with open_store(folder / "storage/monitor.db") as store:
        operator.tell(store, [Finding("network", operator.WELL, "it is back")], [], now)
    assert "trouble" not in monitor("status", cwd=folder).out


def test_the_health_check_fails_where_no_worker_ever_was(folder: Path) -> None:
    assert monitor("status", "--healthcheck", cwd=folder).code == 1
    monitor("poll", cwd=folder)
    done = monitor("status", "--healthcheck", cwd=folder)
    assert (done.code, done.out) == (1, "the worker has never run on this database\n")


def test_a_worker_that_fell_silent_is_seen_and_where_to_look_is_said(folder: Path) -> None:
    monitor("run", "--once", cwd=folder)
    with closing(sqlite3.connect(folder / "storage/monitor.db")) as db, db:
        db.execute("UPDATE state SET at = '2020-01-01T00:00:00Z' WHERE key = 'heartbeat'")
    shown = monitor("status", cwd=folder)
    assert "alive        not since 2020-01-01T00:00:00Z: it is stopped, or cannot write" in shown.out
    done = monitor("status", "--healthcheck", cwd=folder)
    assert done.code == 1
    assert "`monitor doctor` say why" in done.out


def test_a_worker_that_refused_a_wrong_configuration_is_well(folder: Path) -> None:
    monitor("run", "--once", cwd=folder)
    (folder / "config/rules.yaml").write_text("rules: [oh\n")
    assert monitor("status", "--healthcheck", cwd=folder).out == "well\n"
    assert "matches" in monitor("status", cwd=folder).out
    for wrong in ("nonsense: 1\n", "database: [\n"):
        (folder / "config/monitor.yaml").write_text(wrong)
        assert monitor("status", "--healthcheck", cwd=folder).out == "well\n"
    (folder / "config/monitor.yaml").write_text("nonsense: 1\ndatabase: elsewhere.db\n")
    assert "elsewhere.db" in monitor("status", "--healthcheck", cwd=folder).out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_stops_when_told_and_exits_0(folder: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "monitor", "run"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr
        assert running.stdout
        for line in running.stderr:
            event = json.loads(line)  # not a terminal: a log of events
            if event["event"] == "cycle":
                assert (event["polled"], event["failed"]) == (2, 1)
                break
        os.kill(running.pid, number)
        rest = running.stderr.read()
        assert running.wait() == 0
        assert "Traceback" not in rest
        assert running.stdout.read().startswith("+ ")


def test_where_output_and_log_are_one_a_match_is_an_event(folder: Path) -> None:
    """Under systemd both end in the journal, and every line of it should be one that a program reads."""
    command = [sys.executable, "-m", "monitor", "run"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout
        events = []
        for line in running.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "cycle":
                break
        running.terminate()
        assert running.wait() == 0
    match = next(event for event in events if event["event"] == "match")
    assert match["source"] == "gov"
    assert match["title"]
    assert "uk-japan" in match["why"]


def test_a_missing_secret_stops_the_start(folder: Path) -> None:
    (folder / "config/monitor.yaml").write_text("channels:\n  slack: {kind: slack, webhook: {env: HOOK_X}}\n")
    (folder / "config/digests.yaml").write_text("- {name: desk, channels: [slack]}\n")
    done = monitor("run", "--once", cwd=folder)
    assert done.code == 2
    assert "HOOK_X is not set" in done.err
